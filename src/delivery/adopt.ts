/**
 * Takes over exchanges that an earlier life of the dispatcher began, or that were considered lost: they end as if this
 * life had begun them.
 */
import { log } from "../log.ts";
import { isReachable, type Settings } from "../store/views/settings.ts";
import type { Announcer } from "./announcing/announcer.ts";
import type { Flights } from "./flights.ts";
import type { Held } from "./hands/job.ts";
import type { Backlog } from "./ledger/backlog.ts";
import { idsOf } from "./log-lines.ts";
import type { AttemptResult } from "./rules/attempt.ts";
import type { Delivery } from "./rules/delivery.ts";
import type { SettingsCache } from "./settings.ts";
import { resume } from "./tasks/send.ts";
import type { Ran, TaskIo } from "./tasks/task.ts";

export interface Adopting {
	ctx: Pick<DurableObjectState, "waitUntil">;
	backlog: Backlog;
	settings: SettingsCache;
	flights: Flights;
	announcer: Pick<Announcer, "died">;
	io: TaskIo;
	/**
	 * Processes a claimed delivery as far as possible now. `isFormer`: it was begun with earlier settings. Never
	 * throws.
	 */
	carry(delivery: Delivery, run: () => Promise<Ran>, settings: Settings, isFormer: boolean): Promise<void>;
	/** Applies the consequences of an outcome, after it is written. Never throws. */
	follow(id: string, ran: Ran, settings: Settings, isRepaired: boolean): Promise<void>;
}

/**
 * Returns a promise that resolves when the outcome is written; null if it no longer matters: it is
 * already settled, or its delivery or endpoint no longer exists.
 */
export function adopt(
	adopting: Adopting,
	held: Held,
	ended: Promise<AttemptResult | null>,
	isLate: boolean,
): Promise<void> | null {
	const { ctx, backlog, settings, flights, io } = adopting;
	const { last } = settings;
	if (!isReachable(last)) return null;
	const { deliveryId, position, startedAt, isStep } = held;
	// The poll that it was part of is repeated.
	if (isStep === true) return null;
	const claimed = flights.claimed.get(deliveryId);
	const delivery = claimed ?? backlog.findAt(position, deliveryId);
	if (delivery === null || delivery.attempts.some(({ at }) => at === startedAt)) return null;
	const run = (): Promise<Ran> => resume(delivery, last, io, { startedAt, ended, isLate });
	if (claimed === undefined) {
		flights.begin(delivery, "send");
		flights.sent(deliveryId, startedAt);
		// It is no longer known whether the endpoint was repaired since then.
		const isFormer = startedAt <= last.endpoint.updatedAt;
		ctx.waitUntil(adopting.carry(delivery, run, last, isFormer));
		return flights.whenEnded(deliveryId);
	}
	if (!isLate) return null;
	// The delivery is in progress again: this outcome is recorded in addition.
	const carried = carryBeside(adopting, delivery, run, last);
	ctx.waitUntil(carried);
	return carried;
}

async function carryBeside(
	adopting: Adopting,
	delivery: Delivery,
	run: () => Promise<Ran>,
	settings: Settings,
): Promise<void> {
	const { flights, announcer } = adopting;
	try {
		const ran = await run();
		const before = flights.claimed.get(delivery.id);
		if (before !== undefined) flights.replace(ran.delivery);
		if (before !== undefined && "dueAt" in before.state) announcer.died(ran.delivery);
		await adopting.follow(delivery.id, ran, settings, false);
	} catch (error) {
		log("delivery.failed", { ...idsOf(delivery), error: String(error) });
	}
}
