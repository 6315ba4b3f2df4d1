import { describe, expect, test } from "vitest";
import { captureQueue } from "../capture.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { parseAs, parseOne, RECEIVED_AT } from "../parse.ts";

const FORM = "application/x-www-form-urlencoded";

/** The example of Slack's "The Events API", one line shorter. */
const CALLBACK = `{
    "type": "event_callback",
    "token": "XXYYZZ",
    "team_id": "T123ABC456",
    "api_app_id": "A123ABC456",
    "event": {
            "type": "message",
            "channel": "C123ABC456",
            "user": "U123ABC456",
            "text": "Live long and prospect.",
            "ts": "1355517523.000005",
            "event_ts": "1355517523.000005"
    },
    "event_context": "EC123ABC456",
    "event_id": "Ev123ABC456",
    "event_time": 1234567890
}`;

/** The published example of a slash command. */
const COMMAND =
	"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
	"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
	"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

const ACKNOWLEDGED = { status: 200, body: null };

test("an event, with the text of its envelope as it came", async () => {
	expect(await parseAs("slack", { body: CALLBACK })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "Ev123ABC456",
					source: "/slack/T123ABC456",
					type: "com.slack.message",
					subject: "C123ABC456",
					time: "2009-02-13T23:31:30.000Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: CALLBACK },
			},
		],
		batch: false,
		reply: ACKNOWLEDGED,
	});
});

test.each([
	["of the channel it is about", { type: "channel_created", channel: { id: "C024BE91L" } }, "C024BE91L"],
	[
		"of the channel a file is shared in",
		{ type: "file_shared", channel_id: "D0131", file_id: "F2" },
		"D0131",
	],
	["of what was reacted to", { type: "reaction_added", item: { channel: "C0HQ7G" } }, "C0HQ7G"],
	["of no channel", { type: "team_join", user: {} }, undefined],
])("subject %s", async (_what, event, subject) => {
	const body = JSON.stringify({ type: "event_callback", event_id: "Ev1", event });
	expect((await parseOne("slack", { body })).attributes.subject).toBe(subject);
});

test("the notice of a rate limit has no event inside, and the same id each time", async () => {
	const body = '{"token":"x","type":"app_rate_limited","team_id":"T1","minute_rate_limited":1518467820}';
	const { attributes } = await parseOne("slack", { body });
	expect(attributes).toMatchObject({
		source: "/slack/T1",
		type: "com.slack.app_rate_limited",
		time: RECEIVED_AT,
	});
	expect(attributes.id).toMatch(/^[0-9a-f]{64}$/);
	expect((await parseOne("slack", { body })).attributes.id).toBe(attributes.id);
});

describe("the challenge", () => {
	const body =
		'{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}';

	test("is echoed when it is signed, and stores nothing", async () => {
		const queue = captureQueue();
		const response = await post(sourceOf("slack"), queue, { body });
		expect(response.status).toBe(200);
		expect(response.headers.get("content-type")).toBe("application/json");
		expect(await response.json()).toEqual({
			challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
		});
		expect(queue.messages).toEqual([]);
	});

	test("is not revealed to strangers", async () => {
		const response = await post(sourceOf("slack"), captureQueue(), { body, signedWith: "another-secret" });
		expect(response.status).toBe(401);
		expect(await response.text()).not.toContain("3eZbrw1aBm");
	});
});

describe("slash commands and interactions", () => {
	test("a slash command keeps its form", async () => {
		const headers = { "content-type": FORM };
		expect(await parseAs("slack", { headers, body: COMMAND })).toEqual({
			ok: true,
			events: [
				{
					attributes: {
						id: "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
						source: "/slack/T1DC2JH3J",
						type: "com.slack.command",
						subject: "/webhook-collect",
						time: RECEIVED_AT,
						datacontenttype: FORM,
					},
					data: { kind: "text", text: COMMAND },
				},
			],
			batch: false,
			reply: ACKNOWLEDGED,
		});
	});

	test("a button is the JSON in its form", async () => {
		const payload =
			'{"type": "block_actions", "trigger_id": "12.34", "team": {"id": "T9"}, "channel": {"id": "C9"}}';
		const body = `payload=${encodeURIComponent(payload)}`;
		const { attributes, data } = await parseOne("slack", { headers: { "content-type": FORM }, body });
		expect(attributes).toMatchObject({
			id: "12.34",
			source: "/slack/T9",
			type: "com.slack.block_actions",
			subject: "C9",
			datacontenttype: "application/json",
		});
		expect(data).toEqual({ kind: "json", text: payload });
	});

	test("Slack's own look at the URL is not signed and no event", async () => {
		const queue = captureQueue();
		const response = await post(sourceOf("slack"), queue, {
			body: "ssl_check=1&token=x",
			headers: { "content-type": FORM },
			unproven: true,
		});
		expect([response.status, await response.text()]).toEqual([200, ""]);
		expect(queue.messages).toEqual([]);
	});

	test("a long form is not looked into before it is proven", async () => {
		const queue = captureQueue();
		const response = await post(sourceOf("slack"), queue, {
			body: `ssl_check=1&${"a=1&".repeat(1_100)}`,
			headers: { "content-type": FORM },
			unproven: true,
		});
		expect(response.status).toBe(401);
	});

	test("the response has no body, which Slack would show", async () => {
		const queue = captureQueue();
		const response = await post(sourceOf("slack"), queue, {
			body: COMMAND,
			headers: { "content-type": FORM },
		});
		expect([response.status, await response.text()]).toEqual([200, ""]);
		expect(await queue.events()).toHaveLength(1);
	});

	test.each([
		["neither command nor payload", "a=b", "invalid_payload"],
		["a payload without a type", "payload=%7B%7D", "invalid_payload"],
		["a payload that is no JSON", "payload=x", "invalid_json"],
		["invalid UTF-8", "command=%FF", "invalid_form"],
	])("refused: %s", async (_what, body, code) => {
		const refusal = { ok: false, status: 400, code };
		expect(await parseAs("slack", { headers: { "content-type": FORM }, body })).toMatchObject(refusal);
	});
});

test.each([
	["no type", {}, "type"],
	["a callback without an event", { type: "event_callback", event_id: "Ev1" }, "event.type"],
	["a challenge that is none", { type: "url_verification", challenge: 7 }, "challenge"],
])("refused: %s", async (_what, body, path) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path };
	expect(await parseAs("slack", { body: JSON.stringify(body) })).toMatchObject(refusal);
});

test("a retry by Slack, signed again, creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("slack");
	const retry = { "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout" };
	expect((await post(source, queue, { body: CALLBACK, age: 60_000 })).status).toBe(200);
	expect((await post(source, queue, { body: CALLBACK, headers: retry })).status).toBe(200);
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

describeBadInput("slack", { isTimed: true });
