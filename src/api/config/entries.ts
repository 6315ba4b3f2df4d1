/**
 * Plans one entry as created, changed or unchanged, with the functions of POST and PUT. Pure,
 * except that it generates secrets and ids.
 */
import type { FieldError } from "../../http/problem.ts";
import type { Configuration } from "../../store/resources/configuration.ts";
import type { EndpointChanges } from "../../store/resources/endpoint-row.ts";
import type {
	Endpoint,
	ReadableEndpoint,
	ReadableSource,
	Source,
	Subscription,
} from "../../store/records.ts";
import type { SourceChanges } from "../../store/resources/source-row.ts";
import type { SubscriptionChanges } from "../../store/resources/subscriptions.ts";
import type { Principal } from "../access/principal.ts";
import { declaredEndpoint } from "../endpoints/declared.ts";
import { type Site, draftEndpoint, replaceEndpoint } from "../endpoints/draft.ts";
import { createEndpointSchema } from "../endpoints/fields.ts";
import { differingPaths } from "../fields/compare.ts";
import { checkFields, invalidRequest } from "../http/body.ts";
import { declaredSource } from "../sources/declared.ts";
import { draftSource, replaceSource } from "../sources/draft.ts";
import { createSourceSchema } from "../sources/fields.ts";
import { declaredSubscription } from "../subscriptions/declared.ts";
import { draftOf, replaceSubscription } from "../subscriptions/draft.ts";
import { type KnownNames, declaredSubscriptionSchema } from "../subscriptions/fields.ts";
import type { Lookup } from "../subscriptions/refs.ts";
import type { ConfigInput } from "./document.ts";
import type { PlannedList } from "./planned.ts";
import { type GivenSecrets, endpointWithSecrets, secretKey, sourceWithSecret } from "./secrets.ts";

export interface Circumstances {
	principal: Principal;
	site: Site;
	/** ms since the epoch. */
	now: number;
}

export interface Planning extends Circumstances {
	errors: FieldError[];
	/** Invalid entries, as `endpoints/NAME@VERSION`. */
	failed: Set<string>;
	given: GivenSecrets;
	made: Record<string, string>;
	prune: boolean;
}

export type Entry = Record<string, unknown>;

export interface ListToPlan<T> {
	/** The name of the list in the document. */
	path: "sources" | "endpoints" | "subscriptions";
	entries: readonly Entry[] | undefined;
	stored: readonly T[];
	nameOf: (record: T) => string;
	nameIn: (entry: Entry) => string;
}

/**
 * Adds an entry to the created, changed or unchanged ones. Throws a `Problem` for an invalid entry.
 */
export type PlanEntry<T, New extends T, C> = (
	planning: Planning,
	entry: Entry,
	former: T | null,
	planned: PlannedList<T, New, C>,
) => void | Promise<void>;

function nameIn({ name }: Entry): string {
	return typeof name === "string" ? name : "";
}

export function sourceList(
	{ sources: entries }: ConfigInput,
	{ sources: stored }: Configuration,
): ListToPlan<Source> {
	return { path: "sources", entries, stored, nameOf: ({ name }) => name, nameIn };
}

export const planSource: PlanEntry<Source, ReadableSource, SourceChanges> = (
	planning,
	entry,
	former,
	planned,
) => {
	const { given, made, now } = planning;
	const filled = sourceWithSecret(entry, former, given);
	if (filled.errors.length > 0) throw invalidRequest(filled.errors);
	const input = checkFields(filled.entry, createSourceSchema);
	if (former === null) {
		const { source, secret } = draftSource(input, now);
		planned.created.push(source);
		if (input.secret === undefined && secret !== null) {
			made[secretKey(`sources/${source.name}`, ["secret"])] = secret;
		}
		return;
	}
	const changes = replaceSource(former, input, now);
	if (changes === null) return void planned.unchanged.push(former);
	const record = { ...former, ...changes };
	const fields = changedFields(
		{ ...declaredSource(former), status: former.status },
		{ ...declaredSource(record), status: record.status },
		changes.secrets === undefined ? null : "secret",
	);
	planned.changed.push({ former, record, changes, fields });
};

export function endpointList(
	{ endpoints: entries }: ConfigInput,
	{ endpoints: stored }: Configuration,
): ListToPlan<Endpoint> {
	return {
		path: "endpoints",
		entries,
		stored,
		nameOf: ({ name, version }) => `${name}@${version}`,
		nameIn: (entry) => `${nameIn(entry)}@${typeof entry["version"] === "string" ? entry["version"] : "1"}`,
	};
}

export const planEndpoint: PlanEntry<Endpoint, ReadableEndpoint, EndpointChanges> = (
	planning,
	entry,
	former,
	planned,
) => {
	const { given, made, site, now } = planning;
	const filled = endpointWithSecrets(entry, former, given);
	if (filled.errors.length > 0) throw invalidRequest(filled.errors);
	const input = checkFields(filled.entry, createEndpointSchema);
	if (former === null) {
		// In the order of the document, so that the last version of a name is the latest.
		const { endpoint, secret } = draftEndpoint(input, site, now + planned.created.length);
		planned.created.push(endpoint);
		if (input.signing_secret === undefined) {
			made[secretKey(`endpoints/${endpoint.name}@${endpoint.version}`, ["signing_secret"])] = secret;
		}
		return;
	}
	const changes = replaceEndpoint(former, input, site, now);
	if (changes === null) return void planned.unchanged.push(former);
	const record = { ...former, ...changes };
	const fields = changedFields(
		{ ...declaredEndpoint(former), status: former.status },
		{ ...declaredEndpoint(record), status: record.status },
		changes.signingSecrets === undefined ? null : "signing_secret",
	);
	planned.changed.push({ former, record, changes, fields });
};

export function subscriptionList(
	{ subscriptions: entries }: ConfigInput,
	{ subscriptions: stored }: Configuration,
): ListToPlan<Subscription> {
	return { path: "subscriptions", entries, stored, nameOf: ({ name }) => name, nameIn };
}

export interface References {
	/** Among the resources that will exist. */
	lookup: Lookup;
	/** Of existing and future resources. */
	names: KnownNames;
}

export function subscriptionPlanner({
	lookup,
	names,
}: References): PlanEntry<Subscription, Subscription, SubscriptionChanges> {
	return async ({ principal, now }, entry, former, planned) => {
		const input = checkFields(entry, declaredSubscriptionSchema);
		if (input.name === undefined) throw invalidRequest([{ path: "name", message: "is required" }]);
		if (former === null) {
			planned.created.push((await draftOf(lookup, input, now)).subscription);
			return;
		}
		const { changes } = await replaceSubscription(former, input, { lookup, principal });
		if (changes === null) return void planned.unchanged.push(former);
		const { unreadable: _, ...readable } = former;
		const record = { ...readable, ...changes };
		const fields = changedFields(
			{ ...declaredSubscription(former, names), status: former.status },
			{ ...declaredSubscription(record, names), status: record.status },
			null,
		);
		planned.changed.push({ former, record, changes, fields });
	};
}

function changedFields(before: Entry, after: Entry, secret: string | null): string[] {
	return [...differingPaths(before, after), ...(secret === null ? [] : [secret])];
}
