import { describe, expect, inject, test, vi } from "vitest";
import type { AttemptResult } from "../../../../src/delivery/rules/attempt.ts";
import { MAX_RESPONSE_BYTES, send } from "../../../../src/delivery/exchange/carriers/send.ts";
import { PATIENCE_MS } from "../../../patience.ts";

const servers = inject("sendServers");
/** Far away: a test that is not about the deadline must not meet it. */
const options = { timeoutMs: PATIENCE_MS, maxBodyBytes: MAX_RESPONSE_BYTES };

function post(url: string, overrides: Partial<typeof options> = {}): Promise<AttemptResult> {
	const body = Buffer.from('{"id": 9007199254740993}');
	return send(
		{ url, method: "POST", headers: { "content-type": "application/json" }, body },
		{ ...options, ...overrides },
	);
}

async function response(
	path: string,
	overrides: Partial<typeof options> = {},
): Promise<Extract<AttemptResult, { kind: "response" }>> {
	const result = await post(servers.wellBehaved + path, overrides);
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
});

describe("a coded body", () => {
	test.each([
		"gzip",
		"upperCase",
		"xGzip",
		"twoMembers",
		"deflate",
		"bareDeflate",
		"brotli",
		"identity",
		"identityAndGzip",
		"twice",
		"twoLines",
	])("is read as what it says: %s", async (name) => {
		const { body, failure } = await response(`/coded/${name}`);
		expect({ text: new TextDecoder().decode(body), failure }).toEqual({ text: "hello world", failure: null });
	});

	test.each([
		"/coded/emptyGzip",
		"/coded/emptyBrotli",
		"/coded/emptyUnknown",
		"/coded/gzipOfNothing",
		"/bodiless/204",
		"/bodiless/304",
	])("without bytes is empty, and no failure: %s", async (path) => {
		expect(await response(path)).toMatchObject({ body: new Uint8Array(), failure: null });
	});

	test.each([
		["zstd", "undecodable", "coded as zstd."],
		["unknown", "undecodable", "coded as aes128gcm."],
		["threeTimes", "undecodable", "at most two"],
		["noGzip", "undecodable", "coded as gzip but is not"],
		["noXGzip", "undecodable", "coded as x-gzip but is not"],
		["noDeflate", "undecodable", "coded as deflate but is not"],
		["noBrotli", "undecodable", "coded as br but is not"],
		["garbageBehind", "undecodable", "coded as gzip but is not"],
		["shortGzip", "cut_off", "its gzip is not complete"],
		["noChecksum", "cut_off", "its gzip is not complete"],
		["shortDeflate", "cut_off", "its deflate is not complete"],
		["shortBrotli", "cut_off", "its br is not complete"],
	])("that cannot be decoded is never kept as it came: %s", async (name, error, message) => {
		expect(await response(`/coded/${name}`)).toMatchObject({
			status: 200,
			body: new Uint8Array(),
			failure: { error, message: expect.stringContaining(message) },
		});
	});

	test.each(["gzip", "x-gzip", "deflate", "br"])("of exactly the limit is read whole: %s", async (coding) => {
		const { body } = await response(`/zipped/${coding}?bytes=${MAX_RESPONSE_BYTES}`);
		expect(body.byteLength).toBe(MAX_RESPONSE_BYTES);
	});

	test("may be longer on the way than what it says", async () => {
		const { body } = await response("/words/2000", { maxBodyBytes: 16_000 });
		expect(body.byteLength).toBe(16_000);
	});
});

