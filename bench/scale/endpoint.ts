/**
 * One endpoint that always has something to send, with the real gates and the real back-off, against a simulated model.
 * Exchanges have numbered places: the first five in the dispatcher, then six in each hand. A hand collects finished
 * exchanges for a while before it calls the dispatcher, and only then are their places free.
 */
import { admit, after, type GateStates, openGates } from "../../src/delivery/gates/gates.ts";
import { busyDelay } from "../../src/delivery/rules/schedule.ts";
import { Agenda } from "./agenda.ts";
import { Gathering, handOf, NO_HAND } from "./hands.ts";
import { type Random, seeded } from "./random.ts";

export interface Setting {
	seed: number;
	/** How long the model takes for one delivery. */
	modelSeconds: number;
	/** How many exchanges the model accepts at once. Further ones are refused as busy after 5 ms. */
	capacity: number;
	/** How many exchanges the endpoint may have at once. */
	exchanges: number;
	/** Deliveries per exchange. */
	batch: number;
	/** Simulated time. Counting starts at `from`, once the limit is learnt. */
	from: number;
	seconds: number;
	/** How long a hand collects finished exchanges before it calls the dispatcher. */
	gatherSeconds: number;
	/** Places in the dispatcher itself. */
	inProcess: number;
}

export interface Work {
	/** Finished deliveries per second. */
	perSecond: number;
	/** Calls per second from hands to the dispatcher. */
	settleCalls: number;
	/** Calls per second from the dispatcher to hands that have nothing to settle. */
	takeCalls: number;
	/** The maximum number of hands in use. */
	hands: number;
	/** Share of all exchanges that the model refused. */
	wasted: number;
}

const BUSY_SECONDS = 0.005;
/** How much each further delivery of a micro-batch adds to the time of the first (assumed: one accelerator). */
const FURTHER = 0.05;

interface Exchange {
	id: number;
	place: number;
	isBusy: boolean;
	/** Refusals before this one. */
	busyCount: number;
}
type Step = { kind: "ended"; exchange: Exchange } | { kind: "settled"; hand: number } | { kind: "due" };

/** Simulates sending to the endpoint for the given time, and counts. */
export function simulateEndpoint(setting: Setting): Work {
	const random = seeded(setting.seed);
	const agenda = new Agenda<Step>();
	const again = new Agenda<{ id: number; busyCount: number }>();
	const free = new Agenda<number>();
	for (let place = 0; place < setting.exchanges; place += 1) free.add(place, place);
	const gathering = new Gathering<Exchange>();
	let counted = { ...NOTHING };
	let hands = 0;
	let states: GateStates = openGates;
	let flying = 0;
	let atModel = 0;
	let nextId = 0;

	const moment = (now: number) => ({
		now: Math.round(now * 1_000),
		random: random(),
		inFlight: flying,
		jobs: 0,
		bytesInFlight: 0,
		maxConcurrency: setting.exchanges,
		isActive: true,
		isRecovering: false,
	});
	const settle = (exchange: Exchange, now: number): void => {
		flying -= 1;
		free.add(exchange.place, exchange.place);
		const outcome = exchange.isBusy ? "busy" : "done";
		const ended = { deliveryId: `d${exchange.id}`, outcome, scope: "request", retryAfterMs: null } as const;
		states = after(states, { kind: "ended", exchange: { ...ended, others: flying } }, moment(now)).states;
		if (!exchange.isBusy) return void (counted.done += setting.batch);
		counted.busy += 1;
		const { id, busyCount } = exchange;
		const wait = busyDelay({ busyCount, retryAfterMs: null, random: random() }) / 1_000;
		again.add(now + wait, { id, busyCount: busyCount + 1 });
	};
	const begin = (now: number, refilled: number): void => {
		const admitted = admit(states, moment(now));
		if (admitted.blockedBy !== null && admitted.until !== null) {
			agenda.add(admitted.until / 1_000, { kind: "due" });
		}
		const taking = new Set<number>();
		for (let begun = 0; begun < admitted.slots; begun += 1) {
			const place = free.take();
			if (place === undefined) break;
			const known = again.nextAt <= now ? again.take() : undefined;
			const { id, busyCount } = known ?? { id: (nextId += 1), busyCount: 0 };
			const isBusy = atModel >= setting.capacity;
			if (!isBusy) atModel += 1;
			flying += 1;
			counted.sent += 1;
			const hand = handOf(place, setting.inProcess);
			hands = Math.max(hands, hand + 1);
			if (hand >= 0 && hand !== refilled) taking.add(hand);
			const takes = isBusy ? BUSY_SECONDS : modelTime(setting, random);
			agenda.add(now + takes, { kind: "ended", exchange: { id, place, isBusy, busyCount } });
		}
		counted.take += taking.size;
	};

	let isCounting = false;
	begin(0, NO_HAND);
	for (let now = agenda.nextAt; now <= setting.seconds; now = agenda.nextAt) {
		const step = agenda.take();
		if (step === undefined) break;
		if (!isCounting && now >= setting.from) {
			isCounting = true;
			counted = { ...NOTHING };
		}
		if (step.kind === "ended") {
			const { exchange } = step;
			if (!exchange.isBusy) atModel -= 1;
			const hand = handOf(exchange.place, setting.inProcess);
			if (hand >= 0) {
				const isFirst = gathering.add(hand, exchange);
				if (isFirst) agenda.add(now + setting.gatherSeconds, { kind: "settled", hand });
				continue;
			}
			settle(exchange, now);
		} else if (step.kind === "settled") {
			counted.settle += 1;
			for (const exchange of gathering.take(step.hand)) settle(exchange, now);
		}
		begin(now, step.kind === "settled" ? step.hand : NO_HAND);
	}
	const seconds = setting.seconds - setting.from;
	return {
		perSecond: counted.done / seconds,
		settleCalls: counted.settle / seconds,
		takeCalls: counted.take / seconds,
		hands,
		wasted: counted.busy / Math.max(1, counted.sent),
	};
}

const NOTHING = { done: 0, settle: 0, take: 0, sent: 0, busy: 0 };

/** How long a micro-batch takes, as a multiple of the time of one delivery. */
export function batchTime(modelSeconds: number, batch: number): number {
	return modelSeconds * (1 + FURTHER * (batch - 1));
}

/** Randomly up to a quarter more or less than the average. */
function modelTime({ modelSeconds, batch }: Setting, random: Random): number {
	return batchTime(modelSeconds, batch) * (0.75 + random() / 2);
}
