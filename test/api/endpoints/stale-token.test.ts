/** A token that the endpoint has revoked: trials and probes ask for a new one, as deliveries do. */
import { afterEach, expect, test, vi } from "vitest";
import { type Call, model } from "../../delivery/dispatcher.fixtures.ts";
import { must } from "../client.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const TOKEN_URL = "https://login.example.com/token";
let count = 0;

async function create(fields: Record<string, unknown>): Promise<string> {
	const name = `revoked-${++count}`;
	const auth = {
		type: "oauth2_client_credentials",
		token_url: TOKEN_URL,
		client_id: name,
		client_secret: "a-client-secret",
	};
	await must("POST", "/v1/endpoints", { name, url: "https://models.example.com", auth, ...fields });
	return name;
}

const isToken = ({ url }: Call) => url === TOKEN_URL;
const bearer = ({ headers }: Call) => (headers.get("authorization") ?? "").replace("Bearer ", "");

/** Gives the tokens `token-1`, `token-2`, …; the model accepts those that `accepts` names. */
function server(accepts: (token: string) => boolean, answer: () => Response): { bearers: () => unknown[] } {
	let tokens = 0;
	const calls = model((call) => {
		if (isToken(call)) return Response.json({ access_token: `token-${++tokens}`, token_type: "Bearer" });
		return accepts(bearer(call)) ? answer() : new Response(null, { status: 401 });
	});
	return { bearers: () => calls.filter((call) => !isToken(call)).map(bearer) };
}

const tryIt = (name: string) => must("POST", `/v1/endpoints/${name}@1/test`);
const probe = (name: string) => must("GET", `/v1/endpoints/${name}@1/health?probe=true`);

test("a test is sent once more with a new token, and shows the second exchange", async () => {
	let revoked = "";
	const { bearers } = server(
		(token) => token !== revoked,
		() => Response.json({ ok: true }),
	);
	const name = await create({});
	await tryIt(name);
	revoked = "token-1";
	expect(await tryIt(name)).toMatchObject({ outcome: "done", response: { status_code: 200 } });
	expect(bearers()).toEqual(["token-1", "token-1", "token-2"]);
});

test("a second token that is refused is the result of the test, and is not used again", async () => {
	const { bearers } = server(
		() => false,
		() => Response.json({}),
	);
	const name = await create({});
	expect(await tryIt(name)).toMatchObject({ outcome: "unauthorized", response: { status_code: 401 } });
	expect(bearers()).toEqual(["token-1", "token-2"]);
	await tryIt(name);
	expect(bearers()).toEqual(["token-1", "token-2", "token-3", "token-4"]);
});

test("a probe asks once more with a new token", async () => {
	let revoked = "";
	const { bearers } = server(
		(token) => token !== revoked,
		() => Response.json({ ready: true }),
	);
	const name = await create({ protocol: "open-inference", model: "iris" });
	expect(await probe(name)).toMatchObject({ ready: true });
	revoked = "token-1";
	expect(await probe(name)).toMatchObject({ ready: true });
	expect(bearers()).toEqual(["token-1", "token-1", "token-2"]);
});

test("a probe whose credentials are refused says nothing about the model", async () => {
	server(
		() => false,
		() => Response.json({}),
	);
	expect(await probe(await create({ protocol: "open-inference", model: "iris" }))).toMatchObject({
		ready: null,
	});
});
