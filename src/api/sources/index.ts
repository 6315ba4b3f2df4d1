/** `/v1/sources`: the ingest URLs and how their requests are verified and read. */
import { Hono } from "hono";
import { Problem } from "../../http/problem.ts";
import { deleteSource, findSource, listSources } from "../../store/resources/sources.ts";
import { recordChange } from "../access/audit.ts";
import { ownRows } from "../access/own.ts";
import { checkFields, readJson, readOptionalJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { readPage } from "../http/pages.ts";
import { deletableAs, overtaken, setEtag } from "../http/preconditions.ts";
import { putRecord } from "../http/put.ts";
import { isLost } from "../http/writes.ts";
import { changesOf, refuseSharedQueue, rotationOf } from "./changes.ts";
import { rotationSchema } from "../fields/secrets.ts";
import { replaceSource } from "./draft.ts";
import {
	createSourceSchema,
	isPosted,
	patchSourceSchema,
	sourceToWire,
	sourceToWireWithSecret,
	testSourceSchema,
} from "./fields.ts";
import { hasStatus, sourceListQuery, sourcesMatching } from "./list.ts";
import { pullToWire } from "./pull.ts";
import { buildSample, responseToWire, setupToWire, takeSample } from "./setup.ts";
import { syncSource } from "./sync.ts";
import { verificationToWire } from "./verification.ts";
import { changeSource, createSource, getSource, nameTaken, originOf, sourceNotFound } from "./write.ts";

export const sources = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createSourceSchema);
		const created = await createSource(c, input);
		if (created === null) throw nameTaken(input.name);
		return created;
	})
	.get("/", async (c) => {
		const { items, nextCursor } = await readPage(
			c,
			"sources",
			(page, query) =>
				listSources(c.env, { ...page, where: [...ownRows(c.var, "sources"), ...sourcesMatching(query)] }),
			sourceListQuery,
			hasStatus,
		);
		const origin = originOf(c.req.url);
		return c.json({ data: items.map((source) => sourceToWire(source, origin)), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		setEtag(c, source);
		return c.json({
			...sourceToWire(source, originOf(c.req.url)),
			...(await pullToWire(c.env, source)),
			// A HEAD is routed here too, and would remove the token without showing it; some callers may not
			// see it.
			...(c.req.raw.method === "GET" &&
				c.var.principal.role === "admin" &&
				(await verificationToWire(c.env, source, Date.now()))),
		});
	})
	.put("/:ref", async (c) => {
		const ref = c.req.param("ref");
		return putRecord(c, ref, {
			find: findSource,
			missing: () => sourceNotFound(ref),
			identity: (ref) => (ref.startsWith("src_") ? null : { name: ref }),
			identityOf: ({ name }) => ({ name }),
			create: (body) => createSource(c, checkFields(body, createSourceSchema)),
			replace: async ({ id }, body) => {
				const input = checkFields(body, createSourceSchema);
				const source = await changeSource(c, id, "update", async (former) => {
					const changes = replaceSource(former, input, Date.now());
					await refuseSharedQueue(c.env, { ...former, ...changes });
					return changes;
				});
				return c.json(sourceToWire(source, originOf(c.req.url)));
			},
		});
	})
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchSourceSchema);
		const source = await changeSource(c, c.req.param("ref"), "update", (former) =>
			changesOf(c.env, former, input),
		);
		return c.json(sourceToWire(source, originOf(c.req.url)));
	})
	.delete("/:ref", async (c) => {
		const ref = c.req.param("ref");
		const source = await findSource(c.env, ref);
		if (source === null && !(await isLost(c.env, "src", ref))) throw sourceNotFound(ref);
		const asRead = deletableAs(c.req.raw.headers, source);
		const { usedBy, isChanged } = await deleteSource(c.env, source?.id ?? ref, asRead);
		if (isChanged) throw overtaken();
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
		const source = await changeSource(c, c.req.param("ref"), "rotate_secret", (former) =>
			rotationOf(former, input),
		);
		const [newest] = source.secrets ?? [];
		return c.json(sourceToWireWithSecret(source, newest?.value ?? null, originOf(c.req.url)));
	})
	.post("/:ref/pause", async (c) => {
		const source = await changeSource(c, c.req.param("ref"), "pause", ({ status }) =>
			status === "active" ? { status: "paused" } : null,
		);
		return c.json(sourceToWire(source, originOf(c.req.url)));
	})
	.post("/:ref/resume", async (c) => {
		// An expression that was set aside is tried again.
		const resumed = { status: "active", quarantine: null } as const;
		return c.json(
			sourceToWire(await changeSource(c, c.req.param("ref"), "resume", () => resumed), originOf(c.req.url)),
		);
	})
	.get("/:ref/setup", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		return c.json(setupToWire(source, originOf(c.req.url)));
	})
	.post("/:ref/test", async (c) => {
		const source = await getSource(c.env, c.req.param("ref"));
		const mark = await readOptionalJson(c.req.raw, testSourceSchema);
		const { ingest } = c.var;
		if (!isPosted(source.kind)) return c.json(await takeSample(c.env, ingest, source, mark, Date.now()));
		const { request, trust, sent } = await buildSample(source, originOf(c.req.url), Date.now());
		const response = await ingest.receive(request, c.env, c.executionCtx, source.id, trust, mark);
		return c.json({ sent, answer: await responseToWire(response) });
	});
