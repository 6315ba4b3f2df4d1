/**
 * The host names of this router: those in `OWN_HOSTS`, or, if that is unset, those that verified requests have used. An
 * isolate writes each name once; readers get the names together with their other queries.
 */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { withSchema } from "./schema.ts";

/** The maximum number of names; a wildcard route could produce any number. */
const MAX_HOSTS = 50;
/** The retry delay after a failed write. */
const AGAIN_MS = 60_000;

export const SELECT_OWN_HOSTS = "SELECT host FROM own_hosts";

/** The last parsed value. Cached because every attempt needs it and parsing invalid URLs is slow. */
let parsed: { text: string; hosts: string[] | null } = { text: "", hosts: null };

/** Returns hosts with their ports, as in a URL, or null if the operator lists none. Ignores invalid hosts. */
export function configuredHosts({ OWN_HOSTS: text = "" }: Pick<Env, "OWN_HOSTS">): string[] | null {
	if (parsed.text !== text) {
		const hosts = text.split(",").flatMap((host) => URL.parse(`https://${host.trim()}`)?.host ?? []);
		parsed = { text, hosts: hosts.length === 0 ? null : hosts };
	}
	return parsed.hosts;
}

interface Known {
	hosts: Set<string>;
	/** The earliest time of the next write, ms since the epoch. */
	writeAt: number;
}

const knownIn = new WeakMap<D1Database, Known>();

/** Remembers the host of a verified request. Never throws; `now` in ms. */
export async function learnHost(env: Pick<Env, "DB" | "OWN_HOSTS">, url: string, now: number): Promise<void> {
	const { host } = new URL(url);
	const known = knownIn.get(env.DB) ?? { hosts: new Set(), writeAt: 0 };
	if (known.hosts.has(host) || known.hosts.size >= MAX_HOSTS || now < known.writeAt) return;
	knownIn.set(env.DB, known);
	known.hosts.add(host);
	if (configuredHosts(env) !== null) return;
	try {
		await withSchema(env, (db) =>
			db
				.prepare(
					`INSERT OR IGNORE INTO own_hosts (host, learnt_at)
					SELECT ?1, ?2 WHERE (SELECT count(*) FROM own_hosts) < ${MAX_HOSTS}`,
				)
				.bind(host, now)
				.run(),
		);
	} catch (error) {
		known.hosts.delete(host);
		known.writeAt = now + AGAIN_MS;
		log("own_host.unwritten", { error: String(error) });
	}
}

/** Returns the known names, including that of the current request. Throws if D1 fails. */
export async function ownHostsAt(env: Pick<Env, "DB" | "OWN_HOSTS">, url: string): Promise<string[]> {
	const configured = configuredHosts(env);
	if (configured !== null) return configured;
	const { results } = await withSchema(env, (db) => db.prepare(SELECT_OWN_HOSTS).all<{ host: string }>());
	return [new URL(url).host, ...results.map(({ host }) => host)];
}
