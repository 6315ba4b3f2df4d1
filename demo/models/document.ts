/** The text of a document, in the form that the subscriptions send to the two text models. */
import { BadInput } from "../webhook-server.ts";

export interface DocumentText {
	/** The scan's key in the bucket. */
	document: string;
	text: string;
}

/** @throws {BadInput} for anything else */
export function readDocument(value: unknown): DocumentText {
	const { document, text } = (value ?? {}) as { document?: unknown; text?: unknown };
	if (typeof document === "string" && typeof text === "string") return { document, text };
	throw new BadInput("document and text must be strings.");
}
