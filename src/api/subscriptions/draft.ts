/** A subscription out of what somebody writes: its references resolved, its defaults filled in. Nothing is stored. */
import { randomBytes } from "node:crypto";
import type { Env } from "../../env.ts";
import { newId } from "../../events/ids.ts";
import type { FieldError } from "../../http/problem.ts";
import { findEndpoint, parseEndpointRef } from "../../store/endpoints.ts";
import type { Status, Subscription } from "../../store/records.ts";
import { findSourceRef } from "../fields/source-refs.ts";
import { invalidRequest } from "../http/body.ts";
import { mergeResult, type SubscriptionInput, targetOf } from "./fields.ts";

type DraftInput = SubscriptionInput & { status?: Status | undefined };

export interface Draft extends Pick<ResolvedRefs, "endpointName" | "sourceName"> {
	subscription: Subscription;
}

/** A new subscription, under a new id. Throws what `resolveRefs` throws. `now` in ms. */
export async function draftOf(env: Env, input: DraftInput, now: number): Promise<Draft> {
	const { target, targetRef, sourceId, sourceName, endpointName } = await resolveRefs(env, input);
	if (target === undefined) throw new Error("the schema lets no subscription pass without a target");
	const subscription: Subscription = {
		id: newId("sub"),
		name: input.name ?? nameFor(targetRef),
		sourceId: sourceId ?? null,
		types: input.types ?? [],
		filters: input.filters ?? [],
		target,
		transform: input.transform ?? null,
		result: mergeResult(null, input.result ?? null),
		status: input.status ?? "active",
		revision: 1,
		quarantine: null,
		createdAt: now,
		updatedAt: now,
	};
	return { subscription, endpointName, sourceName };
}

/** `to-ocr-3-x7f2`; the random part keeps apart what goes to the same endpoint. */
function nameFor(endpointRef: string): string {
	const readable = endpointRef.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 50);
	return `to-${readable}-${randomBytes(3).toString("hex")}`;
}

interface ResolvedRefs {
	/** What is not named is undefined. null: events of every source. */
	sourceId: string | null | undefined;
	/** null: every source, or none is named. */
	sourceName: string | null;
	/** `name@latest` stays a name: it is resolved for each event. */
	target: Subscription["target"] | undefined;
	targetRef: string;
	/** Without its version; "" when no target is named. */
	endpointName: string;
}

/** What the references in the input stand for. Throws 422 with every one that stands for nothing. */
export async function resolveRefs(env: Env, input: SubscriptionInput): Promise<ResolvedRefs> {
	const asked = targetOf(input);
	const [endpoint, source] = await Promise.all([
		asked && findEndpoint(env, asked.ref),
		typeof input.source === "string" ? findSourceRef(env, input.source) : null,
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
