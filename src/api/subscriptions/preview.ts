/**
 * `POST /v1/subscriptions/preview`: what a subscription would make of an event. The same parts decide, transform and
 * build the request as for a delivery; nothing is sent, stored or set aside.
 */
import { prepareInput } from "../../delivery/exchange/prepare.ts";
import { showRequest, type ShownRequest } from "../../delivery/exchange/shown-request.ts";
import type { DeadReason } from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { exactDocumentOf } from "../../events/cloudevents/document.ts";
import { REFUSED_DETAIL } from "../../events/decision.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { jsonOf, type JsonEvaluation } from "../../events/expressions/expression.ts";
import { evaluateOwned, type Owner } from "../../events/expressions/quarantine.ts";
import { deliveryId } from "../../events/ids.ts";
import { lineageAfter } from "../../events/lineage.ts";
import { lineageHeader } from "../../events/lineage-header.ts";
import { protocolOf } from "../../models/registry.ts";
import { judgeAll } from "../../routing/criteria.ts";
import { wouldLoop } from "../../routing/decide.ts";
import { findEndpoint } from "../../store/endpoints.ts";
import { ownHostsAt } from "../../store/own-hosts.ts";
import { shownCallbackUrl } from "../../delivery/exchange/callback-url.ts";
import { type Endpoint, isReadable, type Subscription } from "../../store/records.ts";
import { statusOf } from "../fields/status.ts";
import { readNamesOfSources } from "../fields/source-refs.ts";
import { checkFields, decodeJson, readBytes } from "../http/body.ts";
import { withMember } from "../http/json-members.ts";
import { draftOf } from "./draft.ts";
import { getSubscription } from "./lookup.ts";
import { previewedEvent } from "./preview-event.ts";
import { previewSchema } from "./preview-fields.ts";

type Tried = Subscription & Pick<Owner, "isPreview">;

/** Why nothing would be sent, in the words of a delivery. `reason`: with which it would be dead; null: it would wait, or try again. */
interface Unsent {
	reason: DeadReason | null;
	detail: string;
}

interface Target {
	/** null: no version of the name is left. */
	endpoint: Endpoint | null;
	/** `name@version`, or what the subscription calls it. */
	ref: string;
	built: { request: ShownRequest } | { error: Unsent };
}

/**
 * The response as JSON text. Throws 422 with the errors that creating the draft would throw, 404
 * `subscription_not_found`, and what `previewedEvent` and reading the body throw.
 */
export async function previewSubscription(env: Env, request: Request): Promise<string> {
	const { value, text } = decodeJson(request, await readBytes(request));
	const input = checkFields(value, previewSchema);
	const { subscription: ref, event: _event, event_id: _id, event_source: _source, ...draft } = input;
	const stored = ref === undefined ? null : await getSubscription(env, ref);
	const tried: Tried = {
		...(stored ?? (await draftOf(env, draft, Date.now())).subscription),
		isPreview: true,
	};
	const { event, isSourceAssumed } = await previewedEvent(env, input, text, tried.sourceId);
	const criteria = await judgeAll(event, tried);
	const transformed = await transform(tried, event);
	const ownHosts = await ownHostsAt(env, request.url);
	const target = await buildFor(env, { tried, event, transformed, ownHosts });
	const names = await readNamesOfSources(env, [event.sourceId]);
	const wire = {
		subscription_id: stored && stored.id,
		subscription: stored === null ? (input.name ?? null) : stored.name,
		event: {
			id: event.id,
			source: names.get(event.sourceId) ?? null,
			source_id: event.sourceId,
			is_source_assumed: isSourceAssumed,
			cloudevent: { specversion: "1.0", ...event.attributes },
		},
		matches: criteria.every(({ verdict }) => verdict === "pass"),
		criteria,
		refused: wouldLoop(event, tried) ? { reason: "loop", detail: REFUSED_DETAIL.loop } : null,
		targets: [targetToWire(target)],
	};
	return withMember(wire, "input", inputJson(transformed));
}

/** null: the event itself is the input. */
async function transform(owner: Tried, event: SluiceEvent): Promise<JsonEvaluation | null> {
	const { transform: source } = owner;
	if (source === null) return null;
	return jsonOf(await evaluateOwned({ owner, field: "transform", source }, () => exactDocumentOf(event)));
}

interface ToBuild {
	tried: Tried;
	event: SluiceEvent;
	transformed: JsonEvaluation | null;
	ownHosts: readonly string[];
}

async function buildFor(env: Env, building: ToBuild): Promise<Target> {
	const { target } = building.tried;
	const asked = "latestOf" in target ? `${target.latestOf}@latest` : target.endpointId;
	const endpoint = await findEndpoint(env, asked);
	if (endpoint === null) {
		const error = { reason: null, detail: "The endpoint has no version left." };
		return { endpoint, ref: asked, built: { error } };
	}
	return {
		endpoint,
		ref: `${endpoint.name}@${endpoint.version}`,
		built: await build(env, endpoint, building),
	};
}

async function build(
	env: Env,
	endpoint: Endpoint,
	{ tried, event, transformed, ownHosts }: ToBuild,
): Promise<Target["built"]> {
	if (!isReadable(endpoint)) {
		const detail = "The endpoint's secrets were encrypted with a key that is no longer set. Replace them.";
		return { error: { reason: null, detail } };
	}
	if (protocolOf(endpoint.protocol) === null) {
		const detail = "A newer release of Sluice has stored the endpoint with a protocol of its own.";
		return { error: { reason: null, detail } };
	}
	if (transformed?.ok === false) return { error: transformFailed(transformed.message) };
	const now = Date.now();
	const id = deliveryId({ eventId: event.id, subscriptionId: tried.id, endpointId: endpoint.id });
	const prepared = await prepareInput({
		deliveryId: id,
		attempt: 1,
		event,
		endpoint,
		transformed: transformed?.json ?? null,
		wantsReply: tried.result !== null,
		lineage: lineageHeader(env, lineageAfter(event, tried.id, null), now),
		callbackUrl: shownCallbackUrl(endpoint, id),
		allowPrivate: env.ALLOW_PRIVATE_ENDPOINTS === "true",
		ownHosts,
		now,
		isPreview: true,
	});
	if (prepared.kind === "ready") return { request: showRequest(prepared.request, endpoint) };
	if (prepared.kind === "impossible") return { error: { reason: prepared.reason, detail: prepared.detail } };
	const { result } = prepared;
	const detail =
		result.kind === "no_response" ? `${result.error}: ${result.message}` : "Nothing would be sent.";
	return { error: { reason: null, detail } };
}

function transformFailed(message: string): Unsent {
	return { reason: "transform_failed", detail: `The transform failed: ${message}` };
}

/** null without a transform; else its value as it would be spelled, or why there is none. */
function inputJson(transformed: JsonEvaluation | null): string {
	if (transformed === null) return "null";
	if (transformed.ok) return withMember({ error: null }, "value", transformed.json);
	return JSON.stringify({ error: transformFailed(transformed.message).detail, value: null });
}

function targetToWire({ endpoint, ref, built }: Target): Record<string, unknown> {
	return {
		endpoint: ref,
		endpoint_id: endpoint && endpoint.id,
		...(endpoint === null ? { status: null, status_reason: null } : statusOf(endpoint)),
		error: "error" in built ? built.error : null,
		request: "error" in built ? null : requestToWire(built.request),
	};
}

function requestToWire({ method, url, headers, body }: ShownRequest): Record<string, unknown> {
	const sent = body.kind === "text" ? { body: body.text } : { body_base64: body.base64 };
	return { method, url, headers, ...sent };
}
