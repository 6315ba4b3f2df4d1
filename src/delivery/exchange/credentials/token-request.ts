/** The request to a token endpoint, with the client's credentials. Pure. */
import { Buffer } from "node:buffer";
import type { OAuth2ClientCredentials } from "../../../store/records.ts";
import type { OutgoingRequest } from "../../rules/attempt.ts";
import { USER_AGENT } from "../request/request.ts";

/**
 * The request for a token; the client's credentials are in the header or in the body, never in
 * both.
 */
export function tokenRequest(auth: OAuth2ClientCredentials): OutgoingRequest {
	const { clientId, clientSecret, scope, audience, clientAuth = "basic" } = auth;
	const form = new URLSearchParams({ grant_type: "client_credentials" });
	if (scope !== undefined) form.set("scope", scope);
	if (audience !== undefined) form.set("audience", audience);
	const headers: Record<string, string> = {
		"content-type": "application/x-www-form-urlencoded",
		accept: "application/json",
		"user-agent": USER_AGENT,
	};
	if (clientAuth === "body") {
		form.set("client_id", clientId);
		form.set("client_secret", clientSecret);
	} else {
		headers["authorization"] = `Basic ${clientCredentials(auth)}`;
	}
	return { url: auth.tokenUrl, method: "POST", headers, body: Buffer.from(form.toString()) };
}

/** RFC 6749, section 2.3.1: both are form-encoded before they are joined. */
export function clientCredentials({ clientId, clientSecret }: OAuth2ClientCredentials): string {
	return Buffer.from(`${inForm(clientId)}:${inForm(clientSecret)}`).toString("base64");
}

function inForm(text: string): string {
	return new URLSearchParams({ text }).toString().slice("text=".length);
}
