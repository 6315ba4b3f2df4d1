/** Replicate's own client as the judge of what we send to its API, and of our signatures. */
import Replicate, { validateWebhook } from "replicate";
import { describe, expect, test } from "vitest";
import { generateSigningSecret, signatureHeaders } from "../../../src/crypto/standard-webhooks.ts";
import { inputOf, json, read, request } from "../captures.ts";
import { POLLED, readStep, stepRequest, summary } from "../jobs/jobs.ts";

const API = "https://replicate.example";
const WEBHOOK = "https://router.example/callbacks/dlv_1/t";

interface Sent {
	method: string | undefined;
	url: string;
	body: unknown;
}

/** What the client sends, and what it makes of the response. */
async function callOf<T>(call: (client: Replicate) => Promise<T>, response: object = {}) {
	const sent: Sent[] = [];
	const client = new Replicate({
		auth: "token",
		baseUrl: `${API}/v1`,
		fetch: (url, init) => {
			const body = typeof init?.body === "string" ? (JSON.parse(init.body) as unknown) : null;
			sent.push({ method: init?.method, url: new Request(url).url, body });
			return Promise.resolve(Response.json(response));
		},
	});
	return { value: await call(client), sent };
}

const input = { text: "Alice", n: 3 };
const webhook = { webhook: WEBHOOK, webhook_events_filter: ["completed" as const] };

describe.each([
	["polled", {}, null],
	["called back", webhook, WEBHOOK],
] as const)("a prediction that is %s is begun as the client begins it", (_how, options, callbackUrl) => {
	test.each([
		[
			"acme/model",
			(client: Replicate) => client.predictions.create({ model: "acme/model", input, ...options }),
		],
		["acme/model:v1", (client: Replicate) => client.predictions.create({ version: "v1", input, ...options })],
		["v1", (client: Replicate) => client.predictions.create({ version: "v1", input, ...options })],
		[
			"deployments/acme/app",
			(client: Replicate) => client.deployments.predictions.create("acme", "app", { input, ...options }),
		],
	])("of %s", async (model, call) => {
		const { sent } = await callOf<unknown>(call);
		const made = request(NAME, inputOf(json(JSON.stringify(input))), { url: API, model, callbackUrl });
		if ("misfit" in made) throw new Error(made.misfit);
		expect(sent).toEqual([
			{ method: made.method, url: made.url, body: JSON.parse(String(made.body)) as unknown },
		]);
	});
});

const NAME = "replicate";

test("it is asked for and canceled as the client does so", async () => {
	const asked = await callOf((client) => client.predictions.get("abc123"));
	const canceled = await callOf((client) => client.predictions.cancel("abc123"));
	for (const [step, { sent }] of [
		["poll", asked],
		["cancel", canceled],
	] as const) {
		const made = stepRequest(NAME, step, "abc123", { url: API });
		expect(sent).toEqual([{ method: made?.method, url: made?.url, body: null }]);
	}
});

test("agrees with the client on predictions and their outputs", async () => {
	const started = { id: "abc123", status: "starting", version: "v1", input, output: null };
	const done = { ...started, status: "succeeded", output: ["a", "b"], metrics: { predict_time: 1 } };
	const { value } = await callOf((client) => client.predictions.get("abc123"), done);
	const begun = read(NAME, { status: 201, body: started }, false, POLLED);
	expect(begun).toMatchObject({ class: "accepted", handle: value.id });
	const said = readStep(NAME, "poll", { status: 200, body: done });
	expect(summary(said)).toEqual(["ended", null, JSON.stringify(value.output)]);
});

test("its validator accepts our signatures, and none of another body", async () => {
	const secret = generateSigningSecret();
	const text = '{"input":{"text":"é"}}';
	const headers = signatureHeaders({
		id: "dlv_1",
		timestampSeconds: 1_800_000_000,
		body: Buffer.from(text),
		secrets: [generateSigningSecret(), secret],
	});
	const requestOf = (body: string) => new Request(API, { method: "POST", headers: { ...headers }, body });
	expect(await validateWebhook(requestOf(text), secret)).toBe(true);
	expect(await validateWebhook(requestOf(`${text} `), secret)).toBe(false);
});
