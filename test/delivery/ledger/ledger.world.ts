/**
 * A backlog over real storage beside what it should hold, as plain maps. Each step is taken by both; what the backlog
 * answers is compared with what the maps say.
 */
import { expect } from "vitest";
import { Backlog } from "../../../src/delivery/ledger/backlog.ts";
import type { IncomingEvent } from "../../../src/delivery/ledger/inbox/incoming.ts";
import { listRecords } from "../../../src/delivery/ledger/queries/listing.ts";
import { isRefused } from "../../../src/delivery/ledger/refused/refused-delivery.ts";
import { canceled, retried } from "../../../src/delivery/rules/by-hand.ts";
import type { Delivery } from "../../../src/delivery/rules/delivery.ts";
import { type DeliveryState, fresh } from "../../../src/delivery/rules/state.ts";
import type { SluiceEvent } from "../../../src/events/event.ts";

export const DAY_MS = 86_400_000;
const RETENTION_MS = 30 * DAY_MS;
const TABLES = ["inbox", "deliveries", "unreadable_inbox", "refused", "large_texts"];

export type Step =
	/** `isTold`: the event log says that it had those that come again; else an answer to a call was lost. */
	| { kind: "enqueue"; events: number[]; isTold: boolean }
	| { kind: "claim"; due: "pending" | "publishing" }
	| { kind: "end"; pick: number; as: "succeeded" | "dead" | "later" | "now" | "publishing" }
	/** `keeps`: what hands are carrying out, which a roll call brings back. */
	| { kind: "evict"; keeps: boolean[] }
	| { kind: "retry" | "cancel"; pick: number }
	| { kind: "wait"; ms: number }
	| { kind: "sweep" };

interface Expected {
	state: DeliveryState | "refused";
	createdAt: number;
	isTried: boolean;
}

export class World {
	readonly #storage: DurableObjectStorage;
	readonly #limit: number;
	#backlog: Backlog;
	#now = 1_790_000_000_000;
	readonly #expected = new Map<string, Expected>();
	readonly #storedAt = new Map<number, number>();
	readonly #claimed = new Map<string, Delivery>();
	readonly #positions = new Map<number, string>();
	/** Ids that came since the last eviction; and those that came untold over an eviction, which may stand here twice. */
	readonly #brought = new Set<string>();
	readonly #twins = new Set<string>();
	/** What the last claim took while both waited; null where it had no choice. */
	#lastTaken: "retry" | "untried" | null = null;

	constructor(storage: DurableObjectStorage, limit: number) {
		this.#storage = storage;
		this.#limit = limit;
		this.#backlog = new Backlog(storage);
		for (const table of TABLES) storage.sql.exec(`DELETE FROM ${table}`);
		this.#backlog = this.#wake();
	}

	#wake(): Backlog {
		return new Backlog(this.#storage, { deliveries: this.#limit, bytes: 1e12 });
	}

	take(step: Step): void {
		if (step.kind === "enqueue") this.#enqueue(step.events, step.isTold);
		else if (step.kind === "claim") this.#claim(step.due);
		else if (step.kind === "end") this.#end(step.pick, step.as);
		else if (step.kind === "evict") this.#evict(step.keeps);
		else if (step.kind === "retry" || step.kind === "cancel") this.#byHand(step.kind, step.pick);
		else if (step.kind === "wait") this.#now += step.ms;
		else this.#sweep();
	}

