/** Who carries an exchange: a place in the dispatcher, or one of six in a hand, which tells what has ended in calls. */

/** Exchanges in a hand: the connections of one object. */
const PLACES = 6;
export const NO_HAND = -1;

/** Which hand carries the exchange at a place, from 0; NO_HAND for the first `inProcess`. */
export function handOf(place: number, inProcess: number): number {
	return place < inProcess ? NO_HAND : Math.floor((place - inProcess) / PLACES);
}

/** What has ended in each hand since it last told the dispatcher. */
export class Gathering<Ended> {
	readonly #byHand = new Map<number, Ended[]>();

	/** Whether it is the first since then, so that the next call has to be set. */
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
