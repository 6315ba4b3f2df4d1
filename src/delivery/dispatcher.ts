/**
 * The dispatcher: the Durable Object that owns the deliveries of one endpoint. It accepts
 * deliveries, sends as many at once as the endpoint can take, and stores the outcomes. This file
 * holds only its RPC methods, its loop and its alarm.
 *
 * Deliveries in progress are tracked in memory only: a row is written when one ends. After a crash,
 * the table and the inbox still show what is owed. An alarm is set whenever anything is owed, and
 * it resumes the work.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import type { Slice } from "../events/position.ts";
import { log } from "../log.ts";
import { Alarm } from "../objects/alarm.ts";
import { completionOf } from "../models/completion.ts";
import { isReadable } from "../store/records.ts";
import { isSending, type Settings } from "../store/settings.ts";
import { Announcer } from "./announcer.ts";
import type { CalledBack, Callback } from "./callback.ts";
import { Callbacks, LATER, NO_DELIVERY } from "./called-back.ts";
import { type BulkOrder, type BulkPart, NO_COUNTS } from "./bulk/order.ts";
import { BulkRunner } from "./bulk/runner.ts";
import { buryNext, BURY_AT_ONCE, logBuried } from "./burial.ts";
import type { LeasedJob, Outcome } from "./hands/job.ts";
import { healthOf } from "./health.ts";
import { Backlog } from "./ledger/backlog.ts";
import type { IncomingEvent } from "./ledger/incoming.ts";
import { countDeliveries } from "./ledger/limits.ts";
import { listRecords } from "./ledger/listing.ts";
import { Presence } from "./presence.ts";
import { readmit, tellReadmitted } from "./readmit.ts";
import { toRecord } from "./record.ts";
import type { Change, DeliveryQuery, DeliveryRecord, SettingsChange } from "./records.ts";
import { Repair } from "./repair.ts";
import type { Blocked, DispatcherRpc, Enqueued, Health } from "./rpc.ts";
import { explainBlocked, opensAt } from "./rules/blocked.ts";
import { canceled, retried } from "./rules/by-hand.ts";
import type { Delivery } from "./rules/delivery.ts";
import { AGAIN_MS, BACKSTOP_MS, nextWake } from "./rules/wake.ts";
import { SettingsCache } from "./settings.ts";
import type { Reachable } from "./tasks/exchange-step.ts";
import { TASKS } from "./tasks/tasks.ts";
import { Work } from "./work.ts";

/** Wait before hands that could not be reached are asked again. */
const ASK_AGAIN_MS = 1_000;
const ENDPOINT_ID = "endpoint_id";

