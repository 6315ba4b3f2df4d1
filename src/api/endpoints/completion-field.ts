/** `completion` on the wire: how an endpoint's outputs arrive, and how long to wait for them. */
import * as z from "zod";
import { refuseSigningSecret } from "../../crypto/standard-webhooks.ts";
import { completionOf, refuseMode } from "../../models/completion.ts";
import { COMPLETION_MODES, type Completion, type Endpoint } from "../../store/records.ts";
import { invalidRequest } from "../http/body.ts";
import { HIDDEN } from "../../crypto/hidden.ts";

/** Baseten keeps jobs for three days, the longest known. */
const MAX_DEADLINE_SECONDS = 259_200;

const webhookSecret = z.string().superRefine((secret, context) => {
	if (secret === HIDDEN) return;
	const isHmac = secret.startsWith("whsec_");
	const message = isHmac ? refuseSigningSecret(secret) : "must begin with whsec_, as the provider shows it";
	if (message !== null) context.addIssue({ code: "custom", message });
});

export const completionField = z
	.strictObject({
		mode: z.enum(COMPLETION_MODES).nullable().describe("How outputs arrive; null: the protocol's default."),
		deadline_seconds: z
			.number()
			.int()
			.min(1)
			.max(MAX_DEADLINE_SECONDS)
			.describe("How long a job may take before it counts as failed."),
		hold_slot: z
			.boolean()
			.nullable()
			.describe("Whether a job counts towards max_concurrency until it ends; null: the protocol's default."),
		webhook_secret: webhookSecret
			.nullable()
			.describe("The secret (whsec_…) with which callbacks must be signed, by Standard Webhooks."),
	})
	.partial();

export type CompletionInput = z.output<typeof completionField>;

/**
 * `former` with the named members changed. Callbacks go to the host that this request used for the
 * API. Throws a `Problem` for a mode that the protocol does not support.
 */
export function mergeCompletion(
	former: Completion,
	input: CompletionInput,
	{ protocol, requestUrl }: { protocol: string; requestUrl: string },
): Completion {
	const { mode, deadline_seconds, hold_slot, webhook_secret: secret } = input;
	const merged = {
		mode: mode === undefined ? former.mode : mode,
		deadlineSeconds: deadline_seconds ?? former.deadlineSeconds,
		holdSlot: hold_slot === undefined ? former.holdSlot : hold_slot,
		webhookSecret: secret === undefined || secret === HIDDEN ? former.webhookSecret : secret,
		callbackOrigin: former.callbackOrigin,
	};
	if (secret === HIDDEN && former.webhookSecret === null) {
		const message = `${HIDDEN} stands for a stored value, but there is none`;
		throw invalidRequest([{ path: "completion.webhook_secret", message }]);
	}
	refuseCompletion(protocol, merged);
	const isCalledBack = completionOf({ protocol, completion: merged }).mode === "callback";
	return { ...merged, callbackOrigin: isCalledBack ? new URL(requestUrl).origin : former.callbackOrigin };
}

/** Throws a `Problem` if the protocol cannot complete in the requested mode. */
export function refuseCompletion(protocol: string, { mode }: Completion): void {
	const message = refuseMode(protocol, mode);
	if (message !== null) throw invalidRequest([{ path: "completion.mode", message }]);
}

export function completionToWire(
	endpoint: Pick<Endpoint, "protocol" | "completion">,
): Record<string, unknown> | null {
	const { protocol, completion } = endpoint;
	if (completion === null) return null;
	const { mode, holdsSlot } = completionOf({ protocol, completion });
	return {
		mode,
		deadline_seconds: completion.deadlineSeconds,
		hold_slot: holdsSlot,
		webhook_secret: completion.webhookSecret === null ? null : HIDDEN,
	};
}
