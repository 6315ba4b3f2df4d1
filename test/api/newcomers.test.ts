/** What people get wrong first, and the sentence that says what to do instead. */
import { expect, test } from "vitest";
import { ask } from "./client.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

test.each([
	[
		"JSON that curl -d calls a form",
		"POST",
		"/v1/sources",
		'{"name":"a"}',
		FORM,
		[
			415,
			"unsupported_media_type",
			"Send application/json in UTF-8 instead of application/x-www-form-urlencoded. curl -d sends a form unless you set the header: -H 'content-type: application/json'.",
		],
	],
	[
		"another content type",
		"POST",
		"/v1/sources",
		"name: a",
		{ "content-type": "text/yaml" },
		[415, "unsupported_media_type", "Send application/json in UTF-8 instead of text/yaml."],
	],
	[
		"a CloudEvent as plain JSON",
		"POST",
		"/v1/events",
		{ specversion: "1.0", type: "a", source: "/a", id: "1" },
		{},
		[
			422,
			"invalid_request",
			"leave it out here; send a whole CloudEvent with content-type: application/cloudevents+json",
		],
	],
	[
		"a list of events as plain JSON",
		"POST",
		"/v1/events",
		[{ type: "a" }],
		{},
		[
			422,
			"invalid_request",
			"must be an object; send a list of CloudEvents with content-type: application/cloudevents-batch+json",
		],
	],
	[
		"an attribute filter on the data",
		"POST",
		"/v1/subscriptions",
		{ endpoint: "a@1", filters: [{ exact: { "data.kind": "a" } }] },
		{},
		[
			422,
			"invalid_request",
			"an attribute name can only have lower-case letters and digits; compare fields of `data` with `jsonata`",
		],
	],
	[
		"an endpoint without a scheme",
		"POST",
		"/v1/endpoints",
		{ name: "a", url: "models.example.com/ocr" },
		{},
		[422, "invalid_request", "is not an absolute URL, such as https://models.example.com/ocr"],
	],
	[
		"a sort of thing that the audit log does not have",
		"GET",
		"/v1/audit?resource=sources",
		undefined,
		{},
		[
			400,
			"invalid_query",
			"one of: source, endpoint, subscription, key, bulk, dead_letter; or the id of one of them",
		],
	],
] as const)("%s", async (_, method, path, sent, headers, expected) => {
	const { status, body } = await ask(method, path, sent, headers);
	const [{ message } = {}] = (body["errors"] ?? []) as { message?: string }[];
	expect([status, body["code"], message ?? body["detail"]]).toEqual(expected);
});

test.each(["api", "src_results", "sluice"])("the built-in source %s has no ingest URL", async (ref) => {
	const { status, body } = await ask("POST", `/in/${ref}`, {});
	expect([status, body["code"]]).toEqual([404, "source_not_found"]);
	expect(body["detail"]).toBe(
		"This source is built in and has no ingest URL. Publish events with POST /v1/events and an API key.",
	);
});
