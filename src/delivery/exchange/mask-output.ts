/** A model's output without the credentials of its endpoint: the result, and every attribute of an event. */
import { Buffer } from "node:buffer";
import type { Attributes, EventData } from "../../events/event.ts";
import type { ModelOutput } from "../../models/exchange.ts";
import { formsOf, maskBytes, maskJson, maskText, type Forms } from "./mask.ts";

/** The shortest credential that is hidden in a result: a shorter one would be found in what it has no part in. */
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

/** Their names are those of CloudEvents, too short and too plain for a credential. */
function maskAttributes(attributes: Attributes, forms: Forms): Attributes {
	const masked = Object.entries(attributes).map(([name, value]) => [
		name,
		typeof value === "string" ? maskText(value, forms) : value,
	]);
	return Object.fromEntries(masked) as Attributes;
}
