/**
 * Writes sources for the routes, then updates the audit log and notifies ingest and the puller of a
 * queue.
 */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import { BUILTIN_SOURCES } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import type { Source } from "../../store/records.ts";
import { findSource, insertSource, updateSource } from "../../store/resources/sources.ts";
import type { SourceChanges } from "../../store/resources/source-row.ts";
import { type Action, recordChange } from "../access/audit.ts";
import type { ApiEnv } from "../http/context.ts";
import { requirePreconditions, setEtag } from "../http/preconditions.ts";
import { type Changeable, changeRecord } from "../http/writes.ts";
import { refuseSharedQueue } from "./changes.ts";
import { type SourceInput, draftSource } from "./draft.ts";
import { sourceToWire, sourceToWireWithSecret } from "./fields.ts";
import { syncSource } from "./sync.ts";

/** Throws 404 `source_not_found`. */
export async function getSource(env: Env, ref: string): Promise<Source> {
	const source = await findSource(env, ref);
	if (source === null) throw sourceNotFound(ref);
	return source;
}

/** The 201 with the secret; null if the name is taken. Throws 422, and 409 `queue_taken`. */
export async function createSource(c: Context<ApiEnv>, input: SourceInput): Promise<Response | null> {
	const { source, secret } = draftSource(input, Date.now());
	await refuseSharedQueue(c.env, source);
	if (!(await insertSource(c.env, source))) return null;
	const origin = originOf(c.req.url);
	const after = sourceToWire(source, origin);
	await recordChange(c, { action: "create", resource: "source", before: null, after });
	await syncSource(c, null, source);
	setEtag(c, source);
	return c.json(sourceToWireWithSecret(source, secret, origin), 201);
}

const changeable: Changeable<Source, SourceChanges> = {
	get: getSource,
	update: updateSource,
	// Once written, it waits for the token of a first request again.
	always: ({ auth }) => (auth?.type === "hmac" && auth.verification_token === true ? { auth } : {}),
	taken: ({ name }) => nameTaken(name ?? ""),
};

/**
 * Changes a source and notifies everything affected; the response gets its ETag. Throws what
 * `changeRecord` throws, and 412.
 */
export async function changeSource(
	c: Context<ApiEnv>,
	ref: string,
	action: Action,
	compute: (former: Source) => SourceChanges | null | Promise<SourceChanges | null>,
): Promise<Source> {
	const { former, record, changes } = await changeRecord(c.env, changeable, ref, (present) => {
		requirePreconditions(c.req.raw.headers, present);
		return compute(present);
	});
	setEtag(c, record);
	if (changes === null) return record;
	const origin = originOf(c.req.url);
	const [before, after] = [sourceToWire(former, origin), sourceToWire(record, origin)];
	await recordChange(c, { action, resource: "source", before, after });
	await syncSource(c, former, record);
	return record;
}

export function sourceNotFound(ref: string): Problem {
	const isBuiltin = Object.entries(BUILTIN_SOURCES).some(([id, name]) => ref === id || ref === name);
	const detail = isBuiltin
		? `${ref} is a built-in source, which has no settings to read or change.`
		: "There is no source with this id or name.";
	return new Problem(404, "source_not_found", detail);
}

export function nameTaken(name: string): Problem {
	return new Problem(409, "name_taken", `There is already a source named ${name}.`);
}

export function originOf(url: string): string {
	return new URL(url).origin;
}
