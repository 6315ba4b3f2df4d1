/**
 * Makes a source from a request: a new one, or a replacement of an existing one. POST, PUT and the
 * configuration document use the same two functions. Nothing is written here; checks that need D1
 * are in changes.ts.
 */
import type * as z from "zod";
import { newId } from "../../events/ids.ts";
import { noSettings } from "../../sources/kind.ts";
import { kindOf } from "../../sources/registry.ts";
import type { KnownSource, ReadableSource, Source, SourceAuth } from "../../store/records.ts";
import type { SourceChanges } from "../../store/resources/source-row.ts";
import { differing, isSame } from "../fields/compare.ts";
import { currentSecret, newSecret } from "../fields/secrets.ts";
import {
	type createSourceSchema,
	defaultAuth,
	refuseAuth,
	refuseNames,
	resolveAuth,
	resolveSettings,
} from "./fields.ts";
import { hmacField } from "./hmac-field.ts";
import { chooseSecret, secretsAfter } from "./secrets.ts";

export type SourceInput = z.output<typeof createSourceSchema>;

/** The fields that the owner sets; the router sets the rest. */
export type DeclaredSource = Pick<
	KnownSource,
	| "name"
	| "kind"
	| "description"
	| "auth"
	| "eventType"
	| "subject"
	| "dedupeKey"
	| "expectEverySeconds"
	| "isTest"
	| "settings"
>;

const DEFAULT_KIND = "generic";

/**
 * A new source under a new id, and its secret, which is shown once (null: it has none). Throws 422.
 * `now` in ms.
 */
export function draftSource(
	input: SourceInput,
	now: number,
): { source: ReadableSource; secret: string | null } {
	const declared = declare(input);
	const secret = chooseSecret(declared.auth, input.secret);
	const source: ReadableSource = {
		id: newId("src"),
		...declared,
		secrets: secret === null ? [] : [newSecret(secret, now)],
		status: input.status ?? "active",
		revision: 1,
		quarantine: null,
		createdAt: now,
		updatedAt: now,
	};
	return { source, secret };
}

/**
 * What changes if `input` replaces all of a source except its id, its secrets and, unless it is
 * given, its status; null: nothing. A given secret that differs from the current one takes effect
 * at once and alone, as with PATCH. Throws 422.
 */
export function replaceSource(former: Source, input: SourceInput, now: number): SourceChanges | null {
	const declared = declare(input);
	const { status } = input;
	const changes: SourceChanges = differing<SourceChanges>(normalised(former), {
		...declared,
		...(status !== undefined && { status }),
	});
	const isPresent = input.secret !== undefined && currentSecret(former.secrets ?? [], now) === input.secret;
	const secrets = secretsAfter(former, declared.auth, isPresent ? undefined : input.secret);
	if (secrets !== null && !isSame(secrets, former.secrets)) changes.secrets = secrets;
	const aside = former.quarantine === null ? undefined : EXPRESSIONS[former.quarantine.field];
	if (aside !== undefined && changes[aside] !== undefined) changes.quarantine = null;
	return Object.keys(changes).length === 0 ? null : changes;
}

/** The expressions of a source, by their names in the API. */
const EXPRESSIONS: Readonly<Record<string, keyof DeclaredSource>> = {
	event_type: "eventType",
	subject: "subject",
	dedupe_key: "dedupeKey",
};

function declare(input: SourceInput): DeclaredSource {
	const { name, kind = DEFAULT_KIND, description, event_type, subject, dedupe_key } = input;
	refuseNames(kind, { event_type, subject, dedupe_key });
	const auth = input.auth === undefined ? defaultAuth(kind) : resolveAuth(input.auth, name);
	refuseAuth(kind, auth.type);
	return {
		name,
		kind,
		description: description ?? null,
		auth,
		eventType: event_type ?? null,
		subject: subject ?? null,
		dedupeKey: dedupe_key ?? null,
		expectEverySeconds: input.expect_every_seconds ?? null,
		isTest: input.test ?? false,
		settings: resolveSettings(kind, input.settings ?? {}),
	};
}

/** As the current release would have stored it, with later defaults filled in. */
export function normalised(source: Source): Source {
	const { auth, settings, kind } = source;
	const read = settings === null ? null : (kindOf({ kind })?.settings ?? noSettings).safeParse(settings);
	return {
		...source,
		auth: auth && withDefaults(auth),
		settings: read?.success === true ? read.data : settings,
	};
}

function withDefaults(auth: SourceAuth): SourceAuth {
	if (auth.type !== "hmac") return auth;
	const read = hmacField.safeParse(auth);
	return read.success ? read.data : auth;
}
