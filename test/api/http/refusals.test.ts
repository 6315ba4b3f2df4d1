/** What a bad field is told: words for whoever sent it, never those of the library that judges. */
import { describe, expect, test } from "vitest";
import { ask } from "../client.ts";

const URL_OF_ONE = "https://model.example";

test.each([
	["a list for the body", "/v1/sources", [], "", "must be an object"],
	["a missing field", "/v1/sources", {}, "name", "is required"],
	["a number for text", "/v1/sources", { name: 7 }, "name", "must be text"],
	[
		"an auth that is none",
		"/v1/sources",
		{ name: "x", auth: { type: "magic" } },
		"auth.type",
		/^one of: bearer, /,
	],
	[
		"a setting that is none",
		"/v1/sources",
		{ name: "x", kind: "supabase", settings: { key: "a" } },
		"settings.key",
		"unknown field; known here: primary_key, signature_max_age_seconds, dedupe",
	],
	[
		"a setting where there is none",
		"/v1/sources",
		{ name: "x", kind: "github", settings: { key: "a" } },
		"settings.key",
		"unknown field; none are allowed here",
	],
	[
		"text for a switch",
		"/v1/sources",
		{ name: "x", kind: "supabase", settings: { dedupe: "yes" } },
		"settings.dedupe",
		"must be true or false",
	],
	[
		"a setting that the kind cannot do without",
		"/v1/sources",
		{ name: "x", kind: "s3-sns" },
		"settings.topic_arns",
		"is required: a list of topic ARNs",
	],
	[
		"a number too small",
		"/v1/endpoints",
		{ name: "x", url: URL_OF_ONE, timeout_seconds: 0 },
		"timeout_seconds",
		"must be at least 1",
	],
	[
		"a number too large",
		"/v1/endpoints",
		{ name: "x", url: URL_OF_ONE, max_concurrency: 601 },
		"max_concurrency",
		"must be at most 600",
	],
	[
		"text too long",
		"/v1/sources",
		{ name: "x", description: "d".repeat(1_001) },
		"description",
		"must be at most 1000 characters long",
	],
	["an empty text", "/v1/subscriptions", { endpoint: "x@1", types: [""] }, "types.0", "must not be empty"],
	[
		"an object for a list",
		"/v1/subscriptions",
		{ endpoint: "x@1", filters: {} },
		"filters",
		"must be a list",
	],
])("%s", async (_what, path, body, field, message) => {
	const expected = typeof message === "string" ? message : expect.stringMatching(message);
	expect(await ask("POST", path, body)).toMatchObject({
		status: 422,
		body: { code: "invalid_request", errors: [{ path: field, message: expected }] },
	});
});

describe("in a query", () => {
	test("a value that is not allowed", async () => {
		expect(await ask("GET", "/v1/deliveries?status=lost")).toMatchObject({
			status: 400,
			body: {
				code: "invalid_query",
				errors: [
					{
						path: "status",
						message: "one of: pending, in_flight, waiting, publishing, succeeded, dead, canceled",
					},
				],
			},
		});
	});

	test("a parameter that is there twice, of which only one would count", async () => {
		expect(await ask("GET", "/v1/deliveries?status=dead&limit=1&status=pending")).toMatchObject({
			status: 400,
			body: { code: "invalid_query", errors: [{ path: "status", message: "give it once" }] },
		});
	});
});
