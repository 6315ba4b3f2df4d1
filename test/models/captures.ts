/** Exchanges with real servers, as they were recorded: what the server was sent, and what it said. */
import type { CompletionMode } from "../../src/store/records.ts";
import type { Exchange, ReadContext, Reading } from "../../src/models/exchange.ts";
import type { ModelInput, ModelRequest, Protocol } from "../../src/models/protocol.ts";
import { protocolOf } from "../../src/models/registry.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import type { EventData } from "../../src/events/event.ts";

export interface Capture {
	request: { method: string; path: string; headers: Record<string, string>; body: string };
	response: { status: number; headers: Record<string, string>; body: string };
}

interface Said {
	status: number;
	headers?: Record<string, string>;
	body?: unknown;
}

const URL = "https://models.example.com";

export type Captures = Record<string, Capture>;

export function find(name: string): Protocol {
	const protocol = protocolOf(name);
	if (protocol === null) throw new Error(`no protocol ${name}`);
	return protocol;
}

/** What the protocol reads out of a recorded response. */
export function readCapture(protocol: string, captures: object, name: string, isStarting = false): Reading {
	const capture = (captures as Captures)[name];
	if (capture === undefined) throw new Error(`no capture ${name}`);
	return read(protocol, capture.response, isStarting);
}

export function read(
	protocol: string,
	{ status, headers = {}, body = "" }: Said,
	isStarting = false,
	context: Partial<ReadContext> = {},
): Reading {
	const exchange = { ...exchangeOf({ status, headers, body }), isStarting };
	return find(protocol).read(exchange, { url: URL, completion: "sync", ...context });
}

/** A response; JSON unless the body is a text. */
export function exchangeOf({ status, headers = {}, body = "" }: Said): Exchange {
	const type = typeof body === "string" ? {} : { "content-type": "application/json" };
	const text = typeof body === "string" ? body : JSON.stringify(body);
	return { status, headers: { ...type, ...headers }, body: Buffer.from(text), isStarting: false };
}

/** The output's JSON or text. */
export function outputText({ output }: Reading): string | null {
	if (output === null || output.data === null) return null;
	if (output.kind === "event") throw new Error("an event");
	return output.data.kind === "binary" ? output.data.base64 : output.data.text;
}

export const json = (text: string): EventData => ({ kind: "json", text });

export function inputOf(data: EventData | null, transformed: string | null = null): ModelInput {
	const event: SluiceEvent = {
		id: "evt_1",
		sourceId: "src_1",
		receivedAt: 0,
		attributes: { id: "42", source: "/sources/db", type: "document.inserted" },
		data,
	};
	return { event, transformed };
}

interface To {
	url?: string;
	model?: string | null;
	completion?: CompletionMode;
	callbackUrl?: string | null;
	retriedAfter?: number;
}

/** The request for an event's payload, or what does not fit. */
export function request(protocol: string, input: ModelInput, to: To = {}): ModelRequest | { misfit: string } {
	const { url = URL, model = "m", completion = "sync", callbackUrl = null, retriedAfter = 0 } = to;
	const ids = { deliveryId: "dlv_1", jobId: "dlv_1" };
	return find(protocol).request(input, { url, model, ...ids, retriedAfter, completion, callbackUrl });
}

/** The body for a payload that is this JSON, which is the same as for a transform with this value. */
export function bodyFor(protocol: string, text: string, to: To = {}): string {
	const bodies = [inputOf(json(text)), inputOf(json('"another"'), text)].map((input) => {
		const made = request(protocol, input, to);
		return "misfit" in made ? `misfit: ${made.misfit}` : String(made.body);
	});
	if (bodies[0] !== bodies[1]) throw new Error("a transform's value is not what a payload is");
	return bodies[0] ?? "";
}

export function urlFor(protocol: string, url: string, model: string | null): string {
	const made = request(protocol, inputOf(json('{"a":1}')), { url, model });
	if ("misfit" in made) throw new Error(made.misfit);
	return made.url;
}
