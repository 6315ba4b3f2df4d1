/**
 * `POST /v1/endpoints/{ref}/test`: sends one request to the endpoint now, and returns the request
 * and its result.
 */
import * as z from "zod";
import { trialEventId, tryEndpoint } from "../../delivery/trial/trial.ts";
import type { Env } from "../../env.ts";
import { exactDocumentOf } from "../../events/cloudevents/document.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { expressionField } from "../../events/expressions/expression-field.ts";
import { evaluateExpression, jsonOf } from "../../events/expressions/expression.ts";
import { memberTexts } from "../../events/json/text.ts";
import { Problem } from "../../http/problem.ts";
import { toProblem } from "../../http/refusal.ts";
import type { Protocol } from "../../models/protocol.ts";
import { protocolOf } from "../../models/registry.ts";
import { sampleFor } from "../../models/sample.ts";
import { ownHostsAt } from "../../store/own-hosts.ts";
import { type Endpoint, isReadable, type ReadableEndpoint } from "../../store/records.ts";
import type { Asker } from "../access/own.ts";
import { requireOwnEvent } from "../access/ownership.ts";
import { readEntry } from "../events/entry.ts";
import { plainEventOf, plainEventSchema } from "../events/publishing.ts";
import { formatTime } from "../fields/times.ts";
import { checkFields, decodeJson, readBytes } from "../http/body.ts";
import { trialJson } from "./test-wire.ts";

/** The default event type. */
const SAMPLE_TYPE = "test.sample";
/** The built-in source of events that people create by hand. */
const API_SOURCE_ID = "src_api";

export const testEndpointSchema = z
	.strictObject({
		event: plainEventSchema.optional().describe("The event to send, in the form of POST /v1/events."),
		event_id: z.string().optional().describe("The id (evt_…) of a recent event to send instead."),
		transform: expressionField
			.nullable()
			.optional()
			.describe("JSONata over the event, as in a subscription. Its value is sent."),
	})
	.refine(({ event, event_id }) => event === undefined || event_id === undefined, {
		path: ["event_id"],
		message: "cannot be combined with event: give either event or event_id",
	});

type TestInput = z.output<typeof testEndpointSchema>;

/**
 * The response as JSON text. Works on a paused endpoint, and changes nothing. Throws what
 * `readEntry` throws, 409 `unreadable`, 503 `secret_unreadable`, 422 `transform_failed` or
 * `input_misfit`, 403 `forbidden` for an event that is not the asker's, and what reading the body throws.
 */
export async function testEndpoint(
	env: Env,
	stored: Endpoint,
	request: Request,
	asker: Asker,
): Promise<string> {
	const { input, text } = await readInput(request);
	const { endpoint, protocol } = requireSendable(stored);
	// The key's endpoint is sent the payload: it must be of an event that the key may read.
	if (input.event_id !== undefined) await requireOwnEvent(env, asker, input.event_id);
	const event = await eventOf(env, input, text, protocol);
	const transformed = await transform(input.transform ?? null, event);
	const ownHosts = await ownHostsAt(env, request.url);
	const trial = await tryEndpoint(env, { endpoint, protocol, event, transformed, ownHosts });
	if ("misfit" in trial) throw new Problem(422, "input_misfit", trial.misfit);
	return trialJson(trial, endpoint);
}

/** An empty body counts as `{}`. */
async function readInput(request: Request): Promise<{ input: TestInput; text: string }> {
	const body = await readBytes(request);
	const { value, text } = body.length === 0 ? { value: {}, text: "{}" } : decodeJson(request, body);
	return { input: checkFields(value, testEndpointSchema), text };
}

function requireSendable(endpoint: Endpoint): { endpoint: ReadableEndpoint; protocol: Protocol } {
	if (!isReadable(endpoint)) {
		const detail = "The endpoint's secrets were encrypted with a key that is no longer set. Replace them.";
		throw new Problem(503, "secret_unreadable", detail);
	}
	const protocol = protocolOf(endpoint.protocol);
	if (protocol !== null) return { endpoint, protocol };
	throw new Problem(
		409,
		"unreadable",
		"A newer release stored the endpoint with a protocol that this release does not know.",
	);
}

async function eventOf(
	env: Env,
	{ event: fields, event_id: id }: TestInput,
	text: string,
	protocol: Protocol,
): Promise<SluiceEvent> {
	if (id !== undefined) return (await readEntry(env, id)).event;
	const now = Date.now();
	const known = { id: trialEventId(), sourceId: API_SOURCE_ID, receivedAt: now };
	const defaults = { freshId: crypto.randomUUID(), time: formatTime(now) };
	const sample = { type: SAMPLE_TYPE, data: null };
	const made =
		fields === undefined
			? plainEventOf(sample, `{"data":${sampleFor(protocol)}}`, defaults)
			: plainEventOf(fields, memberTexts(text).get("event") ?? "{}", defaults);
	if (made.ok) return { ...known, ...made.event };
	throw toProblem({ ...made, ...(made.path !== undefined && { path: `event.${made.path}` }) });
}

/** null: the event itself is sent. */
async function transform(source: string | null, event: SluiceEvent): Promise<string | null> {
	if (source === null) return null;
	const made = jsonOf(await evaluateExpression(source, exactDocumentOf(event)));
	if (made.ok) return made.json;
	throw new Problem(422, "transform_failed", `The transform failed: ${made.message}`);
}
