/**
 * Secrets of a configuration document: `{"secret_ref": "KEY"}` takes the place of a secret, whose
 * value is given in `secrets` under KEY. A secret that is left out has a default key:
 * `sources/NAME/secret`, `endpoints/NAME@VERSION/auth.token`. Pure.
 */
import type { FieldError } from "../../http/problem.ts";
import type { Endpoint, Source, SourceAuthType } from "../../store/records.ts";
import { declaredEndpoint, requiredSecrets } from "../endpoints/declared.ts";
import { HIDDEN } from "../../crypto/hidden.ts";
import { isObject } from "../fields/compare.ts";
import { defaultAuth } from "../sources/fields.ts";
import { canBeGenerated } from "../sources/secrets.ts";
import { valueAt, withValueAt } from "../fields/paths.ts";

type Entry = Record<string, unknown>;

/** `owner`: for example `sources/documents`. */
export function secretKey(owner: string, path: readonly string[]): string {
	return `${owner}/${path.join(".")}`;
}

/** The values given with a document, and which of them an entry has used. */
export interface GivenSecrets {
	values: Readonly<Record<string, string>>;
	asked: Set<string>;
}

export function givenSecrets(values: Readonly<Record<string, string>>): GivenSecrets {
	return { values, asked: new Set() };
}

/** The keys that no entry has used, most likely because of a typo. */
export function unaskedFor({ values, asked }: GivenSecrets): FieldError[] {
	return Object.keys(values)
		.filter((key) => !asked.has(key))
		.map((key) => ({ path: `secrets.${key}`, message: "no entry of the document uses this secret" }));
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

/** An entry with its secrets, and those that are missing, by field. */
interface Filled {
	entry: Entry;
	errors: FieldError[];
}

/**
 * A secret that can be generated is left out if none is given. If the document gives it a key other than the
 * default, somebody has a value for it, so none is generated.
 */
function withMakeable(
	entry: Entry,
	field: string,
	{ key, isNew, isMakeable = true }: { key: string; isNew: boolean; isMakeable?: boolean },
	given: GivenSecrets,
): Filled {
	const value = entry[field];
	const ref = refIn(value);
	if (value !== undefined && ref === null) return { entry, errors: [] };
	const secret = take(given, ref ?? key);
	const isNamed = ref !== null && ref !== key;
	const isMissing = secret === undefined && isNew && (isNamed || !isMakeable);
	const errors = isMissing ? [required([field], ref ?? key)] : [];
	return { entry: withValueAt(entry, [field], secret), errors };
}

function required(path: readonly string[], key: string): FieldError {
	return { path: path.join("."), message: `is required: give it in secrets, as "${key}"` };
}

/**
 * The entry of a source with its secret, if one is given with the document. `former`: the source
 * that is stored already.
 */
export function sourceWithSecret(entry: Entry, former: Source | null, given: GivenSecrets): Filled {
	const key = secretKey(`sources/${String(entry["name"])}`, ["secret"]);
	const isMakeable = canBeGenerated(authTypeOf(entry));
	return withMakeable(entry, "secret", { key, isNew: former === null, isMakeable }, given);
}

/** The type of its `auth`, or that of its kind. The entry has not been checked yet. */
function authTypeOf({ auth, kind }: Entry): SourceAuthType {
	const type = isObject(auth) ? auth["type"] : undefined;
	return (typeof type === "string" ? type : defaultAuth(String(kind)).type) as SourceAuthType;
}

/**
 * The entry of an endpoint with its secrets: those given with the document, otherwise those of
 * `former`, so that stored secrets need not be given again. `errors`: secrets that are in neither,
 * by field.
 */
export function endpointWithSecrets(entry: Entry, former: Endpoint | null, given: GivenSecrets): Filled {
	const { name, version = "1" } = entry;
	const owner = `endpoints/${String(name)}@${String(version)}`;
	const stored = former === null ? {} : declaredEndpoint(former);
	const signing = { key: secretKey(owner, ["signing_secret"]), isNew: former === null };
	const { entry: signed, errors } = withMakeable(entry, "signing_secret", signing, given);
	const filled = secretPlaces(signed).reduce((filling, path) => {
		const value = valueAt(filling, path);
		const ref = refIn(value);
		if (value !== undefined && value !== HIDDEN && ref === null) return filling;
		const key = ref ?? secretKey(owner, path);
		const secret = take(given, key) ?? storedAt(stored, entry, path);
		if (secret === undefined) {
			errors.push(required(path, key));
		}
		return withValueAt(filling, path, secret);
	}, signed);
	return { entry: filled, errors };
}

/** Whether a value stands for a secret that is given elsewhere. */
function isOpen(value: unknown): boolean {
	return value === HIDDEN || refIn(value) !== null;
}

/** The paths of all secrets to be filled in within `value`, which is at `path`. */
function openIn(value: unknown, path: string[]): string[][] {
	return Object.entries(isObject(value) ? value : {})
		.filter(([, member]) => isOpen(member))
		.map(([name]) => [...path, name]);
}

/** Every place where the entry has a secret to be filled in, or requires one. */
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

/** Credentials of another type of `auth` do not apply. */
function storedAt(stored: Entry, entry: Entry, path: readonly string[]): string | undefined {
	const [first = "", ...rest] = path;
	if (first === "auth" && valueAt(stored, ["auth", "type"]) !== valueAt(entry, ["auth", "type"]))
		return undefined;
	const value = valueAt(stored, path) ?? (first === "headers" ? headerOf(stored, rest[0] ?? "") : undefined);
	return typeof value === "string" ? value : undefined;
}

/** Header names are case-insensitive. */
function headerOf({ headers }: Entry, name: string): unknown {
	const isSameName = ([other]: [string, unknown]) => other.toLowerCase() === name.toLowerCase();
	return Object.entries(isObject(headers) ? headers : {}).find(isSameName)?.[1];
}
