/**
 * Filters of a subscription: the dialects of the CloudEvents Subscriptions draft over attributes, and `jsonata`
 * over the whole event. No I/O; asynchronous only because expressions are.
 */
import * as z from "zod";
import { expressionField } from "./expression-field.ts";
import type { TellWork } from "./expression.ts";
import { evaluateOwned, findSetAside, type Owner } from "./quarantine.ts";
import type { Attributes } from "../event.ts";

export type Filter =
	| { exact: Record<string, string> }
	| { prefix: Record<string, string> }
	| { suffix: Record<string, string> }
	| { all: Filter[] }
	| { any: Filter[] }
	| { not: Filter }
	| { jsonata: string };

/** The nesting limit, which bounds the recursion below. */
const MAX_DEPTH = 8;

const attributeText = z.string("must be text").min(1, "must not be empty");

const attributeMap = z
	.record(z.string(), attributeText, "must be an object of attributes")
	.superRefine((map, context) => {
		const names = Object.keys(map);
		if (names.length === 0) context.addIssue({ code: "custom", message: "must name at least one attribute" });
		for (const name of names) {
			if (/^[a-z0-9]+$/.test(name)) continue;
			const message =
				"an attribute name can only have lower-case letters and digits; compare fields of `data` with `jsonata`";
			context.addIssue({ code: "custom", path: [name], message });
		}
	});

const ONE_DIALECT = "a filter must have exactly one dialect; use `all` to combine several";

/**
 * A filter as it is written in a subscription: an object with exactly one dialect. Unknown dialects are
 * refused, as the draft requires: an unknown filter must not match everything.
 */
export const filterSchema: z.ZodType<Filter> = nestedFilter(MAX_DEPTH, expressionField);

/** A filter as stored. Its expressions were compiled when it was created, so reading it does not compile them again. */
export const storedFilterSchema: z.ZodType<Filter> = nestedFilter(MAX_DEPTH, z.string());

function nestedFilter(depth: number, expression: z.ZodType<string>): z.ZodType<Filter> {
	const inner =
		depth > 1
			? z.lazy(() => nestedFilter(depth - 1, expression))
			: z.never(`filters can nest at most ${MAX_DEPTH} levels deep`);
	const list = z.array(inner, "must be a list of filters").min(1, "must not be empty");
	const dialects: Record<string, z.ZodType<Filter>> = {
		exact: z.strictObject({ exact: attributeMap }, ONE_DIALECT),
		prefix: z.strictObject({ prefix: attributeMap }, ONE_DIALECT),
		suffix: z.strictObject({ suffix: attributeMap }, ONE_DIALECT),
		jsonata: z.strictObject({ jsonata: expression }, ONE_DIALECT),
		all: z.strictObject({ all: list }, ONE_DIALECT),
		any: z.strictObject({ any: list }, ONE_DIALECT),
		not: z.strictObject({ not: inner }, ONE_DIALECT),
	};
	return z.unknown().transform((value, context): Filter => {
		const dialect = typeof value === "object" && value !== null ? Object.keys(value)[0] : undefined;
		const schema = dialect === undefined ? undefined : dialects[dialect];
		if (schema === undefined) {
			const known = Object.keys(dialects).join(", ");
			context.addIssue({
				code: "custom",
				message: `a filter must be an object with one of these dialects: ${known}`,
			});
			return z.NEVER;
		}
		const parsed = schema.safeParse(value);
		if (parsed.success) return parsed.data;
		for (const { path, message } of parsed.error.issues) {
			context.addIssue({ code: "custom", path, message });
		}
		return z.NEVER;
	});
}

/** The input of filters. `document` is the input of `jsonata` filters: the event with parsed data, created once. */
export interface FilterSubject {
	attributes: Attributes;
	document: () => unknown;
	/** Receives the work of each evaluation, in units. */
	tell?: TellWork;
	/** Receives a note for every expression that gave neither true nor false: the reason, and whether it is a failure. */
	note?: (note: Note) => void;
	/** Once it returns true, no further expressions are evaluated; their filters count as failed. */
	isSpent?: () => boolean;
}

export interface Note {
	/** Names the expression: "filters.1.jsonata: …". */
	message: string;
	isFailure: boolean;
}

/** The part of a subscription that filters need. */
export interface Filtered extends Owner {
	filters: readonly Filter[];
}

/**
 * Returns null if every filter matches; otherwise why the first one does not, for `?explain=true`. If an expression in
 * any of them is set aside, the subscription does not match.
 */
