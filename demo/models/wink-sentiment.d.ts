/** What the demo uses of wink-sentiment, which comes without types. */
declare module "wink-sentiment" {
	interface Token {
		value: string;
		tag: string;
		/** Of a word that counts, from -5 to 5. */
		score?: number;
	}
	interface Analysis {
		score: number;
		normalizedScore: number;
		tokenizedPhrase: Token[];
	}
	export default function analyse(phrase: string): Analysis;
}
