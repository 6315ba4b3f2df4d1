/**
 * The credentials that a request to an endpoint carries: those of its `auth`, and of headers and
 * query parameters with telling names. They are masked in everything that the endpoint returns. The
 * signing secret is not included, because it is never sent.
 */
import type { EndpointAuth, ReadableEndpoint } from "../../../store/records.ts";
import type { AttemptResult } from "../../rules/attempt.ts";
import { clientCredentials } from "../credentials/token-request.ts";
import { basicCredentials } from "../request/request.ts";
import { isSecretHeader } from "../credentials/secret-headers.ts";

/** Names of credentials that only occur in URLs: Azure Functions, signed URLs. */
const SECRET_PARAMETER = /^(?:code|sig|signature)$/i;

type Credentials = Pick<ReadableEndpoint, "auth" | "headers" | "url">;

/**
 * Cached by endpoint object as read, because every attempt needs them and parsing a
 * URL takes time.
 */
const known = new WeakMap<Credentials, readonly string[]>();

/**
 * Returns the credentials in each form in which a server may read them from the
 * request.
 */
export function secretsIn(endpoint: Credentials): readonly string[] {
	const found = known.get(endpoint) ?? findSecrets(endpoint);
	known.set(endpoint, found);
	return found;
}

/** Also includes the credentials that were made for this request alone. */
export function secretsOfExchange(endpoint: Credentials, result: AttemptResult): readonly string[] {
	const made = result.secrets ?? [];
	return made.length === 0 ? secretsIn(endpoint) : [...secretsIn(endpoint), ...made];
}

function findSecrets({ auth, headers, url }: Credentials): string[] {
	const inHeaders = Object.entries(headers).filter(([name]) => isSecretHeader(name));
	const query = URL.parse(url)?.search.slice(1) ?? "";
	return [
		...secretsOf(auth),
		...inHeaders.flatMap(([name, value]) => partsOf(name, value)),
		...query.split("&").flatMap(secretOfParameter),
	];
}

/** Both as spelled in the URL, which a server may repeat unchanged, and decoded. */
function secretOfParameter(parameter: string): string[] {
	const [[name, value] = ["", ""]] = new URLSearchParams(parameter);
	if (value === "" || !(isSecretHeader(name) || SECRET_PARAMETER.test(name))) return [];
	const spelled = parameter.slice(parameter.indexOf("=") + 1);
	return spelled === value ? [value] : [value, spelled];
}

function secretsOf(auth: EndpointAuth): string[] {
	switch (auth.type) {
		case "none":
			return [];
		case "bearer":
			return [auth.token];
		case "basic":
			return [basicCredentials(auth), auth.password];
		case "header":
			return partsOf(auth.name, auth.value);
		case "headers":
			return Object.entries(auth.headers).flatMap(([name, value]) => partsOf(name, value));
		case "aws_sigv4":
			return [auth.secretAccessKey, ...(auth.sessionToken === undefined ? [] : [auth.sessionToken])];
		case "oauth2_client_credentials":
			return [auth.clientSecret, clientCredentials(auth)];
	}
}

/**
 * A header's value, and the parts that servers read from it: the credentials after a scheme, the
 * values of cookies.
 */
function partsOf(name: string, value: string): string[] {
	if (name.toLowerCase() === "cookie") {
		return [value, ...value.split(";").map((pair) => pair.slice(pair.indexOf("=") + 1).trim())];
	}
	const behindScheme = /^[\w-]+\s+(\S+)$/.exec(value)?.[1];
	return behindScheme === undefined ? [value] : [value, behindScheme];
}
