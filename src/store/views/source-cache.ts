/**
 * Copies of sources in KV, so that ingest can read them near the publisher and without D1. Secrets stay sealed. D1 is
 * the source of truth: a copy may be missing at any time, and a stale copy may be read for about 60 seconds after a
 * change. Copies contain the time of the read; a stale copy is used only if D1 fails.
 */
import * as z from "zod";
import type { Env } from "../../env.ts";
import { quarantineSchema } from "../quarantines/quarantine.ts";
import { liveSecretsSchema } from "../../crypto/live-secret.ts";
import type { ReadableSource, Source } from "../records.ts";
import { sourceAuthSchema } from "../resources/source-auth.ts";
import { UNREADABLE, open, seal } from "../../crypto/seal.ts";
import {
	STORED_STATUSES,
	fromStoredStatus,
	settingsSchema,
	toStoredStatus,
} from "../resources/source-row.ts";

/** The longest time that ingest works without D1, counted from when the copy was written. */
const EXPIRATION_SECONDS = 86_400;
/** How long a location caches a read; Cloudflare's minimum. */
const LOCATION_TTL_SECONDS = 30;

const cachedSource = z.object({
	id: z.string(),
	name: z.string(),
	kind: z.string(),
	description: z.string().nullable(),
	auth: sourceAuthSchema,
	eventType: z.string().nullable(),
	subject: z.string().nullable(),
	dedupeKey: z.string().nullable(),
	/** Missing in copies that release 0.1 made. */
	expectEverySeconds: z.number().nullable().default(null),
	/** Missing in copies that release 0.1 made. */
	isTest: z.boolean().default(false),
	settings: settingsSchema,
	sealedSecrets: z.string(),
	status: z.enum(STORED_STATUSES),
	/** Missing in copies that release 0.1 made. */
	revision: z.number().default(1),
	quarantine: quarantineSchema.nullable().default(null),
	createdAt: z.number(),
	updatedAt: z.number(),
	/** Missing in copies that release 0.1 made, which expire after 300 s. */
	readAt: z.number().nullable().default(null),
});

export interface SourceCopy {
	source: ReadableSource;
	/** When D1 was read, ms since the epoch. null: within the last 300 s. */
	readAt: number | null;
}

/** Stores a copy by id and by name, because URLs may contain either. `readAt`: when D1 was read, ms. */
export async function cacheSource(
	env: Env,
	{ secrets, ...source }: ReadableSource,
	readAt = Date.now(),
): Promise<void> {
	const sealedSecrets = await seal(env, JSON.stringify(secrets));
	const copy = { ...source, status: toStoredStatus(source.status), sealedSecrets, readAt };
	const entry = JSON.stringify(copy satisfies z.infer<typeof cachedSource>);
	const options = { expirationTtl: EXPIRATION_SECONDS };
	await Promise.all(keysOf(source).map((key) => env.SOURCES.put(key, entry, options)));
}

/** Deletes the copies of a source. After a rename, call it for the old name too. */
export async function uncacheSource(env: Env, source: Pick<Source, "id" | "name">): Promise<void> {
	await Promise.all(keysOf(source).map((key) => env.SOURCES.delete(key)));
}

/** Returns null if there is no copy. Throws if KV fails or the copy is unreadable, for example after a key change. */
export async function readCachedSource(env: Env, ref: string): Promise<SourceCopy | null> {
	const entry = await env.SOURCES.get(keyOf(ref), { cacheTtl: LOCATION_TTL_SECONDS });
	if (entry === null) return null;
	const { sealedSecrets, status, readAt, ...source } = cachedSource.parse(JSON.parse(entry));
	const secrets = await open(env, sealedSecrets);
	if (secrets === null) throw new Error(`the copy ${UNREADABLE}`);
	return {
		source: {
			...source,
			status: fromStoredStatus(status),
			secrets: liveSecretsSchema.parse(JSON.parse(secrets)),
		},
		readAt,
	};
}

function keysOf({ id, name }: Pick<Source, "id" | "name">): string[] {
	return [keyOf(id), keyOf(name)];
}

function keyOf(ref: string): string {
	return `source/${ref}`;
}
