/** A source on the wire: the fields that may be written, and the response. */
import * as z from "zod";
import { BUILTIN_SOURCES } from "../../events/ids.ts";
import { noSettings } from "../../sources/kind.ts";
import { KIND_NAMES, bindKind, isKindName, kindOf } from "../../sources/registry.ts";
import type { Source, SourceAuth, SourceAuthType } from "../../store/records.ts";
import { SIGNING_PROVIDERS } from "../../store/resources/source-auth.ts";
import { invalidRequest } from "../http/body.ts";
import { expressionField, literalOrExpressionField } from "../../events/expressions/expression-field.ts";
import { CHANGED_BY_ACTION, headerName, nameField, statusField } from "../fields/fields.ts";
import { toFieldErrors, wording } from "../http/refusals.ts";
import { statusOf } from "../fields/status.ts";
import { hmacField } from "./hmac-field.ts";
import { formatTime } from "../fields/times.ts";

const RESERVED: readonly string[] = Object.values(BUILTIN_SOURCES);

const name = nameField("src").refine((name) => !RESERVED.includes(name), "is the name of a built-in source");

const kind = z.string().refine(isKindName, `one of: ${KIND_NAMES.join(", ")}`);

/** Written as a whole; omitted fields get their defaults. */
const auth = z.discriminatedUnion("type", [
	z.strictObject({ type: z.literal("bearer") }),
	z.strictObject({
		type: z.literal("basic"),
		// RFC 7617, section 2: the colon ends the user name.
		username: z
			.string()
			.regex(/^[^:\p{Cc}]{1,256}$/u, "a user name without a colon")
			.optional(),
	}),
	z.strictObject({ type: z.literal("header"), name: headerName }),
	hmacField,
	z.strictObject({ type: z.literal("standard_webhooks") }),
	z.strictObject({ type: z.enum(SIGNING_PROVIDERS) }),
	z.strictObject({ type: z.literal("sns") }),
	z.strictObject({ type: z.literal("aws_keys") }),
	z.strictObject({ type: z.literal("url_token") }),
	z.strictObject({
		type: z.literal("google_oidc"),
		audience: z.string().min(1).max(2_048).nullable().default(null),
		email: z.email("the email of the service account that pushes"),
	}),
	z.strictObject({ type: z.literal("none") }),
]) satisfies z.ZodType<SourceAuth | { type: "basic"; username?: string | undefined }>;

const fields = z.strictObject({
	name,
	kind,
	description: z.string().max(1_000).nullable(),
	auth,
	secret: z.string(),
	event_type: literalOrExpressionField.nullable(),
	subject: literalOrExpressionField.nullable(),
	dedupe_key: expressionField.nullable(),
	expect_every_seconds: z
		.number()
		.int()
		.min(60)
		.max(604_800)
		.nullable()
		.describe(
			"After this many seconds without an event, an operational event reports that the source is silent.",
		),
	test: z.boolean(),
	settings: z.record(z.string(), z.unknown()),
	status: statusField,
});

export const createSourceSchema = fields.partial().required({ name: true });
export const patchSourceSchema = fields.partial().extend({ status: CHANGED_BY_ACTION });

export const testSourceSchema = z.strictObject({
	deliver: z
		.boolean()
		.default(true)
		.describe(
			"false: the event and its matching subscriptions are logged, and nothing is sent to endpoints.",
		),
});

/** How publishers of this kind authenticate unless the source says otherwise. */
export function defaultAuth(kind: string): SourceAuth {
	return kindOf({ kind })?.defaultAuth ?? { type: "bearer" };
}

/**
 * The settings of the kind, checked by the kind, with its defaults filled in. Throws 422 with the
 * path of the field.
 */
export function resolveSettings(kind: string, settings: Record<string, unknown>): Record<string, unknown> {
	const schema = kindOf({ kind })?.settings ?? noSettings;
	const parsed = schema.safeParse(settings, { error: wording });
	if (parsed.success) return parsed.data;
	const errors = toFieldErrors(parsed.error);
	throw invalidRequest(
		errors.map(({ path, message }) => ({ path: path === "" ? "settings" : `settings.${path}`, message })),
	);
}

/** Each of these belongs to one kind. */
const BOUND_AUTHS: readonly SourceAuthType[] = ["sns", "aws_keys"];

/**
 * Some publishers support only one kind of auth, and some kinds of auth belong to one
 * provider. Throws 422.
 */
export function refuseAuth(kind: string, type: SourceAuthType): void {
	const auths = kindOf({ kind })?.auths;
	if (auths?.includes(type) ?? !BOUND_AUTHS.includes(type)) return;
	const message = `kind ${kind} does not support it${auths === undefined ? "" : `, only ${auths.join(", ")}`}`;
	throw invalidRequest([{ path: "auth.type", message }]);
}

/** A kind with its own event names does not let a source set them. Throws 422. */
export function refuseNames(kind: string, named: Record<string, unknown>): void {
	if (kindOf({ kind })?.namesEvents === true) return;
	const errors = Object.entries(named)
		.filter(([, value]) => value !== undefined && value !== null)
		.map(([path]) => ({
			path,
			message: `cannot be set for kind ${kind}, which reads it from the request; kind generic needs it`,
		}));
	if (errors.length > 0) throw invalidRequest(errors);
}

/** The default user name is the source's name, which the schema does not know. */
export function resolveAuth(auth: z.output<typeof fields.shape.auth>, sourceName: string): SourceAuth {
	return auth.type === "basic" ? { type: "basic", username: auth.username ?? sourceName } : auth;
}

/**
 * Whether publishers send to a URL of the router, in contrast to a queue that it reads.
 */
export function isPosted(kind: string): boolean {
	return kindOf({ kind })?.transport === undefined;
}

/** `origin` is where the router was reached, so that the URL works for the caller. */
export function sourceToWire(source: Source, origin: string): Record<string, unknown> {
	return {
		id: source.id,
		name: source.name,
		kind: source.kind,
		description: source.description,
		auth: source.auth,
		ingest_url: isPosted(source.kind) ? `${origin}/in/${source.name}` : null,
		event_type: source.eventType,
		subject: source.subject,
		dedupe_key: source.dedupeKey,
		expect_every_seconds: source.expectEverySeconds,
		test: source.isTest,
		settings: source.settings,
		...statusOf(source),
		unreadable: unreadableOf(source),
		created_at: formatTime(source.createdAt),
		updated_at: formatTime(source.updatedAt),
	};
}

/** Stored fields that cannot be read, until they are replaced; null: all can be read. */
function unreadableOf(source: Source): string[] | null {
	const fields = [
		...(source.secrets === null ? ["secret"] : []),
		...(source.auth === null ? ["auth"] : []),
		...(bindKind({ ...source, auth: source.auth ?? { type: "none" } }).ok ? [] : ["settings"]),
	];
	return fields.length === 0 ? null : fields;
}

/** With the secret, which is shown only when it is created. */
export function sourceToWireWithSecret(
	source: Source,
	secret: string | null,
	origin: string,
): Record<string, unknown> {
	const wire = sourceToWire(source, origin);
	if (source.auth?.type !== "url_token" || secret === null) return { ...wire, secret };
	return { ...wire, ingest_url: `${origin}/in/${source.name}?token=${encodeURIComponent(secret)}`, secret };
}
