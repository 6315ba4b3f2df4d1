/**
 * What the demo says at its end: the entities that arrived, the recorded way of one scan, and a summary whose numbers
 * are read back from the router. Lines out, nothing printed.
 */
import { setTimeout } from "node:timers/promises";
import { paint } from "../scripts/paint.ts";
import type { Api, Delivery, Page } from "./api.ts";
import type { Journey } from "./journey.ts";
import { duration } from "./table.ts";

/** Plain counts say little about a document. */
const NOT_SHOWN = new Set(["CARDINAL", "ORDINAL"]);
const INDENT = 24;
const TEXT_WIDTH = 76;
/** The application has its event a moment before the router has recorded that it took it. */
const RECORD_WAIT_MS = 10_000;
const POLL_MS = 100;

/** The entities of each document, by type. */
export function entityLines(journeys: Journey[]): string[] {
	return journeys.flatMap(({ key, found }) => {
		const byType = Map.groupBy(found?.entities ?? [], ({ type }) => type);
		const groups = [...byType]
			.filter(([type]) => !NOT_SHOWN.has(type))
			.map(([type, entities]) => ({ type, values: [...new Set(entities.map(({ value }) => value))] }));
		const rows = wrap(groups.map(({ type, values }) => ({ type, text: values.join(" · ") })));
		return rows.map((row, index) => ` ${(index === 0 ? key : "").padEnd(INDENT)} ${row}`);
	});
}

/** All deliveries, once the router has recorded the end of each. */
export async function settledDeliveries(api: Api): Promise<Delivery[]> {
	const deadline = Date.now() + RECORD_WAIT_MS;
	for (;;) {
		const { data } = await api<Page<Delivery>>("GET", "/deliveries?limit=200");
		const isSettled = data.every(({ status }) => !["pending", "in_flight", "publishing"].includes(status));
		if (isSettled || Date.now() > deadline) return data;
		await setTimeout(POLL_MS);
	}
}

/** From event to delivery to result event, as far as it goes; read from the API alone. */
export async function wayLines(api: Api, eventId: string): Promise<string[]> {
	const lines: string[] = [];
	let next: string | null = eventId;
	for (let depth = 0; next !== null; depth++) {
		const margin = " ".repeat(1 + 3 * depth);
		const event: { type: string } = await api("GET", `/events/${next}`);
		lines.push(`${margin}${paint("cyan", event.type)}  ${paint("dim", next)}`);
		const page: Page<Delivery> = await api("GET", `/deliveries?event=${next}`);
		const [first] = page.data;
		if (first === undefined) break;
		const delivery: Delivery = await api("GET", `/deliveries/${first.id}`);
		for (const { number, status_code, duration_ms, error } of delivery.attempts ?? []) {
			const outcome = status_code === null ? error : `answered ${status_code} in ${duration(duration_ms)}`;
			lines.push(
				`${margin}└─ ${delivery.endpoint}  attempt ${number}: ${outcome}  ${paint("dim", first.id)}`,
			);
		}
		next = delivery.result_event_id;
	}
	return lines;
}

/** Where the deliveries stand that did not succeed. */
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
	/** Requests whose signature the `standardwebhooks` package found right. */
	verifiedCount: number;
}

export function summaryLines({ journeys, deliveries, eventCount, verifiedCount }: Totals): string[] {
	const succeeded = deliveries.filter(({ status }) => status === "succeeded").length;
	const attempts = deliveries.reduce((sum, { attempt_count }) => sum + attempt_count, 0);
	const took = (stage: "accepted" | "received") =>
		duration(median(journeys.map((j) => j.stations[stage]?.afterMs ?? 0)));
	return [
		` ${journeys.length} scans became ${eventCount} events and ${deliveries.length} deliveries: ` +
			`${succeeded} succeeded, in ${attempts} attempts.`,
		` ${verifiedCount} signatures were verified with the standardwebhooks package.`,
		` Median time from the bucket to the router's 202: ${took("accepted")}; to the application: ${took("received")}.`,
	];
}

export function median(values: number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Breaks between types, and only where a line is full. */
function wrap(groups: { type: string; text: string }[]): string[] {
	const rows: string[] = [];
	let width = Infinity;
	for (const { type, text } of groups) {
		const length = type.length + 1 + text.length;
		const painted = `${paint("magenta", type)} ${text}`;
		const isFull = width + 3 + length > TEXT_WIDTH;
		if (isFull) rows.push(painted);
		else rows[rows.length - 1] += `   ${painted}`;
		width = isFull ? length : width + 3 + length;
	}
	return rows;
}
