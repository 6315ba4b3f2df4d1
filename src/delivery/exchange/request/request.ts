/**
 * The whole request of one attempt, built from the protocol's part, the endpoint's credentials and
 * the delivery's ids. Pure: the clock is an argument, and nothing is sent here.
 */
import { Buffer } from "node:buffer";
import { traceOfAttributes } from "../../../events/cloudevents/trace-context.ts";
import { LINEAGE_HEADER } from "../../../events/lineage-header.ts";
import { originOf } from "../../../models/requests/address.ts";
import type { Misfit, ModelInput, Protocol } from "../../../models/protocol.ts";
import type { CompletionMode, EndpointAuth, ReadableEndpoint } from "../../../store/records.ts";
import type { OutgoingRequest } from "../../rules/attempt.ts";
import { refuseHeader } from "./header-guard.ts";
import { isSecretHeader } from "../credentials/secret-headers.ts";
import { liveSecrets, signatureHeaders } from "../../../crypto/standard-webhooks.ts";

export const USER_AGENT = "Sluice/0.1";

/** Where a server that completes by callback posts its output. */
const CALLBACK_HEADER = "sluice-callback-url";

export interface RequestParts {
	endpoint: Pick<ReadableEndpoint, "url" | "model" | "auth" | "headers" | "signingSecrets">;
	protocol: Protocol;
	input: ModelInput;
	/** `dlv_…`; becomes `webhook-id`. */
	deliveryId: string;
	/** The router's name for the job that the request begins, if it begins one. */
	jobId: string;
	/** From 1. */
	attempt: number;
	/** As `RequestContext` has it. */
	retriedAfter?: number | undefined;
	/** Whether a response that is a CloudEvent will be published as a new event. */
	wantsReply: boolean;
	/** The lineage header's value, null if the router cannot sign one. */
	lineage: string | null;
	/** How the endpoint completes. */
	mode: CompletionMode;
	/** Where the server posts the output; null: the endpoint does not complete by callback. */
	callbackUrl: string | null;
	/** Time of the attempt, ms since the epoch. */
	now: number;
}

/**
 * Builds and signs the request. The endpoint's own headers come first and its credentials next, so
 * that neither can replace headers of the protocol or the router; only `prefer` values are
 * combined. A protocol may set no credentials and no other host, so that it cannot replace the
 * endpoint's credentials or send them elsewhere. Throws what the protocol or the signing throws: a
 * bug, not a bad event.
 */
export function buildRequest(parts: RequestParts): OutgoingRequest | Misfit {
	const { endpoint, deliveryId, jobId, attempt, retriedAfter, callbackUrl, now } = parts;
	const { event } = parts.input;
	const { url: base, model } = endpoint;
	const context = {
		url: base,
		model,
		deliveryId,
		jobId,
		retriedAfter,
		completion: parts.mode,
		callbackUrl,
	};
	const made = parts.protocol.request(parts.input, context);
	if ("misfit" in made) return made;
	const { method, url, headers, body: content } = made;
	if (originOf(url) !== originOf(base))
		throw new Error("the protocol's request URL is not on the endpoint's host");
	const own = ownHeaders(endpoint);
	const ofProtocol = withoutCredentials(lowerCase(headers));
	// Encoded once, here, so that the bytes that are signed are the bytes that are sent.
	const body = typeof content === "string" ? Buffer.from(content) : content;
	return {
		url,
		method,
		headers: {
			"user-agent": USER_AGENT,
			"x-request-id": deliveryId,
			...own,
			...ofProtocol,
			...traceOfAttributes(event.attributes),
			...preferences(ofProtocol["prefer"] ?? null, own["prefer"], parts.wantsReply),
			"sluice-event-id": event.id,
			"sluice-attempt": String(attempt),
			...(parts.lineage !== null && { [LINEAGE_HEADER]: parts.lineage }),
			...(callbackUrl !== null && { [CALLBACK_HEADER]: callbackUrl }),
			...signatureHeaders({
				id: deliveryId,
				timestampSeconds: Math.floor(now / 1000),
				body,
				secrets: liveSecrets(endpoint.signingSecrets, now),
			}),
		},
		body,
	};
}

type OwnHeaders = Pick<ReadableEndpoint, "auth" | "headers">;

/**
 * Cached by endpoint object as read: the headers are the same for every attempt.
 */
const known = new WeakMap<OwnHeaders, Record<string, string>>();

/** The endpoint's own headers, then its credentials. */
export function ownHeaders(endpoint: OwnHeaders): Record<string, string> {
	const found =
		known.get(endpoint) ?? allowed({ ...lowerCase(endpoint.headers), ...authHeaders(endpoint.auth) });
	known.set(endpoint, found);
	return found;
}

/**
 * The headers that authenticate the router to the endpoint. Names in lower case.
 */
export function authHeaders(auth: EndpointAuth): Record<string, string> {
	switch (auth.type) {
		case "none":
			return {};
		case "bearer":
			return { authorization: `${auth.scheme ?? "Bearer"} ${auth.token}` };
		case "basic":
			return { authorization: `Basic ${basicCredentials(auth)}` };
		case "header":
			return { [auth.name.toLowerCase()]: auth.value };
		case "headers":
			return lowerCase(auth.headers);
		// Made for each request, when its bytes are final (credentials/authorize.ts).
		case "aws_sigv4":
		case "oauth2_client_credentials":
			return {};
	}
}

/**
 * `Prefer` is a list (RFC 7240). In the Knative data plane a server may only return a reply event
 * if the request asks for one. A preference of the protocol is sent alone: Cog 0.23 compares the
 * whole header.
 */
function preferences(
	ofProtocol: string | null,
	own: string | undefined,
	wantsReply: boolean,
): { prefer?: string } {
	if (ofProtocol !== null) return { prefer: ofProtocol };
	const stated = own === undefined || own.trim() === "" ? [] : [own];
	const asksAlready = /(?:^|,)\s*reply\s*(?:[,;=]|$)/i.test(own ?? "");
	const list = wantsReply && !asksAlready ? [...stated, "reply"] : stated;
	return list.length === 0 ? {} : { prefer: list.join(", ") };
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).filter(([name]) => !isSecretHeader(name)));
}

/** Drops headers that were stored before the rules refused them. */
function allowed(headers: Record<string, string>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).filter(([name, value]) => refuseHeader(name, value) === null),
	);
}

/** RFC 7617, with UTF-8. */
export function basicCredentials({ username, password }: { username: string; password: string }): string {
	return Buffer.from(`${username}:${password}`).toString("base64");
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
