import { describe, expect, inject, test, vi } from "vitest";
import type { AttemptResult, NetworkError } from "../../src/delivery/attempt.ts";
import { MAX_RESPONSE_BYTES, type Phase, describeNetworkError, send } from "../../src/delivery/send.ts";

const servers = inject("sendServers");
/** Far away: a test that is not about the deadline must not meet it. */
const options = { timeoutMs: 30_000, maxBodyBytes: MAX_RESPONSE_BYTES };

function post(url: string, overrides: Partial<typeof options> = {}): Promise<AttemptResult> {
	const body = Buffer.from('{"id": 9007199254740993}');
	return send(
		{ url, method: "POST", headers: { "content-type": "application/json" }, body },
		{ ...options, ...overrides },
	);
}

async function response(path: string): Promise<Extract<AttemptResult, { kind: "response" }>> {
	const result = await post(servers.wellBehaved + path);
	if (result.kind !== "response") throw new Error(`${result.error}: ${result.message}`);
	return result;
}

async function seen(path: string): Promise<{ requests: number; open: number }> {
	const answer = await fetch(`${servers.wellBehaved}/seen?path=${path}`);
	return answer.json();
}

describe("a response", () => {
	test("comes with status, headers in lower case and body", async () => {
		const { status, headers, body, durationMs } = await response("/echo");
		expect(status).toBe(200);
		expect(headers).toMatchObject({ "content-type": "application/json", "x-answer": "42" });
		const echo = JSON.parse(new TextDecoder().decode(body));
		expect(echo).toMatchObject({ method: "POST", headers: { "content-type": "application/json" } });
		expect(atob(echo.body)).toBe('{"id": 9007199254740993}');
		expect(durationMs).toBeGreaterThanOrEqual(0);
	});

	test.each([201, 400, 410, 429, 500, 503])("with status %i is a response", async (status) => {
		const result = await response(`/status/${status}`);
		expect(result).toMatchObject({ status, headers: { "retry-after": "7" } });
		expect(new TextDecoder().decode(result.body)).toBe("said");
	});

	test("without a body has an empty one", async () => {
		expect(await response("/nothing")).toMatchObject({ status: 204, body: new Uint8Array() });
	});

	test.each([301, 302, 303, 307, 308])("with status %i is not followed", async (status) => {
		expect(await response(`/redirect/${status}`)).toMatchObject({
			status,
			headers: { location: "/redirected" },
		});
		expect(await seen("/redirected")).toEqual({ requests: 0, open: 0 });
	});

	test("of exactly the limit is read whole", async () => {
		const { body } = await response(`/sized/${MAX_RESPONSE_BYTES}`);
		expect(body.byteLength).toBe(MAX_RESPONSE_BYTES);
	});

	test("that was compressed is read as what it says", async () => {
		const { body } = await response("/zipped/1000");
		expect(new TextDecoder().decode(body)).toBe("x".repeat(1000));
	});
});

describe("a body beyond the limit", () => {
	test.each([
		["of a declared length", `/sized/${MAX_RESPONSE_BYTES + 1}`],
		["without an end", "/endless"],
		["that is small until it is unpacked", `/zipped/${20 * MAX_RESPONSE_BYTES}`],
	])("%s is given up, and the connection with it", async (_, path) => {
		const result = await post(servers.wellBehaved + path);
		expect(result).toMatchObject({
			kind: "no_response",
			error: "too_large",
			message: "The body of the answer is larger than 1048576 bytes.",
		});
		await vi.waitFor(async () => expect(await seen(path)).toEqual({ requests: 1, open: 0 }), {
			timeout: 10_000,
		});
	});
});

