/**
 * The sources of docs/sources.md for services without a kind of their own, as they stand there. Requests are signed here
 * as each service's documentation says, with nothing of the router's code.
 */
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Source, unique } from "../support/api.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";

const stage = setting();

const DOCS = readFileSync(join(import.meta.dirname, "../../../docs/sources.md"), "utf8");

interface Documented {
	name: string;
	secret?: string;
	auth: { type: string };
}

/** The bodies of the table, by service. */
const ROWS = new Map(
	[...DOCS.matchAll(/^\| ([\w ,]+) \| `(\{ "name": .*?\})` \|/gm)].map(([, service = "", body = ""]) => [
		service,
		JSON.parse(body) as Documented,
	]),
);

function documented(service: string): Documented {
	const row = ROWS.get(service);
	if (row === undefined) throw new Error(`${service} is not in the table`);
	return row;
}

interface Sent {
	url: string;
	secret: string;
	body: string;
	/** Seconds since the epoch. */
	now: number;
}

interface Service {
	body: string;
	/** Of the event; the source's name where it is not said. */
	type?: string;
	headers?: Record<string, string>;
	sign: (sent: Sent) => Record<string, string>;
	/** Whether the time is signed and judged. */
	isTimed?: true;
	/** JSON unless it says otherwise. */
	contentType?: string;
	/** How the data reads, where that is not the body. */
	data?: unknown;
	/** Whether a repetition is told by what is in `headers` or `body`. */
	isDeduplicated: boolean;
}

const hex = ({ secret, body }: Sent) => createHmac("sha256", secret).update(body).digest("hex");
const base64 = ({ secret, body }: Sent) => createHmac("sha256", secret).update(body).digest("base64");

const SERVICES: Record<string, Service> = {
	Airtable: {
		body: '{"base":{"id":"appXXXXXXXXXXXXXX"},"webhook":{"id":"achYYYYYYYYYYYYYY"},"timestamp":"2026-01-02T03:04:05.678Z"}',
		sign: ({ secret, body }) => ({
			"x-airtable-content-mac": `hmac-sha256=${createHmac("sha256", Buffer.from(secret, "base64")).update(body).digest("hex")}`,
		}),
		isDeduplicated: false,
	},
	Bitbucket: {
		body: '{"actor":{"nickname":"emma"},"repository":{"full_name":"team/repo"},"push":{"changes":[]}}',
		type: "com.bitbucket.repo.push",
		headers: { "x-event-key": "repo:push", "x-request-uuid": randomUUID(), "x-attempt-number": "1" },
		sign: (sent) => ({ "x-hub-signature": `sha256=${hex(sent)}` }),
		isDeduplicated: true,
	},
	GitLab: {
		body: '{"object_kind":"push","ref":"refs/heads/main","project_id":15}',
		type: "com.gitlab.push",
		headers: { "x-gitlab-event": "Push Hook", "idempotency-key": randomUUID() },
		sign: ({ secret }) => ({ "x-gitlab-token": secret }),
		isDeduplicated: true,
	},
	"HubSpot, v3": {
		body: '[{"eventId":1,"subscriptionType":"contact.creation","objectId":123,"occurredAt":1767323045678}]',
		sign: ({ url, secret, body, now }) => ({
			"x-hubspot-request-timestamp": `${now}123`,
			"x-hubspot-signature-v3": createHmac("sha256", secret)
				.update(`POST${url}${body}${now}123`)
				.digest("base64"),
		}),
		isTimed: true,
		isDeduplicated: false,
	},
	Jira: {
		body: '{"timestamp":1767323045678,"webhookEvent":"jira:issue_created","issue":{"key":"OPS-1"}}',
		type: "com.jira.issue_created",
		headers: { "x-atlassian-webhook-identifier": randomUUID() },
		sign: (sent) => ({ "x-hub-signature": `sha256=${hex(sent)}` }),
		isDeduplicated: true,
	},
	Linear: {
		body: '{"action":"create","type":"Issue","data":{"id":"2174add1"},"webhookTimestamp":1767323045678}',
		type: "com.linear.Issue.create",
		headers: { "linear-delivery": randomUUID(), "linear-event": "Issue" },
		sign: (sent) => ({ "linear-signature": hex(sent) }),
		isDeduplicated: true,
	},
	Notion: {
		body: '{"id":"367cba44-b6f3-4c92-81e7-6a2e9659efd4","type":"page.created","entity":{"id":"153104cd","type":"page"}}',
		type: "com.notion.page.created",
		sign: (sent) => ({ "x-notion-signature": `sha256=${hex(sent)}` }),
		isDeduplicated: true,
	},
	Sentry: {
		body: '{"action":"created","data":{"issue":{"id":"1"}},"installation":{"uuid":"7a485448"}}',
		type: "com.sentry.issue.created",
		headers: { "sentry-hook-resource": "issue", "request-id": randomUUID() },
		sign: (sent) => ({ "sentry-hook-signature": hex(sent) }),
		isDeduplicated: true,
	},
	Twilio: {
		body: "ToCountry=DE&SmsMessageSid=SM1&NumMedia=0&Body=Hello+there+%26+gr%C3%BC%C3%9Fe&From=%2B4930123&To=%2B4930456&FromCity=",
		type: "com.twilio.message",
		contentType: "application/x-www-form-urlencoded; charset=utf-8",
		headers: { "i-twilio-idempotency-token": randomUUID() },
		sign: ({ url, secret, body }) => {
			const fields = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : 1));
			const text = url + fields.map(([name, value]) => name + value).join("");
			return { "x-twilio-signature": createHmac("sha1", secret).update(text).digest("base64") };
		},
		data: {
			ToCountry: "DE",
			SmsMessageSid: "SM1",
			NumMedia: "0",
			Body: "Hello there & grüße",
			From: "+4930123",
			To: "+4930456",
			FromCity: "",
		},
		isDeduplicated: true,
	},
	Typeform: {
		body: '{"event_id":"LtWXD3crgy","event_type":"form_response","form_response":{"form_id":"lT4Z3j"}}',
		type: "com.typeform.form_response",
		sign: (sent) => ({ "typeform-signature": `sha256=${base64(sent)}` }),
		isDeduplicated: true,
	},
};

