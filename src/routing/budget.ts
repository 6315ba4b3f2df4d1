/**
 * The budget of requests that may come of one delivery. It is carried by the events themselves: each child is charged
 * one, and the rest is divided among those that go on, so that nothing has to be counted anywhere. Pure.
 */

/** How many requests may come of what a publisher's event causes at one subscription, unless the operator says otherwise. */
export const DEFAULT_RESULT_BUDGET = 100;
/** So that a budget fits into the attribute, whatever it is added to. */
const MAX_RESULT_BUDGET = 1_000_000;

/** A delivery that is to be made of an event. */
export interface Child {
	subscriptionId: string;
	/** Whether its result becomes an event. */
	publishes: boolean;
}

/** `RESULT_BUDGET`, a whole number from 1 to 1,000,000; anything else is the default. */
export function resultBudget({ RESULT_BUDGET }: { RESULT_BUDGET?: string }): number {
	const budget = Number(RESULT_BUDGET ?? DEFAULT_RESULT_BUDGET);
	return Number.isInteger(budget) && budget >= 1 && budget <= MAX_RESULT_BUDGET
		? budget
		: DEFAULT_RESULT_BUDGET;
}

/**
 * What each child may pass on, by its subscription; one that is left out may not be made. All children and all they pass
 * on are never more than `budget`. Those that publish results share what is left, the remainder in the order of their
 * ids; where none does, all of them share it, because events may come of any request whose endpoint passes its lineage
 * header on. The result does not depend on the order of `children`.
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
