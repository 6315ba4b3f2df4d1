/**
 * Reads a model's output if the protocol has no form of its own: by the response's headers, as a
 * CloudEvent or as plain data. Never fails: a body that does not match its content type, or JSON
 * beyond the limits for publishers, is kept as text or bytes, because the model has already done
 * the work.
 */
import { Buffer } from "node:buffer";
import { decodeCloudEvents } from "../../events/cloudevents/cloudevents.ts";
import { isMediaType } from "../../events/cloudevents/media-type.ts";
import { refuseStructure } from "../../events/json/structure.ts";
import { guessContentType, readPayload } from "../../events/payload.ts";
import type { ModelResponse, ModelOutput } from "../exchange.ts";

/**
 * Knative data plane: the body of a 202 is not an output, even if it looks like one.
 */
export function carriesNothing(status: number): boolean {
	return status === 202 || status === 204;
}

type Data = Extract<ModelOutput, { kind: "data" }>;

/**
 * Reads a 2xx response. 202 and 204 carry no output, nor does an empty body that is not an
 * event.
 */
export function readOutput(response: ModelResponse): ModelOutput {
	if (carriesNothing(response.status)) return null;
	return readEvent(response) ?? readData(response);
}

/**
 * Binary or structured. A batch is not a single result and stays data; so does an event that is not
 * valid, or has longer attributes than an event may have.
 */
function readEvent({ headers, body }: ModelResponse): ModelOutput {
	const decoded = decodeCloudEvents(new Headers(headers), body);
	const event = decoded.ok && !decoded.batch ? decoded.events[0] : undefined;
	return event === undefined ? null : { kind: "event", ...event };
}

/**
 * The body as data, ignoring event headers: for protocols whose servers label every response as an
 * event.
 */
export function readData({ headers, body }: ModelResponse): ModelOutput {
	if (body.length === 0) return null;
	const said = headers["content-type"];
	const contentType = said !== undefined && isMediaType(said) ? said : guessContentType(body);
	return readAs(body, contentType) ?? relabelled(body);
}

/**
 * Labelled by its actual content (JSON in UTF-8, text, or bytes), so that a wrong label does not
 * mislead later readers.
 */
function relabelled(body: Uint8Array): Data {
	for (const contentType of ["application/json", "text/plain; charset=utf-8"]) {
		const read = readAs(body, contentType);
		if (read !== null && read.data.kind !== "binary") return read;
	}
	const base64 = Buffer.from(body).toString("base64");
	return { kind: "data", data: { kind: "binary", base64 }, contentType: "application/octet-stream" };
}

/**
 * null if the body does not match the content type. The JSON limits for publishers apply: JSON
 * beyond them is passed on only as text.
 */
function readAs(body: Uint8Array, contentType: string): Data | null {
	const payload = readPayload(body, contentType);
	if (!payload.ok || payload.data === null) return null;
	const { data } = payload;
	if (data.kind === "json" && refuseStructure(data.text) !== null) return null;
	return { kind: "data", data, contentType };
}
