/**
 * The dispatcher: the Durable Object that owns the deliveries of one endpoint. It takes deliveries in, sends as
 * many at once as the endpoint bears, and keeps what came of them. Here is only the loop and its I/O; what an
 * outcome means is decided in lifecycle.ts, classify.ts, schedule.ts and capacity.ts.
 *
 * An attempt that is under way is known in memory only: a row is written when it ends. After a crash the table
 * and the inbox still say what is owed, and the alarm, which is set whenever anything is, goes on with it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { setEndpointStatus } from "../store/endpoints.ts";
import { loadPolicy, type DeliveryPolicy } from "../store/policy.ts";
import { Backlog } from "./backlog.ts";
import { adaptCapacity, fullCapacity, inFlightLimit } from "./capacity.ts";
import { deliver, endUntried } from "./deliver.ts";
import { toRecord, type Delivery } from "./delivery-row.ts";
import type { IncomingEvent } from "./inbox.ts";
import { step, type Effect, type Happened } from "./lifecycle.ts";
import { listRecords } from "./listing.ts";
import { idsOf, logDelivery } from "./log-lines.ts";
import type { Change, DeliveryQuery, DeliveryRecord } from "./records.ts";

/** One invocation may wait for six response headers at once (Cloudflare's limits page). */
const MAX_CONNECTIONS = 6;
/** How long settings are trusted. A change through the API is told at once; this is for what went unheard. */
const POLICY_TTL_MS = 5_000;
/** When to look again while something is under way, should this object be lost in the middle of it. */
const BACKSTOP_MS = 10_000;
/** Wait after something of our own failed: the database, a bug. */
const AGAIN_MS = 5_000;
const RETENTION_MS = 30 * 86_400_000;
const SWEEP_EVERY_MS = 86_400_000;
/** Deliveries of a deleted endpoint that are ended in one go. */
const BURY_AT_ONCE = 200;
const ENDPOINT_ID = "endpoint_id";

