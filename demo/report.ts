/**
 * The final report of the demo: what the application received, the recorded path of one scan, and a summary with
 * numbers from the router. Returns lines and prints nothing.
 */
import { setTimeout } from "node:timers/promises";
import { paint } from "../scripts/paint.ts";
import type { Api, Attempt, Delivery, Page, TracedEvent } from "./api.ts";
import type { Journey } from "./journey.ts";
import type { Sentiment } from "./models/sentiment.ts";
import { duration } from "./table.ts";
import { treeLines } from "./tree.ts";
import { wrapPieces } from "../scripts/wrap.ts";
import type { Piece } from "../scripts/wrap.ts";

/** Plain numbers say little about a document. */
const NOT_SHOWN = new Set(["CARDINAL", "ORDINAL"]);
const INDENT = 25;
/** The application has its event a moment before the router has recorded the delivery. */
const RECORD_WAIT_MS = 10_000;
const POLL_MS = 100;
const UNSETTLED = ["pending", "in_flight", "waiting", "publishing"];

/** The entities, by type, and the sentiment of each document. */
export function findingLines(journeys: Journey[], columns: number): string[] {
	return journeys.flatMap(({ key, found, sentiment }) => {
		const byType = Map.groupBy(found?.entities ?? [], ({ type }) => type);
		const groups = [...byType]
			.filter(([type]) => !NOT_SHOWN.has(type))
			.flatMap(([type, entities]) => piecesOf(type, [...new Set(entities.map(({ value }) => value))]));
		const pieces = [
			...groups,
			...(sentiment === undefined ? [] : piecesOf("SENTIMENT", wordsOf(sentiment), "")),
		];
		return wrapPieces(pieces, columns, { first: ` ${key.padEnd(INDENT - 1)}`, rest: " ".repeat(INDENT) });
	});
}

/** Returns all deliveries, once the router has recorded how each ended. */
export async function settledDeliveries(api: Api): Promise<Delivery[]> {
	const deadline = Date.now() + RECORD_WAIT_MS;
	for (;;) {
		const { data } = await api<Page<Delivery>>("GET", "/deliveries?limit=200");
		const isSettled = data.every(({ status }) => !UNSETTLED.includes(status));
		if (isSettled || Date.now() > deadline) return data;
		await setTimeout(POLL_MS);
	}
}

/** From event to deliveries to result events, as far as they go. Uses only the API. */
export async function traceLines(
	api: Api,
	eventId: string,
	{ deliveries, columns }: { deliveries: Delivery[]; columns: number },
): Promise<string[]> {
	const trace = await api<{ event: TracedEvent }>("GET", `/events/${eventId}/trace`);
	const endpoints = await api<Page<{ name: string; version: string; protocol: string }>>("GET", "/endpoints");
	const protocols = new Map(
		endpoints.data.map(({ name, version, protocol }) => [`${name}@${version}`, protocol]),
	);
	return treeLines(trace.event, { deliveries, protocols, columns });
}

/** The states of deliveries that did not succeed. */
export async function stuckLines(api: Api): Promise<string[]> {
	const { data } = await api<Page<Delivery>>("GET", "/deliveries?limit=200");
	const stuck = data.filter(({ status }) => status !== "succeeded");
	return stuck.map(({ id, endpoint, status, reason, attempt_count }) => {
		return ` ${endpoint}  ${status}${reason === null ? "" : ` (${reason})`} after ${attempt_count} attempts  ${id}`;
	});
}

export interface Totals {
	journeys: Journey[];
	deliveries: Delivery[];
	eventCount: number;
	/** The number of requests whose signature the `standardwebhooks` package accepted. */
	verifiedCount: number;
}

/** One line per statement, of any length. */
export function summaryLines({ journeys, deliveries, eventCount, verifiedCount }: Totals): string[] {
	const succeeded = deliveries.filter(({ status }) => status === "succeeded").length;
	const attempts = deliveries.reduce((sum, { attempt_count }) => sum + attempt_count, 0);
	const calledBack = deliveries
		.flatMap((delivery) => delivery.attempts)
		.filter(({ job }) => job?.by === "callback");
	const early = calledBack.filter(isBeforeResponse).length;
	const took = (stage: "accepted" | "received") =>
		duration(median(journeys.map((j) => j.stations[stage]?.afterMs ?? 0)));
	return [
		`${journeys.length} scans became ${eventCount} events and ${deliveries.length} deliveries: ` +
			`${succeeded} succeeded, in ${attempts} attempts.`,
		`${calledBack.length} outputs came by callback, ${early} of them before the model's 202.`,
		`${verifiedCount} signatures were verified with the standardwebhooks package.`,
		`Median time from the bucket to the router's 202: ${took("accepted")}; to the application: ${took("received")}.`,
	];
}

export function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function isBeforeResponse({ at, duration_ms: tookMs, job }: Attempt): boolean {
	return job !== null && Date.parse(job.ended_at) <= Date.parse(at) + tookMs;
}

/** `separator` follows every value but the last. */
function piecesOf(type: string, values: string[], separator = " ·"): Piece[] {
	return values.map((value, index) => {
		const text = index === values.length - 1 ? value : `${value}${separator}`;
		return index === 0 ? { gap: "   ", text: `${paint("magenta", type)} ${text}` } : { gap: " ", text };
	});
}

function wordsOf({ sentiment, words }: Sentiment): string[] {
	return words.length === 0 ? [sentiment] : `${sentiment} (${words.join(", ")})`.split(" ");
}
