/** `/v1/sources`: the ingest URLs and how their requests are verified and read. */
import { type Context, Hono } from "hono";
import type { Env } from "../../env.ts";
import { BUILTIN_SOURCES, newId } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import type { ReadableSource, Source } from "../../store/records.ts";
import {
	type SourceChanges,
	deleteSource,
	findSource,
	insertSource,
	listSources,
	updateSource,
} from "../../store/sources.ts";
import { type Action, recordChange } from "../access/audit.ts";
import { ownRows } from "../access/own.ts";
import { readJson, readOptionalJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { readPage } from "../http/pages.ts";
import { changesOf, refuseSharedQueue, rotationOf } from "./changes.ts";
import { newSecret, rotationSchema } from "../fields/secrets.ts";
import {
	createSourceSchema,
	defaultAuth,
	isPosted,
	patchSourceSchema,
	refuseAuth,
	refuseNames,
	resolveAuth,
	resolveSettings,
	sourceToWire,
	sourceToWireWithSecret,
} from "./fields.ts";
import { pullToWire } from "./pull.ts";
import { chooseSecret } from "./secrets.ts";
import { buildSample, responseToWire, setupToWire, takeSample } from "./setup.ts";
import { syncSource } from "./sync.ts";
import { verificationToWire } from "./verification.ts";
import { type Changeable, changeRecord, isLost } from "../http/writes.ts";

const DEFAULT_KIND = "generic";

export const sources = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSourceSchema);
		const now = Date.now();
		const kind = input.kind ?? DEFAULT_KIND;
		const { event_type, subject, dedupe_key } = input;
		refuseNames(kind, { event_type, subject, dedupe_key });
		const auth = input.auth === undefined ? defaultAuth(kind) : resolveAuth(input.auth, input.name);
		refuseAuth(kind, auth.type);
		const secret = chooseSecret(auth, input.secret);
		const source: ReadableSource = {
			id: newId("src"),
			name: input.name,
			kind,
			description: input.description ?? null,
			auth,
			eventType: input.event_type ?? null,
			subject: input.subject ?? null,
			dedupeKey: input.dedupe_key ?? null,
			expectEverySeconds: input.expect_every_seconds ?? null,
			settings: resolveSettings(kind, input.settings ?? {}),
			secrets: secret === null ? [] : [newSecret(secret, now)],
			status: input.status ?? "active",
			revision: 1,
			quarantine: null,
			createdAt: now,
			updatedAt: now,
		};
		await refuseSharedQueue(c.env, source);
		if (!(await insertSource(c.env, source))) throw nameTaken(source.name);
		const origin = originOf(c.req.url);
		const after = sourceToWire(source, origin);
		await recordChange(c, { action: "create", resource: "source", before: null, after });
		await syncSource(c, null, source);
		return c.json(sourceToWireWithSecret(source, secret, origin), 201);
	})
	.get("/", async (c) => {
		const { items, nextCursor } = await readPage(c, "sources", (query) =>
			listSources(c.env, { ...query, ...ownRows(c.var, "sources") }),
		);
		const origin = originOf(c.req.url);
		return c.json({ data: items.map((source) => sourceToWire(source, origin)), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		return c.json({
			...sourceToWire(source, originOf(c.req.url)),
			...(await pullToWire(c.env, source)),
			// A HEAD is routed here too, and would take the token without showing it; others may not see it.
			...(c.req.raw.method === "GET" &&
				c.var.principal.role === "admin" &&
				(await verificationToWire(c.env, source, Date.now()))),
		});
	})
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchSourceSchema);
		const source = await changeSource(c, "update", (former) => changesOf(c.env, former, input));
		return c.json(sourceToWire(source, originOf(c.req.url)));
	})
	.delete("/:ref", async (c) => {
		const ref = c.req.param("ref");
		const source = await findSource(c.env, ref);
		if (source === null && !(await isLost(c.env, "src", ref))) throw notFound(ref);
		const { usedBy } = await deleteSource(c.env, source?.id ?? ref);
		if (usedBy.length > 0) {
			throw new Problem(
				409,
				"source_in_use",
				`Delete the subscriptions to it first, or let them use another source: ${usedBy.join(", ")}.`,
			);
		}
		const before = source && sourceToWire(source, originOf(c.req.url));
		await recordChange(c, {
			action: "delete",
			resource: "source",
			before,
			after: null,
			id: source?.id ?? ref,
		});
		if (source !== null) await syncSource(c, source, null);
		return c.body(null, 204);
	})
	.post("/:ref/secret/rotate", async (c) => {
		const input = await readOptionalJson(c.req.raw, rotationSchema);
		const source = await changeSource(c, "rotate_secret", (former) => rotationOf(former, input));
		const [newest] = source.secrets ?? [];
		return c.json(sourceToWireWithSecret(source, newest?.value ?? null, originOf(c.req.url)));
	})
	.post("/:ref/pause", async (c) => {
		const source = await changeSource(c, "pause", ({ status }) =>
			status === "active" ? { status: "paused" } : null,
		);
		return c.json(sourceToWire(source, originOf(c.req.url)));
	})
	.post("/:ref/resume", async (c) => {
		// An expression that was set aside is tried again.
		const resumed = { status: "active", quarantine: null } as const;
		return c.json(sourceToWire(await changeSource(c, "resume", () => resumed), originOf(c.req.url)));
	})
	.get("/:ref/setup", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		return c.json(setupToWire(source, originOf(c.req.url)));
	})
	.post("/:ref/test", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		if (!isPosted(source.kind)) return c.json(await takeSample(c.env, c.var.ingest, source, Date.now()));
		const { request, trust, sent } = await buildSample(source, originOf(c.req.url), Date.now());
		const response = await c.var.ingest.receive(request, c.env, c.executionCtx, source.id, trust);
		return c.json({ sent, answer: await responseToWire(response) });
	});

async function getSource(env: Env, ref: string): Promise<Source> {
	const source = await findSource(env, ref);
	if (source === null) throw notFound(ref);
	return source;
}

const changeable: Changeable<Source, SourceChanges> = {
	get: getSource,
	update: updateSource,
	taken: ({ name }) => nameTaken(name ?? ""),
};

/** Makes a change of the source that the path names and tells all who have to know; throws what `changeRecord` throws. */
async function changeSource(
	c: Context<ApiEnv, "/:ref">,
	action: Action,
	compute: (former: Source) => SourceChanges | null | Promise<SourceChanges>,
): Promise<Source> {
	const { former, record, changes } = await changeRecord(c.env, changeable, c.req.param("ref"), compute);
	if (changes === null) return record;
	const origin = originOf(c.req.url);
	const [before, after] = [sourceToWire(former, origin), sourceToWire(record, origin)];
	await recordChange(c, { action, resource: "source", before, after });
	await syncSource(c, former, record);
	return record;
}

function notFound(ref: string): Problem {
	const isBuiltin = Object.entries(BUILTIN_SOURCES).some(([id, name]) => ref === id || ref === name);
	const detail = isBuiltin
		? `${ref} is built in: it has no settings to read or change.`
		: "There is no source with this id or name.";
	return new Problem(404, "source_not_found", detail);
}

function nameTaken(name: string): Problem {
	return new Problem(409, "name_taken", `There is another source named ${name}.`);
}

function originOf(url: string): string {
	return new URL(url).origin;
}
