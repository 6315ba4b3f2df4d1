/** Explains why an event did not match a subscription, with the rules of decide.ts. */
import type { Env } from "../env.ts";
import type { SluiceEvent } from "../events/event.ts";
import { writeQuarantines } from "../store/quarantines/write-quarantines.ts";
import type { Subscription } from "../store/records.ts";
import { criteriaOf, type Criterion, type SourceNames } from "./criteria.ts";
import { currentTable, type RoutingTable } from "./table.ts";

export interface Unmatched {
	subscription_id: string;
	subscription: string;
	/** The failed criterion: `source`, `filters.0`, … or `endpoint`. */
	criterion: string;
	/** error: the criterion could not be evaluated. */
	verdict: "fail" | "error";
	reason: string;
}

interface Asked {
	/** Hides subscriptions that the caller may not see. */
	isShown?: (subscription: Subscription) => boolean;
	readNames: (sourceIds: readonly string[]) => Promise<SourceNames>;
}

/** Returns every current, visible subscription that the event does not match, each with the first reason. */
export async function explain(
	env: Env,
	event: SluiceEvent,
	{ isShown = () => true, readNames }: Asked,
): Promise<Unmatched[]> {
	const table = await currentTable(env);
	const shown = table.subscriptions.filter(isShown);
	const names = await readNames([event.sourceId, ...shown.flatMap(({ sourceId }) => sourceId ?? [])]);
	const unmatched: Unmatched[] = [];
	for (const subscription of shown) {
		const first = await firstAgainst(event, subscription, table, names);
		if (first === null) continue;
		unmatched.push({ subscription_id: subscription.id, subscription: subscription.name, ...first });
	}
	await writeQuarantines(env);
	return unmatched;
}

async function firstAgainst(
	event: SluiceEvent,
	subscription: Subscription,
	table: RoutingTable,
	names: SourceNames,
): Promise<Pick<Unmatched, "criterion" | "verdict" | "reason"> | null> {
	for await (const judged of criteriaOf(event, subscription, names)) {
		const { criterion, verdict } = judged;
		if (verdict !== "pass") return { criterion, verdict, reason: reasonOf(judged) };
	}
	if (table.endpointOf(subscription) !== null) return null;
	return { criterion: "endpoint", verdict: "fail", reason: "no version of its endpoint exists" };
}

function reasonOf({ criterion, verdict, reason }: Criterion): string {
	const said = reason ?? "no reason is known";
	return verdict === "error" && criterion !== "filters" ? `filter failed: ${said}` : said;
}
