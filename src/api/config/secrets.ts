/**
 * Secrets of a configuration document: `{"secret_ref": "KEY"}` stands where one belongs, its value beside the document, under
 * KEY. What is left out has a key of its own: `sources/NAME/secret`, `endpoints/NAME@VERSION/auth.token`. Pure.
 */
import type { FieldError } from "../../http/problem.ts";
import type { Endpoint } from "../../store/records.ts";
import { declaredEndpoint, requiredSecrets } from "../endpoints/declared.ts";
import { HIDDEN } from "../endpoints/hidden.ts";
import { isObject } from "../fields/compare.ts";
import { valueAt, withValueAt } from "../fields/paths.ts";

type Entry = Record<string, unknown>;

/** `owner`: such as `sources/documents`. */
export function secretKey(owner: string, path: readonly string[]): string {
	return `${owner}/${path.join(".")}`;
}

/** The values that came beside a document, and which of them some entry has asked for. */
export interface GivenSecrets {
	values: Readonly<Record<string, string>>;
	asked: Set<string>;
}

export function givenSecrets(values: Readonly<Record<string, string>>): GivenSecrets {
	return { values, asked: new Set() };
}

/** The keys that no entry has asked for: most likely somebody has misspelt one. */
export function unaskedFor({ values, asked }: GivenSecrets): FieldError[] {
	return Object.keys(values)
		.filter((key) => !asked.has(key))
		.map((key) => ({ path: `secrets.${key}`, message: "no entry of the document has such a secret" }));
}

function take({ values, asked }: GivenSecrets, key: string): string | undefined {
	asked.add(key);
	return Object.hasOwn(values, key) ? values[key] : undefined;
}

function refIn(value: unknown): string | null {
	if (!isObject(value) || Object.keys(value).length !== 1) return null;
	const { secret_ref: ref } = value;
	return typeof ref === "string" ? ref : null;
}

/** A secret that can be made where none is given: it is left out then. */
function withMakeable(entry: Entry, field: string, key: string, given: GivenSecrets): Entry {
	const value = entry[field];
	const ref = refIn(value);
	if (value !== undefined && ref === null) return entry;
	return withValueAt(entry, [field], take(given, ref ?? key));
}

/** The entry of a source with its secret, where there is one beside the document. */
export function sourceWithSecret(entry: Entry, given: GivenSecrets): Entry {
	return withMakeable(entry, "secret", secretKey(`sources/${String(entry["name"])}`, ["secret"]), given);
}

/**
 * The entry of an endpoint with its secrets: those beside the document, else those that `former` has, whose own are never
 * asked for again. `errors`: those that are neither here nor there, by field.
 */
export function endpointWithSecrets(
	entry: Entry,
	former: Endpoint | null,
	given: GivenSecrets,
): { entry: Entry; errors: FieldError[] } {
	const { name, version = "1" } = entry;
	const owner = `endpoints/${String(name)}@${String(version)}`;
	const stored = former === null ? {} : declaredEndpoint(former);
	const errors: FieldError[] = [];
	const signed = withMakeable(entry, "signing_secret", secretKey(owner, ["signing_secret"]), given);
	const filled = secretPlaces(signed).reduce((filling, path) => {
		const value = valueAt(filling, path);
		const ref = refIn(value);
		if (value !== undefined && value !== HIDDEN && ref === null) return filling;
		const key = ref ?? secretKey(owner, path);
		const secret = take(given, key) ?? storedAt(stored, entry, path);
		if (secret === undefined) {
			errors.push({ path: path.join("."), message: `is required: give it in secrets, as "${key}"` });
		}
		return withValueAt(filling, path, secret);
	}, signed);
	return { entry: filled, errors };
}

/** Whether a value stands for a secret that is elsewhere. */
function isOpen(value: unknown): boolean {
	return value === HIDDEN || refIn(value) !== null;
}

/** The paths of the members of `value`, which stands at `path`, that are secrets to be filled in. */
function openIn(value: unknown, path: string[]): string[][] {
	return Object.entries(isObject(value) ? value : {})
		.filter(([, member]) => isOpen(member))
		.map(([name]) => [...path, name]);
}

/** Every place where the entry has a secret to be filled in, or could not be without one. */
function secretPlaces(entry: Entry): string[][] {
	const { auth, headers, completion } = entry;
	const required = requiredSecrets(auth);
	const others = [
		...openIn(auth, ["auth"]),
		...openIn(isObject(auth) ? auth["headers"] : null, ["auth", "headers"]),
		...openIn(headers, ["headers"]),
		...openIn(completion, ["completion"]).filter(([, name]) => name === "webhook_secret"),
	].filter((path) => !required.some((known) => known.join(".") === path.join(".")));
	return [...required, ...others];
}

/** Credentials of another type of `auth` are none of this one. */
function storedAt(stored: Entry, entry: Entry, path: readonly string[]): string | undefined {
	const [first = "", ...rest] = path;
	if (first === "auth" && valueAt(stored, ["auth", "type"]) !== valueAt(entry, ["auth", "type"]))
		return undefined;
	const value = valueAt(stored, path) ?? (first === "headers" ? headerOf(stored, rest[0] ?? "") : undefined);
	return typeof value === "string" ? value : undefined;
}

/** The names of headers know no case. */
function headerOf({ headers }: Entry, name: string): unknown {
	const isSameName = ([other]: [string, unknown]) => other.toLowerCase() === name.toLowerCase();
	return Object.entries(isObject(headers) ? headers : {}).find(isSameName)?.[1];
}
