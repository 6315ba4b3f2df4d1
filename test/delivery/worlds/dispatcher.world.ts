/**
 * A dispatcher with its hands, a model behind `fetch` that knows who asks it, and crashes of each of them. What a crash
 * may cost is marked when it happens: an exchange whose end was not yet durable is lost, and may be made again.
 */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import type { HandName, LeasedJob } from "../../../src/delivery/hands/job.ts";
import type { DeliveryRecord } from "../../../src/delivery/records.ts";
import { countAttempts } from "../../../src/delivery/rules/attempts.ts";
import { dispatcher, hand } from "../../../src/objects/clients.ts";
import { createSetting, incoming, type Setting } from "../dispatcher.fixtures.ts";
import { insist, OVER, sleep } from "./world.ts";

/** What the model says: a status, after so many ms. */
export interface Answer {
	status: number;
	afterMs: number;
}

interface Exchange {
	id: string;
	body: string;
	/** The hand that carries it, 0 for the dispatcher itself. */
	by: number;
	/** null while it is under way. */
	status: number | null;
	/** Whoever carried it has crashed before its end was durable. */
	isLost: boolean;
}

export class World {
	readonly setting: Setting;
	readonly exchanges: Exchange[] = [];
	readonly ids = new Set<string>();
	/** The most that were under way at once, those lost left out: nobody counts them any more. */
	most = 0;
	/** What the model says to the n-th request (from 0) for the k-th delivery that it has heard of. */
	answer: (delivery: number, nth: number) => Answer = () => ({ status: 200, afterMs: 1 });
	/** Whether the queue refuses result events. */
	isQueueDown = false;
	/** What the queue has taken. */
	readonly #published: string[] = [];
	#offsetMs = 0;
	/** Hands that have been given an exchange which has not reached the model yet, by delivery and attempt. */
	readonly #taken = new Map<string, number[]>();

	private constructor(setting: Setting) {
		this.setting = setting;
	}

