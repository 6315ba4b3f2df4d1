/**
 * Asynchronous request-reply, for servers without a protocol of their own: a 202 has the URL of the
 * job in `Operation-Location` or `Location`; that URL responds 202 until it responds with the
 * output.
 */
import { originOf } from "../requests/address.ts";
import { inVpcUrl, readBindingUrl, vpcHttpUrl } from "../requests/binding-url.ts";
import type { Exchange, ReadContext, Reading } from "../exchange.ts";
import { ended, refusedPoll } from "./handles.ts";
import { type Jobs, MAX_HANDLE_LENGTH } from "./jobs.ts";
import { readOutput } from "../responses/output.ts";
import { isSuccess, requestIdOf, stringOf } from "../responses/reading.ts";

export const requestReplyJobs: Jobs = {
	defaultMode: "sync",
	// A server that responds 202 has room for the job; it responds 429 or 503 if it
	// has none.
	holdsSlot: false,
	poll: {
		// The handle is a path and a query; it is always appended to the endpoint's
		// origin.
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

/** Where a 202 says it is to be polled; null for every other response. */
export function acceptedJob(
	{ status, headers }: Exchange,
	{ url, completion }: ReadContext,
): Partial<Reading> | null {
	if (completion !== "poll" || status !== 202) return null;
	const location = stringOf(headers["operation-location"]) ?? stringOf(headers["location"]);
	if (location === null)
		return refused(
			"The response is 202 but has no Location or Operation-Location header to poll for the output.",
		);
	const target = readBindingUrl(url);
	const isVpc = target?.scheme === "vpc";
	const base = isVpc ? vpcHttpUrl(target) : url;
	const at = URL.parse(location, base);
	if (at === null || at.origin !== URL.parse(base)?.origin)
		return refused(
			"The output is at another origin than the endpoint's; the router polls only the endpoint's origin.",
		);
	const path = `${at.pathname}${at.search}`;
	const handle = isVpc ? inVpcUrl(path) : path;
	if (handle.length > MAX_HANDLE_LENGTH) return refused("The URL of the output is too long.");
	return { class: "accepted", handle };
}

function refused(error: string): Partial<Reading> {
	return { class: "error", error };
}
