/**
 * The detail of a dead delivery whose reason has no stored detail: built from its last attempt.
 * Pure. Computed when it is read, so that it also covers deliveries that earlier releases stored.
 */
import type { Attempt, DeadReason } from "../records.ts";
import { countAttempts } from "./attempts.ts";

/** How many characters of the endpoint's response are quoted; the attempts keep more. */
const MAX_SAID = 200;

/** A sentence; null for reasons whose detail is stored when they occur. */
export function deadDetail(reason: DeadReason, attempts: readonly Attempt[]): string | null {
	const last = attempts.at(-1);
	const count = countAttempts(attempts);
	const said = last === undefined ? "no attempt is stored" : outcomeOf(last);
	if (reason === "exhausted") {
		return count === 1 ? `1 attempt failed: ${said}.` : `${count} attempts failed; the last: ${said}.`;
	}
	if (reason === "rejected") {
		return `The endpoint does not accept this input, and the same input would fail again: ${said}.`;
	}
	return reason === "gone"
		? `The endpoint responded that it is permanently gone, and has been disabled: ${said}.`
		: null;
}

/** `503 no worker is free`, or what went wrong where no response came. */
function outcomeOf({ statusCode, error, excerpt, job }: Attempt): string {
	const said = job?.error ?? error ?? excerpt ?? "";
	const line = said.replaceAll(/\s+/g, " ").trim().replace(/\.$/, "");
	const cut = line.length > MAX_SAID ? `${line.slice(0, MAX_SAID)} …` : line;
	const status = statusCode === null || cut.includes(String(statusCode)) ? "" : String(statusCode);
	return [status, cut].filter((part) => part !== "").join(" ") || "no response";
}
