/**
 * Which kind of proof a source expects, in words for the person whose request was refused. It says what any request of the
 * source has to carry, and nothing about the one that was sent: not which part was missing or wrong.
 */
import type { SourceAuth } from "../../store/source-auth.ts";
import { schemeOf } from "./signature-schemes.ts";

/** A sentence; null where there is nothing that a request could carry. */
export function expectedProof(auth: SourceAuth): string | null {
	switch (auth.type) {
		case "bearer":
			return "This source expects the header `authorization: Bearer SECRET`, with the secret of the source.";
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
			return `This source expects a signature in ${header}${moment}, made with its secret over the body as it was sent.`;
		}
		case "standard_webhooks":
			return "This source expects the headers webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks, signed with its secret.";
		case "sns":
			return "This source expects messages that Amazon SNS has signed, of a topic that its settings name.";
		case "google_oidc":
			return "This source expects the header `authorization: Bearer TOKEN`, with a token of Google for the service account that it names.";
		case "aws_keys":
		case "none":
			return null;
	}
}
