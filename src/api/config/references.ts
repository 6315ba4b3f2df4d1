/**
 * Whether the result of a plan is consistent: everything that subscriptions name exists, and no
 * queue has two sources. Pure.
 */
import type { FieldError } from "../../http/problem.ts";
import { kindOf } from "../../sources/registry.ts";
import { parseEndpointRef } from "../../store/resources/endpoints.ts";
import type { Endpoint, Source } from "../../store/records.ts";
import { BUILTIN_NAMES } from "../fields/source-refs.ts";
import type { Lookup } from "../subscriptions/refs.ts";
import { type Plan, outcomeOf } from "./planned.ts";

/**
 * By name, among the resources that will exist. `failed`: invalid entries, as
 * `endpoints/NAME@VERSION`; entries that name them are not reported as well.
 */
export function lookupAmong(
	{ sources, endpoints }: { sources: readonly Source[]; endpoints: readonly Endpoint[] },
	failed: ReadonlySet<string>,
): Lookup {
	const sourceIds = new Map([...sources.map(({ id, name }) => [name, id] as const), ...builtinIds()]);
	const byRef = new Map(endpoints.map((endpoint) => [`${endpoint.name}@${endpoint.version}`, endpoint]));
	const byName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
	const failedNames = new Set([...failed].map((path) => path.replace(/@.*/, "")));
	return {
		async endpoint(ref) {
			const parsed = parseEndpointRef(ref);
			if ("id" in parsed) return null;
			const [name, version] = "version" in parsed ? [parsed.name, parsed.version] : [parsed.latestOf, ""];
			const found = "version" in parsed ? byRef.get(`${name}@${version}`) : byName.get(name);
			if (found !== undefined) return found;
			const isFailed =
				failed.has(`endpoints/${ref}`) || (version === "" && failedNames.has(`endpoints/${name}`));
			return isFailed ? { id: "", name, version } : null;
		},
		async source(ref) {
			const id = sourceIds.get(ref) ?? (failed.has(`sources/${ref}`) ? "" : undefined);
			return id === undefined ? null : { id, name: ref };
		},
	};
}

function builtinIds(): (readonly [name: string, id: string])[] {
	return BUILTIN_NAMES.map(([id, name]) => [name, id]);
}

/**
 * Resources to be deleted although subscriptions that the document does not change name
 * them.
 */
export function refuseDangling({ sources, endpoints, subscriptions }: Omit<Plan, "made">): FieldError[] {
	const versionsLeft = new Set(outcomeOf(endpoints).map(({ name }) => name));
	const { kept } = subscriptions;
	return [
		...sources.deleted.flatMap(({ id, name }) =>
			refuseUsed(
				"sources",
				name,
				kept.filter(({ sourceId }) => sourceId === id),
			),
		),
		...endpoints.deleted.flatMap(({ id, name, version }) =>
			refuseUsed(
				"endpoints",
				`${name}@${version}`,
				kept.filter(({ target }) =>
					"endpointId" in target
						? target.endpointId === id
						: target.latestOf === name && !versionsLeft.has(name),
				),
			),
		),
	];
}

function refuseUsed(path: string, name: string, users: readonly { name: string }[]): FieldError[] {
	if (users.length === 0) return [];
	const names = users.map((user) => user.name).join(", ");
	return [{ path, message: `${name} cannot be deleted because remaining subscriptions need it: ${names}` }];
}

/** The messages of a queue go to one source; a second would never get any. */
export function refuseSharedQueues(sources: readonly Source[]): FieldError[] {
	const owners = new Map<string, string>();
	return sources.flatMap((source) => {
		const queue = source.settings?.["queue"];
		if (kindOf(source)?.transport !== "queue" || typeof queue !== "string") return [];
		const owner = owners.get(queue);
		owners.set(queue, source.name);
		if (owner === undefined) return [];
		return [{ path: "sources", message: `${source.name} and ${owner} would both read the queue ${queue}` }];
	});
}
