/**
 * How an endpoint is reached: whether its URL, protocol, model and credentials fit together, which
 * addresses are allowed, and whether this deployment has the binding that it names.
 */
import { refuseBinding } from "../../delivery/exchange/carriers/bindings.ts";
import { awsScope } from "../../delivery/exchange/credentials/sigv4.ts";
import { refuseHttpUrl, refuseUrl, type UrlRules } from "../../delivery/exchange/addresses/url-guard.ts";
import type { Env } from "../../env.ts";
import type { FieldError } from "../../http/problem.ts";
import { BINDING_FORMS, bindingSchemeOf } from "../../models/requests/binding-url.ts";
import { protocolOf } from "../../models/registry.ts";
import type { Endpoint, EndpointAuth } from "../../store/records.ts";

export type Reach = Pick<Endpoint, "url" | "protocol" | "model" | "auth">;

/** The protocol of a URL that only one protocol supports; undefined: the URL does not decide it. */
export function impliedProtocol(url: string): string | undefined {
	const scheme = bindingSchemeOf(url);
	return scheme === null || scheme === "vpc" ? undefined : scheme;
}

/**
 * What does not fit together, by field; empty if everything fits. `auth` is null if it cannot be
 * read.
 */
export function refuseReach(reach: Reach): FieldError[] {
	const { url, protocol, model, auth } = reach;
	const spoken = protocolOf(protocol);
	const implied = impliedProtocol(url);
	if (implied !== undefined && protocol !== implied) {
		return [{ path: "protocol", message: `must be ${implied}, as the URL says` }];
	}
	if (spoken?.scheme !== undefined && implied === undefined) {
		return [{ path: "url", message: `must have the form ${BINDING_FORMS[spoken.scheme]} for this protocol` }];
	}
	const refusal = auth === null ? null : spoken?.refuse?.({ url, authType: auth.type });
	if (refusal) return [{ path: refusal.field, message: refusal.message }];
	const errors = auth === null ? [] : refuseAuth(auth, url);
	if (model === null && spoken?.needsModel(url) === true) {
		const message = `is required by protocol ${protocol} at this URL: the server's name for the model`;
		errors.push({ path: "model", message });
	}
	return errors;
}

function refuseAuth(auth: EndpointAuth, url: string): FieldError[] {
	const scheme = bindingSchemeOf(url);
	if (impliedProtocol(url) !== undefined && auth.type !== "none") {
		return [
			{
				path: "auth",
				message: "must be of type none: requests through a binding carry no other credentials",
			},
		];
	}
	if (auth.type !== "aws_sigv4") return [];
	if (scheme !== null)
		return [{ path: "auth", message: "cannot be aws_sigv4: a binding has no host to sign" }];
	if (awsScope(auth, url) !== null) return [];
	const missing = (["region", "service"] as const).filter((field) => auth[field] === undefined);
	const message = "is required: it cannot be read from the host of the URL";
	return missing.map((field) => ({ path: `auth.${field}`, message }));
}

interface Addresses {
	url?: string | undefined;
	auth?: EndpointAuth | undefined;
}

/** Why the router cannot send to the given addresses; empty if it can. */
export function refuseAddresses(env: Env, { url, auth }: Addresses, rules: UrlRules): FieldError[] {
	const inUrl =
		url === undefined ? null : (withDevelopmentHint(url, rules, refuseUrl) ?? refuseBinding(env, url));
	const inToken =
		auth?.type === "oauth2_client_credentials"
			? withDevelopmentHint(auth.tokenUrl, rules, refuseHttpUrl)
			: null;
	return [
		...(inUrl === null ? [] : [{ path: "url", message: inUrl }]),
		...(inToken === null ? [] : [{ path: "auth.token_url", message: inToken }]),
	];
}

/** An error that only applies outside development says how to enable development mode. */
function withDevelopmentHint(url: string, rules: UrlRules, refuse: typeof refuseUrl): string | null {
	const refusal = refuse(url, rules);
	if (refusal === null || rules.allowPrivate) return refusal;
	const isAllowedInDevelopment = refuse(url, { ...rules, allowPrivate: true }) === null;
	return isAllowedInDevelopment ? `${refusal}; ${DEVELOPMENT}` : refusal;
}

const DEVELOPMENT =
	"for development only, the variable ALLOW_PRIVATE_ENDPOINTS=true in .dev.vars allows http and private hosts (`npm run dev` sets it)";
