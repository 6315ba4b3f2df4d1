/** Structural limits for external JSON. Works on text that `JSON.parse` has accepted. */
import { stringEnd } from "./text.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";

/** Ten times the nesting of any provider. Deeper JSON could break models and expressions. */
const MAX_DEPTH = 1_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Refuses with 400 `nested_too_deep`, or `duplicate_member` if the outermost object has a member twice, because sender
 * and receiver could use different ones. Nested objects are not checked for duplicates. One pass, without recursion.
 */
export function refuseStructure(text: string): Refusal | null {
	const names = new Set<string>();
	let depth = 0;
	let isObject = false;
	let nameIsNext = false;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			const end = stringEnd(text, at);
			if (nameIsNext) {
				const name = JSON.parse(text.slice(at, end)) as string;
				if (names.has(name)) {
					return refuse(
						400,
						"duplicate_member",
						`The object has the member ${JSON.stringify(name.slice(0, 100))} twice.`,
					);
				}
				names.add(name);
				nameIsNext = false;
			}
			at = end - 1;
		} else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
			depth++;
			if (depth === 1 && code === OPEN_BRACE) nameIsNext = isObject = true;
			if (depth > MAX_DEPTH) {
				return refuse(400, "nested_too_deep", `The JSON nests too deep. The limit is ${MAX_DEPTH} levels.`);
			}
		} else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
			depth--;
		} else if (code === COMMA) {
			nameIsNext = isObject && depth === 1;
		}
	}
	return null;
}
