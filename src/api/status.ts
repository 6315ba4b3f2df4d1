/**
 * Whether a resource works, and why not: what the API shows as `status` and `status_reason`. That is the stored status,
 * and what follows from the rest of the record.
 */
import { type Endpoint, type Source, type Subscription, isReadable } from "../store/records.ts";

export interface ShownStatus {
	status: "active" | "paused" | "disabled";
	/** null while it is active. */
	status_reason: string | null;
}

/** Sources and subscriptions are paused by a person and by nobody else. */
const BY_HAND = "manual";

export function statusOf(record: Source | Endpoint | Subscription): ShownStatus {
	const { status } = record;
	if (status !== "active") {
		return { status, status_reason: "statusReason" in record ? record.statusReason : BY_HAND };
	}
	return isUnreadable(record)
		? { status: "paused", status_reason: "secret_unreadable" }
		: { status, status_reason: null };
}

function isUnreadable(record: Source | Endpoint | Subscription): boolean {
	if ("signingSecrets" in record) return !isReadable(record);
	return "secrets" in record && record.secrets === null;
}
