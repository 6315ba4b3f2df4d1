/**
 * The route `/in/{source}`: a publisher's request becomes accepted events, or a refusal that says why. Nothing is
 * stored before the request is verified, and no 202 is returned before the queue holds the events.
 */
import { refuseWhileClosed } from "../http/closed.ts";
import type { Env } from "../env.ts";
import { learnHost } from "../store/own-hosts.ts";
import { writeQuarantines } from "../store/write-quarantines.ts";
import { type Refusal, refuse, refuseForNow, toResponse } from "../http/refusal.ts";
import { log } from "../log.ts";
import { type ReadableSource, isVerifying } from "../store/records.ts";
import { continueLineage, readLineage } from "../events/lineage-header.ts";
import { MAX_EVENT_BYTES, type SluiceEvent } from "../events/event.ts";
import { enqueue } from "../events/queue/enqueue.ts";
import { splitBySize } from "../events/queue/segment.ts";
import { announce } from "../operations/announce.ts";
import { verificationFailing } from "../operations/occurrence.ts";
import { bindKind, kindOf } from "../sources/registry.ts";
import { type ParsedEvents, parseEvents, parseParts } from "./parse-events.ts";
import { Room, mayBeLarge, readParts } from "./read-parts.ts";
import { readBody } from "../http/read-body.ts";
import { lookUpSource } from "./source-lookup.ts";
import { VerificationFailures } from "./verification-failures.ts";
import { type Greeting, greet, noteVerified } from "./verification-token.ts";
import type { BoundKind, Reply } from "../sources/kind.ts";
import { secretUnreadable, settingsUnreadable, sourcePaused } from "../sources/stopped.ts";
import { PROVIDERS, type Trust } from "../sources/proof/trust.ts";
import { verifyStream } from "../sources/proof/verify-stream.ts";
import { verify } from "../sources/proof/verify.ts";

/** Ids in a log line. */
const MAX_LOGGED_IDS = 10;

type Context = Pick<ExecutionContext, "waitUntil">;

/**
 * Handles every request to the URL of a source; `sourceRef` is what follows `/in/`, an id or a name. `trust` says whose
 * public keys prove who the sender is: the providers' own, unless the request is a sample that the router signed.
 */
export async function receive(
	request: Request,
	env: Env,
	ctx: Context,
	sourceRef: string,
	trust: Trust = PROVIDERS,
): Promise<Response> {
	const startedAt = Date.now();
	const found = await findOpenSource(env, ctx, sourceRef, startedAt);
	const taken = found.ok ? await take(request, env, ctx, { source: found.source, trust, startedAt }) : found;
	if (taken.ok) return taken.response;
	const { status, code, cause } = taken;
	if (found.ok && status === 401 && trust.isSample !== true)
		noteUnverified(env, ctx, found.source, startedAt);
	log("ingest.refused", {
		source: found.ok ? found.source.name : sourceRef.slice(0, 100),
		status,
		code,
		cause: status >= 500 && cause instanceof Error ? String(cause) : undefined,
		duration_ms: Date.now() - startedAt,
	});
	return toResponse(taken);
}

const failures = new VerificationFailures();

function noteUnverified(env: Env, ctx: Context, source: ReadableSource, now: number): void {
	const refusals = failures.refused(source.id, now);
	if (refusals !== null) ctx.waitUntil(announce(env, verificationFailing(source, refusals), now));
}

async function findOpenSource(
	env: Env,
	ctx: Context,
	ref: string,
	now: number,
): Promise<{ ok: true; source: ReadableSource } | Refusal> {
	const closed = refuseWhileClosed(env);
	if (closed !== null) return closed;
	try {
		const source = await lookUpSource(env, ctx, ref, now);
		if (source === null) return refuse(404, "source_not_found", "No source has this name or id.");
		if (source.status === "paused") return sourcePaused();
		if (isVerifying(source)) return { ok: true, source };
		return source.secrets === null ? secretUnreadable() : settingsUnreadable();
	} catch (cause) {
		const message = "The source cannot be looked up now. Send the request again.";
		return refuseForNow("source_unavailable", message, { cause });
	}
}

async function take(
	request: Request,
	env: Env,
	ctx: Context,
	{ source, trust, startedAt }: { source: ReadableSource; trust: Trust; startedAt: number },
): Promise<{ ok: true; response: Response } | Refusal> {
	const kind = kindOf(source);
	if (kind?.transport !== undefined) return NOT_POSTED;
	const handshake = (await kind?.handshake?.(request)) ?? null;
	if (handshake !== null) {
		const { status } = handshake;
		log("ingest.handshake", { source: source.name, status, duration_ms: Date.now() - startedAt });
		return { ok: true, response: handshake };
	}
	if (request.method !== "POST") return METHOD_NOT_ALLOWED;
	const room = new Room();
	try {
		return await takeBody(request, env, ctx, { source, trust, startedAt, room });
	} finally {
		room.leave();
	}
}

