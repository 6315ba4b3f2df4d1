/**
 * After a change of a source: ingest reads sources from memory and from KV, and the puller of a queue has settings
 * of its own, so all must hear of it. D1 has the change already; nothing here may fail the request that made it.
 */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import { puller, watch } from "../../objects/clients.ts";
import { kindOf } from "../../sources/registry.ts";
import { log } from "../../log.ts";
import { cacheSource, uncacheSource } from "../../store/source-cache.ts";
import { type Source, isVerifying } from "../../store/records.ts";
import type { ApiEnv } from "../http/context.ts";
import { findSource } from "../../store/sources.ts";

/** KV takes one write a second for each key and refuses the others. */
const RETRY_AFTER_MS = 1_100;

/** `former`: the source before the change, when there was one; `current`: null when it has been deleted. */
export async function syncSource(
	c: Context<ApiEnv>,
	former: Source | null,
	current: Source | null,
): Promise<void> {
	for (const source of [former, current]) if (source !== null) c.var.ingest.forgetSource(source);
	try {
		await writeCache(c.env, former, current);
	} catch {
		c.executionCtx.waitUntil(writeCacheLater(c.env, former, current));
	}
	await tellPuller(c, former, current);
	await tellWatch(c, former, current);
}

/** For a source that the router fetches from, now or before the change. */
async function tellPuller(c: Context<ApiEnv>, former: Source | null, current: Source | null): Promise<void> {
	const pulled = [current, former].find((source) => source !== null && kindOf(source)?.transport === "pull");
	if (pulled === undefined || pulled === null) return;
	const tell = () => puller(c.env, pulled.id).refresh(pulled.id);
	await tell().catch(() => {
		c.executionCtx.waitUntil(
			tell().catch((error: unknown) => {
				// Reading the source starts a puller that has never been told; others go on as they were.
				log("puller.untold", { source_id: pulled.id, error: String(error) });
			}),
		);
	});
}

/** For a source of which something is expected, now or before the change. */
async function tellWatch(c: Context<ApiEnv>, former: Source | null, current: Source | null): Promise<void> {
	const watched = [current, former].find((source) => typeof source?.expectEverySeconds === "number");
	if (watched === undefined || watched === null) return;
	const tell = () => watch(c.env, watched.id).refresh(watched.id);
	await tell().catch(() => {
		c.executionCtx.waitUntil(
			tell().catch((error: unknown) => {
				// It reads the source by itself when it wakes; one that has never been told begins with the next change.
				log("watch.untold", { source_id: watched.id, error: String(error) });
			}),
		);
	});
}

/** One write for each key, or KV would refuse the second: after a rename ingest makes the new copy itself. */
async function writeCache(env: Env, former: Source | null, current: Source | null): Promise<void> {
	if (former !== null && former.name !== current?.name) return uncacheSource(env, former);
	if (current === null) return;
	// A secret that cannot be read cannot be copied either.
	await (isVerifying(current) ? cacheSource(env, current) : uncacheSource(env, current));
}

/** Reads the source anew: what was true before the wait may have been changed by another request since. */
async function writeCacheLater(env: Env, former: Source | null, current: Source | null): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
	const id = current?.id ?? former?.id;
	try {
		await writeCache(env, former, id === undefined ? null : await findSource(env, id));
	} catch (error) {
		// The entry ends by itself; until then ingest may go on with the former settings.
		log("source_cache.write_failed", { source_id: id, error: String(error) });
	}
}
