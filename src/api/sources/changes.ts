/**
 * What a PATCH and a rotation of a source change, and what they refuse. Nothing is written here.
 */
import type * as z from "zod";
import type { Env } from "../../env.ts";
import { kindOf } from "../../sources/registry.ts";
import { Problem } from "../../http/problem.ts";
import type { Source, SourceAuth } from "../../store/records.ts";
import { findSourceOfQueue } from "../../store/resources/sources.ts";
import type { SourceChanges } from "../../store/resources/source-row.ts";
import { invalidRequest } from "../http/body.ts";
import { rotateSecrets, type rotationSchema } from "../fields/secrets.ts";
import { type patchSourceSchema, refuseAuth, refuseNames, resolveAuth, resolveSettings } from "./fields.ts";
import { chooseSecret, secretsAfter } from "./secrets.ts";
import { namesSetAside } from "../fields/status.ts";
import { named } from "../http/writes.ts";

/**
 * Throws 422 if the source's `auth` cannot be read, because the other allowed changes depend on it.
 */
function readAuth({ auth }: Source): SourceAuth {
	if (auth !== null) return auth;
	throw invalidRequest([
		{ path: "auth", message: "is stored in a form that cannot be read: write it again" },
	]);
}

/** Throws 422, or 409 `queue_taken`. */
export async function changesOf(
	env: Env,
	former: Source,
	input: z.output<typeof patchSourceSchema>,
): Promise<SourceChanges> {
	const { name, description, subject, event_type: eventType, dedupe_key: dedupeKey, auth, settings } = input;
	const { expect_every_seconds: expectEverySeconds, test: isTest } = input;
	const kind = input.kind ?? former.kind;
	refuseNames(kind, { event_type: eventType, subject, dedupe_key: dedupeKey });
	const changes: SourceChanges = {
		...(namesSetAside(former.quarantine, input) && { quarantine: null }),
		...named({
			name,
			kind: input.kind,
			description,
			subject,
			eventType,
			dedupeKey,
			expectEverySeconds,
			isTest,
		}),
		// A new kind brings its own settings.
		...((settings !== undefined || input.kind !== undefined) && {
			settings: resolveSettings(kind, settings ?? {}),
		}),
		...(auth !== undefined && { auth: resolveAuth(auth, name ?? former.name) }),
	};
	const nextAuth = changes.auth ?? readAuth(former);
	refuseAuth(kind, nextAuth.type);
	await refuseSharedQueue(env, { ...former, ...changes });
	const [only, ...others] = former.secrets ?? [];
	const isPresent = others.length === 0 && only?.expiresAt === null && only.value === input.secret;
	const secrets = secretsAfter(former, nextAuth, isPresent ? undefined : input.secret);
	return { ...changes, ...(secrets !== null && { secrets }) };
}

/** Throws 409 if there is no secret, or if it cannot be rotated alone. */
export function rotationOf(
	source: Source,
	{ secret: given, grace_period_seconds: graceSeconds }: z.output<typeof rotationSchema>,
): SourceChanges {
	const { secrets } = source;
	const auth = readAuth(source);
	if (auth.type === "aws_keys") {
		const detail = "A secret access key belongs to its key id: PATCH `secret` and `settings` together.";
		throw new Problem(409, "rotate_by_patch", detail);
	}
	const secret = chooseSecret(auth, given);
	if (secret === null) {
		throw new Problem(409, "no_secret", `A source with auth "${auth.type}" has no secret to rotate.`);
	}
	return { secrets: rotateSecrets(secrets, secret, { now: Date.now(), graceSeconds }) };
}

/** The messages of a queue go to one source; a second would never get any. */
export async function refuseSharedQueue(
	env: Env,
	source: Pick<Source, "id" | "kind" | "settings">,
): Promise<void> {
	const queue = source.settings?.["queue"];
	if (kindOf(source)?.transport !== "queue" || typeof queue !== "string") return;
	const other = await findSourceOfQueue(env, queue);
	if (other === null || other.id === source.id) return;
	throw new Problem(409, "queue_taken", `Source ${other.name} already reads the queue ${queue}.`);
}
