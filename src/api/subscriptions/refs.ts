/** Resolves the references of a subscription. */
import type { Env } from "../../env.ts";
import type { FieldError } from "../../http/problem.ts";
import { findEndpoint, parseEndpointRef } from "../../store/resources/endpoints.ts";
import type { Subscription } from "../../store/records.ts";
import { findSourceRef } from "../fields/source-refs.ts";
import { invalidRequest } from "../http/body.ts";
import { type SubscriptionInput, targetOf } from "./fields.ts";

/** Where references are looked up: in the database, or in a document that is to be applied. */
export interface Lookup {
	endpoint(ref: string): Promise<{ id: string; name: string; version: string } | null>;
	source(ref: string): Promise<{ id: string; name: string } | null>;
}

export function lookupIn(env: Env): Lookup {
	return {
		endpoint: (ref) => findEndpoint(env, ref),
		source: (ref) => findSourceRef(env, ref),
	};
}

export interface ResolvedRefs {
	/** undefined if it is not given. null: events of every source. */
	sourceId: string | null | undefined;
	/** null: every source, or none is given. */
	sourceName: string | null;
	/** `name@latest` stays a name: it is resolved for each event. */
	target: Subscription["target"] | undefined;
	targetRef: string;
	/** Without its version; "" if no target is given. */
	endpointName: string;
}

/**
 * Resolves the references in the input. Throws 422 with every reference to something that does not
 * exist.
 */
export async function resolveRefs(lookup: Lookup, input: SubscriptionInput): Promise<ResolvedRefs> {
	const asked = targetOf(input);
	const [endpoint, source] = await Promise.all([
		asked && lookup.endpoint(asked.ref),
		typeof input.source === "string" ? lookup.source(input.source) : null,
	]);
	const errors: FieldError[] = [];
	if (asked !== null && endpoint === null) {
		errors.push({ path: asked.path, message: `there is no endpoint ${asked.ref}` });
	}
	if (typeof input.source === "string" && source === null) {
		errors.push({ path: "source", message: `there is no source ${input.source}` });
	}
	if (errors.length > 0) throw invalidRequest(errors);
	const sourceId = input.source === undefined ? undefined : (source?.id ?? null);
	const names = { sourceId, sourceName: source?.name ?? null, endpointName: endpoint?.name ?? "" };
	if (asked === null || endpoint === null) return { ...names, target: undefined, targetRef: "" };
	return "latestOf" in parseEndpointRef(asked.ref)
		? { ...names, target: { latestOf: endpoint.name }, targetRef: `${endpoint.name}@latest` }
		: { ...names, target: { endpointId: endpoint.id }, targetRef: `${endpoint.name}@${endpoint.version}` };
}
