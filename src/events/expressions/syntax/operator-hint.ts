/**
 * Detects operators of other languages, for which JSONata reports misleading errors. Used only for an expression that
 * does not parse. Pure.
 */

/** What to write in JSONata instead. */
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
	/** Where the operator starts. */
	position: number;
}

/** How far after the start of an operator the parser may notice it: after the operator, a space and the next word. */
const NOTICED_WITHIN = 2;

/**
 * Returns the operator that caused JSONata's error at `noticed` (in characters from 0, as JSONata reports it), or null
 * if the cause was something else.
 */
export function operatorHint(text: string, noticed: number | null): OperatorHint | null {
	if (noticed === null) return null;
	for (const { groups, index } of text.matchAll(TOKEN)) {
		const operator = groups?.["foreign"];
		if (operator === undefined) continue;
		const instead = INSTEAD.get(operator);
		const end = index + operator.length;
		// JSONata reads a word as a name at first, and then reports the end of the word that follows it.
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
