/** Endpoints that are no plain HTTPS servers: what can be stored, what goes together, and what is read back. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { refuseAddresses } from "../../../src/api/endpoints/reach.ts";
import { findEndpoint } from "../../../src/store/resources/endpoints.ts";
import { ask, badPaths, must } from "../client.ts";

const url = "https://models.example.com/predict";
const MODEL = "workers-ai:@cf/meta/llama-3.1-8b-instruct";
const SQS = "https://sqs.eu-central-1.amazonaws.com/123456789012/scans";
const AWS = { type: "aws_sigv4", access_key_id: "AKIAEXAMPLE", secret_access_key: "a/secret+key" };
const OAUTH = {
	type: "oauth2_client_credentials",
	token_url: "https://login.example.com/token?tenant=a",
	client_id: "router",
	client_secret: "a-client-secret",
};
let count = 0;
const unique = () => `reached-${++count}`;

afterEach(() => {
	Reflect.deleteProperty(env, "AI");
});

function bindAi(): void {
	Reflect.set(env, "AI", { run: async () => ({}) });
}

describe("credentials that are made for each request", () => {
	test("of AWS are stored sealed, and shown without their secrets", async () => {
		const auth = { ...AWS, session_token: "a-session", region: "eu-west-1", service: "execute-api" };
		const made = await must("POST", "/v1/endpoints", { name: unique(), url, auth });
		const shown = {
			type: "aws_sigv4",
			access_key_id: "AKIAEXAMPLE",
			region: "eu-west-1",
			service: "execute-api",
		};
		expect(made["auth"]).toEqual(shown);
		expect((await must("GET", `/v1/endpoints/${made.id}`))["auth"]).toEqual(shown);
		expect(await findEndpoint(env, made.id)).toMatchObject({
			auth: { type: "aws_sigv4", secretAccessKey: "a/secret+key", sessionToken: "a-session" },
		});
		const row = await env.DB.prepare("SELECT auth FROM endpoints WHERE id = ?").bind(made.id).first("auth");
		expect(row).not.toContain("AKIAEXAMPLE");
	});

	test("of OAuth likewise", async () => {
		const auth = { ...OAUTH, scope: "read write", audience: "https://models", client_auth: "body" };
		const made = await must("POST", "/v1/endpoints", { name: unique(), url, auth });
		expect(made["auth"]).toEqual({
			type: "oauth2_client_credentials",
			token_url: "https://login.example.com/token",
			client_id: "router",
			scope: "read write",
			audience: "https://models",
			client_auth: "body",
		});
		expect(await findEndpoint(env, made.id)).toMatchObject({
			auth: {
				tokenUrl: "https://login.example.com/token?tenant=a",
				clientSecret: "a-client-secret",
				clientAuth: "body",
			},
		});
	});

	test.each<[object, string[]]>([
		[{ ...AWS }, ["auth.region", "auth.service"]],
		[{ ...AWS, region: "eu-west-1" }, ["auth.service"]],
		[{ ...AWS, region: "EU", service: "x" }, ["auth.region"]],
		[{ ...AWS, secret_access_key: undefined }, ["auth.secret_access_key"]],
		[{ ...AWS, access_key_id: "a b" }, ["auth.access_key_id"]],
		[{ ...AWS, key: "x" }, ["auth.key"]],
		[{ ...OAUTH, token_url: "ftp://login.example.com/token" }, ["auth.token_url"]],
		[{ ...OAUTH, token_url: "https://169.254.169.254/token" }, ["auth.token_url"]],
		[{ ...OAUTH, token_url: "queue:JOBS" }, ["auth.token_url"]],
		[{ ...OAUTH, token_url: "vpc:OCR/token" }, ["auth.token_url"]],
		[{ ...OAUTH, client_secret: "" }, ["auth.client_secret"]],
		[{ ...OAUTH, client_auth: "header" }, ["auth.client_auth"]],
	])("are refused: %j", async (auth, paths) => {
		const answer = await ask("POST", "/v1/endpoints", { name: unique(), url, auth });
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual(paths);
	});

	test("a change that takes the region away with the host is refused", async () => {
		const made = await must("POST", "/v1/endpoints", {
			name: unique(),
			url: "https://abc.lambda-url.eu-west-1.on.aws/",
			auth: AWS,
		});
		expect(badPaths(await ask("PATCH", `/v1/endpoints/${made.id}`, { url }))).toEqual([
			"auth.region",
			"auth.service",
		]);
		expect(
			badPaths(await ask("PATCH", `/v1/endpoints/${made.id}`, { auth: { ...OAUTH, token_url: "x" } })),
		).toEqual(["auth.token_url"]);
	});
});

describe("bindings", () => {
	test("the URL says which protocol is spoken", async () => {
		bindAi();
		const model = await must("POST", "/v1/endpoints", { name: unique(), url: MODEL });
		expect(model).toMatchObject({ url: MODEL, protocol: "workers-ai", model: null });
		const queue = await must("POST", "/v1/endpoints", { name: unique(), url: "queue:JOBS" });
		expect(queue).toMatchObject({ protocol: "queue" });
		const service = await must("POST", "/v1/endpoints", { name: unique(), url: "vpc:OCR/predict" });
		expect(service).toMatchObject({ protocol: "http" });
	});

	test.each([
		[MODEL, '[ai]\nbinding = "AI"'],
		["queue:NONE", '[[queues.producers]]\nbinding = "NONE"\nqueue = "the-name-of-the-queue"'],
		["vpc:NONE/predict", '[[vpc_services]]\nbinding = "NONE"\nservice_id = "the-id-of-the-service"'],
		// Of another kind.
		["vpc:JOBS/predict", "[[vpc_services]]"],
	])("%s is refused while it is not there, with the lines that are missing", async (url, lines) => {
		const { status, body } = await ask("POST", "/v1/endpoints", { name: unique(), url });
		expect(status).toBe(422);
		expect(body["errors"]).toEqual([{ path: "url", message: expect.stringContaining(lines) }]);
	});

	test.each([
		"queue:EVENTS",
		"queue:EVENTS_DLQ",
		"queue:DB",
		"vpc:DISPATCHER/x",
		"vpc:ASSETS",
		"queue:",
		"queue:JOBS/x",
		"queue://JOBS",
		"QUEUE:JOBS",
		"vpc:",
		"vpc://OCR/",
		"vpc:OCR/a#b",
		"vpc:OCR\\a",
		"vpc:OCR@example.com/",
		"workers-ai:",
		"workers-ai:llama",
		"workers-ai:@cf/a",
		"workers-ai:@cf/a/b/../c",
	])("%s is refused", async (url) => {
		bindAi();
		expect(badPaths(await ask("POST", "/v1/endpoints", { name: unique(), url }))).toEqual(["url"]);
	});

	test.each<[object, string[]]>([
		[{ url: "queue:JOBS", protocol: "http" }, ["protocol"]],
		[{ url: "queue:JOBS", protocol: "workers-ai" }, ["protocol"]],
		[{ url, protocol: "queue" }, ["url"]],
		[{ url: "vpc:OCR/", protocol: "workers-ai" }, ["url"]],
		[{ url: "queue:JOBS", auth: { type: "bearer", token: "t" } }, ["auth"]],
		[{ url: "vpc:OCR/", auth: { ...AWS, region: "eu-west-1", service: "x" } }, ["auth"]],
		[{ url: "vpc:OCR/", protocol: "openai-chat" }, ["model"]],
		[{ url: SQS, protocol: "sqs" }, ["auth"]],
		[{ url, protocol: "sqs", auth: AWS }, ["url"]],
	])("what does not go together: %j", async (fields, paths) => {
		const answer = await ask("POST", "/v1/endpoints", { name: unique(), ...fields });
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual(paths);
	});

	test("an endpoint moves to a binding and back; the protocol comes with the URL that says it", async () => {
		const made = await must("POST", "/v1/endpoints", { name: unique(), url });
		const path = `/v1/endpoints/${made.id}`;
		expect(await must("PATCH", path, { url: "queue:JOBS" })).toMatchObject({ protocol: "queue" });
		expect(badPaths(await ask("PATCH", path, { url }))).toEqual(["url"]);
		expect(badPaths(await ask("PATCH", path, { auth: { type: "bearer", token: "t" } }))).toEqual(["auth"]);
		expect(await must("PATCH", path, { url, protocol: "http" })).toMatchObject({ url, protocol: "http" });
	});

	test("a queue of SQS needs its URL and a key of AWS", async () => {
		const made = await must("POST", "/v1/endpoints", {
			name: unique(),
			url: SQS,
			protocol: "sqs",
			auth: AWS,
		});
		expect(made).toMatchObject({ url: SQS, protocol: "sqs", auth: { access_key_id: "AKIAEXAMPLE" } });
	});
});

describe("a URL that only a router for development takes", () => {
	test.each([
		["http://models.example.com/", true],
		["https://localhost/predict", true],
		["https://10.0.0.7/", true],
		["https://models.example.com:9000/", true],
		["https://models.lan/", true],
		["ftp://models.example.com/", false],
		["https://169.254.169.254/", false],
		["https://models.example.com/#a", false],
	])("%s is refused, and names the setting: %s", (refused, isNamed) => {
		const production = { allowPrivate: false, ownHosts: [] };
		const stored = {
			type: "oauth2_client_credentials",
			tokenUrl: refused,
			clientId: "a",
			clientSecret: "b",
			clientAuth: "basic",
		} as const;
		const told = refuseAddresses(env, { url: refused, auth: stored }, production);
		expect(told.map(({ path }) => path)).toEqual(["url", "auth.token_url"]);
		for (const { message } of told)
			expect(message.includes("ALLOW_PRIVATE_ENDPOINTS=true in .dev.vars")).toBe(isNamed);
	});
});
