/**
 * Handles callbacks for the jobs of one endpoint: each is checked, read, and stored before it is
 * confirmed. A callback may also arrive before the response to the request that started the job.
 */
import { verifyStandardWebhook } from "../crypto/verify-standard-webhooks.ts";
import type { Env } from "../env.ts";
import { refuse, refuseForNow } from "../http/refusal.ts";
import { log } from "../log.ts";
import { completionOf } from "../models/completion.ts";
import type { Exchange, Reading } from "../models/exchange.ts";
import type { JobReading } from "../models/jobs/jobs.ts";
import { reading } from "../models/responses/reading.ts";
import { protocolOf } from "../models/registry.ts";
import { isReadable, type ReadableEndpoint } from "../store/records.ts";
import { type Settings, subscriptionOf } from "../store/views/settings.ts";
import { callbackToken } from "../crypto/callback-token.ts";
import type { Callback, CalledBack } from "./callback.ts";
import type { Flights } from "./flights.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { idsOf } from "./log-lines.ts";
import type { AttemptResult } from "./rules/attempt.ts";
import { formerJob } from "./rules/attempts.ts";
import { advance, type Delivery } from "./rules/delivery.ts";
import { complete, type Completed, hasFailed } from "./tasks/complete.ts";
import type { Reachable } from "./tasks/exchange-step.ts";
import { publishResult } from "./tasks/publish.ts";
import { SUBSCRIPTION_DELETED } from "./tasks/send.ts";
import type { Ran } from "./tasks/task.ts";

export interface CallbackParts {
	env: Env;
	backlog: Backlog;
	flights: Flights;
	/** If the delivery waited for a job, tells its server that the job is no longer needed. Never throws. */
	cancelJob(delivery: Delivery, settings: Reachable): void;
	/** Applies the consequences of an ended job, after it is stored. */
	follow(id: string, ran: Ran, settings: Settings): Promise<void>;
}

export const NO_DELIVERY = refuse(404, "callback_not_found", "There is no delivery with this callback URL.");
export const LATER: CalledBack = refuseForNow(
	"unavailable",
	"The callback cannot be stored now. Send it again.",
);
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
		const { env, backlog, flights } = this.#parts;
		if (settings === "deleted") return NONE;
		if (settings === "missing" || !isReadable(settings.endpoint)) return LATER;
		const { endpoint } = settings;
		const refused = verify(endpoint, callback);
		if (refused !== null) return refused;
		const found = flights.claimed.get(id) ?? backlog.find(id);
		if (found === null) return NO_DELIVERY;
		if (!isAwaiting(found) && !flights.claimed.has(id)) return NONE;
		const job = readJob(endpoint, callback);
		const subscription = await subscriptionOf(env, settings, found.subscriptionId);
		if (subscription === "missing") return LATER;
		while (!this.#isTakable(id)) if (!(await this.#whenEnded(id))) return LATER;
		// No await between here and the claim, so that nothing else can process the delivery in between.
		const delivery = flights.claimed.get(id) ?? backlog.find(id);
		if (delivery === null || !isAwaiting(delivery)) return NONE;
		if (job.kind === "running" || job.kind === "fetch") return { ok: true, effect: "running" };
		const said = job.kind === "ended" ? job.reading : reading({ class: "error", error: job.error });
		const former = formerOf(delivery, callback.attempt ?? null);
		const isOther = former !== null || isOfOtherJob(delivery, said);
		const completed: Omit<Completed, "subscription"> = {
			delivery,
			endpoint,
			result: asResult(callback),
			said,
			callbackToken: callbackToken(env, id),
			by: "callback",
			startedAt: flights.sentAt(id),
			former,
			now: Date.now(),
			random: Math.random(),
		};
		// A failure of another job says nothing about the current one.
		if (hasFailed(completed) && (isOther || !this.#isOpen(completed))) return NONE;
		const run = async (): Promise<Ran> => {
			if (subscription === "deleted") return undeliverable(delivery);
			const ran = await complete({ ...completed, subscription });
			return { ...ran, delivery: await publishResult(ran.delivery, env) };
		};
		const ran = await (flights.isSending(id)
			? flights.telling(id, () => this.#replace(delivery, run))
			: this.#end(delivery, run));
		if (ran === null) return LATER;
		// Its output is no longer needed.
		if (isOther) this.#parts.cancelJob(delivery, { ...settings, endpoint });
		await this.#parts.follow(id, ran, settings);
		return subscription === "deleted" ? NONE : { ok: true, effect: "taken" };
	}

	/** Whether only a request, which may take long, is processing the delivery, and all its changes are written. */
	#isTakable(id: string): boolean {
		const { flights } = this.#parts;
		return !flights.isUnwritten(id) && (!flights.claimed.has(id) || flights.isSending(id));
	}

	/** Waits for a poll or another step in progress, but not for a request. false: its outcome could not be written. */
	async #whenEnded(id: string): Promise<boolean> {
		const { flights } = this.#parts;
		if (flights.isUnwritten(id)) flights.writeAgain();
		if (!flights.isSending(id)) await flights.whenEnded(id);
		return !flights.isUnwritten(id);
	}

	/** Whether there is a job that can fail. An earlier failure has already spent its attempt. */
	#isOpen({ delivery, startedAt }: Omit<Completed, "subscription">): boolean {
		const { id, state, attempts } = delivery;
		if (state.phase === "waiting") return true;
		if (startedAt === null || !this.#parts.flights.isSending(id)) return false;
		return !attempts.some(({ at, job }) => at === startedAt && job);
	}

	/** Ends a delivery that is not claimed. null: the write failed, and the outcome is kept only in memory. */
	async #end(delivery: Delivery, run: () => Promise<Ran>): Promise<Ran | null> {
		const { flights } = this.#parts;
		flights.begin(delivery, "poll");
		let ran: Ran | null = null;
		try {
			ran = await run();
		} finally {
			flights.end(ran?.delivery ?? delivery);
		}
		await flights.whenEnded(delivery.id);
		return flights.isUnwritten(delivery.id) ? null : ran;
	}

	/**
	 * Ends a delivery whose request is in progress; it stays claimed. null: it has ended in another way, or the write
	 * failed.
	 */
	async #replace(delivery: Delivery, run: () => Promise<Ran>): Promise<Ran | null> {
		const { flights } = this.#parts;
		const ran = await run();
		if (flights.claimed.get(delivery.id) !== delivery) return null;
		try {
			flights.replace(ran.delivery);
			return ran;
		} catch (error) {
			log("delivery.unwritten", { ...idsOf(delivery), error: String(error) });
			return null;
		}
	}
}

/**
 * The attempt that the URL names, if its job came before the current one, or before the next one if there is none.
 * null: it did not, or the URL names no attempt.
 */
function formerOf(delivery: Delivery, attempt: number | null): number | null {
	return attempt !== null && attempt <= formerJob(delivery) ? attempt : null;
}

/** Whether the server names a different job from the one that the delivery waits for. */
function isOfOtherJob({ state }: Delivery, { handle }: Reading): boolean {
	if (state.phase !== "waiting" || handle === null || state.job.handle === null) return false;
	return handle !== state.job.handle;
}

/** Whether a callback can end something: the job, or a request whose outcome is unknown. */
function isAwaiting({ state }: Delivery): boolean {
	return state.phase === "waiting" || state.phase === "pending";
}

function undeliverable(delivery: Delivery): Ran {
	const event = { kind: "impossible", reason: "deleted", detail: SUBSCRIPTION_DELETED } as const;
	return { ...advance(delivery, event, { now: Date.now(), random: 0 }), ended: null };
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
