/**
 * Describes the authentication that a source expects, for the person whose request was refused. It says what every
 * request must contain, but not which part of this request was missing or wrong.
 */
import type { SourceAuth } from "../../store/resources/source-auth.ts";
import { schemeOf } from "./signature-schemes.ts";

/** Returns a sentence, or null if no request can be valid. */
export function expectedProof(auth: SourceAuth): string | null {
	switch (auth.type) {
		case "bearer":
			return "This source expects the header `authorization: Bearer SECRET` with its secret.";
		case "basic":
			return "This source expects HTTP basic authentication, with its user name and its secret as the password.";
		case "header":
			return `This source expects its secret in the header ${auth.name}.`;
		case "url_token":
			return "This source expects its secret in the URL: `?token=SECRET`.";
		case "hmac":
		case "github":
		case "shopify":
		case "slack":
		case "stripe": {
			const { header, timestamp } = schemeOf(auth);
			const moment =
				timestamp !== null && "header" in timestamp ? ` and its time in ${timestamp.header}` : "";
			return `This source expects a signature in ${header}${moment}, made with its secret over the raw body.`;
		}
		case "standard_webhooks":
			return "This source expects the headers webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks, signed with its secret.";
		case "sns":
			return "This source expects messages signed by Amazon SNS, from a topic in its settings.";
		case "google_oidc":
			return "This source expects the header `authorization: Bearer TOKEN`, with a Google OIDC token for its configured service account.";
		case "aws_keys":
		case "none":
			return null;
	}
}
