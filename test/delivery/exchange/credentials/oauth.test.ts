/** Access tokens: how they are asked for, how long they are kept, and who shares a request for one. */
import { afterEach, expect, test, vi } from "vitest";
import { accessToken, dropToken } from "../../../../src/delivery/exchange/credentials/oauth.ts";
import {
	clientCredentials,
	tokenRequest,
} from "../../../../src/delivery/exchange/credentials/token-request.ts";
import type { OAuth2ClientCredentials } from "../../../../src/store/records.ts";

afterEach(() => {
	vi.restoreAllMocks();
	vi.useRealTimers();
});

const RULES = { allowPrivate: false, ownHosts: ["router.example.com"] };
let count = 0;

function newAuth(more: Partial<OAuth2ClientCredentials> = {}): OAuth2ClientCredentials {
	const type = "oauth2_client_credentials";
	const tokenUrl = "https://login.example.com/token";
	return { type, tokenUrl, clientId: `client-${++count}`, clientSecret: "s3cret", ...more };
}

/** A token endpoint that gives `t1`, `t2`, …; returns what it was asked. */
function tokenEndpoint(fields: object = { expires_in: 3600 }): Request[] {
	const requests: Request[] = [];
	vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
		requests.push(new Request(input, init));
		return Response.json({ access_token: `t${requests.length}`, token_type: "bearer", ...fields });
	});
	return requests;
}

async function valueOf(auth: OAuth2ClientCredentials): Promise<string> {
	const asked = await accessToken(auth, RULES);
	return asked.ok ? asked.token.value : asked.result.error;
}

test("a client proves itself in the header, encoded as in a form", async () => {
	const auth = newAuth({
		clientId: "a b",
		clientSecret: "p:w&ü",
		scope: "read write",
		audience: "https://a",
	});
	const { url, method, headers, body } = tokenRequest(auth);
	expect({ url, method }).toEqual({ url: "https://login.example.com/token", method: "POST" });
	expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
	expect(atob((headers["authorization"] ?? "").replace("Basic ", ""))).toBe("a+b:p%3Aw%26%C3%BC");
	expect(headers["authorization"]).toBe(`Basic ${clientCredentials(auth)}`);
	expect(Object.fromEntries(new URLSearchParams(Buffer.from(body).toString()))).toEqual({
		grant_type: "client_credentials",
		scope: "read write",
		audience: "https://a",
	});
});

test("or in the body, and then not in the header", () => {
	const { headers, body } = tokenRequest(newAuth({ clientId: "me", clientAuth: "body" }));
	expect(headers).not.toHaveProperty("authorization");
	expect(Object.fromEntries(new URLSearchParams(Buffer.from(body).toString()))).toEqual({
		grant_type: "client_credentials",
		client_id: "me",
		client_secret: "s3cret",
	});
});

test("a token is kept, also for equal settings that were read again, but not for others", async () => {
	const requests = tokenEndpoint();
	const auth = newAuth();
	expect(await valueOf(auth)).toBe("t1");
	expect(await valueOf(auth)).toBe("t1");
	expect(await valueOf({ ...auth })).toBe("t1");
	expect(await valueOf({ ...auth, scope: "other" })).toBe("t2");
	expect(await valueOf({ ...auth, clientSecret: "rotated" })).toBe("t3");
	expect(requests).toHaveLength(3);
});

test("deliveries at once share one request, also when it fails", async () => {
	const requests = tokenEndpoint();
	const auth = newAuth();
	expect(await Promise.all([valueOf(auth), valueOf(auth), valueOf(auth)])).toEqual(["t1", "t1", "t1"]);
	expect(requests).toHaveLength(1);
	const failing = newAuth();
	const fetched = vi
		.spyOn(globalThis, "fetch")
		.mockImplementation(async () => new Response("", { status: 500 }));
	fetched.mockClear();
	expect(await Promise.all([valueOf(failing), valueOf(failing)])).toEqual(["token_failed", "token_failed"]);
	expect(fetched).toHaveBeenCalledTimes(1);
	await valueOf(failing);
	expect(fetched).toHaveBeenCalledTimes(2);
});

test("a token is replaced a minute before it ends", async () => {
	vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
	tokenEndpoint({ expires_in: 600 });
	const auth = newAuth();
	expect(await valueOf(auth)).toBe("t1");
	vi.setSystemTime(1_800_000_000_000 + 539_999);
	expect(await valueOf(auth)).toBe("t1");
	vi.setSystemTime(1_800_000_000_000 + 540_000);
	expect(await valueOf(auth)).toBe("t2");
});

test("a token that was refused is dropped; one that came after it stays", async () => {
	tokenEndpoint();
	const auth = newAuth();
	expect(await valueOf(auth)).toBe("t1");
	dropToken(auth, ["t1"]);
	expect(await valueOf(auth)).toBe("t2");
	dropToken(auth, ["t1"]);
	expect(await valueOf(auth)).toBe("t2");
});

test("the number of tokens that are kept is bounded, and those in use stay", async () => {
	const requests = tokenEndpoint();
	const first = newAuth();
	await valueOf(first);
	const second = newAuth();
	await valueOf(second);
	for (let others = 0; others < 199; others++) {
		await valueOf(newAuth());
		await valueOf(first);
	}
	const before = requests.length;
	await valueOf(first);
	expect(requests).toHaveLength(before);
	await valueOf(second);
	expect(requests).toHaveLength(before + 1);
});

test.each([
	"http://login.example.com/token",
	"https://10.0.0.1/token",
	"https://router.example.com/token",
	"queue:JOBS",
	"vpc:LOGIN/token",
])("nothing is sent to a token endpoint at %s", async (tokenUrl) => {
	const requests = tokenEndpoint();
	const asked = await accessToken(newAuth({ tokenUrl }), RULES);
	expect(asked).toMatchObject({ ok: false, result: { error: "blocked_url" } });
	expect(requests).toEqual([]);
});

test("redirects are not followed", async () => {
	const fetched = vi
		.spyOn(globalThis, "fetch")
		.mockImplementation(
			async () => new Response("", { status: 307, headers: { location: "https://b.example" } }),
		);
	expect(await valueOf(newAuth())).toBe("token_failed");
	expect(fetched.mock.calls.map(([, init]) => init?.redirect)).toEqual(["manual"]);
});
