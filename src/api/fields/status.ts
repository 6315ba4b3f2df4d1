/**
 * Whether a resource works, and if not, why: the `status` and `status_reason` of the API, computed
 * from the stored status and the rest of the record.
 */
import { type Quarantine } from "../../events/expressions/set-aside.ts";
import { bindKind } from "../../sources/registry.ts";
import {
	type Endpoint,
	type EndpointStatus,
	type StatusReason,
	type Source,
	type Subscription,
	isReadable,
} from "../../store/records.ts";

export interface ShownStatus {
	status: EndpointStatus | "requested" | "quarantined";
	/**
	 * null while it is active or requested; `<field>: <reason>` of the expression that is set aside.
	 */
	status_reason: string | null;
}

/** Otherwise only a person can pause sources and subscriptions. */
const BY_HAND: StatusReason = "manual";

const UNREADABLE = "stored in a form that this release cannot read; write it again";

export function statusOf(record: Source | Endpoint | Subscription): ShownStatus {
	const { status } = record;
	if (status === "requested") return { status, status_reason: null };
	if (status === "denied") return { status: "paused", status_reason: "denied" };
	if (status !== "active") {
		return { status, status_reason: "statusReason" in record ? record.statusReason : BY_HAND };
	}
	const unreadable = unreadableOf(record);
	if (unreadable !== null) return { status: "paused", status_reason: `${unreadable}_unreadable` };
	if ("unreadable" in record && record.unreadable !== undefined) {
		return { status: "quarantined", status_reason: `${record.unreadable.join(", ")}: ${UNREADABLE}` };
	}
	const quarantine = "quarantine" in record ? record.quarantine : null;
	return quarantine === null
		? { status, status_reason: null }
		: { status: "quarantined", status_reason: `${quarantine.field}: ${quarantine.reason}` };
}

function unreadableOf(record: Source | Endpoint | Subscription): "secret" | "settings" | null {
	if ("signingSecrets" in record) return isReadable(record) ? null : "secret";
	if (!("secrets" in record)) return null;
	if (record.secrets === null) return "secret";
	return bindKind(record).ok ? null : "settings";
}

/**
 * Whether a PATCH writes the expression that is set aside, which means that it should be tried
 * again.
 */
export function namesSetAside(quarantine: Quarantine | null, patch: Record<string, unknown>): boolean {
	if (quarantine === null) return false;
	const [first = "", second = ""] = quarantine.field.split(".");
	const named = patch[first];
	if (named === undefined) return false;
	// A list is written as a whole, a result member by member.
	const isPartly = first === "result" && typeof named === "object" && named !== null;
	return !isPartly || (named as Record<string, unknown>)[second] !== undefined;
}
