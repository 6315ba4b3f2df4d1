/**
 * Masks the credentials of its endpoint in a model's output: in the result, and in every attribute
 * of an event.
 */
import { Buffer } from "node:buffer";
import type { Attributes, EventData } from "../../../events/event.ts";
import type { ModelOutput } from "../../../models/exchange.ts";
import { formsOf, maskBytes, maskJson, maskText, type Forms } from "./mask.ts";

/** The shortest credential that is masked in a result: a shorter one could match unrelated text. */
const MIN_SECRET = 8;

export function maskOutput(output: ModelOutput, secrets: readonly string[]): ModelOutput {
	const forms = formsOf(secrets, MIN_SECRET);
	if (output === null || forms.length === 0) return output;
	if (output.kind === "event") {
		const data = output.data === null ? null : maskData(output.data, forms);
		return { kind: "event", attributes: maskAttributes(output.attributes, forms), data };
	}
	const contentType = maskText(output.contentType, forms);
	return { kind: "data", data: maskData(output.data, forms), contentType };
}

function maskData(data: EventData, forms: Forms): EventData {
	switch (data.kind) {
		case "json":
			return { kind: "json", text: maskJson(data.text, forms) };
		case "text":
			return { kind: "text", text: maskText(data.text, forms) };
		case "binary": {
			const bytes = Buffer.from(data.base64, "base64");
			const masked = maskBytes(bytes, forms);
			return masked === bytes ? data : { kind: "binary", base64: masked.toString("base64") };
		}
	}
}

/**
 * Attribute names follow CloudEvents and are too short and simple to be a credential.
 */
function maskAttributes(attributes: Attributes, forms: Forms): Attributes {
	const masked = Object.entries(attributes).map(([name, value]) => [
		name,
		typeof value === "string" ? maskText(value, forms) : value,
	]);
	return Object.fromEntries(masked) as Attributes;
}
