/**
 * The dispatcher: the Durable Object that owns the deliveries of one endpoint. It takes deliveries in, sends as
 * many at once as the endpoint bears, and keeps what came of them. Here is only the loop and its I/O; what an
 * outcome means is decided in classify.ts and lifecycle.ts, and what the endpoint bears at its gates (gates/).
 *
 * An attempt that is under way is known in memory only: a row is written when it ends. After a crash the table
 * and the inbox still say what is owed, and the alarm, which is set whenever anything is, goes on with it.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { writeQuarantines } from "../store/write-quarantines.ts";
import type { Slice } from "../events/position.ts";
import { log } from "../log.ts";
import { isSending, type SendingPolicy } from "../store/policy.ts";
import type { Endpoint } from "../store/records.ts";
import { Alarm } from "../objects/alarm.ts";
import { Backlog } from "./ledger/backlog.ts";
import { canceled, retried } from "./rules/by-hand.ts";
import {
	blame,
	deliver,
	endUntried,
	publishAgain,
	SUBSCRIPTION_DELETED,
	type Delivered,
} from "./tasks/deliver.ts";
import { toRecord, type Delivery } from "./ledger/delivery-row.ts";
import type { Admitted, Moment } from "./gates/gates.ts";
import { Gatekeeper } from "./gatekeeper.ts";
import { InFlight } from "./ledger/in-flight.ts";
import type { IncomingEvent } from "./ledger/incoming.ts";
import type { Effect } from "./rules/lifecycle.ts";
import { countDeliveries } from "./ledger/limits.ts";
import { listRecords } from "./ledger/listing.ts";
import { idsOf, logDelivery } from "./log-lines.ts";
import { explainBlocked, opensAt } from "./rules/blocked.ts";
import { PolicyCache } from "./settings.ts";
import { Presence } from "./presence.ts";
import { readmit, tellReadmitted } from "./readmit.ts";
import { BACKSTOP_MS, nextWake } from "./rules/wake.ts";
import type { Change, DeliveryQuery, DeliveryRecord, SettingsChange } from "./records.ts";
import type { Blocked, DispatcherRpc, Enqueued } from "./rpc.ts";
import { broughtForward, Repair } from "./repair.ts";
import type { Ended } from "./rules/settle.ts";

/** Wait after something of our own failed: the database, a bug. */
const AGAIN_MS = 5_000;
/** Deliveries of a deleted endpoint or subscription that are ended in one go. */
const BURY_AT_ONCE = 200;
const ENDPOINT_ID = "endpoint_id";
/** One invocation may wait for six responses at once (Cloudflare's limits page). */
const MAX_CONNECTIONS = 6;
/** Result events on their way to the queue. */
const PUBLISH_AT_ONCE = 5;

export class Dispatcher extends DurableObject<Env> implements DispatcherRpc {
	readonly #backlog = new Backlog(this.ctx.storage);
	/** `ep_…`; null until the first delivery comes. Kept, because an alarm does not say whom it wakes. */
	#endpointId = this.ctx.storage.kv.get<string>(ENDPOINT_ID) ?? null;
	readonly #inFlight = new InFlight();
	readonly #policies = new PolicyCache(this.env);
	readonly #gates = new Gatekeeper(this.ctx.storage);
	/** Deliveries that are being sent; the others under way are being published. */
	readonly #sending = new Set<string>();
	/** When an exchange last succeeded, ms since the epoch. */
	#succeededAt = 0;
	readonly #repair = new Repair(this.ctx.storage);
	readonly #presence = new Presence(this.ctx.storage);
	readonly #alarm = new Alarm(this.ctx);
	#running = false;
	#runAgain = false;

	async enqueue(items: IncomingEvent[]): Promise<Enqueued> {
		this.#rememberEndpoint(items);
		const enqueued = this.#backlog.add(items, Date.now());
		// An alarm takes room as well: it is not set for what has found none.
		if (enqueued.full.length === countDeliveries(items)) return enqueued;
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		this.#start();
		return enqueued;
	}

	refresh(change: SettingsChange = { repaired: false }): void {
		this.#policies.outdate();
		if (change.repaired) {
			this.#gates.note({ kind: "repaired" }, this.#moment());
			this.#repair.begin(Date.now());
		}
		this.#start();
	}

	markDeleted(): void {
		this.#presence.markDeleted();
		this.refresh();
	}

