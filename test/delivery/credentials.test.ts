/** Credentials that are made for each request, as a dispatcher uses them: access tokens and signatures. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { DeliveryRecord } from "../../src/delivery/records.ts";
import { findEndpoint } from "../../src/store/resources/endpoints.ts";
import type { AwsSigV4, OAuth2ClientCredentials } from "../../src/store/records.ts";
import {
	type Call,
	createSetting,
	incoming,
	model,
	type Setting,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

let clients = 0;

function newAuth(): OAuth2ClientCredentials {
	return {
		type: "oauth2_client_credentials",
		tokenUrl: "https://login.example.com/token",
		clientId: `client-${++clients}`,
		clientSecret: "a-client-secret",
	};
}

const isToken = ({ url }: Call) => url === "https://login.example.com/token";

/** A token endpoint, and a model that `answer` speaks for; both behind `fetch`. */
function server(
	answer: (call: Call) => Response,
	token = (count: number) => tokenOf(`token-number-${count}`),
) {
	let tokens = 0;
	return model((call) => (isToken(call) ? token(++tokens) : answer(call)));
}

function tokenOf(value: string): Response {
	return Response.json({ access_token: value, token_type: "Bearer", expires_in: 3600 });
}

function text(status: number, body: string): Response {
	return new Response(body, { status, headers: { "content-type": "text/plain" } });
}

const bearers = (calls: Call[]) =>
	calls.filter((call) => !isToken(call)).map(({ headers }) => headers.get("authorization"));

async function enqueue(setting: Setting, count = 1): Promise<string[]> {
	const items = Array.from({ length: count }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	return items.map(({ id }) => id);
}

async function tried(setting: Setting): Promise<DeliveryRecord> {
	const [id = ""] = await enqueue(setting);
	return whenTried(setting, id);
}

test("deliveries at once share a token, and what echoes it shows none, by a hand as well", async () => {
	const calls = server(({ headers }) => Response.json({ echo: headers.get("authorization") }));
	const setting = await createSetting({ endpoint: { auth: newAuth(), maxConcurrency: 12 } });
	for (const id of await enqueue(setting, 12)) {
		const { result } = await whenStatus(setting, id, "succeeded");
		expect(result?.data).toEqual({ kind: "json", text: '{"echo":"Bearer ***"}' });
	}
	expect(calls.filter(isToken)).toHaveLength(1);
	expect(bearers(calls)).toEqual(Array(12).fill("Bearer token-number-1"));
});

test("an error that quotes the token or the client's secret shows neither", async () => {
	server(() => text(500, "token-number-1 of client with a-client-secret"));
	const setting = await createSetting({ endpoint: { auth: newAuth(), protocol: "cog" } });
	const record = await tried(setting);
	expect(record.attempts).toMatchObject([
		{ error: "*** of client with ***", excerpt: "*** of client with ***" },
	]);
});

test("a token that was revoked is replaced: the delivery is sent once more, and costs no attempt", async () => {
	let revoked = "";
	const calls = server(({ headers }) =>
		headers.get("authorization") === revoked ? new Response(null, { status: 401 }) : Response.json("ok"),
	);
	const setting = await createSetting({ endpoint: { auth: newAuth() } });
	const [first = ""] = await enqueue(setting);
	await whenStatus(setting, first, "succeeded");
	revoked = "Bearer token-number-1";
	const [second = ""] = await enqueue(setting);
	expect(await whenStatus(setting, second, "succeeded")).toMatchObject({
		attempts: [
			{ outcome: "unauthorized", statusCode: 401, error: expect.stringContaining("sent once more") },
			{ outcome: "done" },
		],
	});
	expect(bearers(calls)).toEqual(["Bearer token-number-1", "Bearer token-number-1", "Bearer token-number-2"]);
	expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ status: "active" });
});

test("a new token that is refused as well pauses the endpoint, and the delivery is kept", async () => {
	const calls = server(() => new Response(null, { status: 401 }));
	const setting = await createSetting({ endpoint: { auth: newAuth() } });
	const [id = ""] = await enqueue(setting);
	expect(await whenTried(setting, id, 2)).toMatchObject({ status: "pending" });
	await vi.waitFor(async () => {
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ statusReason: "unauthorized" });
	});
	expect(bearers(calls)).toEqual(["Bearer token-number-1", "Bearer token-number-2"]);
});

test("without a token no request is made: a refused client pauses the endpoint", async () => {
	const calls = server(
		() => Response.json("ok"),
		() => Response.json({ error: "invalid_client" }, { status: 401 }),
	);
	const setting = await createSetting({ endpoint: { auth: newAuth() } });
	expect(await tried(setting)).toMatchObject({
		status: "pending",
		attempts: [
			{
				outcome: "unauthorized",
				statusCode: null,
				error: "token_refused: The token endpoint responded 401: invalid_client",
			},
		],
	});
	await vi.waitFor(async () => {
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ statusReason: "unauthorized" });
	});
	expect(calls.every(isToken)).toBe(true);
});

test("a client secret quoted by the token endpoint is masked before the text is cut", async () => {
	const secret = "s".repeat(100);
	const description = `${"x".repeat(420)}${secret}`;
	const quoting = () =>
		Response.json({ error: "invalid_client", error_description: description }, { status: 401 });
	server(() => Response.json("ok"), quoting);
	const setting = await createSetting({ endpoint: { auth: { ...newAuth(), clientSecret: secret } } });
	const error = (await tried(setting)).attempts[0]?.error ?? "";
	expect(error).toContain("xxx***");
	expect(error).not.toContain("sss");
});

test.each([
	[500, "error"],
	[503, "busy"],
])("a token endpoint that responds %s: %s", async (status, outcome) => {
	const calls = server(
		() => Response.json("ok"),
		() => new Response(null, { status, headers: { "retry-after": "3600" } }),
	);
	const setting = await createSetting({ endpoint: { auth: newAuth() } });
	expect(await tried(setting)).toMatchObject({ status: "pending", attempts: [{ outcome }] });
	expect(calls).toHaveLength(1);
	expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ status: "active" });
});

test("a request that is signed for AWS keeps the router's own signature, and its echo shows no signature of AWS", async () => {
	const auth: AwsSigV4 = { type: "aws_sigv4", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-key" };
	const calls = model(({ headers }) => Response.json({ echo: headers.get("authorization") }));
	const setting = await createSetting({
		endpoint: { auth, url: "https://abc.lambda-url.eu-west-1.on.aws/infer" },
	});
	const [id = ""] = await enqueue(setting);
	const { result } = await whenStatus(setting, id, "succeeded");
	const [call] = calls;
	expect(call?.headers.get("authorization")).toMatch(
		/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/lambda\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
	);
	expect(call?.headers.get("webhook-signature")).toMatch(/^v1,/);
	expect(result?.data).toEqual({ kind: "json", text: '{"echo":"***"}' });
});

test("a request that cannot be signed is not sent, and the endpoint is paused", async () => {
	const auth: AwsSigV4 = { type: "aws_sigv4", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-key" };
	const calls = model(() => Response.json("ok"));
	const setting = await createSetting({ endpoint: { auth } });
	expect(await tried(setting)).toMatchObject({
		attempts: [{ outcome: "unauthorized", error: expect.stringContaining("region and service") }],
	});
	expect(calls).toEqual([]);
});
