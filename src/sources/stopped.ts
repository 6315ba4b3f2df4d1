/** What a publisher is told while its source takes nothing. */
import { type Refusal, refuseForNow } from "../http/refusal.ts";

/** Publishers treat refusals differently, but none should take this one as final. */
const STOPPED = { retryAfterSeconds: 60 };

export function sourcePaused(): Refusal {
	const detail = "The source is paused and takes no events now. Send the request again later.";
	return refuseForNow("source_paused", detail, STOPPED);
}

/** A newer release stored them before it was rolled back, or an older one that this one no longer reads. */
export function settingsUnreadable(): Refusal {
	const detail =
		"The router cannot read the settings that are stored for this source. Send the request again later.";
	return refuseForNow("settings_unreadable", detail, STOPPED);
}

/** No request can be verified for such a source, and a 401 would not be sent again. */
export function secretUnreadable(): Refusal {
	const detail =
		"Nothing can be verified now: the source's secret cannot be read. Send the request again later.";
	return refuseForNow("secret_unreadable", detail, STOPPED);
}