test("every service of the table is tried", () => {
	expect([...ROWS.keys()].sort()).toEqual(Object.keys(SERVICES).sort());
});

/** The source as documented, but for its name; Notion's secret comes later there. */
function create(service: string): Promise<Source> {
	const body = documented(service);
	const secret = body.secret ?? "secret_that-Notion-would-send";
	return stage.api.createSource({ ...body, name: unique(body.name), secret });
}

describe.concurrent.each(Object.entries(SERVICES))("%s", (service, { headers = {}, ...sample }) => {
	const { body, contentType = "application/json" } = sample;

	function post(source: Source, changes: { ageSeconds?: number; secret?: string; sent?: string } = {}) {
		const now = Math.floor(Date.now() / 1000) - (changes.ageSeconds ?? 0);
		const signed = sample.sign({
			url: source.ingest_url,
			secret: changes.secret ?? source.secret,
			body,
			now,
		});
		const all = { "content-type": contentType, ...headers, ...signed };
		return stage.api.ingest(source.ingest_url, changes.sent ?? body, all);
	}

	test("a correctly signed request is accepted, with its data and type", async () => {
		const source = await create(service);
		const first = await post(source);
		expect(first.status).toBe(202);
		const { id } = first.body as { id: string };
		const event = await until(`event ${id}`, async () => {
			const answer = await stage.api.ask<{ type: string; data: unknown }>("GET", `/v1/events/${id}`);
			return answer.status === 200 ? answer.body : null;
		});
		expect(event.type).toBe(sample.type ?? source.name);
		expect(event.data).toEqual(sample.data ?? JSON.parse(body));
		const again = await post(source);
		expect(again.status).toBe(202);
		expect((again.body as { id: string }).id === id).toBe(sample.isDeduplicated);
	});

	test("a request without a valid signature, or changed since, is refused", async () => {
		const source = await create(service);
		expect((await post(source, { secret: Buffer.from("somebody else's").toString("base64") })).status).toBe(
			401,
		);
		expect((await stage.api.ingest(source.ingest_url, body, { "content-type": contentType })).status).toBe(
			401,
		);
		// GitLab's token covers nothing.
		const changed = body.replace(/[a-z](?=[^a-z]*$)/, "X");
		if (service !== "GitLab") expect((await post(source, { sent: changed })).status).toBe(401);
	});

	test("an old request is refused where its time is signed", async () => {
		const source = await create(service);
		expect((await post(source, { ageSeconds: 240 })).status).toBe(202);
		for (const ageSeconds of [3_600, -3_600]) {
			expect((await post(source, { ageSeconds })).status).toBe(sample.isTimed === true ? 401 : 202);
		}
	});

	test("the router's own sample is accepted", async () => {
		const source = await create(service);
		const { answer } = await stage.api.must<{ answer: { status: number } }>(
			"POST",
			`/v1/sources/${source.id}/test`,
		);
		expect(answer.status).toBe(202);
	});
});

test("Notion, step by step as documented", async () => {
	const [create = "", , patch = ""] = [
		...DOCS.slice(DOCS.indexOf("### Notion")).matchAll(/^api \/sources(?:\/notion)?.*$/gm),
	].map(([line]) => line);
	const body = JSON.parse(/-d '(.*)'$/.exec(create)?.[1] ?? "") as Documented;
	expect(body).toEqual(documented("Notion"));
	const source = await stage.api.createSource({ ...body, name: unique("notion") });
	const { secret } = JSON.parse(/-d '(.*)'$/.exec(patch)?.[1] ?? "") as { secret: string };

	const first = JSON.stringify({ verification_token: secret });
	const json = { "content-type": "application/json" };
	expect((await stage.api.ingest(source.ingest_url, first, json)).status).toBe(200);
	const path = `/v1/sources/${source.name}`;
	expect(await stage.api.must("GET", path)).toMatchObject({ verification_token: secret });
	await stage.api.must("PATCH", path, { secret });
	const event = SERVICES["Notion"]?.body ?? "";
	const signature = createHmac("sha256", secret).update(event).digest("hex");
	const signed = { ...json, "x-notion-signature": `sha256=${signature}` };
	await until("the new secret to count", async () => {
		const { status } = await stage.api.ingest(source.ingest_url, event, signed);
		return status === 202 || null;
	});
});
