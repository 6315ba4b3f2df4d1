/**
 * The credentials that a request to an endpoint carries: of its `auth`, and of headers and query parameters whose names
 * say so. They are hidden in whatever the endpoint responds. The signing secret is not among them, since it stays here.
 */
import type { EndpointAuth, ReadableEndpoint } from "../../store/records.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import { clientCredentials } from "./token-request.ts";
import { basicCredentials } from "./request.ts";
import { isSecretHeader } from "./secret-headers.ts";

/** Names of credentials that only occur in URLs: Azure Functions, signed URLs. */
const SECRET_PARAMETER = /^(?:code|sig|signature)$/i;

type Credentials = Pick<ReadableEndpoint, "auth" | "headers" | "url">;

/** By endpoint as it was read: every attempt asks, and reading a URL takes a while. */
const known = new WeakMap<Credentials, readonly string[]>();

/** Each of them as a server may read it out of the request. */
export function secretsIn(endpoint: Credentials): readonly string[] {
	const found = known.get(endpoint) ?? findSecrets(endpoint);
	known.set(endpoint, found);
	return found;
}

/** Those that were made for the request alone as well. */
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

/** As it is spelled in the URL, which a server may show as it came, and as it is read out of it. */
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

/** A header's value, and what servers read out of it: the credentials behind a scheme, the values of cookies. */
function partsOf(name: string, value: string): string[] {
	if (name.toLowerCase() === "cookie") {
		return [value, ...value.split(";").map((pair) => pair.slice(pair.indexOf("=") + 1).trim())];
	}
	const behindScheme = /^[\w-]+\s+(\S+)$/.exec(value)?.[1];
	return behindScheme === undefined ? [value] : [value, behindScheme];
}
