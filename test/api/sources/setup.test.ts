import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { generateSourceSecret } from "../../../src/api/fields/secrets.ts";
import { SECRET_PLACEHOLDER, type Setup } from "../../../src/sources/kind.ts";
import { kindOf, sourceKinds } from "../../../src/sources/registry.ts";
import type { ReadableSource } from "../../../src/store/records.ts";
import { insertSource } from "../../../src/store/resources/sources.ts";
import { makeSource } from "../../sources/make-source.ts";
import { settingsOf } from "../../sources/kind-settings.ts";
import { type Answer, ORIGIN, type Page, type Resource, ask, badPaths, must } from "../client.ts";

interface Expected {
	/** Whether nobody posts to it, so that its set-up names no URL. */
	isFetched?: true;
	/** Of the event that the kind's sample becomes. */
	type: string;
	/** What the publisher is answered. */
	status?: 200;
}

const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const OTHER_TOPIC = "arn:aws:sns:us-east-1:210987654321:scans";

const EXPECTED: Record<string, Expected> = {
	"azure-eventgrid": { type: "Microsoft.Storage.BlobCreated" },
	cloudevents: { type: "com.example.greeting" },
	debezium: { type: "public.documents.insert" },
	"gcs-pubsub": { type: "google.cloud.storage.object.v1.finalized" },
	generic: { type: "generic-source" },
	github: { type: "com.github.issues.opened" },
	hasura: { type: "public.documents.insert" },
	minio: { type: "com.amazonaws.s3.ObjectCreated:Put" },
	"mongodb-atlas": { type: "app.documents.insert" },
	planetscale: { type: "com.planetscale.branch.ready" },
	postgres: { type: "public.documents.insert" },
	r2: { type: "com.cloudflare.r2.CopyObject", isFetched: true },
	"s3-eventbridge": { type: "com.amazonaws.s3.ObjectCreated:PutObject" },
	"s3-sns": { type: "com.amazonaws.s3.ObjectCreated:Put" },
	sequin: { type: "public.documents.insert" },
	shopify: { type: "com.shopify.orders.create", status: 200 },
	slack: { type: "com.slack.app_mention", status: 200 },
	sqs: { type: "com.amazonaws.s3.ObjectCreated:Put", isFetched: true },
	"standard-webhooks": { type: "contact.created" },
	stripe: { type: "com.stripe.customer.created" },
	supabase: { type: "public.documents.insert" },
};

/** A stored source of the kind, by itself: nothing starts to fetch for it. */
async function storedSource(kind: string, name = `${kind}-source`): Promise<ReadableSource> {
	const auth = kindOf({ kind })?.defaultAuth ?? { type: "none" };
	const secret =
		generateSourceSecret(auth.type) ?? (auth.type === "aws_keys" ? "wJalrXUtnFEMI/K7MDENG" : null);
	const secrets = secret === null ? [] : [{ value: secret, createdAt: 0, expiresAt: null }];
	const source = makeSource({ name, kind, auth, settings: settingsOf(kind), secrets });
	await insertSource(env, source);
	return source;
}

interface Tried {
	source: ReadableSource;
	/** Of `POST …/test`. */
	answer: Answer;
}

const triedKinds = new Map<string, Tried>();
// All at once: the queue keeps each event for a moment.
beforeAll(async () => {
	await Promise.all(
		Object.keys(EXPECTED).map(async (kind) => {
			const source = await storedSource(kind);
			triedKinds.set(kind, { source, answer: await ask("POST", `/v1/sources/${source.id}/test`) });
		}),
	);
});

function tried(kind: string): Tried {
	const found = triedKinds.get(kind);
	if (found === undefined) throw new Error(`${kind} was not tried`);
	return found;
}

test("every kind is in the table", () => {
	expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(sourceKinds).sort());
});

