/** `/v1/sources`: the ingest URLs and how their requests are verified and read. */
import { Hono } from "hono";
import type { Env } from "../env.ts";
import { BUILTIN_SOURCES, newId } from "../events/ids.ts";
import { kindOf } from "../ingest/parse-events.ts";
import { receive } from "../ingest/receive.ts";
import { Problem } from "../problem.ts";
import type { Source } from "../store/records.ts";
import {
	type SourceChanges,
	deleteSource,
	findSource,
	findSourceOfQueue,
	insertSource,
	listSources,
	updateSource,
} from "../store/sources.ts";
import { readJson, readOptionalJson } from "./body.ts";
import { readPage } from "./pages.ts";
import { newSecret, rotateSecrets, rotationSchema } from "./secrets.ts";
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
} from "./source-fields.ts";
import { pullToWire } from "./source-pull.ts";
import { chooseSecret, secretsAfter } from "./source-secrets.ts";
import { buildSample, readAnswer, setupToWire, takeSample } from "./source-setup.ts";
import { syncSource } from "./source-sync.ts";
import { named, recordOf } from "./writes.ts";

const DEFAULT_KIND = "generic";

export const sources = new Hono<{ Bindings: Env }>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSourceSchema);
		const now = Date.now();
		const kind = input.kind ?? DEFAULT_KIND;
		const { event_type, subject, dedupe_key } = input;
		refuseNames(kind, { event_type, subject, dedupe_key });
		const auth = input.auth === undefined ? defaultAuth(kind) : resolveAuth(input.auth, input.name);
		refuseAuth(kind, auth.type);
		const secret = chooseSecret(auth.type, input.secret);
		const source: Source = {
			id: newId("src"),
			name: input.name,
			kind,
			description: input.description ?? null,
			auth,
			eventType: input.event_type ?? null,
			subject: input.subject ?? null,
			dedupeKey: input.dedupe_key ?? null,
			settings: resolveSettings(kind, input.settings ?? {}),
			secrets: secret === null ? [] : [newSecret(secret, now)],
			status: "active",
			createdAt: now,
			updatedAt: now,
		};
		await refuseSharedQueue(c.env, source);
		if (!(await insertSource(c.env, source))) throw nameTaken(source.name);
		await syncSource(c, null, source);
		return c.json(sourceToWireWithSecret(source, secret, originOf(c.req.url)), 201);
	})
	.get("/", async (c) => {
		const { items, nextCursor } = await readPage(c, "sources", (query) => listSources(c.env, query));
		const origin = originOf(c.req.url);
		return c.json({ data: items.map((source) => sourceToWire(source, origin)), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		return c.json({
			...sourceToWire(source, originOf(c.req.url)),
			...(await pullToWire(c.env, source)),
		});
	})
	.patch("/:ref", async (c) => {
		const former = await getSource(c.env, c.req.param("ref"));
		const input = await readJson(c.req.raw, patchSourceSchema);
		const { event_type: eventType, dedupe_key: dedupeKey, auth, secret, settings, ...same } = input;
		const kind = input.kind ?? former.kind;
		refuseNames(kind, { event_type: eventType, subject: input.subject, dedupe_key: dedupeKey });
		const changes: SourceChanges = {
			...named(same),
			...(eventType !== undefined && { eventType }),
			...(dedupeKey !== undefined && { dedupeKey }),
			// A change of kind brings the settings of the new one.
			...((settings !== undefined || input.kind !== undefined) && {
				settings: resolveSettings(kind, settings ?? {}),
			}),
			...(auth !== undefined && { auth: resolveAuth(auth, input.name ?? former.name) }),
		};
		const authType = changes.auth?.type ?? former.auth.type;
		refuseAuth(kind, authType);
		await refuseSharedQueue(c.env, { ...former, ...changes });
		const secrets = secretsAfter(former, authType, secret);
		const update = await updateSource(c.env, former.id, { ...changes, ...(secrets !== null && { secrets }) });
		const source = recordOf(update, { taken: () => nameTaken(input.name ?? ""), gone: sourceNotFound });
		await syncSource(c, former, source);
		return c.json(sourceToWire(source, originOf(c.req.url)));
	})
	.delete("/:ref", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		const { usedBy } = await deleteSource(c.env, source.id);
		if (usedBy.length > 0) {
			throw new Problem(409, "source_in_use", `Delete the subscriptions to it first: ${usedBy.join(", ")}.`);
		}
		await syncSource(c, source, null);
		return c.body(null, 204);
	})
	.post("/:ref/secret/rotate", async (c) => {
		const former = await getSource(c.env, c.req.param("ref"));
		const input = await readOptionalJson(c.req.raw, rotationSchema);
		if (former.auth.type === "aws_keys") {
			const detail = "A secret access key goes with its key id: PATCH `secret` and `settings` together.";
			throw new Problem(409, "rotate_by_patch", detail);
		}
		const secret = chooseSecret(former.auth.type, input.secret);
		if (secret === null)
			throw new Problem(
				409,
				"no_secret",
				`A source with auth "${former.auth.type}" has no secret to rotate.`,
			);
		const graceSeconds = input.grace_period_seconds;
		const secrets = rotateSecrets(former.secrets, secret, { now: Date.now(), graceSeconds });
		const update = await updateSource(c.env, former.id, { secrets });
		const source = recordOf(update, { gone: sourceNotFound });
		await syncSource(c, former, source);
		return c.json(sourceToWireWithSecret(source, secret, originOf(c.req.url)));
	})
	.get("/:ref/setup", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		return c.json(setupToWire(source, originOf(c.req.url)));
	})
	.post("/:ref/test", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		if (!isPosted(source.kind)) return c.json(await takeSample(c.env, source, Date.now()));
		const { request, trust, sent } = await buildSample(source, originOf(c.req.url), Date.now());
		const response = await receive(request, c.env, c.executionCtx, source.id, trust);
		return c.json({ sent, answer: await readAnswer(response) });
	});

async function getSource(env: Env, ref: string): Promise<Source> {
	const source = await findSource(env, ref);
	if (source !== null) return source;
	const isBuiltin = Object.entries(BUILTIN_SOURCES).some(([id, name]) => ref === id || ref === name);
	throw isBuiltin
		? new Problem(404, "source_not_found", `${ref} is built in: it has no settings to read or change.`)
		: sourceNotFound();
}

/** The messages of a queue go to one source; a second would never get any. */
async function refuseSharedQueue(env: Env, source: Pick<Source, "id" | "kind" | "settings">): Promise<void> {
	const { queue } = source.settings;
	if (kindOf(source).transport !== "queue" || typeof queue !== "string") return;
	const other = await findSourceOfQueue(env, queue);
	if (other === null || other.id === source.id) return;
	throw new Problem(409, "queue_taken", `Source ${other.name} reads the queue ${queue} already.`);
}

function sourceNotFound(): Problem {
	return new Problem(404, "source_not_found", "There is no source with this id or name.");
}

function nameTaken(name: string): Problem {
	return new Problem(409, "name_taken", `There is another source named ${name}.`);
}

function originOf(url: string): string {
	return new URL(url).origin;
}
