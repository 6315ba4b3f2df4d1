/**
 * Runs the deliveries of one endpoint: begins due deliveries as far as the gates allow, hands each to its task, and
 * writes the outcome. rules/ decides what an outcome means; gates/ decides how much the endpoint can take.
 */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { hand } from "../objects/clients.ts";
import type { EndpointSettings, Settings } from "../store/views/settings.ts";
import { writeQuarantines } from "../store/quarantines/write-quarantines.ts";
import { adopt, type Adopting } from "./adopt.ts";
import type { Announcer } from "./announcing/announcer.ts";
import { bury, BURY_AT_ONCE } from "./burial.ts";
import { Flights } from "./flights.ts";
import { isSuccess } from "./gates/gate.ts";
import type { Admitted, Moment } from "./gates/gates.ts";
import { Gatekeeper } from "./gatekeeper.ts";
import { Pool } from "./hands/pool.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { idsOf, logDelivery } from "./log-lines.ts";
import { momentOf } from "./moment.ts";
import type { Presence } from "./presence.ts";
import { RecentExchanges } from "./recent.ts";
import { advance, type Delivery } from "./rules/delivery.ts";
import { AGAIN_MS } from "./rules/wake.ts";
import type { SettingsCache } from "./settings.ts";
import { cancelJob } from "./tasks/cancel-job.ts";
import type { Reachable } from "./tasks/exchange-step.ts";
import { SUBSCRIPTION_DELETED } from "./tasks/send.ts";
import type { CancelableJob, Ended, Ran, Task, TaskIo } from "./tasks/task.ts";

export interface WorkParts {
	ctx: DurableObjectState;
	env: Env;
	backlog: Backlog;
	settings: SettingsCache;
	presence: Presence;
	announcer: Announcer;
	endpointId(): string;
	/** Something has ended: there may be room to begin more. */
	goOn(): void;
}

export class Work {
	readonly flights: Flights;
	readonly pool: Pool;
	readonly recent = new RecentExchanges(Date.now());
	readonly #parts: WorkParts;
	readonly #gates: Gatekeeper;
	readonly #io: TaskIo;
	readonly #adopting: Adopting;
	/** When an exchange last succeeded, ms since the epoch. */
	#succeededAt = 0;
	/**
	 * Counts repairs: an exchange that began before a repair says nothing about the
	 * endpoint after it.
	 */
	#repairs = 0;

