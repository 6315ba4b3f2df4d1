/**
 * An event's deliveries with their attempts, and the result events of their outputs, as a tree. Pure: converts the
 * router's records to lines.
 */
import { paint } from "../scripts/paint.ts";
import type { Attempt, Delivery, TracedDelivery, TracedEvent } from "./api.ts";
import { duration } from "./table.ts";
import { wrapWords } from "../scripts/wrap.ts";
import type { Margins } from "../scripts/wrap.ts";

export interface Recorded {
	/** Deliveries with their attempts. They can include those of other events. */
	deliveries: Delivery[];
	/** Protocols by endpoint, `name@version`. */
	protocols: ReadonlyMap<string, string>;
	columns: number;
}

export function treeLines(root: TracedEvent, recorded: Recorded): string[] {
	return eventLines(root, recorded, " ");
}

function eventLines({ id, type, deliveries }: TracedEvent, recorded: Recorded, margin: string): string[] {
	const branches = deliveries.toSorted((a, b) => (a.endpoint ?? "").localeCompare(b.endpoint ?? ""));
	const title = `${paint("cyan", type ?? "?")}  ${paint("dim", id)}`;
	return [
		...wrapWords(title, recorded.columns, { first: margin, rest: `${margin}  ` }),
		...branches.flatMap((delivery, index) => {
			const isLast = index === branches.length - 1;
			const margins = {
				first: `${margin}${isLast ? "└─ " : "├─ "}`,
				rest: `${margin}${isLast ? "   " : "│  "}`,
			};
			return deliveryLines(delivery, recorded, margins);
		}),
	];
}

function deliveryLines(
	{ id, endpoint, result_event: result }: TracedDelivery,
	recorded: Recorded,
	{ first, rest }: Margins,
): string[] {
	const attempts = recorded.deliveries.find((delivery) => delivery.id === id)?.attempts ?? [];
	const protocol = recorded.protocols.get(endpoint ?? "") ?? "";
	const said = attempts.map((attempt) => `attempt ${attempt.number}: ${outcomeOf(attempt)}`).join("; ");
	const text = `${endpoint}  ${paint("magenta", protocol)}  ${said}  ${paint("dim", id)}`;
	return [
		...wrapWords(text, recorded.columns, { first, rest: `${rest}  ` }),
		...(result === null ? [] : eventLines(result, recorded, rest)),
	];
}

function outcomeOf({ at, duration_ms: tookMs, status_code: status, error, job }: Attempt): string {
	const responded = status === null ? (error ?? "no response") : `${status} in ${duration(tookMs)}`;
	if (job === null) return responded;
	return `${responded}, output by ${job.by} after ${duration(Date.parse(job.ended_at) - Date.parse(at))}`;
}