	list(query: DeliveryQuery): Slice<DeliveryRecord> {
		const { sql } = this.ctx.storage;
		const { refused } = this.#backlog;
		const { items, rest } = listRecords({ sql, refused, inFlight: this.#inFlight.claimed }, query);
		return { items: items.map((record) => this.#explain(record)), rest };
	}

	get(id: string): DeliveryRecord | null {
		const delivery = this.#inFlight.claimed.get(id) ?? this.#backlog.find(id);
		return delivery && this.#explain(toRecord(delivery, this.#inFlight.claimed.has(id)));
	}

	blocked(): Blocked {
		const { blockedBy, ...admitted } = this.#admitted();
		return { blockedBy, blockedUntil: "until" in admitted ? admitted.until : null };
	}

	async retry(id: string): Promise<Change> {
		const readmitted = await readmit(id, this.#backlog, this.env);
		if (readmitted === null) return this.#change(id, retried);
		if ("ok" in readmitted) return readmitted;
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
		this.#start();
		this.ctx.waitUntil(tellReadmitted(readmitted, this.env));
		return { ok: true, delivery: toRecord(readmitted, false) };
	}

	async cancel(id: string): Promise<Change> {
		return this.#change(id, canceled);
	}

	override async alarm(): Promise<void> {
		this.#alarm.goneOff();
		try {
			// Before the sweep, which may use up all the time that this handler has.
			await this.#armForNext();
			this.#backlog.sweep(Date.now());
			await this.#run();
		} finally {
			await this.#armForNext();
		}
	}

	async #change(id: string, change: typeof retried): Promise<Change> {
		if (this.#inFlight.claimed.has(id)) return { ok: false, code: "in_flight" };
		const delivery = this.#backlog.find(id);
		if (delivery === null) return { ok: false, code: "delivery_not_found" };
		const changed = change(delivery, { now: Date.now(), random: Math.random() });
		if ("ok" in changed) return changed;
		this.#backlog.record([changed]);
		await this.#alarm.arm(Date.now() + BACKSTOP_MS);
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
				// Inside the loop: what comes up while the alarm is being set is not to be overlooked.
				await this.#armForNext();
			}
		} catch (error) {
			log("dispatcher.failed", { endpoint_id: this.#endpointId, error: String(error) });
			await this.#alarm.arm(Date.now() + AGAIN_MS);
		} finally {
			this.#running = false;
		}
	}

	async #pass(): Promise<void> {
		if (this.#endpointId === null) return;
		this.#inFlight.writeAgain(this.#backlog);
		const read = await this.#policies.read(this.#endpointId);
		// What is kept while D1 fails is older than what was told.
		if (!this.#policies.isOutdated) this.#presence.note(read);
		const policy = this.#presence.resolve(read);
		// An answer that is already here goes on, even while the endpoint is stopped, held back or gone.
		this.#publishDue();
		if (policy === "deleted") return this.#buryAll();
		if (this.#repair.goOn()) return this.#alarm.arm(Date.now());
		if (!isSending(policy)) return;
		// The next slice comes with an alarm of its own, so that others get a turn.
		if (this.#sendDue(policy) === BURY_AT_ONCE) await this.#alarm.arm(Date.now());
	}

	/**
	 * Begins as many as the gates let through. Deliveries of subscriptions that are known to be deleted end here, without
	 * being looked up one by one; returns how many, and stops at a slice of them.
	 */
	#sendDue(policy: SendingPolicy): number {
		const io = { env: this.env, succeededSince: (at: number) => this.#succeededAt >= at };
		let buried = 0;
		while (this.#admitted().slots > 0 && buried < BURY_AT_ONCE) {
			const delivery = this.#backlog.claim(Date.now(), this.#inFlight.claimed);
			if (delivery === null) break;
			if (policy.others.get(delivery.subscriptionId) === "deleted") {
				this.#bury(delivery, SUBSCRIPTION_DELETED);
				buried += 1;
				continue;
			}
			this.#inFlight.begin(delivery);
			this.#sending.add(delivery.id);
			this.ctx.waitUntil(this.#carry(delivery, (claimed) => deliver(claimed, policy, io), policy.endpoint));
		}
		this.#logBuried(buried);
		return buried;
	}

	/** Offers answers to the queue: gates are of the endpoint, and have nothing to say here. */
	#publishDue(): void {
		while (this.#inFlight.claimed.size - this.#sending.size < PUBLISH_AT_ONCE) {
			const delivery = this.#backlog.claimUnpublished(Date.now(), this.#inFlight.claimed);
			if (delivery === null) return;
			this.#inFlight.begin(delivery);
			this.ctx.waitUntil(this.#carry(delivery, (claimed) => publishAgain(claimed, this.env), undefined));
		}
	}

	#moment(): Moment {
		const policy = this.#policies.last;
		const endpoint = typeof policy === "object" ? policy.endpoint : undefined;
		return {
			now: Date.now(),
			random: Math.random(),
			inFlight: this.#sending.size,
			maxConcurrency: Math.min(endpoint?.maxConcurrency ?? MAX_CONNECTIONS, MAX_CONNECTIONS),
			isActive: policy === undefined || isSending(this.#presence.resolve(policy)),
		};
	}

	#admitted(): Admitted {
		return this.#gates.admit(this.#moment());
	}

	#explain(record: DeliveryRecord): DeliveryRecord {
		return this.#presence.explain(explainBlocked(record, this.blocked(), Date.now()));
	}

	/** Takes one claimed delivery as far as it goes now. Never throws. */
	async #carry(
		delivery: Delivery,
		work: (delivery: Delivery) => Promise<Delivered>,
		endpoint: Endpoint | undefined,
	): Promise<void> {
		const repairs = this.#repair.count;
		const after = await work(delivery).catch((error: unknown) => {
			log("delivery.failed", { ...idsOf(delivery), error: String(error) });
			return null;
		});
		this.#sending.delete(delivery.id);
		const isRepaired = repairs !== this.#repair.count;
		if (after === null) {
			// A bug: nothing is known of the attempt, so the delivery stays as it was, for a while later.
			const again = { ...delivery, state: { ...delivery.state, dueAt: Date.now() + AGAIN_MS } };
			this.#inFlight.end(again, this.#backlog);
		} else {
			// What came of it first: nothing that goes wrong behind this may send it again.
			const settled = isRepaired ? broughtForward(after.delivery, Date.now()) : after.delivery;
			this.#inFlight.end(settled, this.#backlog);
			logDelivery(after);
			// What began before a repair says nothing about the endpoint as it is now.
			if (after.ended !== null && !isRepaired) this.#noteEnd(delivery.id, after.ended, endpoint);
			for (const effect of after.effects) await this.#apply(effect, endpoint);
		}
		this.#start();
		await writeQuarantines(this.env);
	}

	/** Tells the gates how an exchange ended, and blames whom they find to blame. */
	#noteEnd(deliveryId: string, ended: Ended, endpoint: Endpoint | undefined): void {
		const moment = this.#moment();
		if (ended.outcome === "done") this.#succeededAt = moment.now;
		const exchange = { ...ended, deliveryId, others: this.#sending.size };
		const blamed = this.#gates.note({ kind: "ended", exchange }, moment);
		if (blamed === null || endpoint === undefined || this.#inFlight.claimed.has(blamed)) return;
		const found = this.#backlog.find(blamed);
		if (found !== null) this.#backlog.record([blame(found, endpoint)]);
	}

	/** The endpoint has been deleted: what waits for it ends, one slice an alarm, so that others get a turn. */
	#buryAll(): void {
		let buried = 0;
		for (; buried < BURY_AT_ONCE; buried++) {
			const delivery = this.#backlog.claim(Number.MAX_SAFE_INTEGER, this.#inFlight.claimed);
			if (delivery === null) break;
			this.#bury(delivery, "The endpoint has been deleted.");
		}
		this.#logBuried(buried);
	}

	#bury(delivery: Delivery, detail: string): void {
		this.#inFlight.begin(delivery);
		this.#inFlight.end(endUntried(delivery, "deleted", detail), this.#backlog);
	}

	/** One line for a slice: thousands may end at once. */
	#logBuried(deliveries: number): void {
		if (deliveries > 0) log("dispatcher.buried", { endpoint_id: this.#endpointId, deliveries });
	}

	/** Never throws. */
	async #apply(effect: Effect, sentWith: Endpoint | undefined): Promise<void> {
		if (sentWith !== undefined) {
			await this.#policies.stop(sentWith, effect.kind === "pause" ? "paused" : "disabled", effect.reason);
		}
	}

	async #armForNext(): Promise<void> {
		const last = this.#policies.last;
		const policy = last && this.#presence.resolve(last);
		const isActive = policy === undefined || isSending(policy);
		const next = nextWake({
			now: Date.now(),
			outlook: this.#backlog.outlook(this.#inFlight.claimed),
			endpoint: policy === "deleted" ? "gone" : isActive ? "active" : "stopped",
			opensAt: opensAt(this.#admitted()),
			inFlight: this.#inFlight.claimed.size,
			sweptAt: this.#backlog.sweptAt,
		});
		if (next !== null) await this.#alarm.arm(next);
	}
}
