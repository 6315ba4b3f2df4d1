import { describe, expect, test } from "vitest";
import type { SourceAuth } from "../../../src/store/records.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { RECEIVED_AT, parseAs, parseOne } from "../parse.ts";
import { setupAs } from "../bind.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The insert of MongoDB's page on change events, as Extended JSON. */
const INSERTED = `{
  "_id": { "_data": "82635019A0000000012B042C0100296E5A1004" },
  "operationType": "insert",
  "clusterTime": { "$timestamp": { "t": 1666193824, "i": 1 } },
  "wallTime": { "$date": "2022-10-19T15:37:04.604Z" },
  "ns": { "db": "engineering", "coll": "users" },
  "documentKey": { "userName": "alice123", "_id": { "$oid": "599af247bb69cd89961c986d" } },
  "fullDocument": { "_id": { "$oid": "599af247bb69cd89961c986d" }, "ratio": 1.50, "n": { "$numberLong": "9007199254740993" } }
}`;

function change(changes: object): string {
	return JSON.stringify({ ...(JSON.parse(INSERTED) as object), ...changes });
}

test("a change, with the text of its Extended JSON as it came", async () => {
	expect(await parseAs("mongodb-atlas", { body: INSERTED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "82635019A0000000012B042C0100296E5A1004",
					source: "/mongodb/publisher-1/engineering",
					type: "engineering.users.insert",
					subject: "users/599af247bb69cd89961c986d",
					time: "2022-10-19T15:37:04.604Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: INSERTED },
			},
		],
		batch: false,
	});
});

test.each([
	["update", {}, "engineering.users.update"],
	["replace", {}, "engineering.users.replace"],
	["delete", { fullDocument: undefined }, "engineering.users.delete"],
	["drop", { documentKey: undefined }, "engineering.users.drop"],
	["dropDatabase", { ns: { db: "engineering" } }, "engineering.dropDatabase"],
	["invalidate", { ns: undefined }, "mongodb.invalidate"],
])("%s", async (operationType, changes, type) => {
	const { attributes } = await parseOne("mongodb-atlas", { body: change({ operationType, ...changes }) });
	expect(attributes.type).toBe(type);
});

test.each([
	["a text", "a-1", "users/a-1"],
	["a number", 7, "users/7"],
	["a long", { $numberLong: "9007199254740993" }, "users/9007199254740993"],
	["a UUID", { $uuid: "3b241101-e2bb-4255-8caf-4136c566a962" }, "users/3b241101-e2bb-4255-8caf-4136c566a962"],
	["a document", { a: 1 }, "users"],
])("the subject of a document whose key is %s", async (_what, _id, subject) => {
	const { attributes } = await parseOne("mongodb-atlas", { body: change({ documentKey: { _id } }) });
	expect(attributes.subject).toBe(subject);
});

test.each([
	["canonical", { wallTime: { $date: { $numberLong: "1666193824604" } } }, "2022-10-19T15:37:04.604Z"],
	["only the clock of the cluster", { wallTime: undefined }, "2022-10-19T15:37:04.000Z"],
	["no time", { wallTime: undefined, clusterTime: undefined }, RECEIVED_AT],
	["nonsense", { wallTime: { $date: "now" }, clusterTime: { $timestamp: { t: -1 } } }, RECEIVED_AT],
])("the time: %s", async (_what, changes, time) => {
	expect((await parseOne("mongodb-atlas", { body: change(changes) })).attributes.time).toBe(time);
});

const idOf = async (changes: object) =>
	(await parseOne("mongodb-atlas", { body: change({ _id: undefined, ...changes }) })).attributes.id;
expect(await idOf({})).toMatch(/^[0-9a-f]{64}$/);

test("without a resume token, the content distinguishes changes", async () => {
	expect(await idOf({})).toBe(await idOf({}));
	expect(await idOf({})).not.toBe(await idOf({ operationType: "update" }));
});

test.each([
	["no operation", { operationType: undefined }],
	["an operation that is no word", { operationType: "in sert" }],
])("refused: %s", async (_what, changes) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path: "operationType" };
	expect(await parseAs("mongodb-atlas", { body: change(changes) })).toMatchObject(refusal);
});

test("a change that is posted again creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("mongodb-atlas", SECRET);
	for (const age of [60_000, 0]) {
		expect((await post(source, queue, { body: INSERTED, age })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

const setupFor = (auth: SourceAuth) =>
	setupAs("mongodb-atlas", {
		source: makeSource({ name: "app-db", auth }),
		url: "https://x.example/in/app-db",
		secret: "<SECRET>",
	}).variants[0];
const codeFor = (auth: SourceAuth) =>
	setupFor(auth)?.steps.find(({ language }) => language === "javascript")?.code;

describe("set-up", () => {
	test("the function signs", () => {
		const code = codeFor({ type: "standard_webhooks" });
		expect(code).toContain('url: "https://x.example/in/app-db"');
		expect(code).toContain('headers["webhook-signature"]');
	});

	test("or sends a token that is not in its text", () => {
		expect(codeFor({ type: "bearer" })).toContain('headers["Authorization"] = ["Bearer " + secret];');
		expect(codeFor({ type: "bearer" })).not.toContain("<SECRET>");
		expect(JSON.stringify(setupFor({ type: "bearer" }))).toContain("<SECRET>");
	});

	test("with the secret in the URL there is no secret to store", () => {
		expect(setupFor({ type: "url_token" })?.steps).toHaveLength(2);
	});
});

describeBadInput("mongodb-atlas", { isTimed: true, secret: SECRET });
