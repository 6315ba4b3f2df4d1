/** What the kinds refuse that anybody can post to: those for any JSON, and CloudEvents in each mode. */
import { describe, expect, test } from "vitest";
import { captureQueue } from "./capture.ts";
import { post, type Sent, sourceOf } from "./bad-input.ts";

const DEEP = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
const BATCH = { "content-type": "application/cloudevents-batch+json" };
const BINARY = {
	"content-type": "application/json",
	"ce-specversion": "1.0",
	"ce-id": "1",
	"ce-source": "/s",
	"ce-type": "t",
};

/** A CloudEvent in JSON with something more inside. */
function structured(more: string): string {
	return `{"specversion":"1.0","id":"1","source":"/s","type":"t",${more}}`;
}

const EVERY: [what: string, sent: Sent, status: number, code: string][] = [
	["another secret", { signedWith: "somebody-else's-secret" }, 401, "unauthorized"],
	["no proof", { unproven: true }, 401, "unauthorized"],
	["a cut body", { body: '{"specversion":"1.0"' }, 400, "invalid_json"],
	["no body", { body: "" }, 400, "invalid_json"],
	["invalid UTF-8", { body: new Uint8Array([0x22, 0xc0, 0xa0, 0x22]) }, 400, "invalid_json"],
	["10,000 levels", { body: structured(`"data":${DEEP}`) }, 400, "nested_too_deep"],
	["a member twice", { body: structured('"id":"2"') }, 400, "duplicate_member"],
	["a compressed body", { headers: { "content-encoding": "gzip" } }, 415, "unsupported_content_encoding"],
	["10 MB", { body: " ".repeat(10_000_000) }, 413, "body_too_large"],
];

const CLOUDEVENTS: typeof EVERY = [
	[
		"JSON that is no CloudEvent",
		{ headers: { "content-type": "application/json" } },
		415,
		"unsupported_media_type",
	],
	["no object", { body: "1" }, 400, "invalid_cloudevent"],
	["binary mode, 10,000 levels", { headers: BINARY, body: DEEP }, 400, "nested_too_deep"],
	["binary mode, a member twice", { headers: BINARY, body: '{"a":1,"\\u0061":2}' }, 400, "duplicate_member"],
	["binary mode, a cut body", { headers: BINARY, body: '{"a":' }, 400, "invalid_json"],
	[
		"a batch, 10,000 levels",
		{ headers: BATCH, body: `[${structured(`"data":${DEEP}`)}]` },
		400,
		"nested_too_deep",
	],
	[
		"a batch, a member twice",
		{ headers: BATCH, body: `[${structured('"id":"2"')}]` },
		400,
		"duplicate_member",
	],
	[
		"a batch with a bad event",
		{ headers: BATCH, body: `[${structured('"a":1')},{}]` },
		400,
		"invalid_cloudevent",
	],
];

describe("refused, and nothing stored", () => {
	test.each([
		...EVERY.map((input) => ["generic", ...input] as const),
		...[...EVERY, ...CLOUDEVENTS].map((input) => ["cloudevents", ...input] as const),
	])("%s: %s", async (kind, _what, sent, status, code) => {
		const queue = captureQueue();
		const response = await post(sourceOf(kind), queue, sent);
		expect(await response.json()).toMatchObject({ status, code });
		expect(response.status).toBe(status);
		expect(queue.messages).toEqual([]);
	});
});
