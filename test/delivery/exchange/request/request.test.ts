import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import {
	type RequestParts,
	authHeaders,
	buildRequest,
} from "../../../../src/delivery/exchange/request/request.ts";
import { secretsIn } from "../../../../src/delivery/exchange/masking/secrets-in.ts";
import type { Attributes, SluiceEvent } from "../../../../src/events/event.ts";
import type { ModelRequest, Protocol } from "../../../../src/models/protocol.ts";
import { reading } from "../../../../src/models/responses/reading.ts";

const now = Date.now();
const url = "https://models.example.com/";
const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/** Sends the transform's value, and headers of its own. */
const protocol: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: () => false,
	request: ({ transformed }, { url }) => ({
		method: "POST",
		url,
		headers: { "Content-Type": "application/json", accept: "application/json" },
		body: transformed ?? "",
	}),
	read: () => reading(),
};

function event(attributes: Partial<Attributes> = {}): SluiceEvent {
	return {
		id: "evt_1",
		sourceId: "src_1",
		receivedAt: now,
		attributes: { id: "1", source: "/sources/db", type: "document.inserted", ...attributes },
		data: null,
	};
}

function build(overrides: Partial<RequestParts> = {}, endpoint: Partial<RequestParts["endpoint"]> = {}) {
	const request = buildRequest({
		endpoint: {
			url: "https://models.example.com/ocr?v=1",
			model: null,
			auth: { type: "none" },
			headers: {},
			signingSecrets: [{ value: NEW, createdAt: now, expiresAt: null }],
			...endpoint,
		},
		protocol,
		input: { event: event(), transformed: '{"id": 9007199254740993, "name": "Zoë"}' },
		deliveryId: "dlv_1",
		jobId: "dlv_1",
		attempt: 3,
		wantsReply: false,
		lineage: null,
		mode: "sync" as const,
		callbackUrl: null,
		now,
		...overrides,
	});
	if ("misfit" in request) throw new Error(request.misfit);
	return request;
}

test("a request carries the protocol's part, the ids and the signature, and nothing else", () => {
	const { url, method, headers, body } = build();
	expect({ url, method }).toEqual({ url: "https://models.example.com/ocr?v=1", method: "POST" });
	expect(headers).toEqual({
		"user-agent": "Sluice/0.1",
		"x-request-id": "dlv_1",
		"content-type": "application/json",
		accept: "application/json",
		"sluice-event-id": "evt_1",
		"sluice-attempt": "3",
		"webhook-id": "dlv_1",
		"webhook-timestamp": String(Math.floor(now / 1000)),
		"webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
	});
	expect(new TextDecoder().decode(body ?? new Uint8Array())).toBe('{"id": 9007199254740993, "name": "Zoë"}');
});

test("the lineage has its own header, and a header of the endpoint cannot replace it", () => {
	const { headers } = build({ lineage: "v1.a.b" }, { headers: { "Sluice-Lineage": "mine" } });
	expect(headers["sluice-lineage"]).toBe("v1.a.b");
	expect(build({}, { headers: { "Sluice-Lineage": "mine" } }).headers).not.toHaveProperty("sluice-lineage");
});