	#enqueue(numbers: readonly number[], isTold: boolean): void {
		const items = numbers.map((number): IncomingEvent => {
			const storedAt = this.#storedAt.get(number);
			if (storedAt === undefined) this.#storedAt.set(number, this.#now);
			return isTold && storedAt !== undefined ? { ...eventOf(number), storedAt } : eventOf(number);
		});
		const owed = this.#owed();
		const { full } = this.#backlog.add(items, this.#now);
		const refused = new Set(full);
		for (const { decisions } of items) {
			for (const { deliveryId } of decisions) {
				const known = this.#expected.get(deliveryId);
				if (known !== undefined && !isTold && !this.#brought.has(deliveryId)) this.#twins.add(deliveryId);
				const isForgotten = known === undefined && this.#brought.has(deliveryId);
				this.#brought.add(deliveryId);
				// After thirty days nothing says any more that it was refused, or came to its end, but that it did come.
				if (isForgotten) continue;
				if (known !== undefined && known.state !== "refused") {
					// Of twins, one may have been refused; the other stays owed.
					if (!this.#twins.has(deliveryId)) expect(refused.has(deliveryId)).toBe(false);
					continue;
				}
				if (known?.state === "refused" && isTold) expect(refused.has(deliveryId)).toBe(true);
				const state = refused.has(deliveryId) ? "refused" : fresh(this.#now);
				const createdAt = known?.createdAt ?? this.#now;
				this.#expected.set(deliveryId, { state, createdAt, isTried: false });
			}
		}
		// The count of what is owed is never too low: nothing is taken beyond the limit.
		expect(this.#owed()).toBeLessThanOrEqual(Math.max(this.#limit, owed));
	}

	#claim(due: "pending" | "publishing"): void {
		const choices = this.#choices(due);
		const delivery = this.#backlog.claim(due, this.#now, this.#claimed);
		if (delivery === null) {
			expect(choices).toEqual([]);
			return;
		}
		const { id, position } = delivery;
		if (!this.#expected.has(id)) {
			// Forgotten after thirty days, while a twin of it has waited here for as long.
			this.#expected.set(id, { state: delivery.state, createdAt: this.#now, isTried: false });
		} else expect(choices).toContain(id);
		expect(delivery.event?.id).toBe(`evt_${numberOf(id)}`);
		expect(this.#positions.get(position) ?? id).toBe(id);
		this.#positions.set(position, id);
		this.#takeTurns(id, choices);
		this.#claimed.set(id, delivery);
	}

	/** What may be claimed now. */
	#choices(due: "pending" | "publishing"): string[] {
		return [...this.#expected].flatMap(([id, { state, isTried }]) => {
			const isDue = state !== "refused" && state.phase === due && (!isTried || state.dueAt <= this.#now);
			return isDue && !this.#claimed.has(id) ? [id] : [];
		});
	}

	/** Where both wait, two claims in a row take one of each. */
	#takeTurns(id: string, choices: readonly string[]): void {
		const isTried = (id: string): boolean => this.#expected.get(id)?.isTried ?? false;
		if (choices.every(isTried) || !choices.some(isTried)) {
			this.#lastTaken = null;
			return;
		}
		const taken = isTried(id) ? "retry" : "untried";
		expect(taken).not.toBe(this.#lastTaken);
		this.#lastTaken = taken;
	}

	#end(pick: number, as: Extract<Step, { kind: "end" }>["as"]): void {
		const delivery = [...this.#claimed.values()][pick % Math.max(this.#claimed.size, 1)];
		if (delivery === undefined) return;
		const now = this.#now;
		const states: Record<typeof as, DeliveryState> = {
			succeeded: { phase: "succeeded", finishedAt: now },
			dead: { phase: "dead", reason: "rejected", detail: null, finishedAt: now },
			later: { ...fresh(now + 50_000), spent: 1 },
			now: { ...fresh(now), busy: { count: 1, since: now } },
			publishing: { phase: "publishing", dueAt: now },
		};
		this.#record({ ...delivery, state: states[as] });
		this.#claimed.delete(delivery.id);
	}

	#record(delivery: Delivery): void {
		this.#backlog.record([delivery]);
		this.#isNow(delivery);
	}

	#isNow({ id, state }: Delivery): void {
		const createdAt = this.#expected.get(id)?.createdAt ?? this.#now;
		this.#expected.set(id, { state, createdAt, isTried: true });
	}

	#evict(keeps: readonly boolean[]): void {
		const had = [...this.#claimed.values()];
		this.#claimed.clear();
		this.#brought.clear();
		this.#backlog = this.#wake();
		this.#lastTaken = null;
		had.forEach(({ id, position }, index) => {
			if (keeps[index] !== true) return;
			const found = this.#backlog.findAt(position, id);
			expect(found).toMatchObject({ id, position });
			if (found !== null) this.#claimed.set(id, found);
		});
	}

