/** Which object runs an exchange: the dispatcher, or one of its hands, which run six each and report in calls. */

/** Exchanges per hand: the connections of one object. */
const PLACES = 6;
export const NO_HAND = -1;

/** The hand that runs the exchange at a place, from 0; NO_HAND for the first `inProcess`. */
export function handOf(place: number, inProcess: number): number {
	return place < inProcess ? NO_HAND : Math.floor((place - inProcess) / PLACES);
}

/** How many exchanges have finished in each hand since its last report. */
export class Gathering<Ended> {
	readonly #byHand = new Map<number, Ended[]>();

	/** Whether this is the first one since then, so that the next report has to be scheduled. */
	add(hand: number, ended: Ended): boolean {
		const gathered = this.#byHand.get(hand);
		if (gathered === undefined) this.#byHand.set(hand, [ended]);
		else gathered.push(ended);
		return gathered === undefined;
	}

	take(hand: number): Ended[] {
		const gathered = this.#byHand.get(hand) ?? [];
		this.#byHand.delete(hand);
		return gathered;
	}
}
