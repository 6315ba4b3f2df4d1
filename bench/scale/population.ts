/**
 * The sources, subscriptions and endpoints of the simulation, and its events. Popularity follows Zipf's law: with
 * 10,000 sources, the first has a tenth of all events. Everything here is assumed, and generated from the seed.
 */
import { eventId } from "../../src/events/ids.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { buildTable, type RoutingTable } from "../../src/routing/table.ts";
import type { Subscription } from "../../src/store/records.ts";
import { drawFrom, type Random, seeded, shuffled, zipfShares } from "./random.ts";

export interface Size {
	seed: number;
	sources: number;
	endpoints: number;
}

export interface Population {
	table: RoutingTable;
	/** `src_…`, the most popular first, and each source's share of all events. */
	sources: readonly { id: string; share: number }[];
	/** Deliveries to each endpoint per event, on average, and how long its model takes. */
	endpoints: readonly { id: string; share: number; modelSeconds: number }[];
	/** The next event. */
	draw: () => SluiceEvent;
}

const EXPONENT = 1;
/** Characters of JSON in an event. */
const DATA_LENGTH = 1_000;
const REGIONS = ["eu", "us", "ap"] as const;

/** The types that a source publishes, and their shares. */
const VERBS = [
	{ verb: "created", share: 0.6 },
	{ verb: "updated", share: 0.3 },
	{ verb: "deleted", share: 0.1 },
] as const;
/** The filters of subscriptions. `chance`: how common one is; `passes`: the share of events that it accepts. */
const TYPES = [
	{ chance: 0.6, passes: 1, types: () => [] },
	{ chance: 0.25, passes: 0.6, types: (name: string) => [`${name}.created`] },
	{ chance: 0.15, passes: 0.3, types: (name: string) => [`${name}.u*`] },
] as const;
const FILTERS = [
	{ chance: 0.7, passes: 1, filters: [] },
	{ chance: 0.2, passes: 1 / 3, filters: [{ exact: { subject: "eu" } }] },
	{ chance: 0.1, passes: 0.5, filters: [{ jsonata: "data.amount > 50" }] },
] as const;
/** Seconds that models take: small models, larger ones, text generation. */
const MODELS = [
	{ chance: 0.7, seconds: 0.1 },
	{ chance: 0.25, seconds: 0.5 },
	{ chance: 0.05, seconds: 5 },
] as const;
/** A source has one to three subscriptions: the first to an endpoint of its own, the others to popular endpoints. */
const MAX_SUBSCRIPTIONS = 3;

export function makePopulation({ seed, sources: count, endpoints: targets }: Size): Population {
	const random = seeded(seed);
	const sources = zipfShares(count, EXPONENT).map((share, rank) => ({ id: idOf("src", rank), share }));
	const endpoints = Array.from({ length: targets }, (_, rank) => ({
		id: idOf("ep", rank),
		share: 0,
		modelSeconds: pick(MODELS, random).seconds,
	}));
	const own = shuffled(targets, random);
	const popular = drawFrom(zipfShares(targets, EXPONENT), random);
	const subscriptions: Subscription[] = [];
	for (const [rank, source] of sources.entries()) {
		const wanted = 1 + Math.floor(random() * MAX_SUBSCRIPTIONS);
		for (let number = 0; number < wanted; number += 1) {
			const endpoint = endpoints[number === 0 ? (own[rank % targets] ?? 0) : popular()];
			if (endpoint === undefined) continue;
			const { types, passes } = pick(TYPES, random);
			const { filters, passes: passesToo } = pick(FILTERS, random);
			endpoint.share += source.share * passes * passesToo;
			const subscription = { sourceId: source.id, types: types(nameOf(rank)), filters };
			subscriptions.push({ ...BLANK, ...subscription, ...named(subscriptions.length, endpoint.id) });
		}
	}
	const table = buildTable({
		version: 1,
		subscriptions,
		endpoints: endpoints.map(({ id }) => ({ id, name: id, version: "1", status: "active", createdAt: 0 })),
	});
	const drawSource = drawFrom(
		sources.map(({ share }) => share),
		random,
	);
	let drawn = 0;
	const draw = () => makeEvent(drawSource(), (drawn += 1), random);
	return { table, sources, endpoints, draw };
}

function makeEvent(rank: number, number: number, random: Random): SluiceEvent {
	const sourceId = idOf("src", rank);
	const { verb } = pick(
		VERBS.map((entry) => ({ ...entry, chance: entry.share })),
		random,
	);
	const subject = REGIONS[Math.floor(random() * REGIONS.length)] ?? "eu";
	const attributes = { id: String(number), source: "/scale", type: `${nameOf(rank)}.${verb}`, subject };
	const start = `{"amount":${1 + Math.floor(random() * 100)},"text":"`;
	const text = `${start}${"x".repeat(DATA_LENGTH - start.length - 2)}"}`;
	return {
		id: eventId(sourceId, attributes),
		sourceId,
		receivedAt: 0,
		attributes,
		data: { kind: "json", text },
	};
}

const BLANK = {
	transform: null,
	result: null,
	status: "active",
	revision: 1,
	quarantine: null,
	createdAt: 0,
	updatedAt: 0,
} as const;

function named(number: number, endpointId: string): Pick<Subscription, "id" | "name" | "target"> {
	const id = idOf("sub", number);
	return { id, name: id, target: { endpointId } };
}

/** Ids in the form of real ones. */
function idOf(prefix: "src" | "ep" | "sub", number: number): string {
	return `${prefix}_${number.toString().padStart(10, "0")}`;
}

function nameOf(rank: number): string {
	return `s${rank}`;
}

function pick<T extends { chance: number }>(from: readonly [T, ...T[]] | readonly T[], random: Random): T {
	let left = random();
	const found = from.find(({ chance }) => (left -= chance) < 0) ?? from.at(-1);
	if (found === undefined) throw new Error("There is nothing to choose from.");
	return found;
}
