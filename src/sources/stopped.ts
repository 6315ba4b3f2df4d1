/** What a publisher is told while its source takes nothing. */
import { Problem } from "../http/problem.ts";

/** Publishers treat refusals differently, but none should take this one as final. */
const STOPPED_RETRY_AFTER = { headers: { "retry-after": "60" } };

export function sourcePaused(): Problem {
	const detail = "The source is paused and takes no events now. Send the request again later.";
	return new Problem(503, "source_paused", detail, STOPPED_RETRY_AFTER);
}

/** No request can be verified for such a source, and a 401 would not be sent again. */
export function secretUnreadable(): Problem {
	const detail =
		"Nothing can be verified now: the source's secret cannot be read. Send the request again later.";
	return new Problem(503, "secret_unreadable", detail, STOPPED_RETRY_AFTER);
}