interface Taking {
	source: ReadableSource;
	trust: Trust;
	/** ms since the epoch. */
	startedAt: number;
	room: Room;
}

async function takeBody(
	request: Request,
	env: Env,
	ctx: Context,
	{ source, trust, startedAt, room }: Taking,
): Promise<{ ok: true; response: Response } | Refusal> {
	const read = await readEvents(request, env, ctx, { source, trust, startedAt, room });
	if (!read.ok) return read;
	if ("greeting" in read) return { ok: true, response: read.greeting };
	ctx.waitUntil(writeQuarantines(env));
	const { events, batch, unresolved, reply } = read;
	ctx.waitUntil(learnHost(env, request.url, startedAt));
	const lineage = readLineage(env, request.headers, startedAt);
	const queued = await enqueueAll(env, continueLineage(events, lineage), read.isLarge === true);
	if (!queued.ok) return queued;
	const ids = events.map(({ id }) => id);
	// An event that simply goes well gets no line here: the router logs a line for each batch.
	if (unresolved.length > 0) {
		const event_ids = ids.slice(0, MAX_LOGGED_IDS);
		log("ingest.unresolved", { source: source.name, unresolved, event_ids });
	}
	return { ok: true, response: responseOf(ids, batch, reply) };
}

/** A message holds what one request of the usual size does; what fails in the middle comes again with the same ids. */
async function enqueueAll(
	env: Env,
	events: readonly SluiceEvent[],
	isLarge: boolean,
): ReturnType<typeof enqueue> {
	const messages = isLarge ? splitBySize(events, MAX_EVENT_BYTES) : [events];
	for (const message of messages) {
		const queued = message.length > 0 ? await enqueue(env, message) : ({ ok: true } as const);
		if (!queued.ok) return queued;
	}
	return { ok: true };
}

/** Verifies and parses; a first request that brings the secret is greeted instead. */
async function readEvents(
	request: Request,
	env: Env,
	ctx: Context,
	{ source, trust, startedAt: now, room }: Taking,
): Promise<ParsedEvents | Greeting> {
	const kind = bindKind(source);
	if (!kind.ok) return kind;
	const { headers, url } = request;
	const read = await readBodyOrParts(request, kind, { source, trust, startedAt: now, room });
	if (!read.ok) return read;
	if ("parts" in read) return parseParts(source, kind, { headers, parts: read.parts, now });
	const { body } = read;
	const { maxAgeSeconds } = kind;
	const verified = await verify(source, { headers, url, body, now, maxAgeSeconds }, trust);
	if (!verified.ok) return (await greet(env, source, body, now)) ?? verified;
	if (trust.isSample !== true) ctx.waitUntil(noteVerified(env, source, now));
	return parseEvents(source, kind, { headers, body, now });
}

/** Parts are verified, a body is not yet. */
async function readBodyOrParts(
	request: Request,
	{ large, maxAgeSeconds }: BoundKind,
	{ source, trust, startedAt: now, room }: Taking,
): ReturnType<typeof readParts> {
	if (large === null || !mayBeLarge(request)) return readBody(request);
	const { headers, url } = request;
	const verification = await verifyStream(source, { headers, url, now, maxAgeSeconds }, trust);
	if (verification === null) return readBody(request);
	return verification.ok ? readParts(request, large, verification, room) : verification;
}

/** What the publisher expects, or the ids of what was accepted. */
function responseOf(ids: string[], batch: boolean, reply: Reply | undefined): Response {
	if (reply === undefined)
		return Response.json(batch || ids.length === 0 ? { ids } : { id: ids[0] }, { status: 202 });
	const { status, headers = {}, body } = reply;
	return body === null ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
}

/** No method is allowed, which an empty Allow says (RFC 9110, section 10.2.1). */
const NOT_POSTED: Refusal = {
	...refuse(
		405,
		"source_not_posted",
		"The events of this source come from a queue: nothing can be sent to it.",
	),
	headers: { allow: "" },
};

const METHOD_NOT_ALLOWED: Refusal = {
	...refuse(405, "method_not_allowed", "Events are sent with POST."),
	headers: { allow: "POST" },
};