describe.each(Object.entries(EXPECTED))("kind %s", (kind, { type, status = 202, isFetched }) => {
	test("its set-up says where to send, with a place for the secret and never the secret", async () => {
		const { name, secrets } = tried(kind).source;
		const { text, body } = await ask("GET", `/v1/sources/${name}/setup`);
		const { variants } = body as unknown as Setup;
		expect(variants).not.toHaveLength(0);
		for (const { name: variant, title, steps, remove } of variants) {
			expect([variant, title]).not.toContain("");
			expect(steps).not.toHaveLength(0);
			const code = [...steps, ...(remove === undefined ? [] : [remove])].map((step) => step.code).join("\n");
			expect(code).not.toMatch(/undefined|\[object|NaN/);
			if (isFetched !== true) expect(code, variant).toContain(`${ORIGIN}/in/${name}`);
		}
		if (body["secret_placeholder"] !== null && isFetched !== true) {
			expect(text).toContain(SECRET_PLACEHOLDER);
		}
		for (const { value } of secrets) expect(text).not.toContain(value);
	});

	test("its sample is accepted and logged", async () => {
		const { source, answer } = tried(kind);
		const { name, secrets } = source;
		for (const { value } of secrets) expect(answer.text).not.toContain(value);
		expect(answer).toMatchObject({ status: 200, body: { answer: { status }, sent: {} } });
		const logged = await vi.waitUntil(async () => {
			const { data } = await must<Page>("GET", `/v1/events?source=${name}`);
			return data.length > 0 && data;
		});
		expect(logged.map((event) => event["type"])).toEqual([type]);
	});
});

describe("where only the sender can sign, a sample is signed with a key that is trusted for nothing else", () => {
	const EMAIL = "pusher@app.iam.gserviceaccount.com";
	test.each([
		[
			"Amazon SNS",
			{ kind: "s3-sns", settings: { topic_arns: [OTHER_TOPIC], require_signature_version_2: true } },
		],
		["Google, for this URL", { kind: "gcs-pubsub", auth: { type: "google_oidc", email: EMAIL } }],
		[
			"Google, for an audience",
			{ kind: "generic", auth: { type: "google_oidc", email: EMAIL, audience: "me" } },
		],
		["the owner of a private key", { kind: "standard-webhooks", secret: PUBLIC_KEY }],
		[
			"the same, CloudEvents",
			{ kind: "cloudevents", auth: { type: "standard_webhooks" }, secret: PUBLIC_KEY },
		],
	])("%s", async (_who, fields) => {
		const fetched = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("", { status: 500 }));
		const name = `signed-elsewhere-${crypto.randomUUID().slice(0, 8)}`;
		await must("POST", "/v1/sources", { name, ...fields });
		const { sent, answer } = await must("POST", `/v1/sources/${name}/test`);
		expect(answer).toMatchObject({ status: 202 });
		// Nothing of the proof is told, and what is told proves nothing.
		const { headers, body } = sent as { headers: Record<string, string>; body: string };
		expect(Object.keys(headers)).not.toContain("authorization");
		expect(Object.keys(headers)).not.toContain("webhook-signature");
		const request = new Request(`${ORIGIN}/in/${name}`, { method: "POST", headers, body });
		expect((await exports.default.fetch(request)).status).toBeOneOf([401, 503]);
		fetched.mockRestore();
	});
});

test("a public key is rotated into a secret of our own making", async () => {
	await must("POST", "/v1/sources", { name: "v1a", kind: "standard-webhooks", secret: PUBLIC_KEY });
	expect((await must("POST", "/v1/sources/v1a/secret/rotate"))["secret"]).toMatch(/^whsec_/);
});

test("with a token in the URL, the place for the secret is in the URL", async () => {
	await must("POST", "/v1/sources", { name: "by-token", auth: { type: "url_token" }, secret: "never-shown" });
	const { text, body } = await ask("GET", "/v1/sources/by-token/setup");
	expect(body["ingest_url"]).toBe(`${ORIGIN}/in/by-token`);
	expect(text).toContain(`${ORIGIN}/in/by-token?token=${SECRET_PLACEHOLDER}`);
	expect(text).not.toContain("never-shown");
});

test("a sample is held to what the source asks for: a disabled one takes none", async () => {
	await must("POST", "/v1/sources", { name: "closed" });
	await must("POST", "/v1/sources/closed/pause");
	expect(await must("POST", "/v1/sources/closed/test")).toMatchObject({
		answer: { status: 503, body: { code: "source_paused" } },
	});
});

/** The event that a sample has become. */
async function sampled(source: string, body?: unknown): Promise<Resource> {
	const { answer } = await must<{ answer: { body: { id?: string; ids?: string[] } } }>(
		"POST",
		`/v1/sources/${source}/test`,
		body,
	);
	const id = answer.body.id ?? answer.body.ids?.[0];
	return must("GET", `/v1/events/${id}?explain=true`);
}

function subscriptionsOf(event: Resource): string[] {
	return (event["matched"] as { subscription_id: string }[]).map((decision) => decision.subscription_id);
}

