/** Why a delivery that is due is not sent, as the API shows it. Pure. */
import type { Admitted, BlockedBy } from "../gates/gates.ts";
import type { DeliveryRecord } from "../records.ts";

/** When the endpoint's gates open without an event: 0 for now, null if something has to end first. */
export function opensAt(admitted: Admitted): number | null {
	return admitted.blockedBy === null ? 0 : admitted.until;
}

/** The record as it is at `now`, ms since the epoch: it names no time in the past. */
export function explainBlocked(
	record: DeliveryRecord,
	{ blockedBy, blockedUntil }: { blockedBy: BlockedBy | null; blockedUntil: number | null },
	now: number,
): DeliveryRecord {
	const { status, nextAttemptAt } = record;
	if (nextAttemptAt === null) return record;
	// A delivery that is due after the endpoint opens waits for its own time.
	const ownTime = Math.max(nextAttemptAt, now);
	// A result event goes to the queue, whatever the endpoint's gates allow.
	if (status !== "pending") return { ...record, nextAttemptAt: ownTime };
	const waitsForEndpoint =
		blockedBy !== null && (blockedUntil === null ? nextAttemptAt <= now : nextAttemptAt < blockedUntil);
	if (!waitsForEndpoint) return { ...record, nextAttemptAt: ownTime };
	return { ...record, blockedBy, blockedUntil, nextAttemptAt: blockedUntil };
}