	constructor(parts: WorkParts) {
		const { ctx, env } = parts;
		this.#parts = parts;
		this.flights = new Flights(parts.backlog, () => parts.goOn());
		this.#gates = new Gatekeeper(ctx.storage);
		this.pool = new Pool({
			env,
			storage: ctx.storage,
			name: (number) => ({ endpointId: parts.endpointId(), number }),
			hand: (name) => hand(env, name),
			whenEnded: (id) => this.flights.whenEnded(id),
			adopt: (held, ended, isLate) => adopt(this.#adopting, held, ended, isLate),
		});
		this.#io = {
			env,
			exchange: (job) => {
				if (job.isStep !== true) this.flights.sent(job.deliveryId, job.startedAt);
				return this.pool.exchange(job);
			},
			cancelJob: (delivery, settings, job) => this.cancelJob(delivery, settings, job),
			current: (delivery) => this.flights.claimed.get(delivery.id) ?? delivery,
			whenTold: (id) => this.flights.whenTold(id),
			settling: (id) => this.flights.settling(id),
			succeededSince: (at) => this.#succeededAt >= at,
		};
		this.#adopting = {
			ctx,
			backlog: parts.backlog,
			settings: parts.settings,
			flights: this.flights,
			announcer: parts.announcer,
			io: this.#io,
			carry: (delivery, run, settings, isFormer) => this.#carry(delivery, run, settings, isFormer),
			follow: (id, ran, settings, isRepaired) => this.follow(id, ran, settings, isRepaired),
		};
	}

	/** How many exchanges may begin now, or why none may. */
	admitted(): Admitted {
		return this.#gates.admit(this.#moment());
	}

	/** Tells the server, if possible, that a job is no longer needed: `job`, or the one that the delivery waited for. */
	cancelJob(delivery: Delivery, settings: Reachable, job?: CancelableJob): void {
		this.#parts.ctx.waitUntil(this.tellCanceled(delivery, settings, job));
	}

	/** Like `cancelJob`, but resolves when the server has been notified or cannot be reached. Never throws. */
	async tellCanceled(delivery: Delivery, settings: Reachable, job?: CancelableJob): Promise<void> {
		await cancelJob(delivery, settings, this.#io, job);
	}

	/**
	 * How many exchanges the endpoint has been found to take at once; null: no limit below
	 * `max_concurrency` is known.
	 */
	get limit(): number | null {
		return this.#gates.limit;
	}

	/** An operator has repaired the endpoint. */
	repaired(): void {
		this.#repairs += 1;
		this.#gates.note({ kind: "repaired" }, this.#moment());
	}

	/**
	 * Begins deliveries that are due for the task, as many as there is room for. Deliveries of
	 * subscriptions that are known to be deleted end here without separate lookups; returns how many
	 * ended, and stops after one slice of them.
	 */
	begin(task: Task, settings: Settings): number {
		const { backlog, ctx } = this.#parts;
		let buried = 0;
		while (this.#roomFor(task) > 0 && buried < BURY_AT_ONCE) {
			const delivery = backlog.claim(task.phase, Date.now(), this.flights.claimed);
			if (delivery === null) break;
			if (task.passesGates && isSubscriptionDeleted(settings, delivery)) {
				bury(delivery, SUBSCRIPTION_DELETED, this.flights);
				buried += 1;
				continue;
			}
			this.flights.begin(delivery, task.name);
			ctx.waitUntil(this.#carry(delivery, () => task.run(delivery, settings, this.#io), settings));
		}
		return buried;
	}

	#roomFor(task: Task): number {
		const room = task.atOnce - this.flights.count(task.name);
		return task.passesGates ? Math.min(room, this.admitted().slots) : room;
	}

	#moment(): Moment {
		const { backlog, settings, presence } = this.#parts;
		return momentOf({ backlog, settings, presence, flights: this.flights, pool: this.pool });
	}

	/**
	 * Processes one claimed delivery as far as possible now. `isFormer`: it was begun with earlier settings. Never
	 * throws.
	 */
	async #carry(
		delivery: Delivery,
		run: () => Promise<Ran>,
		settings: Settings,
		isFormer = false,
	): Promise<void> {
		const repairs = this.#repairs;
		const ran = await run().catch((error: unknown) => {
			log("delivery.failed", { ...idsOf(delivery), error: String(error) });
			return null;
		});
		if (ran === null) {
			// A bug: the outcome of the attempt is unknown, so the delivery stays unchanged and is tried
			// again later.
			this.flights.end(later(this.#io.current(delivery)));
		} else {
			const isRepaired = isFormer || repairs !== this.#repairs;
			// Comes first, and the delivery stays claimed until it is written, so that no later failure can
			// cause it to be sent again.
			const before = this.#io.current(delivery);
			this.flights.end(isRepaired ? broughtForward(ran.delivery) : ran.delivery);
			// Where a callback or a late outcome has ended it meanwhile, that has been noted.
			if ("dueAt" in before.state) this.#parts.announcer.died(ran.delivery);
			await this.follow(delivery.id, ran, settings, isRepaired);
		}
		this.#parts.goOn();
		await writeQuarantines(this.#parts.env);
	}

	/**
	 * Applies the consequences of an outcome for the endpoint and the other deliveries, after it is
	 * written. Never throws.
	 */
	async follow(id: string, ran: Ran, settings: Settings, isRepaired: boolean): Promise<void> {
		const { announcer } = this.#parts;
		logDelivery(ran);
		const attempt = ran.ended === null ? undefined : ran.delivery.attempts.at(-1);
		if (attempt !== undefined) this.recent.note(attempt);
		if (typeof settings !== "object") return;
		try {
			if (ran.ended !== null && !isRepaired) {
				if (isSuccess(ran.ended)) announcer.succeeded(ran.delivery);
				this.#noteEnd(id, ran.ended, settings);
			}
		} catch (error) {
			log("dispatcher.failed", { endpoint_id: this.#parts.endpointId(), error: String(error) });
		}
		for (const { kind, reason } of isRepaired ? [] : ran.signals) {
			const status = kind === "pause" ? "paused" : "disabled";
			await this.#parts.settings.stop(settings.endpoint, status, reason, () =>
				announcer.stopped(ran.delivery, { status, reason }),
			);
		}
	}

	/**
	 * Reports to the gates how an exchange ended, and charges a failure to the
	 * delivery that they blame.
	 */
	#noteEnd(deliveryId: string, ended: Ended, { endpoint }: EndpointSettings): void {
		const { backlog } = this.#parts;
		const moment = this.#moment();
		if (isSuccess(ended)) this.#succeededAt = moment.now;
		const exchange = { ...ended, deliveryId, others: moment.inFlight };
		const blamed = this.#gates.note({ kind: "ended", exchange }, moment);
		if (blamed === null || this.flights.claimed.has(blamed)) return;
		const found = backlog.find(blamed);
		if (found === null) return;
		const { delivery } = advance(found, { kind: "blamed", retry: endpoint.retry }, moment);
		if (delivery === found) return;
		backlog.record([delivery]);
		this.#parts.announcer.died(delivery);
	}
}

function isSubscriptionDeleted(settings: Settings, { subscriptionId }: Delivery): boolean {
	return typeof settings === "object" && settings.others.get(subscriptionId) === "deleted";
}

function broughtForward(delivery: Delivery): Delivery {
	return advance(delivery, { kind: "brought_forward" }, { now: Date.now(), random: 0 }).delivery;
}

function later(delivery: Delivery): Delivery {
	const { state } = delivery;
	return "dueAt" in state ? { ...delivery, state: { ...state, dueAt: Date.now() + AGAIN_MS } } : delivery;
}