export class Dispatcher extends DurableObject<Env> {
	readonly #backlog = new Backlog(this.ctx.storage);
	/** `ep_…`; null until the first delivery comes. Kept, because an alarm does not say whom it wakes. */
	#endpointId = this.ctx.storage.kv.get<string>(ENDPOINT_ID) ?? null;
	readonly #inFlight = new Map<string, Delivery>();
	/** Finished, but the write of it failed. They count as in flight, so that they are never sent again. */
	#unwritten: Delivery[] = [];
	#capacity = fullCapacity;
	#holdUntil = 0;
	#policy: { value: DeliveryPolicy | null; readAt: number } | null = null;
	#alarmAt: number | null = null;
	#sweptAt = 0;
	#running = false;
	#runAgain = false;

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		void ctx.blockConcurrencyWhile(async () => {
			this.#alarmAt = await ctx.storage.getAlarm();
		});
	}

	/** Takes deliveries in; they are durable when this returns. Doing it twice is doing it once. */
	async enqueue(items: IncomingEvent[]): Promise<void> {
		this.#rememberEndpoint(items);
		this.#backlog.add(items, Date.now());
		await this.#arm(Date.now() + BACKSTOP_MS);
		this.#start();
	}

	/** The endpoint or a subscription to it has changed, or was paused or resumed. */
	refresh(): void {
		this.#policy = null;
		this.#holdUntil = 0;
		this.#start();
	}

	list(query: DeliveryQuery): DeliveryRecord[] {
		const { sql } = this.ctx.storage;
		return listRecords({ sql, inFlight: this.#inFlight }, query);
	}

	get(id: string): DeliveryRecord | null {
		const delivery = this.#inFlight.get(id) ?? this.#backlog.find(id);
		return delivery && toRecord(delivery, this.#inFlight.has(id));
	}

	/** Sends a delivery again, or sooner; it keeps its id and its attempts. */
	async retry(id: string): Promise<Change> {
		return this.#change(id, { kind: "retry_asked" });
	}

	async cancel(id: string): Promise<Change> {
		return this.#change(id, { kind: "cancel_asked" });
	}

	override async alarm(): Promise<void> {
		this.#alarmAt = null;
		try {
			this.#sweep();
			await this.#run();
		} finally {
			await this.#armForNext();
		}
	}

	async #change(id: string, asked: Happened & { kind: "retry_asked" | "cancel_asked" }): Promise<Change> {
		if (this.#inFlight.has(id)) return { ok: false, code: "in_flight" };
		const delivery = this.#backlog.find(id);
		if (delivery === null) return { ok: false, code: "delivery_not_found" };
		const { status } = delivery.state;
		if (status === "succeeded") return { ok: false, code: "already_succeeded" };
		const over = status === "dead" || status === "canceled";
		if (asked.kind === "cancel_asked" && over) return { ok: false, code: "already_finished" };
		const { state } = step(delivery.state, asked, { now: Date.now(), random: Math.random() });
		const changed = { ...delivery, state };
		this.#backlog.record([changed]);
		this.#start();
		return { ok: true, delivery: toRecord(changed, false) };
	}

	#rememberEndpoint(items: IncomingEvent[]): void {
		const id = items[0]?.decisions[0]?.endpointId;
		if (this.#endpointId !== null || id === undefined) return;
		this.ctx.storage.kv.put(ENDPOINT_ID, id);
		this.#endpointId = id;
	}

	#start(): void {
		this.ctx.waitUntil(this.#run());
	}

	/** One run at a time; what comes up meanwhile makes it go round again. Never throws: the alarm tries again. */
	async #run(): Promise<void> {
		this.#runAgain = true;
		if (this.#running) return;
		this.#running = true;
		try {
			while (this.#runAgain) {
				this.#runAgain = false;
				await this.#pass();
			}
			await this.#armForNext();
		} catch (error) {
			log("dispatcher.failed", { endpoint: this.#endpointId, error: String(error) });
			await this.#arm(Date.now() + AGAIN_MS);
		} finally {
			this.#running = false;
		}
	}

	async #pass(): Promise<void> {
		if (this.#endpointId === null) return;
		this.#writeUnwritten();
		const policy = await this.#readPolicy(this.#endpointId);
		if (policy === null) return this.#bury();
		const active = policy.endpoint.status === "active";
		const limit = Math.min(inFlightLimit(this.#capacity, policy.endpoint.maxConcurrency), MAX_CONNECTIONS);
		while (this.#inFlight.size < limit) {
			const now = Date.now();
			// An answer that is already here goes on even while the endpoint is paused or held back.
			const delivery =
				this.#backlog.claimUnpublished(now, this.#inFlight) ??
				(active && now >= this.#holdUntil ? this.#backlog.claim(now, this.#inFlight) : null);
			if (delivery === null) break;
			this.#inFlight.set(delivery.id, delivery);
			this.ctx.waitUntil(this.#deliver(delivery, policy));
		}
	}

	/** Takes one claimed delivery as far as it goes now. Never throws. */
	async #deliver(delivery: Delivery, policy: DeliveryPolicy): Promise<void> {
		const { generation } = this.#capacity;
		try {
			const after = await deliver(delivery, policy, this.env);
			if (after.outcome !== null) {
				const ended = { outcome: after.outcome, generation };
				this.#capacity = adaptCapacity(this.#capacity, ended, policy.endpoint.maxConcurrency);
			}
			for (const effect of after.effects) await this.#apply(effect);
			this.#record(after.delivery);
			logDelivery(after);
		} catch (error) {
			// A bug: nothing is known of the attempt, so the delivery stays as it was, for a while later.
			log("delivery.failed", { ...idsOf(delivery), error: String(error) });
			this.#record({ ...delivery, state: { ...delivery.state, dueAt: Date.now() + AGAIN_MS } });
		}
		this.#start();
	}

	/** Writes what came of a delivery; when that fails it is written later, and never sent because of it. */
	#record(delivery: Delivery): void {
		try {
			this.#backlog.record([delivery]);
			this.#inFlight.delete(delivery.id);
		} catch (error) {
			log("delivery.unwritten", { ...idsOf(delivery), error: String(error) });
			this.#unwritten.push(delivery);
		}
	}

	/** One by one, so that a delivery that cannot be written holds up no other; the alarm brings us back here. */
	#writeUnwritten(): void {
		const unwritten = this.#unwritten;
		this.#unwritten = [];
		for (const delivery of unwritten) this.#record(delivery);
	}

	/** The endpoint has been deleted: what waits for it ends, some hundred at a time. */
	#bury(): void {
		let count = 0;
		for (; count < BURY_AT_ONCE; count++) {
			const delivery = this.#backlog.claim(Number.MAX_SAFE_INTEGER, this.#inFlight);
			if (delivery === null) break;
			const buried = endUntried(delivery, "deleted", "The endpoint has been deleted.");
			this.#inFlight.set(buried.id, buried);
			this.#unwritten.push(buried);
		}
		this.#writeUnwritten();
		this.#runAgain ||= count > 0;
	}

	async #apply(effect: Effect): Promise<void> {
		if (effect.kind === "hold") {
			this.#holdUntil = Math.max(this.#holdUntil, effect.until);
			return;
		}
		const policy = this.#policy?.value ?? null;
		if (policy === null || policy.endpoint.status !== "active") return;
		const status = effect.kind === "pause" ? "paused" : "disabled";
		// In memory first: nothing more is sent, whatever becomes of the write.
		const endpoint = { ...policy.endpoint, status, statusReason: effect.reason } as const;
		this.#policy = { value: { ...policy, endpoint }, readAt: Date.now() };
		log("endpoint.stopped", { endpoint: endpoint.id, status, reason: effect.reason });
		await setEndpointStatus(this.env, endpoint.id, status, effect.reason).catch((error: unknown) => {
			// The settings are read again in a while; they say "active", and the next answer stops it once more.
			log("endpoint.unwritten", { endpoint: endpoint.id, status, error: String(error) });
		});
	}

	async #readPolicy(endpointId: string): Promise<DeliveryPolicy | null> {
		const known = this.#policy;
		if (known !== null && Date.now() - known.readAt < POLICY_TTL_MS) return known.value;
		const value = await loadPolicy(this.env, endpointId);
		this.#policy = { value, readAt: Date.now() };
		return value;
	}

	#sweep(): void {
		const now = Date.now();
		if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
		this.#backlog.sweep(now - RETENTION_MS);
		this.#sweptAt = now;
	}

	/** Sets the alarm to the earliest moment at which there is something to do that nothing else will bring up. */
	async #armForNext(): Promise<void> {
		const now = Date.now();
		const status = this.#policy?.value?.endpoint.status ?? "active";
		const { due, untried, empty } = this.#backlog.outlook(this.#inFlight, status === "active");
		const moments: number[] = [];
		if (due !== null) moments.push(Math.max(due, this.#holdUntil));
		if (untried) moments.push(this.#holdUntil);
		if (this.#inFlight.size > 0) moments.push(now);
		if (!empty) moments.push(Math.max(this.#sweptAt, now) + SWEEP_EVERY_MS);
		// What could be done now is being done; the alarm is there for the case that it is not.
		const next = Math.min(...moments.map((moment) => (moment > now ? moment : now + BACKSTOP_MS)));
		if (Number.isFinite(next)) await this.#arm(next);
	}

	/** An alarm that is set for an earlier moment stays: moving it costs a row, waking early costs nothing. */
	async #arm(at: number): Promise<void> {
		if (this.#alarmAt !== null && this.#alarmAt <= at) return;
		this.#alarmAt = at;
		await this.ctx.storage.setAlarm(at);
	}
}
