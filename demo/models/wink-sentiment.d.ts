/** The part of wink-sentiment that the demo uses. The package has no types. */
declare module "wink-sentiment" {
	interface Token {
		value: string;
		tag: string;
		/** Only for words that contribute: from -5 to 5. */
		score?: number;
	}
	interface Analysis {
		score: number;
		normalizedScore: number;
		tokenizedPhrase: Token[];
	}
	export default function analyse(phrase: string): Analysis;
}
