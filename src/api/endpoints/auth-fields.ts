/**
 * The `auth` of an endpoint on the wire: the fields that may be written, and the response without
 * secrets.
 */
import * as z from "zod";
import { refuseHeader } from "../../delivery/exchange/request/header-guard.ts";
import type { AwsSigV4, EndpointAuth, OAuth2ClientCredentials } from "../../store/records.ts";
import { SPACE_AROUND, hasSpaceAround } from "../fields/fields.ts";
import { named } from "../http/writes.ts";
import { headersField } from "./header-fields.ts";

const secretText = z.string().min(1).max(4_096);

const VISIBLE = "visible ASCII characters without spaces";
const visibleText = secretText.regex(/^[!-~]+$/, VISIBLE);

/** The word before the token, as RFC 9110 spells schemes. */
const scheme = z
	.string()
	.regex(/^[A-Za-z][A-Za-z0-9._~+-]{0,63}$/, "one word, such as Bearer, Key or Api-Key");

const headerAuth = z
	.strictObject({ type: z.literal("header"), name: z.string(), value: secretText })
	.superRefine(({ name, value }, context) => {
		const message = refuseHeader(name, value);
		const path = refuseHeader(name, "") === null ? "value" : "name";
		if (message !== null) context.addIssue({ code: "custom", path: [path], message });
	});

const MAX_AUTH_HEADERS = 5;

const authHeaders = headersField.refine((headers) => {
	const values = Object.values(headers);
	return values.length > 0 && values.length <= MAX_AUTH_HEADERS && values.every((value) => value !== "");
}, `from 1 to ${MAX_AUTH_HEADERS} headers, none of them empty`);

/** For regions and services, as AWS spells them in host names. */
const awsName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes");

const awsSigV4 = z
	.strictObject({
		type: z.literal("aws_sigv4"),
		access_key_id: z.string().regex(/^[A-Za-z0-9_]{1,128}$/, "an access key id of AWS"),
		secret_access_key: z
			.string()
			.max(256)
			.regex(/^[!-~]+$/, VISIBLE),
		session_token: visibleText.optional(),
		region: awsName.optional(),
		service: awsName.optional(),
	})
	.transform(({ type, access_key_id, secret_access_key, session_token, region, service }): AwsSigV4 => ({
		type,
		accessKeyId: access_key_id,
		secretAccessKey: secret_access_key,
		...named({ sessionToken: session_token, region, service }),
	}));

/** RFC 6749, appendix A: the characters of scopes and client ids. */
const printable = z
	.string()
	.max(1_024)
	.regex(/^[\x20-\x7e]+$/, "printable ASCII characters")
	.refine((text) => !hasSpaceAround(text), SPACE_AROUND);

const oauth2ClientCredentials = z
	.strictObject({
		type: z.literal("oauth2_client_credentials"),
		// Its allowed addresses are checked together with the endpoint's own (reach.ts).
		token_url: z.string(),
		client_id: printable,
		client_secret: secretText.refine((secret) => !hasSpaceAround(secret), SPACE_AROUND),
		scope: printable.optional(),
		audience: printable.optional(),
		client_auth: z.enum(["basic", "body"]).optional(),
	})
	.transform(
		({
			type,
			token_url,
			client_id,
			client_secret,
			scope,
			audience,
			client_auth,
		}): OAuth2ClientCredentials => ({
			type,
			tokenUrl: token_url,
			clientId: client_id,
			clientSecret: client_secret,
			...named({ scope, audience, clientAuth: client_auth }),
		}),
	);

export const authField = z.discriminatedUnion("type", [
	z.strictObject({ type: z.literal("none") }),
	z.strictObject({ type: z.literal("bearer"), token: visibleText, scheme: scheme.optional() }),
	z.strictObject({
		type: z.literal("basic"),
		// RFC 7617, section 2: the colon ends the user name.
		username: z
			.string()
			.max(256)
			.regex(/^[^:\p{Cc}]*$/u, "a user name without a colon"),
		password: secretText.refine((password) => !hasSpaceAround(password), SPACE_AROUND),
	}),
	headerAuth,
	z.strictObject({ type: z.literal("headers"), headers: authHeaders }),
	awsSigV4,
	oauth2ClientCredentials,
]) satisfies z.ZodType<EndpointAuth>;

/** Without its secrets. */
export function authToWire(auth: EndpointAuth): Record<string, unknown> {
	switch (auth.type) {
		case "none":
			return { type: auth.type };
		case "bearer":
			return { type: auth.type, ...named({ scheme: auth.scheme }) };
		case "basic":
			return { type: auth.type, username: auth.username };
		case "header":
			return { type: auth.type, name: auth.name };
		case "headers":
			return { type: auth.type, names: Object.keys(auth.headers) };
		case "aws_sigv4":
			return {
				type: auth.type,
				access_key_id: auth.accessKeyId,
				...named({ region: auth.region, service: auth.service }),
			};
		case "oauth2_client_credentials":
			return {
				type: auth.type,
				token_url: withoutQuery(auth.tokenUrl),
				client_id: auth.clientId,
				...named({ scope: auth.scope, audience: auth.audience, client_auth: auth.clientAuth }),
			};
	}
}

/** The query may contain a credential. */
function withoutQuery(url: string): string {
	return url.split("?", 1)[0] ?? "";
}
