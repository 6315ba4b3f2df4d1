/**
 * `/v1/keys`: API keys, which are created and deleted but never changed. For admins only.
 */
import { Hono } from "hono";
import { newId } from "../../events/ids.ts";
import { announce } from "../../operations/announce.ts";
import { keyChanged } from "../../operations/occurrence.ts";
import { Problem } from "../../http/problem.ts";
import { type ApiKey, MAX_KEYS, deleteKey, findKey, insertKey, listKeys } from "../../store/access/keys.ts";
import { invalidRequest, readJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { readPage } from "../http/pages.ts";
import { recordChange } from "./audit.ts";
import { createKeySchema, keyToWire, scopeOf } from "./key-fields.ts";
import { hashOfKey, newKeyText } from "./key-text.ts";
import { forgetKeys } from "./keyring.ts";
import type { Env } from "../../env.ts";

export const keys = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createKeySchema);
		const now = Date.now();
		const expiresAt = input.expires_at ?? null;
		if (expiresAt !== null && expiresAt <= now) {
			throw invalidRequest([{ path: "expires_at", message: "must be in the future" }]);
		}
		const id = newId("key");
		const text = newKeyText(id);
		const key: ApiKey = {
			id,
			name: input.name,
			role: input.role,
			scope: scopeOf(input),
			hash: hashOfKey(text),
			expiresAt,
			lastUsedAt: null,
			createdAt: now,
		};
		const inserted = await insertKey(c.env, key);
		if (inserted === "name_taken") {
			throw new Problem(409, "name_taken", `There is already a key named ${key.name}.`);
		}
		if (inserted === "full") {
			throw new Problem(
				409,
				"too_many_keys",
				`There are ${MAX_KEYS} keys. Delete keys that are no longer used.`,
			);
		}
		forgetKeys(c.env);
		await recordChange(c, { action: "create", resource: "key", before: null, after: keyToWire(key) });
		c.executionCtx.waitUntil(announce(c.env, keyChanged("created", key, c.var.principal)));
		return c.json({ ...keyToWire(key), key: text }, 201);
	})
	.get("/", async (c) => {
		const { items, nextCursor } = await readPage(c, "keys", (query) => listKeys(c.env, query));
		return c.json({ data: items.map(keyToWire), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => c.json(keyToWire(await getKey(c.env, c.req.param("ref")))))
	.delete("/:ref", async (c) => {
		const key = await getKey(c.env, c.req.param("ref"));
		await deleteKey(c.env, key.id);
		forgetKeys(c.env);
		await recordChange(c, { action: "delete", resource: "key", before: keyToWire(key), after: null });
		c.executionCtx.waitUntil(announce(c.env, keyChanged("deleted", key, c.var.principal)));
		return c.body(null, 204);
	});

async function getKey(env: Env, ref: string): Promise<ApiKey> {
	const key = await findKey(env, ref);
	if (key !== null) return key;
	throw new Problem(404, "key_not_found", "There is no API key with this id or name.");
}