describe("the event of a sample is marked", () => {
	const leaveOut = { not: { exact: { sluicetest: "true" } } };
	let count = 0;

	async function setting(kind: string): Promise<Record<"source" | "all" | "real", string>> {
		const endpoint = `marked-${++count}`;
		const source = await storedSource(kind, endpoint);
		await must("POST", "/v1/endpoints", {
			name: endpoint,
			url: "https://models.example.com/",
			status: "paused",
		});
		const of = { endpoint, source: source.id };
		const all = await must("POST", "/v1/subscriptions", of);
		const real = await must("POST", "/v1/subscriptions", { ...of, filters: [leaveOut] });
		return { source: source.id, all: all.id, real: real.id };
	}

	test.each(["generic", "sqs"])("so that subscriptions can leave it out: %s", async (kind) => {
		const { source, all, real } = await setting(kind);
		const event = await sampled(source);
		expect(event).toMatchObject({
			cloudevent: { sluicetest: true },
			matched: [{ subscription_id: all }],
			unmatched: expect.arrayContaining([expect.objectContaining({ subscription_id: real })]),
		});
		const [decision] = event["matched"] as { delivery_id: string }[];
		expect(decision).not.toHaveProperty("withheld");
		await vi.waitUntil(
			async () => (await ask("GET", `/v1/deliveries/${decision?.delivery_id}`)).status === 200,
		);
	});

	test.each(["generic", "sqs"])(
		"and is routed without being delivered where that is asked for: %s",
		async (kind) => {
			const { source, all } = await setting(kind);
			const event = await sampled(source, { deliver: false });
			expect(event["matched"]).toMatchObject([{ subscription_id: all, withheld: true }]);
			const trace = await must("GET", `/v1/events/${event.id}/trace`);
			expect(trace).toMatchObject({
				event: { deliveries: [{ error: "withheld", status: null }] },
				finished_at: expect.any(String),
			});
			expect(await must("GET", `/v1/deliveries?event=${event.id}`)).toMatchObject({ data: [] });
			const dispatchers = vi.spyOn(env.DISPATCHER, "get");
			await must("GET", `/v1/events/${event.id}/trace`);
			expect(dispatchers).not.toHaveBeenCalled();
			dispatchers.mockRestore();
		},
	);

	test("one that is not delivered takes no id from a publisher's event", async () => {
		const { source, all } = await setting("generic");
		await must("PATCH", `/v1/sources/${source}`, { dedupe_key: "body.hello" });
		const first = await sampled(source, { deliver: false });
		expect((await sampled(source, { deliver: false })).id).not.toBe(first.id);
		const delivered = await sampled(source);
		expect(delivered["matched"]).toMatchObject([{ subscription_id: all }]);
		expect(delivered["matched"]).not.toMatchObject([{ withheld: true }]);
	});

	test("and so is every event of a source that is only for tests, until it is not", async () => {
		const { source, all } = await setting("generic");
		const { targets } = await must("GET", `/v1/subscriptions/${all}`);
		const everywhere = await must("POST", "/v1/subscriptions", { targets });
		const { name } = await must("PATCH", `/v1/sources/${source}`, { auth: { type: "none" }, test: true });
		const send = async (): Promise<Resource> => {
			const request = new Request(`${ORIGIN}/in/${name}`, { method: "POST", body: "{}" });
			const response = await exports.default.fetch(request);
			const { id } = await response.json<{ id: string }>();
			return must("GET", `/v1/events/${id}?explain=true`);
		};
		const tried = await send();
		expect(tried).toMatchObject({ cloudevent: { sluicetest: true } });
		expect(subscriptionsOf(tried)).toEqual([all]);
		expect(await must("PATCH", `/v1/sources/${source}`, { test: false })).toMatchObject({ test: false });
		await vi.waitFor(async () => {
			const event = await send();
			expect(event["cloudevent"]).not.toHaveProperty("sluicetest");
			expect(subscriptionsOf(event)).toContain(everywhere.id);
		});
		await must("DELETE", `/v1/subscriptions/${everywhere.id}`);
	});

	test("no publisher can mark its own", async () => {
		const { source } = await setting("cloudevents");
		const { name } = await must("GET", `/v1/sources/${source}`);
		await must("PATCH", `/v1/sources/${source}`, { auth: { type: "none" } });
		const marked = {
			specversion: "1.0",
			id: "1",
			source: "/t",
			type: "t",
			sluicetest: true,
			sluiceundelivered: true,
			sluiceonlynamed: true,
		};
		const response = await exports.default.fetch(
			new Request(`${ORIGIN}/in/${name}`, {
				method: "POST",
				headers: { "content-type": "application/cloudevents+json" },
				body: JSON.stringify(marked),
			}),
		);
		const { id } = await response.json<{ id: string }>();
		const event = await must("GET", `/v1/events/${id}`);
		expect(event["cloudevent"]).not.toHaveProperty("sluicetest");
		expect(event["cloudevent"]).not.toHaveProperty("sluiceundelivered");
		expect(event["cloudevent"]).not.toHaveProperty("sluiceonlynamed");
		expect(event["matched"]).not.toContainEqual(expect.objectContaining({ withheld: true }));
	});

	test("a bad body is refused", async () => {
		const { source } = await setting("generic");
		expect(badPaths(await ask("POST", `/v1/sources/${source}/test`, { deliver: "no" }))).toEqual(["deliver"]);
	});
});

test.each(["setup", "test"])("%s of a source that does not exist is 404", async (action) => {
	const method = action === "setup" ? "GET" : "POST";
	expect(await ask(method, `/v1/sources/nobody/${action}`)).toMatchObject({
		status: 404,
		body: { code: "source_not_found" },
	});
});