export async function whyNot(subscription: Filtered, subject: FilterSubject): Promise<string | null> {
	const known = findSetAside(subscription, "filters.");
	if (known !== null) return `${known.field} is set aside: ${known.reason}`;
	for (const [index, filter] of subscription.filters.entries()) {
		const verdict = await holds(filter, { subject, subscription, path: `filters.${index}` });
		if (verdict === "set aside") return whyNot(subscription, subject);
		if (!verdict) return doesNotHold(filter);
	}
	return null;
}

export interface FilterVerdict {
	/** error: an expression could not be evaluated, so the filter does not match or the result is unknown. */
	verdict: "pass" | "fail" | "error";
	/** null: the filter matches and there is nothing to report. */
	reason: string | null;
}

/** Evaluates a single filter of a subscription, while `whyNot` stops at the first that does not match. */
export async function judgeFilter(
	subscription: Filtered,
	index: number,
	subject: FilterSubject,
): Promise<FilterVerdict> {
	const filter = subscription.filters[index];
	if (filter === undefined) throw new Error(`there is no filter ${index}`);
	const notes: Note[] = [];
	const noting = { ...subject, note: (note: Note) => notes.push(note) };
	const verdict = await holds(filter, { subject: noting, subscription, path: `filters.${index}` });
	const said = notes.map(({ message }) => message).join("; ");
	if (verdict === true) return { verdict: "pass", reason: said === "" ? null : said };
	const isError = verdict === "set aside" || notes.some(({ isFailure }) => isFailure);
	return { verdict: isError ? "error" : "fail", reason: said === "" ? doesNotHold(filter) : said };
}

function doesNotHold(filter: Filter): string {
	return `filter does not hold: ${JSON.stringify(filter)}`;
}

interface Context {
	subject: FilterSubject;
	subscription: Filtered;
	/** The path of the filter in the subscription. */
	path: string;
}

type Verdict = boolean | "set aside";

async function holds(filter: Filter, context: Context): Promise<Verdict> {
	const { subject, path } = context;
	if ("exact" in filter) return compare(filter.exact, subject, (value, wanted) => value === wanted);
	if ("prefix" in filter) return compare(filter.prefix, subject, (value, wanted) => value.startsWith(wanted));
	if ("suffix" in filter) return compare(filter.suffix, subject, (value, wanted) => value.endsWith(wanted));
	if ("not" in filter) {
		const verdict = await holds(filter.not, { ...context, path: `${path}.not` });
		return verdict === "set aside" ? verdict : !verdict;
	}
	if ("all" in filter) {
		for (const [index, inner] of filter.all.entries()) {
			const verdict = await holds(inner, { ...context, path: `${path}.all.${index}` });
			if (verdict !== true) return verdict;
		}
		return true;
	}
	if ("any" in filter) {
		for (const [index, inner] of filter.any.entries()) {
			const verdict = await holds(inner, { ...context, path: `${path}.any.${index}` });
			if (verdict !== false) return verdict;
		}
		return false;
	}
	return isTrue(filter.jsonata, context);
}

function compare(
	wanted: Record<string, string>,
	{ attributes }: FilterSubject,
	test: (value: string, wanted: string) => boolean,
): boolean {
	return Object.entries(wanted).every(([name, text]) => {
		const value =
			name === "specversion" ? "1.0" : Object.hasOwn(attributes, name) ? attributes[name] : undefined;
		return value !== undefined && test(String(value), text);
	});
}

/** Fails closed: an expression that fails, or whose value is not `true`, does not match. */
async function isTrue(source: string, { subject, subscription, path }: Context): Promise<Verdict> {
	const field = `${path}.jsonata`;
	if (subject.isSpent?.() === true) {
		subject.note?.({
			message: `${field}: not evaluated, because the other expressions have used up the limit of work`,
			isFailure: true,
		});
		return "set aside";
	}
	const owned = { owner: subscription, field, source };
	const evaluation = await evaluateOwned(owned, subject.document, subject.tell);
	if (!evaluation.ok) {
		subject.note?.({ message: `${field}: ${evaluation.message}`, isFailure: true });
		return evaluation.overrun ? "set aside" : false;
	}
	const { value } = evaluation;
	if (typeof value !== "boolean") {
		const what = value === undefined ? "has no value" : "has a value that is neither true nor false";
		subject.note?.({ message: `${field}: the expression ${what}`, isFailure: false });
	}
	return value === true;
}
