/**
 * Tracks the progress of each scan, as seen by the publisher, the models and the application. Pure bookkeeping without
 * output.
 */
import type { FoundEntities } from "./models/entities.ts";
import type { Sentiment } from "./models/sentiment.ts";

/**
 * The stations of a scan. `reading` is in between: the OCR model is working on it. `entities` and `sentiment` come in
 * any order, and `received` when the application has both.
 */
export type Stage = "accepted" | "reading" | "text" | "entities" | "sentiment" | "received";

export interface Station {
	/** Since the scan arrived in the bucket. */
	afterMs: number;
	note: string;
}

export interface Journey {
	key: string;
	sizeBytes: number;
	/** Time on the clock of `trackJourneys`. */
	arrivedAt: number;
	stations: Partial<Record<Stage, Station>>;
	/** The id of the `document.uploaded` event, once it is accepted. */
	eventId?: string;
	/** Why it failed. */
	failure?: string;
	/** What the application received. */
	found?: FoundEntities;
	sentiment?: Sentiment;
}

export interface Journeys {
	all: () => Journey[];
	begin: (key: string, sizeBytes: number) => Journey;
	/** Notes that the scan reached a stage. Ignores duplicates and unknown documents. */
	reach: (key: string, stage: Stage, note?: string) => void;
	fail: (key: string, reason: string) => void;
	/** Resolves when the application has received `count` scans; rejects when one has failed. */
	received: (count: number) => Promise<void>;
}

export function trackJourneys(
	clock: () => number,
	changed: (journey: Journey, stage?: Stage) => void,
): Journeys {
	const journeys = new Map<string, Journey>();
	const waiting: { count: number; resolve: () => void; reject: (error: Error) => void }[] = [];

	const update = (journey: Journey, stage?: Stage) => {
		changed(journey, stage);
		const received = [...journeys.values()].filter(({ stations }) => stations.received).length;
		for (const { count, resolve, reject } of waiting) {
			if (journey.failure !== undefined) reject(new Error(`${journey.key}: ${journey.failure}`));
			if (received >= count) resolve();
		}
	};

	return {
		all: () => [...journeys.values()],
		begin: (key, sizeBytes) => {
			const journey: Journey = { key, sizeBytes, arrivedAt: clock(), stations: {} };
			journeys.set(key, journey);
			update(journey);
			return journey;
		},
		reach: (key, stage, note = "") => {
			const journey = journeys.get(key);
			if (journey === undefined || journey.stations[stage] !== undefined) return;
			journey.stations[stage] = { afterMs: clock() - journey.arrivedAt, note };
			update(journey, stage);
		},
		fail: (key, reason) => {
			const journey = journeys.get(key);
			if (journey === undefined) return;
			journey.failure = reason;
			update(journey);
		},
		received: (count) => new Promise((resolve, reject) => waiting.push({ count, resolve, reject })),
	};
}
