/**
 * `GET /v1/endpoints/{ref}/health`: an endpoint's health, in its dispatcher's numbers, and on
 * request whether its model reports that it is ready.
 */
import * as z from "zod";
import type { Health } from "../../delivery/rpc.ts";
import { askReady } from "../../delivery/trial/probe.ts";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { dispatcher } from "../../objects/clients.ts";
import { ownHostsAt } from "../../store/own-hosts.ts";
import { type Endpoint, isReadable } from "../../store/records.ts";
import { statusOf } from "../fields/status.ts";
import { formatTime } from "../fields/times.ts";
import { blockedToWire } from "./blocked.ts";

export const healthQuery = z.strictObject({
	probe: z
		.enum(["true", "false"])
		.optional()
		.describe("true: ask the model server now whether the model is ready."),
});

interface Asked {
	/** The URL of the request. */
	url: string;
	isProbed: boolean;
}

/**
 * Numbers are null if the dispatcher cannot be reached, or still runs a release that does not know
 * them.
 */
export async function healthToWire(
	env: Env,
	endpoint: Endpoint,
	{ url, isProbed }: Asked,
): Promise<Record<string, unknown>> {
	const [health, ready] = await Promise.all([
		readHealth(env, endpoint.id),
		isProbed && isReadable(endpoint)
			? ownHostsAt(env, url).then((own) => askReady(env, endpoint, own))
			: null,
	]);
	return {
		...statusOf(endpoint),
		...(health === null ? await blockedToWire(env, endpoint) : blockOf(endpoint, health)),
		...numbersToWire(health, endpoint.maxConcurrency, Date.now()),
		ready,
	};
}

async function readHealth(env: Env, endpointId: string): Promise<Health | null> {
	try {
		return await dispatcher(env, endpointId).health();
	} catch (error) {
		log("dispatcher.unreachable", { endpoint_id: endpointId, error: String(error) });
		return null;
	}
}

/**
 * For a stopped endpoint the stop is shown, even if its dispatcher does not know
 * about it yet.
 */
function blockOf(
	endpoint: Endpoint,
	{ blockedBy, blockedUntil }: Health,
): { blocked_by: string | null; blocked_until: string | null } {
	if (statusOf(endpoint).status !== "active") return { blocked_by: "paused", blocked_until: null };
	return { blocked_by: blockedBy, blocked_until: formatTime(blockedUntil) };
}

/** `now` in ms. */
function numbersToWire(health: Health | null, maxConcurrency: number, now: number): Record<string, unknown> {
	const limit = health?.limit ?? null;
	const oldest = health?.oldestPendingAt ?? null;
	const recent = health?.recent ?? null;
	return {
		in_flight: health?.inFlight ?? null,
		limit: limit === null ? null : Math.min(limit, maxConcurrency),
		max_concurrency: maxConcurrency,
		waiting: health?.waiting ?? null,
		backlog: health?.backlog ?? null,
		oldest_pending_at: formatTime(oldest),
		oldest_pending_age_seconds: oldest === null ? null : Math.max(0, Math.floor((now - oldest) / 1000)),
		latency_ms: recent && {
			p50: recent.p50,
			p95: recent.p95,
			p99: recent.p99,
			samples: recent.samples,
			window_seconds: recent.windowSeconds,
		},
		outcomes: recent?.outcomes ?? null,
	};
}
