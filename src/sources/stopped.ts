/** The refusals of a source that accepts no events. */
import { type Refusal, refuseForNow } from "../http/refusal.ts";

/** Publishers should treat these refusals as temporary. */
const STOPPED = { retryAfterSeconds: 60 };

export function sourcePaused(): Refusal {
	const detail = "The source is paused. Send the request again later.";
	return refuseForNow("source_paused", detail, STOPPED);
}

/** A newer release that was rolled back stored the settings, or an older one that is no longer supported. */
export function settingsUnreadable(): Refusal {
	const detail = "The stored settings of this source cannot be read. Send the request again later.";
	return refuseForNow("settings_unreadable", detail, STOPPED);
}

/** 503, because no request can be verified without the secret, and publishers do not retry after a 401. */
export function secretUnreadable(): Refusal {
	const detail =
		"The source's secret cannot be read, so requests cannot be verified. Send the request again later.";
	return refuseForNow("secret_unreadable", detail, STOPPED);
}
