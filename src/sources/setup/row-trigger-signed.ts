/** For sources whose requests contain a secret: how to change them to signatures, which reveal no secret. */
import type { SetupTarget, SetupVariant } from "../kind.ts";
import { rowTriggerVariant } from "./row-trigger-sql.ts";
import { pgNet } from "./row-trigger-transports.ts";

/** Returns the variant that makes the source require signatures and installs a trigger that signs. */
export function signedVariant(target: SetupTarget, isIdentified: boolean): SetupVariant {
	const { source, secret } = target;
	const url = new URL(target.url);
	// A token in the URL would be visible in pg_net's table, like a header.
	url.search = "";
	const proof = { kind: "signature", secret } as const;
	const trigger = rowTriggerVariant({ url: url.href, proof, isIdentified }, pgNet);
	const code = [
		"SECRET=whsec_$(openssl rand -base64 32)",
		`curl -X PATCH '${url.origin}/v1/sources/${source.name}' \\`,
		`  -H "authorization: Bearer $ADMIN_TOKEN" -H 'content-type: application/json' \\`,
		`  -d '{"auth": {"type": "standard_webhooks"}, "secret": "'"$SECRET"'"}'`,
		'echo; echo "$SECRET"',
	].join("\n");
	const title =
		"Make the source require signatures, and put the printed secret into the SQL. Changes are refused until the SQL has run";
	return {
		...trigger,
		name: "pg_net-signed",
		title: `Exposes the least, because no secret is sent. ${trigger.title}`,
		steps: [{ title, language: "shell", code }, ...trigger.steps],
	};
}
