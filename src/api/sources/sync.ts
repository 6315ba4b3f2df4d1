/**
 * After a change of a source, notifies everything that has a copy of it: ingest reads sources from
 * memory and KV, and the puller of a queue has its own settings. D1 already has the change; a
 * failure here does not fail the request.
 */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import { puller, watch } from "../../objects/clients.ts";
import { kindOf } from "../../sources/registry.ts";
import { log } from "../../log.ts";
import { cacheSource, uncacheSource } from "../../store/views/source-cache.ts";
import { type Source, isVerifying } from "../../store/records.ts";
import type { ApiEnv } from "../http/context.ts";
import { findSource } from "../../store/resources/sources.ts";

/** KV accepts one write a second for each key and refuses the others. */
const RETRY_AFTER_MS = 1_100;

/**
 * `former`: the source before the change, if there was one; `current`: null if it has been deleted.
 */
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

/**
 * As `syncSource` for a new source, without a copy in KV: ingest writes it at the first request.
 */
export async function announceSource(c: Context<ApiEnv>, source: Source): Promise<void> {
	c.var.ingest.forgetSource(source);
	await tellPuller(c, null, source);
	await tellWatch(c, null, source);
}

/** For a source that the router pulls from, now or before the change. */
async function tellPuller(c: Context<ApiEnv>, former: Source | null, current: Source | null): Promise<void> {
	const pulled = [current, former].find((source) => source !== null && kindOf(source)?.transport === "pull");
	if (pulled === undefined || pulled === null) return;
	const tell = () => puller(c.env, pulled.id).refresh(pulled.id);
	await tell().catch(() => {
		c.executionCtx.waitUntil(
			tell().catch((error: unknown) => {
				// Reading the source starts a puller that has never been notified; others continue as
				// before.
				log("puller.untold", { source_id: pulled.id, error: String(error) });
			}),
		);
	});
}

/** For a source with an expected event rate, now or before the change. */
async function tellWatch(c: Context<ApiEnv>, former: Source | null, current: Source | null): Promise<void> {
	const watched = [current, former].find((source) => typeof source?.expectEverySeconds === "number");
	if (watched === undefined || watched === null) return;
	const tell = () => watch(c.env, watched.id).refresh(watched.id);
	await tell().catch(() => {
		c.executionCtx.waitUntil(
			tell().catch((error: unknown) => {
				// It reads the source by itself when it wakes; one that has never been notified begins with the
				// next change.
				log("watch.untold", { source_id: watched.id, error: String(error) });
			}),
		);
	});
}

/**
 * One write for each key, because KV would refuse the second: after a rename ingest writes the new
 * copy itself.
 */
async function writeCache(env: Env, former: Source | null, current: Source | null): Promise<void> {
	if (former !== null && former.name !== current?.name) return uncacheSource(env, former);
	if (current === null) return;
	// A secret that cannot be read cannot be copied either.
	await (isVerifying(current) ? cacheSource(env, current) : uncacheSource(env, current));
}

/** Reads the source again, because another request may have changed it during the wait. */
async function writeCacheLater(env: Env, former: Source | null, current: Source | null): Promise<void> {
	await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
	const id = current?.id ?? former?.id;
	try {
		await writeCache(env, former, id === undefined ? null : await findSource(env, id));
	} catch (error) {
		// The entry expires by itself; until then ingest may use the former settings.
		log("source_cache.write_failed", { source_id: id, error: String(error) });
	}
}
