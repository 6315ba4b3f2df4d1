/**
 * From a request to verified events. A normal body is read completely, then verified. If the source's kind accepts
 * large bodies, a large one is verified and split while it arrives.
 */
import type { Env } from "../env.ts";
import { readBody } from "../http/read-body.ts";
import type { ReadableSource } from "../store/records.ts";
import type { TestMark } from "../events/test-mark.ts";
import type { BoundKind } from "../sources/kind.ts";
import type { Trust } from "../sources/proof/trust.ts";
import { verifyStream } from "../sources/proof/verify-stream.ts";
import { verify } from "../sources/proof/verify.ts";
import { bindKind } from "../sources/registry.ts";
import { type ParsedEvents, parseEvents, parseParts } from "./parse-events.ts";
import { mayBeLarge, readParts, type Room } from "./read-parts.ts";
import { type Greeting, greet, noteVerified } from "./verification-token.ts";

type Context = Pick<ExecutionContext, "waitUntil">;

export interface Taking {
	source: ReadableSource;
	trust: Trust;
	/** null: the request is from a publisher and not a sample. */
	mark: TestMark | null;
	/** ms since the epoch. */
	startedAt: number;
	room: Room;
}

/** Verifies and parses. A first request that contains a verification token gets a greeting instead. */
export async function readEvents(
	request: Request,
	env: Env,
	ctx: Context,
	taking: Taking,
): Promise<ParsedEvents | Greeting> {
	const { source, trust, startedAt: now } = taking;
	const kind = bindKind(source);
	if (!kind.ok) return kind;
	const { headers, url } = request;
	const read = await readBodyOrParts(request, kind, taking);
	if (!read.ok) return read;
	if ("parts" in read) return parseParts(source, kind, { headers, parts: read.parts, now });
	const { body } = read;
	const { maxAgeSeconds } = kind;
	const verified = await verify(source, { headers, url, body, now, maxAgeSeconds }, trust);
	if (!verified.ok) return (await greet(env, source, body, now)) ?? verified;
	if (trust.isSample !== true) ctx.waitUntil(noteVerified(env, source, now));
	return parseEvents(source, kind, { headers, body, now });
}

/** Returned parts are verified; a returned body is not verified yet. */
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
