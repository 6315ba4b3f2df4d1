/**
 * Expressions that overrun are set aside, each by itself: here at once, and in D1 as soon as somebody writes them
 * (store/write-quarantines.ts), which is what other isolates hear of and the API shows. Until their owner has changed,
 * they are not evaluated any more.
 */
import { type Evaluation, evaluateExpression, type TellWork } from "./expression.ts";
import type { Overrun, Quarantine } from "./set-aside.ts";

/** A source or a subscription. */
export interface Owner {
	id: string;
	updatedAt: number;
	quarantine: Quarantine | null;
	/** Somebody only tries it out: what overruns is told to them, and set aside for nobody. */
	isPreview?: true;
}

export interface OwnedExpression {
	owner: Owner;
	/** Its path in the API, such as `filters.1.jsonata`. */
	field: string;
	source: string;
	/** The stored text, where it is more than the expression's source. */
	stored?: string;
}

/**
 * Owners, as they were when one of their expressions overran, with the reason for each field. The oldest are removed
 * first.
 */
const setAside = new Map<string, Map<string, string>>();
const MAX_OWNERS = 10_000;
/** Quarantines that are not written to D1 yet. The oldest are dropped first: another isolate finds them again. */
const unwritten: Overrun[] = [];
const MAX_UNWRITTEN = 1_000;

/** The first expression of the owner that is set aside and whose field begins with `prefix`; null when none is. */
export function findSetAside(owner: Owner, prefix: string): Pick<Quarantine, "field" | "reason"> | null {
	if (owner.quarantine?.field.startsWith(prefix) === true) return owner.quarantine;
	for (const [field, reason] of setAside.get(keyOf(owner)) ?? []) {
		if (field.startsWith(prefix)) return { field, reason };
	}
	return null;
}

/** Evaluates, unless the expression is set aside; sets it aside when it overruns. `input` is made when it is needed. */
export async function evaluateOwned(
	{ owner, field, source, stored = source }: OwnedExpression,
	input: () => unknown,
	tell?: TellWork,
): Promise<Evaluation> {
	const known = findSetAside(owner, field);
	if (known !== null) return { ok: false, message: `it is set aside: ${known.reason}`, overrun: true };
	const evaluation = await evaluateExpression(source, input(), tell);
	if (evaluation.ok || !evaluation.overrun) return evaluation;
	const reason = evaluation.message;
	// Evaluations that ran at the same time may all overrun; only the first one is reported.
	if (owner.isPreview !== true && findSetAside(owner, field) === null) {
		remember(owner, field, reason);
		keepOverrun({ ownerId: owner.id, stored, field, reason, at: Date.now() });
	}
	return { ...evaluation, message: `it is set aside: ${reason}` };
}

/** The oldest quarantine that nobody has written yet; it is the caller's from now on. */
export function takeOverrun(): Overrun | undefined {
	return unwritten.shift();
}

/** Keeps one to be written later. */
export function keepOverrun(overrun: Overrun): void {
	unwritten.push(overrun);
	if (unwritten.length > MAX_UNWRITTEN) unwritten.shift();
}

function remember(owner: Owner, field: string, reason: string): void {
	const key = keyOf(owner);
	const fields = setAside.get(key) ?? new Map<string, string>();
	fields.set(field, reason);
	setAside.set(key, fields);
	for (const oldest of setAside.keys()) {
		if (setAside.size <= MAX_OWNERS) break;
		setAside.delete(oldest);
	}
}

/** An owner that has changed is tried anew: when that was not the expression, D1 says that it is set aside. */
function keyOf({ id, updatedAt }: Owner): string {
	return `${id} ${updatedAt}`;
}
