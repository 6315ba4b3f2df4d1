/**
 * Credentials that are made for each request: a signature over its final bytes, or an access token.
 * Credentials that are the same for every request are already part of it (request/request.ts).
 */
import type { ReadableEndpoint } from "../../../store/records.ts";
import type { AttemptResult, OutgoingRequest } from "../../rules/attempt.ts";
import { accessToken } from "./oauth.ts";
import { awsScope, signAws } from "./sigv4.ts";
import type { UrlRules } from "../addresses/url-guard.ts";

export interface Moment {
	rules: UrlRules;
	/** Time of the attempt, ms since the epoch. */
	now: number;
}

/**
 * Returns the request with its credentials, or the result of the attempt if there are
 * none.
 */
export async function authorize(
	request: OutgoingRequest,
	{ auth }: Pick<ReadableEndpoint, "auth">,
	{ rules, now }: Moment,
): Promise<{ request: OutgoingRequest } | { result: AttemptResult }> {
	if (auth.type === "aws_sigv4") {
		const scope = awsScope(auth, request.url);
		if (scope !== null) return { request: await signAws(request, auth, scope, now) };
		const message = "The AWS region and service cannot be read from the host. Set them in auth.";
		return { result: { kind: "no_response", error: "no_credentials", message, durationMs: 0 } };
	}
	if (auth.type === "oauth2_client_credentials") {
		const asked = await accessToken(auth, rules);
		if (!asked.ok) return { result: asked.result };
		const { value } = asked.token;
		const headers = { ...request.headers, authorization: `Bearer ${value}` };
		return { request: { ...request, headers, secrets: [...(request.secrets ?? []), value] } };
	}
	return { request };
}