	/** `vi.restoreAllMocks` ends it. */
	static async create(maxConcurrency: number): Promise<World> {
		const retry = {
			scheduleSeconds: [60, 60, 60],
			busyMaxWaitSeconds: 3600,
			coldStartSeconds: 0,
			statuses: [],
			busyStatuses: [],
		};
		// So long that moving the clock makes no exchange overdue.
		const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };
		const world = new World(
			await createSetting({
				endpoint: { maxConcurrency, timeoutSeconds: 800, retry },
				subscription: { result },
			}),
		);
		vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
			if (world.isQueueDown) throw new Error("Too Many Requests");
			world.#published.push(message);
			return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
		});
		const clock = Date.now.bind(Date);
		vi.spyOn(Date, "now").mockImplementation(() => clock() + world.#offsetMs);
		vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => world.#serve(new Request(input, init)));
		await world.#watchHands();
		return world;
	}

	get dispatcher(): ReturnType<typeof dispatcher> {
		return dispatcher(env, this.setting.endpoint.id);
	}

	get underWay(): Exchange[] {
		return this.exchanges.filter(({ status, isLost }) => status === null && !isLost);
	}

	/** Notes the exchange before anything else: the object that asks may be lost at the next moment. */
	async #serve(request: Request): Promise<Response> {
		const id = request.headers.get("webhook-id") ?? "";
		const by = this.#taken.get(`${id}/${request.headers.get("sluice-attempt")}`)?.shift() ?? 0;
		const nth = this.exchanges.filter((exchange) => exchange.id === id).length;
		const exchange: Exchange = { id, body: "", by, status: null, isLost: false };
		this.exchanges.push(exchange);
		this.most = Math.max(this.most, this.underWay.length);
		exchange.body = await request.text();
		const { status, afterMs } = this.answer([...this.ids].indexOf(id), nth);
		await sleep(afterMs);
		exchange.status = status;
		return Response.json({ ok: status === 200 }, { status });
	}

	/** A job is taken by its hand before its request leaves. */
	async #watchHands(): Promise<void> {
		const { endpoint } = this.setting;
		await runInDurableObject(hand(env, { endpointId: endpoint.id, number: 1 }), (instance) => {
			const prototype = Object.getPrototypeOf(instance) as {
				take(name: HandName, jobs: LeasedJob[]): unknown;
			};
			const take = Reflect.get(prototype, "take") as (...args: unknown[]) => unknown;
			const taken = this.#taken;
			vi.spyOn(prototype, "take").mockImplementation(function (this: unknown, name, jobs) {
				for (const { deliveryId, request } of jobs) {
					const key = `${deliveryId}/${new Headers(request.headers).get("sluice-attempt")}`;
					taken.set(key, [...(taken.get(key) ?? []), name.number]);
				}
				return take.call(this, name, jobs);
			});
		});
	}

	/** Two consumers of the queue have the same messages; only one of them is told that the events are known. */
	async enqueue(count: number): Promise<void> {
		const items = Array.from({ length: count }, () => incoming(this.setting));
		const storedAt = Date.now();
		for (const { id } of items) this.ids.add(id);
		const told = items.map((item) => ({ ...item, storedAt }));
		await Promise.all([
			// What fails comes again from the queue, and its log has it by then.
			this.dispatcher.enqueue(items).catch(() => insist(() => this.dispatcher.enqueue(told))),
			insist(() => this.dispatcher.enqueue(told)),
		]);
	}

	async runAlarm(): Promise<void> {
		await insist(() => runDurableObjectAlarm(this.dispatcher));
	}

	passTime(ms: number): void {
		this.#offsetMs += ms;
	}

	async killDispatcher(): Promise<void> {
		const durable = await insist(() => this.#durable());
		await runInDurableObject(this.dispatcher, (_, state) => {
			this.#lose(0, durable);
			state.abort("lost");
		}).catch(() => {});
	}

	async evictDispatcher(): Promise<void> {
		const durable = await insist(() => this.#durable());
		await evict(this.dispatcher);
		this.#lose(0, durable);
	}

	async killHand(number: number): Promise<void> {
		const durable = await insist(() => this.#durable());
		await runInDurableObject(this.#hand(number), (_, state) => {
			this.#lose(number, durable);
			state.abort("lost");
		}).catch(() => {});
	}

	async evictHand(number: number): Promise<void> {
		const durable = await insist(() => this.#durable());
		await evict(this.#hand(number));
		this.#lose(number, durable);
	}

	#hand(number: number): ReturnType<typeof hand> {
		return hand(env, { endpointId: this.setting.endpoint.id, number });
	}

	/** How many attempts of each delivery are recorded, and safe. */
	async #durable(): Promise<Map<string, number>> {
		return runInDurableObject(this.dispatcher, async (_, { storage }) => {
			const rows = storage.sql.exec<{ id: string; attempts: string }>("SELECT id, attempts FROM deliveries");
			const counts = new Map(
				rows.toArray().map(({ id, attempts }) => [id, countAttempts(JSON.parse(attempts))]),
			);
			await storage.sync();
			return counts;
		});
	}

	/** Marks what a crash may cost: exchanges of the object that had no durable end. */
	#lose(by: number, durable: ReadonlyMap<string, number>): void {
		for (const id of new Set(this.exchanges.map((exchange) => exchange.id))) {
			const own = this.exchanges.filter((exchange) => exchange.id === id && !exchange.isLost);
			for (const exchange of own.slice(durable.get(id) ?? 0)) if (exchange.by === by) exchange.isLost = true;
		}
		for (const [key, hands] of this.#taken) {
			this.#taken.set(
				key,
				hands.filter((number) => number !== by),
			);
		}
	}

	async records(): Promise<DeliveryRecord[]> {
		const { items } = await insist(() => this.dispatcher.list({ limit: 1_000 }));
		return items;
	}

	/** The model answers well from now on, the queue takes everything, and time passes until nothing is owed. */
	async finish(): Promise<DeliveryRecord[]> {
		this.answer = () => ({ status: 200, afterMs: 1 });
		this.isQueueDown = false;
		for (let rounds = 0; rounds < 60; rounds++) {
			await this.runAlarm();
			await this.rest();
			const records = await this.records();
			if (records.every(({ status }) => OVER.includes(status))) return records;
			this.passTime(70_000);
		}
		return this.records();
	}

	/** Somebody asks for a delivery once more or no more, or has seen to the endpoint. */
	async byHand(kind: "retry" | "cancel" | "repair", pick: number): Promise<void> {
		const id = [...this.ids][pick % Math.max(this.ids.size, 1)];
		if (kind === "repair") await insist(() => this.dispatcher.refresh({ repaired: true }));
		else if (id === undefined) return;
		else if (kind === "retry") await insist<unknown>(() => this.dispatcher.retry(id));
		else await insist<unknown>(() => this.dispatcher.cancel(id));
	}

	/**
	 * Waits until nothing is under way or about to be, or nothing has moved for long: what a crashed hand had counts as under way until
	 * time has passed and an alarm has come.
	 */
	async rest(): Promise<void> {
		let before = "";
		for (let still = 0; still < 40; still++) {
			const moving = (await this.records()).filter(isMoving);
			const underWay = this.underWay.length;
			if (underWay === 0 && moving.length === 0) return;
			const now = JSON.stringify([this.exchanges.length, underWay, moving.map(({ id }) => id)]);
			if (now !== before || underWay > 0) still = 0;
			before = now;
			await sleep(5);
		}
	}

	/** The promises of the contract, once all is over. */
	check(records: readonly DeliveryRecord[], maxConcurrency: number): void {
		expect(records.map(({ id }) => id).sort()).toEqual([...this.ids].sort());
		expect(this.most).toBeLessThanOrEqual(maxConcurrency);
		for (const record of records) {
			const own = this.exchanges.filter(({ id }) => id === record.id);
			const certain = own.filter(({ isLost }) => !isLost);
			const story = `${record.id} ${record.status} ${JSON.stringify(own)} ${JSON.stringify(record.attempts)}`;
			expect(OVER, story).toContain(record.status);
			expect(certain.filter(({ status }) => status === 200).length, story).toBeLessThanOrEqual(1);
			if (record.status === "succeeded") {
				expect(own.filter(({ status }) => status === 200).length, story).toBeGreaterThan(0);
				const published = this.#published.filter((text) => text.includes(record.resultEventId ?? "none"));
				expect(published.length, story).toBeGreaterThan(0);
			}
			// Every response that was not lost is an attempt, and every attempt was a request.
			expect(record.attempts.length, story).toBeGreaterThanOrEqual(certain.length);
			expect(record.attempts.length, story).toBeLessThanOrEqual(own.length);
			const bodies = new Set(own.map(({ body }) => body).filter((body) => body !== ""));
			expect(bodies.size, story).toBeLessThanOrEqual(1);
		}
		for (const { id } of this.exchanges) expect(this.ids.has(id)).toBe(true);
	}
}

/** Under way, or about to be. */
function isMoving({ status, nextAttemptAt, blockedBy }: DeliveryRecord): boolean {
	if (status === "in_flight") return true;
	const isDue = nextAttemptAt !== null && nextAttemptAt <= Date.now();
	return status === "pending" && (blockedBy === "recovery" || (blockedBy === null && isDue));
}

/** One that does not run has been evicted. */
async function evict(stub: DurableObjectStub<Rpc.DurableObjectBranded>): Promise<void> {
	await evictDurableObject(stub).catch((error: unknown) => {
		if (!String(error).includes("not currently running")) throw error;
	});
}