	#byHand(kind: "retry" | "cancel", pick: number): void {
		const id = [...this.#expected.keys()][pick % Math.max(this.#expected.size, 1)];
		if (id === undefined || this.#claimed.has(id)) return;
		const found = this.#backlog.find(id);
		if (found === null) throw new Error(`${id} is lost`);
		const context = { now: this.#now, random: 0.5 };
		if (kind === "retry" && isRefused(found)) {
			const { event } = eventOf(numberOf(id));
			const changed = retried({ ...found, event }, context);
			if ("ok" in changed) throw new Error("what was refused may be sent");
			const owed = this.#owed();
			if (!this.#backlog.readmit(changed, this.#now)) return;
			expect(owed).toBeLessThan(this.#limit);
			this.#isNow(changed);
			return;
		}
		if (isRefused(found)) return;
		const changed = kind === "retry" ? retried(found, context) : canceled(found, context);
		if ("ok" in changed) expect(["succeeded", "dead", "canceled"]).toContain(found.state.phase);
		else {
			this.#backlog.change(found, changed);
			this.#isNow(changed);
		}
	}

	#sweep(): void {
		this.#backlog.retention.sweep(this.#now);
		for (const [id, { state, createdAt }] of this.#expected) {
			const isOld = createdAt < this.#now - RETENTION_MS;
			const isOver = state === "refused" || (state.phase !== "pending" && state.phase !== "publishing");
			if (isOld && isOver && this.#backlog.find(id) === null) this.#expected.delete(id);
		}
	}

	#owed(): number {
		return [...this.#expected.values()].filter(
			({ state }) => state !== "refused" && (state.phase === "pending" || state.phase === "publishing"),
		).length;
	}

	/** All that is expected is found by its id, and by its position where that is known, as it was written. */
	checkFound(): void {
		for (const [id, { state, isTried }] of this.#expected) {
			const found = this.#backlog.find(id);
			if (found === null) throw new Error(`${id} is lost`);
			if (state === "refused") expect(isRefused(found)).toBe(true);
			else if (isTried) expect(found.state).toEqual(state);
			else expect(found.state).toMatchObject({ phase: "pending", spent: 0 });
			if (state === "refused") continue;
			expect(this.#backlog.findAt(found.position, id)).toEqual(found);
			expect(this.#positions.get(found.position) ?? id).toBe(id);
		}
	}

	/** Every delivery stands in the list once, page by page. */
	checkListed(limit: number): void {
		const { sql } = this.#storage;
		const listed = { sql, refused: this.#backlog.refused, inFlight: this.#claimed };
		const seen: string[] = [];
		for (let before: number | undefined; ;) {
			const query = { limit, ...(before !== undefined && { before }) };
			const { items, rest } = listRecords(listed, query);
			seen.push(...items.map(({ id }) => id));
			const last = items.at(-1)?.position;
			if (last === undefined && rest === null) break;
			before = rest ?? last;
		}
		const known = seen.filter(
			(id, at) => this.#expected.has(id) && !(this.#twins.has(id) && seen.indexOf(id) < at),
		);
		expect(known.sort()).toEqual([...this.#expected.keys()].sort());
	}

	/** Everything that is owed comes, and each once. */
	drain(): void {
		this.#now += 1_000_000;
		for (const due of ["pending", "publishing"] as const) {
			for (let left = this.#choices(due).length; left > 0; left--) this.#claim(due);
			this.#claim(due);
			expect(this.#choices(due)).toEqual([]);
		}
	}
}

function numberOf(id: string): number {
	return Number(id.split("_")[1]);
}

/** An event with one delivery, or with two. */
function eventOf(number: number): IncomingEvent {
	const event: SluiceEvent = {
		id: `evt_${number}`,
		sourceId: "src_docs",
		receivedAt: 1,
		attributes: { id: String(number), source: "/docs", type: "document.inserted" },
		data: { kind: "json", text: String(number) },
	};
	const decisions = Array.from({ length: 1 + (number % 2) }, (_, at) => ({
		deliveryId: `dlv_${number}_${at}`,
		subscriptionId: `sub_${at}`,
		subscriptionName: `sub_${at}`,
		endpointId: "ep_model",
		endpointRef: "model@1",
	}));
	return { event, decisions };
}
