/**
 * Streams as servers send them: server-sent events, or one JSON document per line; and the errors in
 * them. What the chunks mean is the protocols' own.
 */
import { parseJson, parseWithRawNumbers } from "../../events/json/parse.ts";
import { refuseStructure } from "../../events/json/structure.ts";
import { isObject } from "./reading.ts";

type Members = Record<string, unknown>;

export interface Payload {
	/** The name of its server-sent event; null: it has none. */
	event: string | null;
	text: string;
}

/** Whether a text is server-sent events, whatever its label. */
export function isEventStream(text: string): boolean {
	return /^\ufeff?(?:data|event|id|retry)?:/.test(text.slice(0, 16).trimStart());
}

/**
 * The data of each server-sent event, or each line. An event may spread its data over several
 * lines; but some servers leave out the empty line between events, so that each line is one.
 */
export function payloadsOf(stream: string): Payload[] {
	const lines = stream.replaceAll(/\r\n?/g, "\n");
	return lines.split(/\n{2,}/).flatMap((block) => {
		const fields = block.split("\n").map(fieldOf);
		const event = fields.find(({ name }) => name === "event")?.value ?? null;
		const data = fields.flatMap(({ name, value }) => (name === "data" && value !== "" ? [value] : []));
		const whole = data.join("\n");
		const texts = data.length > 1 && objectOf(whole) !== null ? [whole] : data;
		return texts.map((text) => ({ event, text }));
	});
}

/** A line without the name of a field is data. Comments, which keep connections open, have no name. */
function fieldOf(line: string): { name: string; value: string } {
	const [, name, value] = /^(data|event|id|retry|):(.*)$/s.exec(line) ?? [];
	return { name: name ?? "data", value: (value ?? line).trim() };
}

/** null: not a JSON object within the limits. */
export function objectOf(text: string): Members | null {
	if (!text.startsWith("{") || !parseJson(text).ok || refuseStructure(text) !== null) return null;
	const value = parseWithRawNumbers(text);
	return isObject(value) ? value : null;
}

/** What the server sends in place of a chunk; null: it is a chunk. */
export function errorIn(chunk: Members, event: string | null): Members | null {
	const { error } = chunk;
	if (isObject(error)) return error;
	if (typeof error === "string" && error !== "") return chunk;
	return event === "error" || chunk["object"] === "error" ? chunk : null;
}
