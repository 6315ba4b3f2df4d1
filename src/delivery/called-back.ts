/**
 * Handles callbacks for the jobs of one endpoint: each is checked, read, and stored before it is
 * confirmed. A callback may also arrive before the response to the request that started the job.
 */
import { verifyStandardWebhook } from "../crypto/verify-standard-webhooks.ts";
import type { Env } from "../env.ts";
import { refuse, refuseForNow } from "../http/refusal.ts";
import { completionOf } from "../models/completion.ts";
import type { Exchange } from "../models/exchange.ts";
import type { JobReading } from "../models/jobs.ts";
import { reading } from "../models/reading.ts";
import { protocolOf } from "../models/registry.ts";
import { isReadable, type ReadableEndpoint } from "../store/records.ts";
import { type EndpointSettings, type Settings, subscriptionOf } from "../store/settings.ts";
import { callbackToken } from "../crypto/callback-token.ts";
import type { Callback, CalledBack } from "./callback.ts";
import type { Flights } from "./flights.ts";
import type { Backlog } from "./ledger/backlog.ts";
import type { AttemptResult } from "./rules/attempt.ts";
import type { Delivery } from "./rules/delivery.ts";
import { complete } from "./tasks/complete.ts";
import { publishResult } from "./tasks/publish.ts";
import type { Ran } from "./tasks/task.ts";

export interface CallbackParts {
	env: Env;
	backlog: Backlog;
	flights: Flights;
	/** Applies what follows from an ended job, after it is stored. */
	follow(id: string, ran: Ran, settings: Settings): Promise<void>;
}

export const NO_DELIVERY = refuse(404, "callback_not_found", "There is no delivery with this callback URL.");
const NONE: CalledBack = { ok: true, effect: "none" };

export class Callbacks {
	readonly #parts: CallbackParts;
	/**
	 * Callbacks being handled, by delivery, so that two callbacks of one delivery are handled in
	 * turn.
	 */
	readonly #taking = new Map<string, Promise<CalledBack>>();

	constructor(parts: CallbackParts) {
		this.#parts = parts;
	}

	/** Handles a callback for a delivery. Throws if nothing could be stored. */
	async take(id: string, callback: Callback, settings: Settings): Promise<CalledBack> {
		const before = this.#taking.get(id);
		const taken = (async () => {
			await before?.catch(() => undefined);
			return this.#take(id, callback, settings);
		})();
		this.#taking.set(id, taken);
		try {
			return await taken;
		} finally {
			if (this.#taking.get(id) === taken) this.#taking.delete(id);
		}
	}

	async #take(id: string, callback: Callback, settings: Settings): Promise<CalledBack> {
		const { backlog, flights } = this.#parts;
		if (settings === "deleted") return NONE;
		if (settings === "missing" || !isReadable(settings.endpoint)) return later();
		const { endpoint } = settings;
		const refused = verify(endpoint, callback);
		if (refused !== null) return refused;
		// A poll is in progress, or another step that does not depend on this callback.
		if (flights.claimed.has(id) && !flights.isSending(id)) await flights.whenEnded(id);
		const delivery = flights.claimed.get(id) ?? backlog.find(id);
		if (delivery === null) {
			return NO_DELIVERY;
		}
		if (!isAwaiting(delivery)) return NONE;
		const job = readJob(endpoint, callback);
		if (job.kind === "running" || job.kind === "fetch") return { ok: true, effect: "running" };
		if (isOfFormerJob(delivery, job)) return NONE;
		return this.#end(delivery, { callback, job, settings, endpoint });
	}

	async #end(delivery: Delivery, { callback, job, settings, endpoint }: Ending): Promise<CalledBack> {
		const { env, backlog, flights } = this.#parts;
		const subscription = await subscriptionOf(env, settings, delivery.subscriptionId);
		if (subscription === "deleted") return NONE;
		if (subscription === "missing") return later();
		const startedAt = flights.sentAt(delivery.id);
		const isSending = flights.isSending(delivery.id);
		// From here on the delivery is claimed, so that nothing else works on it.
		if (!isSending) flights.begin(delivery, "poll");
		let ran: Ran | null = null;
		try {
			ran = await complete({
				delivery,
				endpoint,
				subscription,
				result: asResult(callback),
				said: job.kind === "ended" ? job.reading : null,
				callbackToken: callbackToken(env, delivery.id),
				by: "callback",
				startedAt,
				now: Date.now(),
				random: Math.random(),
			});
			ran = { ...ran, delivery: await publishResult(ran.delivery, env) };
		} finally {
			const after = ran?.delivery ?? delivery;
			if (!isSending) flights.end(after);
			// Its request is still in progress, and the delivery is claimed for it.
			else if (flights.claimed.has(delivery.id)) flights.replace(after);
			else backlog.record([after]);
		}
		if (!isSending) {
			await flights.whenEnded(delivery.id);
			// It is only in memory, because the write failed.
			if (flights.claimed.has(delivery.id)) return later();
		}
		await this.#parts.follow(delivery.id, ran, settings);
		return { ok: true, effect: "taken" };
	}
}

interface Ending {
	callback: Callback;
	job: Extract<JobReading, { kind: "ended" | "lost" }>;
	settings: EndpointSettings;
	endpoint: ReadableEndpoint;
}

/** Whether a callback can end something: the job, or a request whose outcome is unknown. */
function isAwaiting({ state }: Delivery): boolean {
	return state.phase === "waiting" || state.phase === "pending";
}

/**
 * Whether the callback is about a failed job of an earlier attempt while another job runs. Its
 * output would be just as useful, but its failure says nothing about the current job.
 */
function isOfFormerJob({ state }: Delivery, job: Extract<JobReading, { kind: "ended" | "lost" }>): boolean {
	if (state.phase !== "waiting" || job.kind !== "ended" || job.reading.class === null) return false;
	const { handle } = job.reading;
	return handle !== null && state.job.handle !== null && handle !== state.job.handle;
}

function later(): CalledBack {
	return refuseForNow("unavailable", "The callback cannot be processed now. Send it again later.");
}

function verify({ completion }: ReadableEndpoint, { headers, body }: Callback): CalledBack | null {
	const { webhookSecret } = completion;
	if (webhookSecret === null) return null;
	if (body === null)
		return refuse(413, "body_too_large", "The callback body is too large. Send at most 1048576 bytes.");
	const isProven = verifyStandardWebhook(new Headers(headers), body, webhookSecret, Date.now());
	return isProven
		? null
		: refuse(401, "callback_unsigned", "The callback is not signed by the endpoint's webhook_secret.");
}

function readJob(endpoint: ReadableEndpoint, { status, headers, body }: Callback): JobReading {
	const protocol = protocolOf(endpoint.protocol);
	const exchange: Exchange = { status, headers, body: body ?? new Uint8Array(), isStarting: false };
	const context = { url: endpoint.url, completion: completionOf(endpoint).mode };
	if (protocol === null || body === null) return { kind: "ended", reading: reading() };
	return (
		protocol.jobs?.readCallback?.(exchange) ?? { kind: "ended", reading: protocol.read(exchange, context) }
	);
}

function asResult({ status, headers, body }: Callback): AttemptResult {
	const failure =
		body === null
			? ({ error: "too_large", message: "The callback is larger than 1048576 bytes." } as const)
			: null;
	return { kind: "response", status, headers, durationMs: 0, body: body ?? new Uint8Array(), failure };
}
