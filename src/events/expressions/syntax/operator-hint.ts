/**
 * Detects operators of other languages, for which JSONata reports misleading errors. Used only for an expression that
 * does not parse. Pure.
 */

/** What stands in JSONata instead. */
const INSTEAD = new Map([
	["==", "="],
	["===", "="],
	["!==", "!="],
	["<>", "!="],
	["&&", "and"],
	["||", "or"],
	["!", "$not(…)"],
	["AND", "and"],
	["OR", "or"],
	["NOT", "$not(…)"],
	["not", "$not(…)"],
]);

/** Strings, quoted names and comments are skipped as a whole. */
const TOKEN =
	/"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|`[^`]*`?|\/\*[\s\S]*?\*\/|(?<foreign>===?|!==|<>|&&|\|\||!(?!=)|\b(?:AND|OR|NOT|not)\b)/g;

export interface OperatorHint {
	message: string;
	/** Where the operator begins. */
	position: number;
}

/** How far behind the beginning of the operator a parser may notice it: behind it, a space and the next word. */
const NOTICED_WITHIN = 2;

/**
 * The operator that JSONata stumbled over at `noticed` (characters from 0, as it tells them), or null when it was
 * another thing.
 */
export function operatorHint(text: string, noticed: number | null): OperatorHint | null {
	if (noticed === null) return null;
	for (const { groups, index } of text.matchAll(TOKEN)) {
		const operator = groups?.["foreign"];
		if (operator === undefined) continue;
		const instead = INSTEAD.get(operator);
		const end = index + operator.length;
		// A word is a name until what follows shows that it is none: JSONata then tells the end of the word behind it.
		const reach = /^not$/i.test(operator) ? endOfNextWord(text, end) : end + NOTICED_WITHIN;
		if (instead === undefined || noticed < index || noticed > reach) continue;
		return { message: `JSONata has no ${operator}: write ${instead}`, position: index };
	}
	return null;
}

function endOfNextWord(text: string, from: number): number {
	const [word = ""] = /^\s*\S*/.exec(text.slice(from)) ?? [];
	return from + word.length;
}
