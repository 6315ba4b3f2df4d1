/**
 * What an error thrown by `fetch`, or by reading a body, means. Workerd has no error codes for
 * this, so whole messages are matched; the test quotes them. On Cloudflare's network, a refused
 * connection, a failed lookup and a failed handshake come as responses with statuses 520 to 530
 * instead.
 */
import type { BodyFailure, NetworkError } from "../../rules/attempt.ts";

/** For an error of `fetch`: no response began. */
export function describeFetchError(error: unknown): { error: NetworkError; message: string } {
	const said = saidBy(error);
	if (said === "Network connection lost.") {
		return {
			error: "connection_lost",
			message:
				"The connection was refused, or closed before a response began. The server is not running, or it crashed on this request.",
		};
	}
	if (said.startsWith("internal error")) {
		return { error: "unreachable", message: `The name does not resolve, or TLS failed: ${said}` };
	}
	return { error: "network", message: said };
}

/** For an error while the body was being read. */
export function describeReadError(error: unknown): BodyFailure {
	const said = saidBy(error);
	return said === "Network connection lost."
		? { error: "cut_off", message: `The response broke off before its end: ${said}` }
		: { error: "network", message: said };
}

const URL_IN_TEXT = /[a-z][a-z0-9+.-]*:\/\/\S+/gi;

/** Without URLs, because many model servers take a key in the URL. */
function saidBy(error: unknown): string {
	const said = error instanceof Error ? error.message : String(error);
	return said.replace(URL_IN_TEXT, "(URL)");
}
