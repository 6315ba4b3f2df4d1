/**
 * The loop of a dispatcher and its alarm: each pass begins what is due, and the alarm is set for what is due
 * later. One pass runs at a time.
 */
import { completionOf } from "../models/completion.ts";
import { isSending, type Settings } from "../store/views/settings.ts";
import type { Announcer } from "./announcing/announcer.ts";
import { buryNext, BURY_AT_ONCE, logBuried } from "./burial.ts";
import type { BulkOrders } from "./calls/bulk-orders.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { type Again, orAgain } from "./or-again.ts";
import type { Presence } from "./presence.ts";
import type { Repair } from "./repair.ts";
import { opensAt } from "./rules/blocked.ts";
import { BACKSTOP_MS, nextWake } from "./rules/wake.ts";
import type { SettingsCache } from "./settings.ts";
import { TASKS } from "./tasks/tasks.ts";
import type { Work } from "./work.ts";

/** The delay before hands that could not be reached are asked again. */
const ASK_AGAIN_MS = 1_000;

export interface LoopParts extends Again {
	ctx: Pick<DurableObjectState, "waitUntil">;
	backlog: Backlog;
	settings: SettingsCache;
	repair: Repair;
	presence: Presence;
	announcer: Announcer;
	work: Work;
	bulk: BulkOrders;
}

export class Loop {
	readonly #parts: LoopParts;
	#running = false;
	#runAgain = false;

	constructor(parts: LoopParts) {
		this.#parts = parts;
	}

	/** Runs the loop, and returns at once. */
	start(): void {
		this.#parts.ctx.waitUntil(this.#run());
	}

	/**
	 * The alarm has fired. Never throws: after seven failures the platform drops an alarm, and nothing
	 * would wake this object again.
	 */
	async wake(): Promise<void> {
		const { alarm, backlog, ctx, work, bulk } = this.#parts;
		alarm.goneOff();
		await this.#orAgain(async () => {
			// Before the sweep, which may use all the time that this handler has.
			await this.#armForNext();
			backlog.retention.sweep(Date.now());
		});
		ctx.waitUntil(work.pool.lookAfter());
		await this.#orAgain(() => bulk.goOn());
		await this.#run();
		await this.#orAgain(() => this.#armForNext());
	}

	/** Publishes operational events if anybody subscribes to them. Never throws. */
	async tell(settings: Settings): Promise<void> {
		const { alarm, announcer } = this.#parts;
		await this.#orAgain(async () => {
			const telling = announcer.tell(settings);
			// In case the object is lost before the queue has accepted its operational events.
			if (announcer.isOwing) await alarm.arm(Date.now() + BACKSTOP_MS);
			const againAt = await telling;
			if (againAt !== null) await alarm.arm(againAt);
		});
	}

	/**
	 * Asks the hands that an earlier life used what they are working on; nothing is begun before
	 * that. Never throws.
	 */
	async recover(): Promise<void> {
		const { alarm, work } = this.#parts;
		await this.#orAgain(async () => {
			await work.pool.recover();
			if (work.pool.isRecovering) await alarm.arm(Date.now() + ASK_AGAIN_MS);
			else this.start();
		});
	}

	/**
	 * Runs one loop at a time; work that arrives in the meantime causes another round. Never throws: the alarm tries
	 * again.
	 */
	async #run(): Promise<void> {
		this.#runAgain = true;
		if (this.#running) return;
		this.#running = true;
		await this.#orAgain(async () => {
			try {
				while (this.#runAgain) {
					this.#runAgain = false;
					await this.#pass();
					// Inside the loop, so that work that arrives while the alarm is being set is not
					// missed.
					await this.#armForNext();
				}
			} finally {
				// In the same turn as the last look at `#runAgain`, so that nothing that arrives is missed in between.
				this.#running = false;
			}
		});
	}

	async #pass(): Promise<void> {
		const { ctx, backlog, presence, repair, work, alarm } = this.#parts;
		const endpointId = this.#parts.endpointId();
		if (endpointId === null) return;
		work.flights.writeAgain();
		const read = await this.#parts.settings.read(endpointId);
		// While D1 fails, the stored settings are older than the deletion that was
		// reported.
		if (!this.#parts.settings.isOutdated) presence.note(read);
		const settings = presence.resolve(read);
		ctx.waitUntil(this.tell(settings));
		if (work.pool.isRecovering) ctx.waitUntil(this.recover());
		const isRepairing = settings !== "deleted" && repair.goOn(isPolled(settings));
		if (isRepairing) await alarm.arm(Date.now());
		const isStopped = !isSending(settings) || isRepairing;
		for (const task of TASKS) {
			// Outputs that have already arrived are published even while the endpoint is stopped, held back
			// or deleted.
			if (task.passesGates && isStopped) continue;
			const buried = work.begin(task, settings);
			logBuried(endpointId, buried);
			// The next slice has its own alarm, so that other work gets a turn.
			if (buried === BURY_AT_ONCE) await alarm.arm(Date.now());
		}
		if (settings === "deleted") logBuried(endpointId, buryNext(backlog, work.flights));
	}

	async #armForNext(): Promise<void> {
		const { alarm, backlog, presence, work, bulk } = this.#parts;
		const { last } = this.#parts.settings;
		const settings = last && presence.resolve(last);
		const isActive = settings === undefined || isSending(settings);
		const next = nextWake({
			now: Date.now(),
			outlook: backlog.outlook(work.flights.claimed),
			endpoint: settings === "deleted" ? "gone" : isActive ? "active" : "stopped",
			opensAt: opensAt(work.admitted()),
			inFlight: work.flights.claimed.size,
			sweptAt: backlog.retention.sweptAt,
		});
		if (next !== null) await alarm.arm(next);
		if (bulk.isRunning) await alarm.arm(Date.now() + BACKSTOP_MS);
	}

	#orAgain(work: () => Promise<void>): Promise<void> {
		return orAgain(this.#parts, work);
	}
}

/** Whether the endpoint's jobs are polled. */
function isPolled(settings: Settings): boolean {
	if (typeof settings !== "object" || settings.endpoint.completion === null) return false;
	const { protocol, completion } = settings.endpoint;
	return completionOf({ protocol, completion }).mode !== "callback";
}
