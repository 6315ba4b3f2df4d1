/**
 * The route `/in/{source}`: accepts the events of a publisher's request, or refuses it with a reason. Nothing is stored
 * before the request is verified, and 202 is returned only after the queue holds the events.
 */
import { refuseWhileClosed } from "../http/closed.ts";
import type { Env } from "../env.ts";
import { learnHost } from "../store/own-hosts.ts";
import { writeQuarantines } from "../store/quarantines/write-quarantines.ts";
import { type Refusal, refuse, refuseForNow, toResponse } from "../http/refusal.ts";
import { log } from "../log.ts";
import { type ReadableSource, isVerifying } from "../store/records.ts";
import { continueLineage, readLineage } from "../events/lineage-header.ts";
import { MAX_EVENT_BYTES, type SluiceEvent } from "../events/event.ts";
import { markAsTest, type TestMark } from "../events/test-mark.ts";
import { enqueue } from "../events/queue/enqueue.ts";
import { splitBySize } from "../events/queue/segment.ts";
import { announce } from "../operations/announce.ts";
import { verificationFailing } from "../operations/occurrence.ts";
import { kindOf } from "../sources/registry.ts";
import { readEvents, type Taking } from "./read-events.ts";
import { Room } from "./read-parts.ts";
import { isBuiltIn, lookUpSource } from "./source-lookup.ts";
import { VerificationFailures } from "./verification-failures.ts";
import type { Reply } from "../sources/kind.ts";
import { secretUnreadable, settingsUnreadable, sourcePaused } from "../sources/stopped.ts";
import { expectedProof } from "../sources/proof/expected.ts";
import { PROVIDERS, type Trust } from "../sources/proof/trust.ts";

/** The maximum number of ids in a log line. */
const MAX_LOGGED_IDS = 10;

type Context = Pick<ExecutionContext, "waitUntil">;

/**
 * Handles every request to a source's URL. `sourceRef` is the path after `/in/`, an id or a name. `trust` contains the
 * public keys that verify the sender: those of the providers, unless the request is a sample that the router signed.
 * `mark`: how to mark the events of a sample. Never throws.
 */
export async function receive(
	request: Request,
	env: Env,
	ctx: Context,
	sourceRef: string,
	trust: Trust = PROVIDERS,
	mark: TestMark | null = null,
): Promise<Response> {
	const startedAt = Date.now();
	const found = await findOpenSource(env, ctx, sourceRef, startedAt);
	const taken = found.ok
		? await take(request, env, ctx, { source: found.source, trust, mark, startedAt })
		: found;
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
	return toResponse(found.ok && status === 401 ? withExpectedProof(taken, found.source) : taken);
}

/** Says what the source expects, for the person who sets the publisher up, but not what was wrong with this request. */
function withExpectedProof(refusal: Refusal, { auth }: ReadableSource): Refusal {
	const expected = expectedProof(auth);
	return expected === null ? refusal : { ...refusal, message: `${refusal.message} ${expected}` };
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
		if (source === null) return isBuiltIn(ref) ? BUILT_IN : NO_SOURCE;
		if (source.status === "paused") return sourcePaused();
		if (isVerifying(source)) return { ok: true, source };
		return source.secrets === null ? secretUnreadable() : settingsUnreadable();
	} catch (cause) {
		const message = "The source configuration is unavailable. Send the request again.";
		return refuseForNow("source_unavailable", message, { cause });
	}
}

async function take(
	request: Request,
	env: Env,
	ctx: Context,
	taking: Omit<Taking, "room">,
): Promise<{ ok: true; response: Response } | Refusal> {
	const { source, startedAt } = taking;
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
		return await takeBody(request, env, ctx, { ...taking, room });
	} finally {
		room.leave();
	}
}

async function takeBody(
	request: Request,
	env: Env,
	ctx: Context,
	taking: Taking,
): Promise<{ ok: true; response: Response } | Refusal> {
	const { source, mark, startedAt } = taking;
	const read = await readEvents(request, env, ctx, taking);
	if (!read.ok) return read;
	if ("greeting" in read) return { ok: true, response: read.greeting };
	ctx.waitUntil(writeQuarantines(env));
	const { batch, unresolved, reply } = read;
	const events = read.events.map((event) => markAsTest(event, mark));
	ctx.waitUntil(learnHost(env, request.url, startedAt));
	const lineage = readLineage(env, request.headers, startedAt);
	const queued = await enqueueAll(env, continueLineage(events, lineage), read.isLarge === true);
	if (!queued.ok) return queued;
	const ids = events.map(({ id }) => id);
	// Accepted events are not logged here: the router logs a line per batch.
	if (unresolved.length > 0) {
		const event_ids = ids.slice(0, MAX_LOGGED_IDS);
		log("ingest.unresolved", { source: source.name, unresolved, event_ids });
	}
	return { ok: true, response: responseOf(ids, batch, reply) };
}

/** A queue message holds the events of one normal request. After a failure midway, a retry produces the same ids. */
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

/** Returns the response that the publisher expects, or else the ids of the accepted events. */
function responseOf(ids: string[], batch: boolean, reply: Reply | undefined): Response {
	if (reply === undefined)
		return Response.json(batch || ids.length === 0 ? { ids } : { id: ids[0] }, { status: 202 });
	const { status, headers = {}, body } = reply;
	return body === null ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
}

const NO_SOURCE = refuse(404, "source_not_found", "There is no source with this name or id.");

const BUILT_IN = refuse(
	404,
	"source_not_found",
	"This source is built in and has no ingest URL. Publish events with POST /v1/events and an API key.",
);

/** Its Allow header would be empty, as no method is allowed, and workerd sends no empty headers. */
const NOT_POSTED = refuse(
	405,
	"source_not_posted",
	"This source reads its events from a queue and accepts no requests.",
);

const METHOD_NOT_ALLOWED: Refusal = {
	...refuse(405, "method_not_allowed", "Send events with POST."),
	headers: { allow: "POST" },
};