describe("no response", () => {
	test.each(["refused", "resets", "closes", "closesInHeaders", "speaksNoHttp"] as const)(
		"from a server that is or does this: %s",
		async (server) => {
			expect(await post(servers[server])).toMatchObject({
				kind: "no_response",
				error: "connection_lost",
				message: "The connection was refused, or closed before an answer began.",
			});
		},
	);

	test.each(["resetsInBody", "closesInBody", "closesInChunk", "claimsGzip"] as const)(
		"that is complete, from a server that does this: %s",
		async (server) => {
			const result = await post(servers[server]);
			expect(result).toMatchObject({ kind: "no_response", error: "cut_off" });
			expect(result).toHaveProperty(
				"message",
				expect.stringContaining("The answer broke off before its end: "),
			);
		},
	);

	test("from a server without TLS, asked for https", async () => {
		const result = await post(servers.wellBehaved.replace("http:", "https:"));
		expect(result).toMatchObject({ kind: "no_response", error: "unreachable" });
	});

	test.each(["not a url", "ftp://127.0.0.1/"])("from %j, and no exception", async (url) => {
		expect(await post(url)).toMatchObject({ kind: "no_response", error: "network" });
	});

	test("when a header cannot be sent, and no exception", async () => {
		const headers = { "x-a": "1\r\nx-injected: 1" };
		const request = { url: servers.wellBehaved, method: "POST" as const, headers, body: new Uint8Array() };
		expect(await send(request, options)).toMatchObject({ kind: "no_response", error: "network" });
	});
});

describe("the deadline", () => {
	test("covers the wait for an answer", async () => {
		expect(await post(servers.hangs, { timeoutMs: 200 })).toMatchObject({
			kind: "no_response",
			error: "timeout",
			message: "No answer within 0.2 s.",
		});
	});

	test("covers the body, however it trickles, and closes the connection", async () => {
		expect(await post(`${servers.wellBehaved}/trickle`, { timeoutMs: 200 })).toMatchObject({
			kind: "no_response",
			error: "timeout",
			message: "The answer was not complete within 0.2 s.",
		});
		await vi.waitFor(async () => expect(await seen("/trickle")).toEqual({ requests: 1, open: 0 }), {
			timeout: 10_000,
		});
	});

	test("leaves no timer behind", async () => {
		const started = vi.spyOn(globalThis, "setTimeout");
		const stopped = vi.spyOn(globalThis, "clearTimeout");
		await post(`${servers.wellBehaved}/echo`);
		await post(servers.refused);
		const timers = started.mock.results.map(({ value }) => value as unknown);
		expect(timers).toHaveLength(2);
		expect(stopped.mock.calls.map(([timer]) => timer as unknown)).toEqual(timers);
		vi.restoreAllMocks();
	});
});

/** Quoted from workerd 1.20261023.1; the second argument says what was really the matter. */
test.each<[said: string, cause: string, phase: Phase, error: NetworkError]>([
	["Network connection lost.", "connection refused, reset or closed", "connecting", "connection_lost"],
	["Network connection lost.", "the response is no HTTP", "connecting", "connection_lost"],
	[
		"internal error; reference = eqsmtv0n127itso44irll6hv",
		"the name does not resolve",
		"connecting",
		"unreachable",
	],
	[
		"internal error; reference = 139spl5a3d5pm1s4l4q0tbp9",
		"no TLS on that port",
		"connecting",
		"unreachable",
	],
	[
		"internal error; reference = 0kc8rl9h3tbr55fcgm942mgu",
		"untrusted certificate",
		"connecting",
		"unreachable",
	],
	["internal error", "the same, without a reference", "connecting", "unreachable"],
	["Fetch API cannot load: ftp://127.0.0.1/", "scheme", "connecting", "network"],
	["Too many subrequests by single Worker invocation.", "our own limit", "connecting", "network"],
	["Network connection lost.", "reset or closed in the body", "reading", "cut_off"],
	["Gzip decompression failed.", "the body is not what its encoding says", "reading", "cut_off"],
	["Brotli decompression failed.", "the body is not what its encoding says", "reading", "cut_off"],
	["internal error; reference = 0kc8rl9h3tbr55fcgm942mgu", "unknown", "reading", "network"],
])("%j (%s, while %s) is called %s", (said, _, phase, error) => {
	expect(describeNetworkError(new Error(said), phase).error).toBe(error);
});

test("what was thrown need not be an error", () => {
	expect(describeNetworkError("broken", "connecting")).toEqual({ error: "network", message: "broken" });
});
