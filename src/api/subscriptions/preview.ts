/**
 * `POST /v1/subscriptions/preview`: what a subscription would do with an event. The code that
 * decides, transforms and builds the request is the same as for a delivery; nothing is sent, stored
 * or set aside.
 */
import { prepareInput } from "../../delivery/exchange/request/prepare.ts";
import { showRequest, type ShownRequest } from "../../delivery/exchange/masking/shown-request.ts";
import type { DeadReason } from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { exactDocumentOf } from "../../events/cloudevents/document.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { jsonOf, type JsonEvaluation } from "../../events/expressions/expression.ts";
import { evaluateOwned, type Owner } from "../../events/expressions/quarantine.ts";
import { deliveryId } from "../../events/ids.ts";
import { lineageAfter } from "../../events/lineage.ts";
import { loopCause, loopDetail } from "../../events/loop.ts";
import { lineageHeader } from "../../events/lineage-header.ts";
import { protocolOf } from "../../models/registry.ts";
import { criteriaOf } from "../../routing/criteria.ts";
import { findEndpoint } from "../../store/resources/endpoints.ts";
import { ownHostsAt } from "../../store/own-hosts.ts";
import { shownCallbackUrl } from "../../delivery/exchange/request/callback-url.ts";
import { type Endpoint, isReadable, type Subscription } from "../../store/records.ts";
import { statusOf } from "../fields/status.ts";
import { readNamesOfSources } from "../fields/source-refs.ts";
import { checkFields, decodeJson, readBytes } from "../http/body.ts";
import { withMember } from "../http/json-members.ts";
import { draftOf } from "./draft.ts";
import { getSubscription } from "./lookup.ts";
import { lookupIn } from "./refs.ts";
import { previewedEvent } from "./preview-event.ts";
import { previewSchema } from "./preview-fields.ts";

type Tried = Subscription & Pick<Owner, "isPreview">;

/**
 * Why nothing would be sent, in the terms of a delivery. `reason`: the reason of a dead delivery;
 * null: the delivery would wait, or be retried.
 */
interface Unsent {
	reason: DeadReason | null;
	detail: string;
}

interface Target {
	/** null: no version of the name exists. */
	endpoint: Endpoint | null;
	/** `name@version`, or the reference in the subscription. */
	ref: string;
	built: { request: ShownRequest } | { error: Unsent };
}

/**
 * The response as JSON text. Throws 422 with the errors of creating the draft, 404
 * `subscription_not_found`, and what `previewedEvent` and reading the body throw.
 */
export async function previewSubscription(env: Env, request: Request): Promise<string> {
	const { value, text } = decodeJson(request, await readBytes(request));
	const input = checkFields(value, previewSchema);
	const { subscription: ref, event: _event, event_id: _id, event_source: _source, ...draft } = input;
	const stored = ref === undefined ? null : await getSubscription(env, ref);
	const tried: Tried = {
		...(stored ?? (await draftOf(lookupIn(env), draft, Date.now())).subscription),
		isPreview: true,
	};
	const { event, isSourceAssumed } = await previewedEvent(env, input, text, tried.sourceId);
	const ids = [event.sourceId, ...(tried.sourceId === null ? [] : [tried.sourceId])];
	const names = await readNamesOfSources(env, ids);
	const criteria = await Array.fromAsync(criteriaOf(event, tried, names));
	const transformed = await transform(tried, event);
	const ownHosts = await ownHostsAt(env, request.url);
	const target = await buildFor(env, { tried, event, transformed, ownHosts });
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
		refused:
			loopCause(event.attributes, tried) === null
				? null
				: { reason: "loop", detail: loopDetail(event.attributes, tried) },
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
		const error = { reason: null, detail: "No version of the endpoint exists." };
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
		const detail =
			"A newer release of Sluice stored the endpoint with a protocol that this release does not know.";
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

/**
 * null without a transform; otherwise its output as it would be spelled, or why there is
 * none.
 */
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
