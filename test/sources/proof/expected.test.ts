import { expect, test } from "vitest";
import * as z from "zod";
import { expectedProof } from "../../../src/sources/proof/expected.ts";
import { type SourceAuth, sourceAuthSchema } from "../../../src/store/resources/source-auth.ts";

const HMAC = { type: "hmac", header: "x-sig", algorithm: "sha256", encoding: "hex", prefix: "" } as const;

const EXPECTED: [SourceAuth, string | null][] = [
	[{ type: "bearer" }, "authorization: Bearer SECRET"],
	[{ type: "basic", username: "a-user-name" }, "HTTP basic authentication"],
	[{ type: "header", name: "x-token" }, "in the header x-token"],
	[{ type: "url_token" }, "?token=SECRET"],
	[HMAC, "a signature in x-sig,"],
	[{ ...HMAC, timestamp_header: "x-at" }, "a signature in x-sig and its time in x-at,"],
	[{ type: "github" }, "a signature in x-hub-signature-256,"],
	[{ type: "shopify" }, "a signature in x-shopify-hmac-sha256,"],
	[{ type: "slack" }, "a signature in x-slack-signature and its time in x-slack-request-timestamp,"],
	[{ type: "stripe" }, "a signature in stripe-signature,"],
	[{ type: "standard_webhooks" }, "webhook-signature"],
	[{ type: "sns" }, "Amazon SNS"],
	[{ type: "google_oidc", audience: null, email: "pusher@example.com" }, "a Google OIDC token"],
	[{ type: "aws_keys" }, null],
	[{ type: "none" }, null],
];

test.each(EXPECTED)("%j", (auth, said) => {
	const told = expectedProof(auth);
	if (said === null) expect(told).toBeNull();
	else expect(told).toContain(said);
	// Half of a basic proof, and whose account it is, are nobody's business.
	expect(told ?? "").not.toMatch(/a-user-name|pusher@/);
});

test("no auth is left out", () => {
	const types = sourceAuthSchema.options.flatMap(({ shape: { type } }) =>
		type instanceof z.ZodEnum ? type.options : [...type.values],
	);
	expect(new Set(EXPECTED.map(([{ type }]) => type))).toEqual(new Set(types));
});
