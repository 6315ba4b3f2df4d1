/**
 * What applying a document would change in the stored configuration. Pure, except that it generates
 * secrets and ids: nothing is read or written. Entries are checked and created by the functions of
 * POST and PUT. All errors are reported at once.
 */
import { type FieldError, Problem } from "../../http/problem.ts";
import type { Configuration } from "../../store/resources/configuration.ts";
import { invalidRequest } from "../http/body.ts";
import { type ConfigInput, namesIn } from "./document.ts";
import {
	type Circumstances,
	type ListToPlan,
	type PlanEntry,
	type Planning,
	type References,
	endpointList,
	planEndpoint,
	planSource,
	sourceList,
	subscriptionList,
	subscriptionPlanner,
} from "./entries.ts";
import { type Plan, type PlannedList, emptyList, outcomeOf } from "./planned.ts";
import { lookupAmong, refuseDangling, refuseSharedQueues } from "./references.ts";
import { givenSecrets, unaskedFor } from "./secrets.ts";

/** Limit of errors reported for one document. */
const MAX_ERRORS = 100;

/** Throws 422 with the paths of all errors, such as `endpoints.0.url`. */
export async function planConfiguration(
	input: ConfigInput,
	stored: Configuration,
	circumstances: Circumstances,
): Promise<Plan> {
	const errors: FieldError[] = [];
	const planning: Planning = {
		...circumstances,
		errors,
		failed: new Set(),
		given: givenSecrets(input.secrets ?? {}),
		made: {},
		prune: input.prune === true,
	};
	const sources = await planList(planning, sourceList(input, stored), planSource);
	const endpoints = await planList(planning, endpointList(input, stored), planEndpoint);
	const after = { sources: outcomeOf(sources), endpoints: outcomeOf(endpoints) };
	const references: References = {
		lookup: lookupAmong(after, planning.failed),
		names: namesIn({
			sources: [...stored.sources, ...after.sources],
			endpoints: [...stored.endpoints, ...after.endpoints],
		}),
	};
	const subscriptions = await planList(
		planning,
		subscriptionList(input, stored),
		subscriptionPlanner(references),
	);
	errors.push(...refuseSharedQueues(after.sources), ...unaskedFor(planning.given));
	errors.push(...refuseDangling({ sources, endpoints, subscriptions }));
	if (errors.length > 0) throw invalidRequest(errors.slice(0, MAX_ERRORS));
	return { sources, endpoints, subscriptions, made: planning.made };
}

/** An invalid entry adds its errors, and leaves what is stored unchanged. */
async function planList<T, New extends T, C>(
	planning: Planning,
	{ path, entries, stored, nameOf, nameIn }: ListToPlan<T>,
	planEntry: PlanEntry<T, New, C>,
): Promise<PlannedList<T, New, C>> {
	const planned = emptyList<T, New, C>();
	const byName = new Map(stored.map((record) => [nameOf(record), record]));
	const seen = new Set<string>();
	for (const [index, entry] of (entries ?? []).entries()) {
		const name = nameIn(entry);
		const former = byName.get(name) ?? null;
		try {
			if (seen.has(name)) {
				throw invalidRequest([{ path: "name", message: `${name} is in this list twice` }]);
			}
			seen.add(name);
			await planEntry(planning, entry, former, planned);
		} catch (error) {
			if (!(error instanceof Problem)) throw error;
			planning.errors.push(...within(`${path}.${index}`, error));
			planning.failed.add(`${path}/${name}`);
			if (former !== null) planned.kept.push(former);
		}
	}
	const others = stored.filter((record) => !seen.has(nameOf(record)));
	(entries !== undefined && planning.prune ? planned.deleted : planned.kept).push(...others);
	return planned;
}

function within(at: string, { errors, detail }: Problem): FieldError[] {
	if (errors.length === 0) return [{ path: at, message: detail }];
	return errors.map(({ path, message }) => ({ path: path === "" ? at : `${at}.${path}`, message }));
}