describe("a body beyond the limit", () => {
	const unknown = "The response has more than 1048576 bytes; at most 1048576 are read.";
	test.each([
		[
			"of a declared length",
			`/sized/${MAX_RESPONSE_BYTES + 1}`,
			"The response has 1048577 bytes; at most 1048576 are read.",
		],
		["without an end", "/endless", unknown],
	])("%s is given up, and the connection with it", async (_, path, message) => {
		const { status, body, failure } = await response(path);
		expect({ status, failure }).toEqual({ status: 200, failure: { error: "too_large", message } });
		expect(new TextDecoder().decode(body.slice(0, 3))).toBe("xxx");
		await vi.waitFor(async () => expect(await seen(path)).toEqual({ requests: 1, open: 0 }), {
			timeout: 60_000,
		});
	});

	test.each(["gzip", "x-gzip", "deflate", "br", "gzip, gzip"])(
		"that is small until it is unpacked is not unpacked: %s",
		async (coding) => {
			for (const bytes of [MAX_RESPONSE_BYTES + 1, 20 * MAX_RESPONSE_BYTES]) {
				const path = `/zipped/${encodeURIComponent(coding)}?bytes=${bytes}`;
				const { body, failure } = await response(path);
				expect({ body, failure }).toEqual({
					body: new Uint8Array(),
					failure: { error: "too_large", message: unknown },
				});
			}
		},
	);
});

describe("a body that breaks off", () => {
	const statuses = [200, 201, 202, 302, 401, 402, 404, 409, 410, 422, 429, 500, 503];
	test.each([
		["resets", "cut_off", "abc"],
		["closes", "cut_off", "abc"],
		["closesInChunk", "cut_off", "abc"],
		["closesInGzip", "cut_off", ""],
		["declaresMuch", "too_large", "abc"],
		["claimsGzip", "undecodable", ""],
		["claimsZstd", "undecodable", ""],
	])("leaves status, headers and what came of it: %s", async (how, error, begun) => {
		for (const status of statuses) {
			const result = await post(`${servers.breaksOff}/${how}/${status}`);
			expect(result).toMatchObject({
				kind: "response",
				status,
				headers: { "retry-after": "7" },
				failure: { error },
			});
			expect(new TextDecoder().decode("body" in result ? result.body : undefined)).toBe(begun);
		}
	});

	test.each([
		["hangs", "timeout", "The response was not complete within 0.5 s."],
		["declaresMuchSilently", "too_large", "The response has 10000000 bytes; at most 1048576 are read."],
	])("or never comes leaves them, too: %s", async (how, error, message) => {
		const answers = await Promise.all(
			[200, 401, 429, 503].map((status) => post(`${servers.breaksOff}/${how}/${status}`, { timeoutMs: 500 })),
		);
		expect(answers).toMatchObject(
			[200, 401, 429, 503].map((status) => ({ status, failure: { error, message } })),
		);
	});

	test("or takes too long leaves its beginning", async () => {
		const result = await post(`${servers.breaksOff}/sendsMuch/500`);
		expect(result).toMatchObject({ status: 500, failure: { error: "too_large" } });
		expect("body" in result && result.body.byteLength > MAX_RESPONSE_BYTES).toBe(true);
	});
});

describe("no response", () => {
	test.each(["refused", "resets", "closes", "closesInHeaders", "speaksNoHttp"] as const)(
		"from a server that is or does this: %s",
		async (server) => {
			expect(await post(servers[server])).toMatchObject({
				kind: "no_response",
				error: "connection_lost",
				message:
					"The connection was refused, or closed before a response began. The server is not running, or it crashed on this request.",
			});
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
	test("covers the wait for a response", async () => {
		expect(await post(servers.hangs, { timeoutMs: 200 })).toMatchObject({
			kind: "no_response",
			error: "timeout",
			message: "No response within 0.2 s.",
		});
	});

	test("covers the body, however it trickles, and closes the connection", async () => {
		expect(await post(`${servers.wellBehaved}/trickle`, { timeoutMs: 200 })).toMatchObject({
			kind: "response",
			status: 200,
			failure: { error: "timeout", message: "The response was not complete within 0.2 s." },
		});
		await vi.waitFor(async () => expect(await seen("/trickle")).toEqual({ requests: 1, open: 0 }));
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
