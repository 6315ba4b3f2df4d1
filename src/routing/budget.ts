/**
 * The request budget of a delivery. It is part of the event: each child costs one request, and the rest is divided
 * among the children that may cause further requests, so that no shared counter is needed. Pure.
 */

/** The default number of requests that a publisher's event may cause per subscription. */
export const DEFAULT_RESULT_BUDGET = 100;
/** Keeps a budget within the attribute's range, even after additions. */
const MAX_RESULT_BUDGET = 1_000_000;

/** A delivery to be made for an event. */
export interface Child {
	subscriptionId: string;
	/** Whether its result becomes an event. */
	publishes: boolean;
}

/** Returns `RESULT_BUDGET` if it is an integer from 1 to 1,000,000, else the default. */
export function resultBudget({ RESULT_BUDGET }: { RESULT_BUDGET?: string }): number {
	const budget = Number(RESULT_BUDGET ?? DEFAULT_RESULT_BUDGET);
	return Number.isInteger(budget) && budget >= 1 && budget <= MAX_RESULT_BUDGET
		? budget
		: DEFAULT_RESULT_BUDGET;
}

/**
 * Returns the budget that each child may pass on, by subscription. A missing child must not be made. The children and
 * their budgets together never exceed `budget`. Children that publish results share what is left, the remainder in the
 * order of their ids. If none does, all share it, because an endpoint may post events with its lineage header. The
 * result does not depend on the order of `children`.
 */
export function divideBudget(budget: number, children: readonly Child[]): Map<string, number> {
	const ordered = children.toSorted((left, right) => (left.subscriptionId < right.subscriptionId ? -1 : 1));
	const made = ordered.slice(0, Math.max(budget, 0));
	const publishing = made.filter(({ publishes }) => publishes);
	const heirs = publishing.length > 0 ? publishing : made;
	const rest = budget - made.length;
	const share = Math.floor(rest / Math.max(heirs.length, 1));
	const remainder = rest - share * heirs.length;
	const shares = new Map(made.map(({ subscriptionId }) => [subscriptionId, 0]));
	heirs.forEach(({ subscriptionId }, index) => {
		shares.set(subscriptionId, share + (index < remainder ? 1 : 0));
	});
	return shares;
}
