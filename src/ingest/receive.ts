/**
 * The route `/in/{source}`: a publisher's request becomes accepted events, or a refusal that says why. Nothing is
 * stored before the request is verified, and nothing is answered with 202 before the queue holds it.
 */
import { refuseWhileClosed } from "../http/closed.ts";
import type { Env } from "../env.ts";
import { learnHost } from "../store/own-hosts.ts";
import { writeQuarantines } from "../store/write-quarantines.ts";
import { toProblem } from "../http/refusal.ts";
import { log } from "../log.ts";
import { Problem } from "../http/problem.ts";
import { type ReadableSource, isVerifying } from "../store/records.ts";
import { continueLineage, readLineage } from "../events/lineage-header.ts";
import { accept } from "../events/queue/accept.ts";
import { kindOf } from "../sources/registry.ts";
import { type ParsedEvents, parseEvents } from "./parse-events.ts";
import { readBody } from "../http/read-body.ts";
import { lookUpSource } from "./source-lookup.ts";
import type { Reply } from "../sources/kind.ts";
import { secretUnreadable, sourcePaused } from "../sources/stopped.ts";
import { PROVIDERS, type Trust } from "../sources/proof/trust.ts";
import { challengeFor, verify } from "../sources/proof/verify.ts";

/** Ids in a log line. */
const MAX_LOGGED_IDS = 10;

/**
 * Answers every request to the URL of a source; `sourceRef` is what stands behind `/in/`, an id or a name. Whoever
 * passes a `trust` of his own decides who the sender is: for samples, never for requests from outside.
 */
export async function receive(
	request: Request,
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	sourceRef: string,
	trust: Trust = PROVIDERS,
): Promise<Response> {
	const startedAt = Date.now();
	const line = { source: sourceRef.slice(0, 100) };
	try {
		const closed = refuseWhileClosed(env);
		if (closed !== null) throw closed;
		const source = await findOpenSource(env, ctx, sourceRef, startedAt);
		line.source = source.name;
		const kind = kindOf(source);
		if (kind.transport !== undefined) throw notPosted();
		const handshake = (await kind.answerHandshake?.(request)) ?? null;
		if (handshake !== null) {
			log("ingest.handshake", { ...line, status: handshake.status, duration_ms: Date.now() - startedAt });
			return handshake;
		}
		if (request.method !== "POST") throw methodNotAllowed();
		const { events, batch, unresolved, reply } = await readEvents(request, source, trust, startedAt);
		ctx.waitUntil(writeQuarantines(env));
		ctx.waitUntil(learnHost(env, request.url, startedAt));
		const lineage = readLineage(env, request.headers, startedAt);
		if (events.length > 0) await accept(env, continueLineage(events, lineage));
		const ids = events.map(({ id }) => id);
		// What simply goes well is not told here: the router tells of every event, a line for a whole batch.
		if (unresolved.length > 0)
			log("ingest.unresolved", { ...line, unresolved, event_ids: ids.slice(0, MAX_LOGGED_IDS) });
		return answer(ids, batch, reply);
	} catch (error) {
		if (!(error instanceof Problem)) throw error;
		const { status, code, cause } = error;
		log("ingest.refused", {
			...line,
			status,
			code,
			cause: status >= 500 && cause instanceof Error ? String(cause) : undefined,
			duration_ms: Date.now() - startedAt,
		});
		return error.toResponse();
	}
}

async function findOpenSource(
	env: Env,
	ctx: Pick<ExecutionContext, "waitUntil">,
	ref: string,
	now: number,
): Promise<ReadableSource> {
	const source = await lookUpSource(env, ctx, ref, now).catch((cause: unknown) => {
		throw new Problem(
			503,
			"source_unavailable",
			"The source cannot be looked up now. Send the request again.",
			{
				headers: { "retry-after": "5" },
				cause,
			},
		);
	});
	if (source === null) throw new Problem(404, "source_not_found", "No source has this name or id.");
	if (source.status === "paused") throw sourcePaused();
	if (!isVerifying(source)) throw secretUnreadable();
	return source;
}

/** Verifies and parses. Throws `Problem` for everything that is wrong with the request. */
async function readEvents(
	request: Request,
	source: ReadableSource,
	trust: Trust,
	now: number,
): Promise<Extract<ParsedEvents, { ok: true }>> {
	const { headers } = request;
	const body = await readBody(request);
	if (!(await verify(source, { headers, url: request.url, body, now }, trust))) {
		// One answer for every reason: which part of a proof was right is not told.
		throw new Problem(401, "unauthorized", "The request does not prove that it comes from this source.", {
			headers: challengeFor(source.auth),
		});
	}
	const parsed = await parseEvents(source, { headers, body, now });
	if (!parsed.ok) throw toProblem(parsed);
	return parsed;
}

/** What the publisher expects, or the ids of what was accepted. */
function answer(ids: string[], batch: boolean, reply: Reply | undefined): Response {
	if (reply === undefined)
		return Response.json(batch || ids.length === 0 ? { ids } : { id: ids[0] }, { status: 202 });
	const { status, headers = {}, body } = reply;
	return body === null ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
}

/** No method is allowed, which an empty Allow says (RFC 9110, section 10.2.1). */
function notPosted(): Problem {
	const detail = "The events of this source come from a queue: nothing can be sent to it.";
	return new Problem(405, "source_not_posted", detail, { headers: { allow: "" } });
}

function methodNotAllowed(): Problem {
	return new Problem(405, "method_not_allowed", "Events are sent with POST.", { headers: { allow: "POST" } });
}
