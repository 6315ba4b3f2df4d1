/**
 * A dispatcher whose server takes jobs: it calls back before it responds, later, twice or never, fails, and is polled.
 * The object is lost between any two steps, writes fail, and the clock passes deadlines.
 */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, vi } from "vitest";
import { app } from "../../../src/app.ts";
import { STATUS_HEADER } from "../../../src/callbacks/receive.ts";
import type { DeliveryRecord } from "../../../src/delivery/records.ts";
import { dispatcher, hand } from "../../../src/objects/clients.ts";
import { DEFAULT_COMPLETION } from "../../../src/store/resources/endpoint-columns.ts";
import { createSetting, incoming, rowsFail, type Setting } from "../dispatcher.fixtures.ts";
import { insist, OVER, sleep } from "./world.ts";

const DEADLINE_SECONDS = 600;

export interface Answer {
	status: number;
	afterMs: number;
	/** As which status the server calls back before it responds; null: it does not. */
	early: number | null;
}

interface Job {
	deliveryId: string;
	handle: string;
	callbackUrl: string;
	end: "succeeded" | "failed" | "canceled" | null;
	/** Whether the server has begun it: it has responded with 201. */
	hasBegun: boolean;
}

/** What a server was told when it called back. */
interface Told {
	deliveryId: string;
	isGood: boolean;
	effect: unknown;
	/** How many requests there had been for the delivery by then. */
	requests: number;
}

export class JobsWorld {
	readonly setting: Setting;
	readonly ids = new Set<string>();
	readonly jobs: Job[] = [];
	readonly told: Told[] = [];
	readonly #published: string[] = [];
	/** Ended before the response. Told from outside, because what an object waits for is lost with it. */
	readonly #toTell: Job[] = [];
	readonly #calling: Promise<unknown>[] = [];
	#isOver = false;
	#areWritesFailing = false;
	/** Those that somebody has canceled or sent again by hand. */
	readonly #byHand = new Set<string>();
	readonly #maxConcurrency: number;
	answer: (nth: number) => Answer = () => ({ status: 201, afterMs: 1, early: null });
	isQueueDown = false;
	#offsetMs = 0;

	private constructor(setting: Setting) {
		this.setting = setting;
		this.#maxConcurrency = setting.endpoint.maxConcurrency;
	}

