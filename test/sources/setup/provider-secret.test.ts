import { describe, expect, test } from "vitest";
import type { Setup } from "../../../src/sources/kind.ts";
import type { SourceAuth } from "../../../src/store/records.ts";
import { setupAs } from "../bind.ts";
import { makeSource } from "../make-source.ts";

function setUp(kind: string, auth: SourceAuth): Setup {
	const source = makeSource({ name: "publisher-1", kind, auth });
	return setupAs(kind, { source, url: "https://sluice.example/in/publisher-1", secret: "<SECRET>" });
}

describe.each(["github", "shopify", "slack", "stripe"] as const)("kind %s", (kind) => {
	test("a source with the publisher's signature is given the secret", () => {
		for (const variant of setUp(kind, { type: kind }).variants) {
			expect(JSON.stringify(variant)).toContain("<SECRET>");
		}
	});

	test.each<SourceAuth>([{ type: "url_token" }, { type: "none" }])(
		"a source with auth $type is given no secret to sign with",
		(auth) => {
			const { variants } = setUp(kind, auth);
			expect(variants).toHaveLength(setUp(kind, { type: kind }).variants.length);
			expect(JSON.stringify(variants)).not.toContain("<SECRET>");
			expect(JSON.stringify(variants)).toContain("https://sluice.example/in/publisher-1");
		},
	);

	test.each<SourceAuth>([
		{ type: "bearer" },
		{ type: "basic", username: "u" },
		{ type: "header", name: "x-key" },
		{ type: "standard_webhooks" },
	])("it cannot send $type: its set-up says how to change that", (auth) => {
		const { variants } = setUp(kind, auth);
		expect(variants.map(({ name }) => name)).toEqual(["change-auth"]);
		expect(variants[0]?.steps[0]?.code).toContain(`-d '{"auth":{"type":"${kind}"}}'`);
	});
});

test.each<[type: SourceAuth, names: string[]]>([
	[{ type: "standard_webhooks" }, ["console", "curl"]],
	[{ type: "url_token" }, ["console", "curl"]],
	// A portal lets nobody say what it is to send.
	[{ type: "bearer" }, ["curl"]],
])("Standard Webhooks, asked for %j", (auth, names) => {
	const { variants } = setUp("standard-webhooks", auth);
	expect(variants.map(({ name }) => name)).toEqual(names);
	const tellsSecret = JSON.stringify(variants).includes('{\\"secret\\": \\"<SECRET>\\"}');
	expect(tellsSecret).toBe(auth.type === "standard_webhooks");
});
