/**
 * How `npm run dev` prints routing and deliveries: what went where, the response, and what happens next. Converts the
 * fields of a log line to a short text.
 */
import { paint } from "./paint.ts";

type Fields = Record<string, unknown>;

const MARKS = {
	good: () => paint("green", "✔"),
	later: () => paint("yellow", "◌"),
	bad: () => paint("red", "✘"),
};

/** Returns the text for a log line about routing or a delivery, or null for any other line. */
export function deliveryText(event: unknown, fields: Fields): string | null {
	if (event === "router.batch") return batchText(fields);
	if (event === "delivery.attempted") return attemptText(fields);
	return event === "delivery.moved" ? moveText(fields) : null;
}

function batchText(fields: Fields): string {
	const { events, deliveries, failed, event_ids: ids } = fields;
	const mark = failed === undefined ? paint("cyan", "→") : MARKS.bad();
	const trouble = failed === undefined ? "" : `, ${counted(failed, "message")} failed and will be retried`;
	const shown = Array.isArray(ids) ? ids.join(" ") : "";
	const text = `${mark} ${counted(events, "event")}, ${counted(deliveries, "delivery", "deliveries")}${trouble}`;
	return joined([text, paint("dim", shown)]);
}

function attemptText(fields: Fields): string {
	const { attempt, status_code: status, error, duration_ms: ms } = fields;
	const facts = [
		shown(status),
		`${shown(ms)} ms`,
		attempt === 1 ? "" : `attempt ${shown(attempt)}`,
		shown(error),
		whatFollows(fields),
	];
	return joined([`${markOf(fields)} ${wayOf(fields)}`, ...facts]);
}

function moveText(fields: Fields): string {
	const published = fields["status"] === "succeeded" ? fields["result_event_id"] : undefined;
	const what = published === undefined ? shown(fields["status"]) : `published ${shown(published)}`;
	const end = fields["status"] === "dead" || fields["status"] === "pending" ? whatFollows(fields) : what;
	return joined([`${markOf(fields)} ${wayOf(fields)}`, end]);
}

/** Empty for a delivery that has succeeded, or that only has to publish its result event. */
function whatFollows({ status, outcome, reason, detail, next_attempt_at: next }: Fields): string {
	if (status === "dead") return `dead: ${shown(reason)}${detail === undefined ? "" : ` (${shown(detail)})`}`;
	if (status === "waiting") return "waiting for the output";
	if (status !== "pending") return "";
	const why = outcome === undefined ? "pending" : shown(outcome).replace("_", " ");
	if (typeof next !== "string") return why;
	const at = new Date(next);
	// The delivery is due but waits for its endpoint, and only the gates of the endpoint know for how long.
	return at.getTime() > Date.now()
		? `${why}, retry at ${clockTime(at)}`
		: `${why}, retry when the endpoint allows it`;
}

function markOf({ outcome, status }: Fields): string {
	if (status === "dead" || status === "canceled") return MARKS.bad();
	if (status === "succeeded" || status === "publishing" || outcome === "done") return MARKS.good();
	const isCalm = outcome === undefined || outcome === "busy" || outcome === "accepted";
	return isCalm ? MARKS.later() : MARKS.bad();
}

function wayOf({ subscription, endpoint }: Fields): string {
	return `${shown(subscription) || "?"} → ${shown(endpoint) || "?"}`;
}

/** `19:41:46`, in the developer's time zone. */
export function clockTime(at: Date): string {
	return at.toTimeString().slice(0, 8);
}

function counted(count: unknown, one: string, many = `${one}s`): string {
	return `${shown(count)} ${count === 1 ? one : many}`;
}

/** A field as text; empty if it is missing. */
function shown(value: unknown): string {
	if (value === null || value === undefined) return "";
	return typeof value === "string" ? value : JSON.stringify(value);
}

function joined(parts: string[]): string {
	return parts.filter((part) => part !== "").join("  ");
}