	/** `vi.restoreAllMocks` ends it. */
	static async create(mode: "callback" | "poll", maxConcurrency: number): Promise<JobsWorld> {
		const retry = {
			scheduleSeconds: [60, 60, 60, 60],
			busyMaxWaitSeconds: 3600,
			coldStartSeconds: 0,
			statuses: [],
			busyStatuses: [],
		};
		const completion = {
			...DEFAULT_COMPLETION,
			mode,
			holdSlot: true,
			deadlineSeconds: DEADLINE_SECONDS,
			callbackOrigin: "https://router.example.com",
		};
		const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };
		const endpoint = {
			url: "https://api.example.com",
			protocol: "replicate",
			model: "a/b",
			maxConcurrency,
			timeoutSeconds: 800,
			retry,
			completion,
		};
		const world = new JobsWorld(await createSetting({ endpoint, subscription: { result } }));
		vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
			await sleep(1);
			if (world.isQueueDown) throw new Error("Too Many Requests");
			world.#published.push(message);
			return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
		});
		const clock = Date.now.bind(Date);
		vi.spyOn(Date, "now").mockImplementation(() => clock() + world.#offsetMs);
		vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => world.#serve(new Request(input, init)));
		void world.#tellEarly();
		return world;
	}

	async #tellEarly(): Promise<void> {
		while (!this.#isOver) {
			for (const job of this.#toTell.splice(0)) this.#calling.push(this.#post(job));
			await sleep(1);
		}
	}

	get dispatcher(): ReturnType<typeof dispatcher> {
		return dispatcher(env, this.setting.endpoint.id);
	}

	async #serve(request: Request): Promise<Response> {
		const [, handle, verb] = /\/predictions\/([^/]+)(\/cancel)?$/.exec(request.url) ?? [];
		if (handle === undefined) return this.#begin(request);
		const job = this.jobs.find((one) => one.handle === handle);
		if (job === undefined) return Response.json({ detail: "not found" }, { status: 404 });
		if (verb !== undefined) job.end ??= "canceled";
		return Response.json(predictionOf(job));
	}

	async #begin(request: Request): Promise<Response> {
		const deliveryId = request.headers.get("webhook-id") ?? "";
		const { status, afterMs, early } = this.answer(this.jobs.length);
		const job: Job = {
			deliveryId,
			handle: `p${this.jobs.length}`,
			callbackUrl: request.headers.get("sluice-callback-url") ?? "",
			end: null,
			hasBegun: status === 201,
		};
		this.jobs.push(job);
		if (early !== null && job.callbackUrl !== "") {
			job.end = early === 200 ? "succeeded" : "failed";
			this.#toTell.push(job);
		}
		await sleep(afterMs);
		if (status !== 201) return Response.json({ detail: "no" }, { status });
		return Response.json({ id: job.handle, status: "starting" }, { status });
	}

	/** The server ends the job, and tells of it so many times at once where it was asked to. */
	async end(pick: number, end: "succeeded" | "failed", times: number): Promise<void> {
		const running = this.jobs.filter((job) => job.hasBegun && job.end === null);
		const job = running[pick % Math.max(running.length, 1)];
		if (job === undefined) return;
		job.end = end;
		await Promise.all(Array.from({ length: times }, () => this.#post(job)));
	}

	/** Tells of a job that has ended some time ago once more. */
	async repeat(pick: number): Promise<void> {
		const ended = this.jobs.filter((job) => job.hasBegun && job.end !== null);
		const job = ended[pick % Math.max(ended.length, 1)];
		if (job !== undefined) await this.#post(job);
	}

	async #post(job: Job): Promise<void> {
		const { deliveryId, callbackUrl } = job;
		if (callbackUrl === "") return;
		const body = JSON.stringify(predictionOf(job));
		const isGood = job.end === "succeeded";
		const headers = { "content-type": "application/json", [STATUS_HEADER]: "200" };
		for (let tries = 0; tries < 3; tries++) {
			const response = await app.request(callbackUrl, { method: "POST", body, headers }, env);
			if (response.status === 200) {
				const { effect } = await response.json<{ effect: unknown }>();
				this.told.push({ deliveryId, isGood, effect, requests: this.#requestsFor(deliveryId) });
				return;
			}
			expect(response.status).toBe(503);
			await sleep(2);
		}
	}

	#requestsFor(id: string): number {
		return this.jobs.filter(({ deliveryId }) => deliveryId === id).length;
	}

	async enqueue(count: number): Promise<void> {
		const items = Array.from({ length: count }, () => incoming(this.setting));
		for (const { id } of items) this.ids.add(id);
		const storedAt = Date.now();
		await insist(() => this.dispatcher.enqueue(items.map((item) => ({ ...item, storedAt }))));
	}

	async runAlarm(): Promise<void> {
		await insist(() => runDurableObjectAlarm(this.dispatcher));
	}

	passTime(ms: number): void {
		this.#offsetMs += ms;
	}

	async kill(number: number): Promise<void> {
		const { id: endpointId } = this.setting.endpoint;
		const stub = number === 0 ? this.dispatcher : hand(env, { endpointId, number });
		await runInDurableObject(stub, (_, state) => state.abort("lost")).catch(() => {});
	}

	async evict(): Promise<void> {
		await evictDurableObject(this.dispatcher).catch((error: unknown) => {
			// One that does not run has been evicted; one that waits for a response is not.
			if (!/not currently running|active references/.test(String(error))) throw error;
		});
	}

	async writes(doFail: boolean): Promise<void> {
		this.#areWritesFailing = doFail;
		await insist(() => rowsFail(this, doFail));
	}

	async byHand(kind: "retry" | "cancel" | "repair", pick: number): Promise<void> {
		const id = [...this.ids][pick % Math.max(this.ids.size, 1)];
		if (kind === "repair") await insist(() => this.dispatcher.refresh({ repaired: true }));
		if (kind === "repair" || id === undefined) return;
		// A write that fails is told to whoever asks.
		await (kind === "retry" ? this.dispatcher.retry(id) : this.dispatcher.cancel(id)).then(
			({ ok }) => ok && this.#byHand.add(id),
			() => this.#byHand.add(id),
		);
	}

	async records(): Promise<DeliveryRecord[]> {
		const { items } = await insist(() => this.dispatcher.list({ limit: 1_000 }));
		return items;
	}

	/**
	 * No slot is given twice, whatever has happened. A job that has ended counts here until that is written, a moment later,
	 * and one too many would stay.
	 */
	async checkSlots(): Promise<void> {
		if (this.#areWritesFailing) return;
		await vi.waitFor(async () => {
			const { inFlight, waiting } = await insist(() => this.dispatcher.health());
			expect(inFlight + waiting).toBeLessThanOrEqual(this.#maxConcurrency);
		});
	}

	/** Waits until nothing is under way, or nothing has moved for a while. */
	async rest(): Promise<void> {
		let before = "";
		for (let still = 0; still < 12; still++) {
			const records = await this.records();
			const moving = records.filter(({ status, nextAttemptAt, blockedBy }) => {
				if (status === "in_flight") return true;
				return status === "pending" && blockedBy === null && (nextAttemptAt ?? 0) <= Date.now();
			});
			// A delivery that a callback has ended is over, and its request may still be in flight.
			const { inFlight } = await insist(() => this.dispatcher.health());
			if (moving.length === 0 && inFlight === 0) return;
			const now = JSON.stringify([this.jobs.length, inFlight, moving.map(({ id }) => id)]);
			if (now !== before) still = 0;
			before = now;
			await sleep(5);
		}
	}

	/** The server ends all it has and takes what comes, writes work, and time passes until nothing is owed. */
	async finish(): Promise<DeliveryRecord[]> {
		this.answer = () => ({ status: 201, afterMs: 1, early: null });
		this.isQueueDown = false;
		await this.writes(false);
		for (let rounds = 0; rounds < 60; rounds++) {
			await this.runAlarm();
			await this.rest();
			while (this.jobs.some(({ end, hasBegun }) => hasBegun && end === null))
				await this.end(0, "succeeded", 1);
			const records = await this.records();
			if (records.every(({ status }) => OVER.includes(status))) break;
			this.passTime(70_000);
		}
		this.#isOver = true;
		await Promise.all(this.#calling);
		return this.records();
	}

	/** The promises of the contract, once all is over. */
	async check(records: readonly DeliveryRecord[]): Promise<void> {
		expect(records.map(({ id }) => id).sort()).toEqual([...this.ids].sort());
		for (const record of records) {
			const { id, attempts, status } = record;
			const told = this.told.filter(({ deliveryId }) => deliveryId === id);
			const requests = this.#requestsFor(id);
			const story = `${id} ${status} ${record.reason} ${requests} ${JSON.stringify([told, attempts])}`;
			expect(OVER, story).toContain(status);
			const taken = told.filter(({ effect }) => effect === "taken");
			const good = taken.filter(({ isGood }) => isGood);
			expect(good.length, story).toBeLessThanOrEqual(1);
			// A success that was confirmed is not lost, and the model is never asked again.
			for (const one of good) {
				if (!this.#byHand.has(id)) expect(status, story).toBe("succeeded");
				expect(requests, story).toBe(one.requests);
			}
			// A failure costs one attempt, and each attempt is one request.
			expect(taken.length - good.length, story).toBeLessThanOrEqual(requests);
			expect(attempts.length, story).toBeLessThanOrEqual(requests);
			expect(new Set(attempts.map(({ at }) => at)).size, story).toBe(attempts.length);
			expect(
				attempts.map(({ number }) => number),
				story,
			).toEqual(attempts.map((_, index) => index + 1));
			if (status === "succeeded") {
				const published = this.#published.filter((text) => text.includes(record.resultEventId ?? "none"));
				expect(published.length, story).toBeGreaterThan(0);
			}
		}
		// No slot has leaked.
		expect(await insist(() => this.dispatcher.health())).toMatchObject({
			inFlight: 0,
			waiting: 0,
			backlog: 0,
		});
		expect(await insist(() => this.dispatcher.blocked())).toMatchObject({ blockedBy: null });
	}
}

function predictionOf({ handle, end }: Job): object {
	const output = end === "succeeded" ? { output: `of ${handle}` } : {};
	return { id: handle, status: end ?? "processing", ...output };
}