export class Dispatcher extends DurableObject<Env> implements DispatcherRpc {
	/**
	 * `ep_…`; null until the first delivery arrives. Stored, because an alarm does not say which
	 * endpoint it is for.
	 */
	#endpointId = this.ctx.storage.kv.get<string>(ENDPOINT_ID) ?? null;
	readonly #backlog = new Backlog(this.ctx.storage);
	readonly #settings = new SettingsCache(this.env);
	readonly #repair = new Repair(this.ctx.storage);
	readonly #presence = new Presence(this.ctx.storage);
	readonly #announcer = new Announcer(this.ctx.storage, this.env);
	readonly #alarm = new Alarm(this.ctx);
	readonly #work = new Work({
		ctx: this.ctx,
		env: this.env,
		backlog: this.#backlog,
		settings: this.#settings,
		presence: this.#presence,
		announcer: this.#announcer,
		endpointId: () => this.#endpointId ?? "",
		goOn: () => this.#start(),
	});
	readonly #callbacks = new Callbacks({
		env: this.env,
		backlog: this.#backlog,
		flights: this.#work.flights,
		follow: async (id, ran, settings) => {
			this.#announcer.died(ran.delivery);
			await this.#work.follow(id, ran, settings, false);
			this.#start();
		},
	});
	readonly #bulk = new BulkRunner({
		env: this.env,
		ctx: this.ctx,
		backlog: this.#backlog,
		flights: this.#work.flights,
		reachable: () => this.#reachable(),
		tell: (delivery, settings) => this.#work.tellCanceled(delivery, settings),
	});
	#running = false;
	#runAgain = false;

	async enqueue(items: IncomingEvent[]): Promise<Enqueued> {
		this.#rememberEndpoint(items);
		const enqueued = this.#backlog.add(items, Date.now());
		this.#noteArrival(items, enqueued);
		// An alarm needs storage too, so none is set for deliveries that did not fit.
		if (enqueued.full.length === countDeliveries(items)) {
			const { last, isOutdated } = this.#settings;
			if (last !== undefined && !isOutdated) this.ctx.waitUntil(this.#tell(this.#presence.resolve(last)));
			return enqueued;
		}
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		this.#start();
		return enqueued;
	}

	/** Never throws. */
	#noteArrival(items: readonly IncomingEvent[], { full }: Enqueued): void {
		try {
			this.#announcer.came(items, full.length, this.#backlog.fill(Date.now()));
		} catch (error) {
			log("dispatcher.failed", { endpoint_id: this.#endpointId, error: String(error) });
		}
	}

	refresh(change: SettingsChange = { repaired: false }): void {
		this.#settings.outdate();
		if (change.repaired) {
			this.#work.repaired();
			this.#repair.begin(Date.now());
		}
		this.#start();
	}

	markDeleted(): void {
		this.#presence.markDeleted();
		this.refresh();
	}

	async list(query: DeliveryQuery): Promise<Slice<DeliveryRecord>> {
		const { sql } = this.ctx.storage;
		const { refused } = this.#backlog;
		const { items, rest } = listRecords({ sql, refused, inFlight: this.#work.flights.claimed }, query);
		return { items: await this.#explain(items), rest };
	}

	async get(id: string): Promise<DeliveryRecord | null> {
		const { claimed } = this.#work.flights;
		const delivery = claimed.get(id) ?? this.#backlog.find(id);
		if (delivery === null) return null;
		const [record] = await this.#explain([toRecord(delivery, claimed.has(id))]);
		return record ?? null;
	}

	blocked(): Blocked {
		if (this.#settings.isFailing) return { blockedBy: "database", blockedUntil: null };
		const { blockedBy, ...admitted } = this.#work.admitted();
		return { blockedBy, blockedUntil: "until" in admitted ? admitted.until : null };
	}

	health(): Health {
		return healthOf(this.#work, this.#backlog, this.blocked(), Date.now());
	}

	async retry(id: string): Promise<Change> {
		const readmitted = await readmit(id, this.#backlog, this.env);
		if (readmitted === null) return this.#changeAndCancelJob(id, retried);
		if ("ok" in readmitted) return readmitted;
		this.ctx.waitUntil(tellReadmitted(readmitted, this.env));
		return this.#goOnWith(readmitted);
	}

	async cancel(id: string): Promise<Change> {
		return this.#changeAndCancelJob(id, canceled);
	}

	/** The job of a delivery that waited has nobody who waits for it any more. */
	async #changeAndCancelJob(id: string, how: typeof retried): Promise<Change> {
		const before = this.#backlog.find(id);
		const change = await this.#change(id, how);
		if (change.ok && before?.state.phase === "waiting") this.ctx.waitUntil(this.#cancelJob(before));
		return change;
	}

	/** Tells the server of a delivery's job that nobody waits for it. Never throws: the delivery is changed already. */
	async #cancelJob(delivery: Delivery): Promise<void> {
		await this.#orAgain(async () => {
			// A cancel may be what wakes this object.
			if (this.#endpointId !== null) await this.#settings.read(this.#endpointId);
			const reachable = this.#reachable();
			if (reachable !== null) this.#work.cancelJob(delivery, reachable);
		});
	}

	async bulk(order: BulkOrder): Promise<BulkPart> {
		const known = this.#bulk.find(order.id);
		if (known !== null) return known;
		// No delivery has ever arrived.
		if (this.#endpointId === null) return { status: "done", ...NO_COUNTS };
		this.#bulk.begin(order);
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		// The first slice runs at once; small orders need no more.
		await this.#orAgain(() => this.#goOnInBulk());
		this.#start();
		return this.#bulk.find(order.id) ?? { status: "running", ...NO_COUNTS };
	}

	stopBulk(id: string): BulkPart | null {
		return this.#bulk.stop(id);
	}

	async callBack(id: string, callback: Callback): Promise<CalledBack> {
		if (this.#endpointId === null) return NO_DELIVERY;
		const settings = this.#presence.resolve(await this.#settings.read(this.#endpointId));
		// A hand may have the request that began the job, and this life does not know of it yet.
		if (this.#work.pool.isRecovering) await this.#recover();
		if (this.#work.pool.isRecovering) return LATER;
		// Should the object be lost between the end and what is due after it.
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		return this.#callbacks.take(id, callback, settings);
	}

	async settle(hand: number, incarnation: string, outcomes: Outcome[]): Promise<LeasedJob[]> {
		const { pool } = this.#work;
		// Exchanges that an earlier life began are judged by these settings; this life uses the
		// settings that it sent with.
		const isOwn = outcomes.every(({ held }) => pool.isAwaited(held.token));
		if (this.#endpointId !== null && !isOwn) await this.#settings.read(this.#endpointId);
		this.#start();
		return pool.settle(hand, incarnation, outcomes);
	}

	override async alarm(): Promise<void> {
		this.#alarm.goneOff();
		// Must not throw: after seven failures the platform drops an alarm, and nothing would wake this
		// object again.
		await this.#orAgain(async () => {
			// Before the sweep, which may use all the time that this handler has.
			await this.#armForNext();
			this.#backlog.retention.sweep(Date.now());
		});
		this.ctx.waitUntil(this.#work.pool.lookAfter());
		await this.#orAgain(() => this.#goOnInBulk());
		await this.#run();
		await this.#orAgain(() => this.#armForNext());
	}

	/**
	 * Processes one slice. The next slice has its own alarm, so that other work gets a turn.
	 */
	async #goOnInBulk(): Promise<void> {
		if (this.#endpointId === null || !this.#bulk.isRunning) return;
		// Needed to tell servers about canceled jobs; without settings those jobs keep
		// running.
		if (this.#settings.last === undefined) await this.#settings.read(this.#endpointId).catch(() => {});
		const waitMs = await this.#bulk.goOn();
		if (waitMs !== null) await this.#alarm.arm(Date.now() + waitMs);
	}

	/** What is needed to reach the endpoint's server; null: unknown or unreadable. */
	#reachable(): Reachable | null {
		const { last } = this.#settings;
		return typeof last === "object" && isReadable(last.endpoint)
			? { ...last, endpoint: last.endpoint }
			: null;
	}

	/** Never throws: failures are logged, and the alarm tries again. */
	async #orAgain(work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (error) {
			log("dispatcher.failed", { endpoint_id: this.#endpointId, error: String(error) });
			await this.#alarm.arm(Date.now() + AGAIN_MS).catch(() => {});
		}
	}

	async #change(id: string, change: typeof retried): Promise<Change> {
		if (this.#work.flights.claimed.has(id)) return { ok: false, code: "in_flight" };
		const delivery = this.#backlog.find(id);
		if (delivery === null) return { ok: false, code: "delivery_not_found" };
		const changed = change(delivery, { now: Date.now(), random: Math.random() });
		if ("ok" in changed) return changed;
		this.#backlog.change(delivery, changed);
		return this.#goOnWith(changed);
	}

	/** Returns the changed delivery, as it is before any new work begins. */
	async #goOnWith(delivery: Delivery): Promise<Change> {
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		const record = toRecord(delivery, false);
		const [explained] = await this.#explain([record]);
		this.#start();
		return { ok: true, delivery: explained ?? record };
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

	/**
	 * Runs one loop at a time; work that arrives meanwhile causes another round. Never throws: the
	 * alarm tries again.
	 */
	async #run(): Promise<void> {
		this.#runAgain = true;
		if (this.#running) return;
		this.#running = true;
		await this.#orAgain(async () => {
			while (this.#runAgain) {
				this.#runAgain = false;
				await this.#pass();
				// Inside the loop, so that work that arrives while the alarm is being set is not
				// missed.
				await this.#armForNext();
			}
		});
		this.#running = false;
	}

	async #pass(): Promise<void> {
		if (this.#endpointId === null) return;
		this.#work.flights.writeAgain();
		const read = await this.#settings.read(this.#endpointId);
		// While D1 fails, the stored settings are older than the deletion that was
		// reported.
		if (!this.#settings.isOutdated) this.#presence.note(read);
		const settings = this.#presence.resolve(read);
		this.ctx.waitUntil(this.#tell(settings));
		if (this.#work.pool.isRecovering) this.ctx.waitUntil(this.#recover());
		const isRepairing = settings !== "deleted" && this.#repair.goOn(isPolled(settings));
		if (isRepairing) await this.#alarm.arm(Date.now());
		const isStopped = !isSending(settings) || isRepairing;
		for (const task of TASKS) {
			// Outputs that have already arrived are published even while the endpoint is stopped, held back
			// or deleted.
			if (task.passesGates && isStopped) continue;
			const buried = this.#work.begin(task, settings);
			logBuried(this.#endpointId, buried);
			// The next slice has its own alarm, so that other work gets a turn.
			if (buried === BURY_AT_ONCE) await this.#alarm.arm(Date.now());
		}
		if (settings === "deleted") logBuried(this.#endpointId, buryNext(this.#backlog, this.#work.flights));
	}

	/** Publishes operational events if anybody subscribes to them. Never throws. */
	async #tell(settings: Settings): Promise<void> {
		await this.#orAgain(async () => {
			const againAt = await this.#announcer.tell(settings);
			if (againAt !== null) await this.#alarm.arm(againAt);
		});
	}

	/**
	 * Asks the hands that an earlier life used what they are working on; nothing is begun before
	 * that. Never throws.
	 */
	async #recover(): Promise<void> {
		await this.#orAgain(async () => {
			await this.#work.pool.recover();
			if (this.#work.pool.isRecovering) await this.#alarm.arm(Date.now() + ASK_AGAIN_MS);
			else this.#start();
		});
	}

	/**
	 * Adds explanations to records for the API. Never throws: without settings, the records show
	 * what is known.
	 */
	async #explain(records: readonly DeliveryRecord[]): Promise<DeliveryRecord[]> {
		const areSettingsNeeded = records.some(({ status }) => status === "pending");
		if (this.#endpointId !== null && this.#settings.last === undefined && areSettingsNeeded) {
			// This read may have woken the object, which then does not know yet that its endpoint is paused.
			await this.#settings.read(this.#endpointId).catch((error: unknown) => {
				log("dispatcher.failed", { endpoint_id: this.#endpointId, error: String(error) });
			});
		}
		const blocked = this.blocked();
		const now = Date.now();
		return records.map((record) => this.#presence.explain(explainBlocked(record, blocked, now)));
	}

	async #armForNext(): Promise<void> {
		const { last } = this.#settings;
		const settings = last && this.#presence.resolve(last);
		const isActive = settings === undefined || isSending(settings);
		const next = nextWake({
			now: Date.now(),
			outlook: this.#backlog.outlook(this.#work.flights.claimed),
			endpoint: settings === "deleted" ? "gone" : isActive ? "active" : "stopped",
			opensAt: opensAt(this.#work.admitted()),
			inFlight: this.#work.flights.claimed.size,
			sweptAt: this.#backlog.retention.sweptAt,
		});
		if (next !== null) await this.#alarm.arm(next);
		if (this.#bulk.isRunning) await this.#alarm.arm(Date.now() + BACKSTOP_MS);
	}
}

/** Whether the endpoint's jobs are polled. */
function isPolled(settings: Settings): boolean {
	if (typeof settings !== "object" || settings.endpoint.completion === null) return false;
	const { protocol, completion } = settings.endpoint;
	return completionOf({ protocol, completion }).mode !== "callback";
}
