/**
 * The names under which this router is called: what `OWN_HOSTS` lists, or, while that is unset, those under which
 * requests have come that proved who they are. An isolate writes each name once; readers get them with what they read anyway.
 */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { withSchema } from "./schema.ts";

/** Names that are remembered; a wildcard route could bring any number. */
const MAX_HOSTS = 50;
/** Wait after D1 did not take one. */
const AGAIN_MS = 60_000;

export const SELECT_OWN_HOSTS = "SELECT host FROM own_hosts";

/** As last read: every attempt asks, and parsing what is no URL is slow. */
let parsed: { text: string; hosts: string[] | null } = { text: "", hosts: null };

/** Hosts with their ports, as in a URL; null when the operator lists none. What is no host is passed over. */
export function configuredHosts({ OWN_HOSTS: text = "" }: Pick<Env, "OWN_HOSTS">): string[] | null {
	if (parsed.text !== text) {
		const hosts = text.split(",").flatMap((host) => URL.parse(`https://${host.trim()}`)?.host ?? []);
		parsed = { text, hosts: hosts.length === 0 ? null : hosts };
	}
	return parsed.hosts;
}

interface Known {
	hosts: Set<string>;
	/** Not before, ms since the epoch. */
	writeAt: number;
}

const knownIn = new WeakMap<D1Database, Known>();

/** Remembers the host of a request that has proved who sent it. Never throws; `now` in ms. */
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

/** The names that are known by now, that of the request in hand among them. Throws when D1 fails. */
export async function ownHostsAt(env: Pick<Env, "DB" | "OWN_HOSTS">, url: string): Promise<string[]> {
	const configured = configuredHosts(env);
	if (configured !== null) return configured;
	const { results } = await withSchema(env, (db) => db.prepare(SELECT_OWN_HOSTS).all<{ host: string }>());
	return [new URL(url).host, ...results.map(({ host }) => host)];
}
