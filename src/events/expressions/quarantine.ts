/**
 * Expressions that exceed their limits are set aside individually: in this isolate at once, and in D1 with the next
 * write (store/quarantines/write-quarantines.ts), which other isolates read and the API shows. They are not evaluated again until
 * their owner changes.
 */
import { type Evaluation, evaluateExpression, type TellWork } from "./expression.ts";
import type { Overrun, Quarantine } from "./set-aside.ts";

/** A source or a subscription. */
export interface Owner {
	id: string;
	updatedAt: number;
	quarantine: Quarantine | null;
	/** A preview: an overrun is reported to the caller, but the expression is not set aside. */
	isPreview?: true;
}

export interface OwnedExpression {
	owner: Owner;
	/** The field's path in the API, such as `filters.1.jsonata`. */
	field: string;
	source: string;
	/** The text as stored, if it is more than the expression's source. */
	stored?: string;
}

/**
 * Owners, as they were when one of their expressions overran, with the reason for each field. The oldest are removed
 * first.
 */
const setAside = new Map<string, Map<string, string>>();
const MAX_OWNERS = 10_000;
/** Quarantines not yet written to D1. The oldest are dropped first; they will be detected again. */
const unwritten: Overrun[] = [];
const MAX_UNWRITTEN = 1_000;

/** Returns the owner's first set-aside expression whose field begins with `prefix`, or null. */
export function findSetAside(owner: Owner, prefix: string): Pick<Quarantine, "field" | "reason"> | null {
	if (owner.quarantine?.field.startsWith(prefix) === true) return owner.quarantine;
	for (const [field, reason] of setAside.get(keyOf(owner)) ?? []) {
		if (field.startsWith(prefix)) return { field, reason };
	}
	return null;
}

/** Evaluates the expression unless it is set aside; sets it aside if it overruns. `input` is created only if needed. */
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

/** Removes and returns the oldest quarantine that is not yet written. */
export function takeOverrun(): Overrun | undefined {
	return unwritten.shift();
}

/** Keeps a quarantine to be written later. */
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

/**
 * The key contains the update time, so that a changed owner is tried again. For an unchanged field, D1 still has the
 * quarantine.
 */
function keyOf({ id, updatedAt }: Owner): string {
	return `${id} ${updatedAt}`;
}
