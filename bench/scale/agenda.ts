/** A queue of values by time, earliest first; equal times in insertion order. */
export class Agenda<T> {
	readonly #heap: { at: number; order: number; value: T }[] = [];
	#put = 0;

	/** When the next one is due; infinity if there is none. */
	get nextAt(): number {
		return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
	}

	add(at: number, value: T): void {
		const heap = this.#heap;
		heap.push({ at, order: (this.#put += 1), value });
		for (let child = heap.length - 1; child > 0;) {
			const parent = (child - 1) >> 1;
			if (!this.#swapIfEarlier(child, parent)) break;
			child = parent;
		}
	}

	/** Removes and returns the next one; undefined if there is none. */
	take(): T | undefined {
		const heap = this.#heap;
		const first = heap[0];
		const last = heap.pop();
		if (first === undefined || last === undefined || first === last) return first?.value;
		heap[0] = last;
		for (let parent = 0; ;) {
			const left = 2 * parent + 1;
			const child = this.#isEarlier(left + 1, left) ? left + 1 : left;
			if (!this.#swapIfEarlier(child, parent)) break;
			parent = child;
		}
		return first.value;
	}

	#isEarlier(one: number, other: number): boolean {
		const [left, right] = [this.#heap[one], this.#heap[other]];
		if (left === undefined || right === undefined) return false;
		return left.at < right.at || (left.at === right.at && left.order < right.order);
	}

	#swapIfEarlier(child: number, parent: number): boolean {
		if (!this.#isEarlier(child, parent)) return false;
		const [lower, upper] = [this.#heap[child], this.#heap[parent]];
		if (lower === undefined || upper === undefined) return false;
		this.#heap[parent] = lower;
		this.#heap[child] = upper;
		return true;
	}
}
