/**
 * Asynchronous request and reply, for servers of no protocol in particular: 202 with the URL of the job in
 * `Operation-Location` or `Location`, which responds with 202 until it responds with the output.
 */
import { originOf } from "./address.ts";
import type { Exchange, ReadContext, Reading } from "./exchange.ts";
import { ended, refusedPoll } from "./handles.ts";
import { type Jobs, MAX_HANDLE_LENGTH } from "./jobs.ts";
import { readOutput } from "./output.ts";
import { isSuccess, requestIdOf, stringOf } from "./reading.ts";

export const requestReplyJobs: Jobs = {
	defaultMode: "sync",
	// Whoever says 202 has room for it, and says 429 or 503 when there is none.
	holdsSlot: false,
	poll: {
		// The handle is a path and a query; whatever it is, it comes behind the host.
		request: (_step, handle, { url }) => ({
			method: "GET",
			url: `${originOf(url)}${handle.startsWith("/") ? "" : "/"}${handle}`,
			headers: {},
			body: null,
		}),
		read(_step, exchange) {
			if (exchange.status === 202) return { kind: "running", retryAfterMs: null };
			if (!isSuccess(exchange)) return refusedPoll(exchange);
			return ended({ output: readOutput(exchange), requestId: requestIdOf(exchange) });
		},
	},
};

/** What a 202 says where it is to be polled; null for every other response. */
export function acceptedJob(
	{ status, headers }: Exchange,
	{ url, completion }: ReadContext,
): Partial<Reading> | null {
	if (completion !== "poll" || status !== 202) return null;
	const location = stringOf(headers["operation-location"]) ?? stringOf(headers["location"]);
	if (location === null)
		return refused("The response is 202 and has no Location or Operation-Location to ask for the output.");
	const at = URL.parse(location, url);
	if (at === null || at.origin !== URL.parse(url)?.origin)
		return refused("The output is to be had at another origin than the endpoint's, which is not asked.");
	const handle = `${at.pathname}${at.search}`;
	if (handle.length > MAX_HANDLE_LENGTH) return refused("The URL of the output is too long.");
	return { class: "accepted", handle };
}

function refused(error: string): Partial<Reading> {
	return { class: "error", error };
}