describe("the signature", () => {
	test("covers the bytes that are sent", () => {
		const { headers, body } = build();
		expect(new Webhook(NEW).verify(Buffer.from(body ?? []), headers)).toHaveProperty("name", "Zoë");
	});

	test("covers bytes that are no text", () => {
		const bytes = new Uint8Array([0, 255, 128, 10]);
		const binary: Protocol = {
			...protocol,
			request: (_, { url }) => ({ method: "POST", url, headers: {}, body: bytes }),
		};
		const { headers, body } = build({ protocol: binary });
		expect([...(body ?? [])]).toEqual([...bytes]);
		// Not by the package, which reads its bodies as text.
		const signed = Buffer.concat([Buffer.from(`dlv_1.${headers["webhook-timestamp"]}.`), bytes]);
		const key = Buffer.from(NEW.slice("whsec_".length), "base64");
		expect(headers["webhook-signature"]).toBe(
			`v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
		);
	});

	test("is made with every secret that is live, and with none that is not", () => {
		const rotating = (expiresAt: number) => [
			{ value: NEW, createdAt: now, expiresAt: null },
			{ value: OLD, createdAt: 0, expiresAt },
		];
		const during = build({}, { signingSecrets: rotating(now + 1) });
		const body = Buffer.from(during.body);
		expect(new Webhook(OLD).verify(body, during.headers)).toHaveProperty("name", "Zoë");
		expect(new Webhook(NEW).verify(body, during.headers)).toHaveProperty("name", "Zoë");
		const after = build({}, { signingSecrets: rotating(now) });
		expect(() => new Webhook(OLD).verify(body, after.headers)).toThrow("No matching signature");
	});
});

describe("headers and auth of the endpoint", () => {
	test("is sent along", () => {
		const { headers } = build(
			{},
			{
				headers: { "X-Scale-Up-Timeout": "600", "User-Agent": "acme/1" },
				auth: { type: "bearer", token: "t" },
			},
		);
		expect(headers).toMatchObject({
			"x-scale-up-timeout": "600",
			"user-agent": "acme/1",
			authorization: "Bearer t",
		});
	});

	test("wins over nothing that the protocol or the router says", () => {
		const parts = { input: { event: event(trace), transformed: "1" }, wantsReply: true };
		const shared = ["user-agent", "x-request-id", "prefer"];
		const names = Object.keys(build(parts).headers).filter((name) => !shared.includes(name));
		expect(names).toHaveLength(9);
		for (const name of names.map((name) => name.toUpperCase())) {
			expect(Object.values(build(parts, { headers: { [name]: "mine" } }).headers)).not.toContain("mine");
			const auth = { type: "header", name, value: "mine" } as const;
			expect(Object.values(build(parts, { auth }).headers)).not.toContain("mine");
		}
	});

	test("counts for the credentials before it counts for the headers", () => {
		const auth = { type: "bearer", token: "t" } as const;
		expect(build({}, { headers: { Authorization: "Key k" }, auth }).headers["authorization"]).toBe(
			"Bearer t",
		);
		expect(build({}, { headers: { Authorization: "Key k" } }).headers["authorization"]).toBe("Key k");
	});
});

const naming = (made: Partial<ModelRequest>): Protocol => ({
	...protocol,
	request: (_, { url }) => ({ method: "POST", url, headers: {}, body: "", ...made }),
});

describe("a protocol", () => {
	test("chooses method and path, from the endpoint's URL, its model and the delivery's id", () => {
		const put: Protocol = {
			...protocol,
			request: (_, { url, model, deliveryId }) => ({
				method: "PUT",
				url: `${url}/${model}/${deliveryId}`,
				headers: {},
				body: "",
			}),
		};
		const { method, url } = build({ protocol: put }, { url: "https://a.example/x", model: "ocr" });
		expect({ method, url }).toEqual({ method: "PUT", url: "https://a.example/x/ocr/dlv_1" });
	});

	test("cannot replace the endpoint's credentials, nor add any", () => {
		const headers = { Authorization: "mine", "X-Api-Key": "mine", cookie: "mine", accept: "*/*" };
		const request = build(
			{ protocol: naming({ headers }) },
			{ auth: { type: "bearer", token: "t" }, headers: { "X-Api-Key": "k" } },
		);
		expect(request.headers).toMatchObject({ authorization: "Bearer t", "x-api-key": "k", accept: "*/*" });
		expect(Object.values(request.headers)).not.toContain("mine");
	});

	test.each([
		"https://evil.example/ocr",
		"https://models.example.com.evil.example/",
		"http://models.example.com/",
		"/ocr",
	])("cannot lead them to another host: %s", (url) => {
		expect(() => build({ protocol: naming({ url }) })).toThrow("is not on the endpoint's host");
	});
});

const trace = {
	traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	tracestate: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
};

describe("the publisher's trace", () => {
	test.each([
		["goes on", trace, trace],
		["goes on without a state", { traceparent: trace.traceparent }, { traceparent: trace.traceparent }],
		["has no state of its own", { tracestate: trace.tracestate }, {}],
		["is left out when it is none", { ...trace, traceparent: "00-abc-def-01" }, {}],
		["is left out when it is a number", { ...trace, traceparent: 7 }, {}],
		[
			"loses a state that no header can carry",
			{ ...trace, tracestate: "rojo=ü" },
			{ traceparent: trace.traceparent },
		],
		[
			"loses a state without end",
			{ ...trace, tracestate: "a".repeat(513) },
			{ traceparent: trace.traceparent },
		],
	])("%s", (_, attributes, sent) => {
		const { headers } = build({ input: { event: event(attributes), transformed: "1" } });
		const { traceparent, tracestate } = headers;
		expect(JSON.parse(JSON.stringify({ traceparent, tracestate }))).toEqual(sent);
	});
});

test("a reply is asked for only when it will be used", () => {
	expect(build({ wantsReply: true }).headers["prefer"]).toBe("reply");
	expect(build({ wantsReply: false }).headers).not.toHaveProperty("prefer");
});

describe("a preference of the endpoint", () => {
	test.each([
		["respond-async", true, "respond-async, reply"],
		["respond-async, wait=10", true, "respond-async, wait=10, reply"],
		["respond-async", false, "respond-async"],
		["reply", true, "reply"],
		["wait=1 , Reply; x=1", true, "wait=1 , Reply; x=1"],
		["no-reply", true, "no-reply, reply"],
		[" ", true, "reply"],
	])("%j stays in force, with a reply asked for (%s): %j", (own, wantsReply, sent) => {
		expect(build({ wantsReply }, { headers: { Prefer: own } }).headers["prefer"]).toBe(sent);
	});

	test("is replaced by a preference of the protocol, which Cog only understands alone", () => {
		const waiting: Protocol = {
			...protocol,
			request: (_, { url }) => ({ method: "POST", url, headers: { Prefer: "wait=60" }, body: "" }),
		};
		const parts = { protocol: waiting, wantsReply: true };
		expect(build(parts, { headers: { prefer: "wait=1" } }).headers["prefer"]).toBe("wait=60");
	});
});

test("a header that was stored before it was refused is not sent", () => {
	const headers = { "Content-Encoding": "gzip", "x-kept": "1" };
	expect(build({}, { headers }).headers).not.toHaveProperty("content-encoding");
	expect(build({}, { headers }).headers).toHaveProperty("x-kept", "1");
	const auth = { type: "header", name: "content-encoding", value: "br" } as const;
	expect(build({}, { auth }).headers).not.toHaveProperty("content-encoding");
});

describe("credentials", () => {
	test.each([
		[{ type: "none" } as const, {}, []],
		[{ type: "bearer", token: "t0ken" } as const, { authorization: "Bearer t0ken" }, ["t0ken"]],
		[
			{ type: "basic", username: "zoë", password: "p:w" } as const,
			{ authorization: "Basic em/DqzpwOnc=" },
			["em/DqzpwOnc=", "p:w"],
		],
		[
			{ type: "bearer", token: "t0ken", scheme: "Api-Key" } as const,
			{ authorization: "Api-Key t0ken" },
			["t0ken"],
		],
		[{ type: "header", name: "X-Api-Key", value: "k3y" } as const, { "x-api-key": "k3y" }, ["k3y"]],
		[
			{ type: "headers", headers: { "Modal-Key": "k3y", "Modal-Secret": "s3cret" } } as const,
			{ "modal-key": "k3y", "modal-secret": "s3cret" },
			["k3y", "s3cret"],
		],
	])("%j", (auth, headers, secrets) => {
		expect(authHeaders(auth)).toEqual(headers);
		expect(secretsIn({ auth, headers: {}, url })).toEqual(secrets);
	});

	test("in headers of the endpoint count by their names", () => {
		const headers = { "X-Api-Key": "k3y", "x-scale-up-timeout": "600", "x-access-token": "t0ken" };
		expect(secretsIn({ auth: { type: "none" }, headers, url })).toEqual(["k3y", "t0ken"]);
	});

	test("are found within their headers, too", () => {
		const headers = { Authorization: "Key k3y", cookie: "sid=a1b2; theme=dark" };
		expect(secretsIn({ auth: { type: "none" }, headers, url })).toEqual([
			"Key k3y",
			"k3y",
			"sid=a1b2; theme=dark",
			"a1b2",
			"dark",
		]);
		const auth = { type: "header", name: "x-auth", value: "Token t0ken" } as const;
		expect(secretsIn({ auth, headers: {}, url })).toEqual(["Token t0ken", "t0ken"]);
	});

	test("in the query of the URL count by their names", () => {
		const query = "?api_key=k%2F3&code=c0de&sig=s1g&version=2&codec=flac&design=x";
		expect(secretsIn({ auth: { type: "none" }, headers: {}, url: url + query })).toEqual([
			"k/3",
			"k%2F3",
			"c0de",
			"s1g",
		]);
	});

	test("in the query of the URL are known as they are spelled, for a server that shows the URL", () => {
		const query = "?token=a+b%20c&version=2&=&token&&sig=%E4";
		expect(secretsIn({ auth: { type: "none" }, headers: {}, url: url + query })).toEqual([
			"a b c",
			"a+b%20c",
			"\ufffd",
			"%E4",
		]);
	});
});
