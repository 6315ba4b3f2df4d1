/**
 * What every kind that signs JSON objects must refuse, sent through the route as its publisher would send it: each
 * a 4xx with a stable code, and nothing stored.
 */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { receive } from "../../src/ingest/receive.ts";
import { sign } from "../../src/sources/proof/sign.ts";
import { kindOf } from "../../src/sources/registry.ts";
import type { ReadableSource } from "../../src/store/records.ts";
import { cacheSource } from "../../src/store/views/source-cache.ts";
import { type Captured, captureQueue } from "./capture.ts";
import { makeSource } from "./make-source.ts";
import { settingsOf } from "./kind-settings.ts";
import { sampleOf } from "./bind.ts";

const DEFAULT_SECRET = "a-secret-of-the-publisher";

export interface Sent {
	/** Replaces the body of the sample. */
	body?: string | Uint8Array;
	/** Added to the headers of the sample, over its proof too. */
	headers?: Record<string, string>;
	signedWith?: string;
	/** ms before now, at which it was signed. */
	age?: number;
	/** Sent without any proof. */
	unproven?: boolean;
}

/** A source of the kind, with the kind's own auth. */
export function sourceOf(kind: string, secret = DEFAULT_SECRET): ReadableSource {
	const auth = kindOf({ kind })?.defaultAuth ?? { type: "none" };
	return makeSource({
		kind,
		auth,
		settings: settingsOf(kind),
		secrets: [{ value: secret, createdAt: 0, expiresAt: null }],
	});
}

/** Signs the kind's sample, or what replaces parts of it, and posts it to `source`. */
export async function post(source: ReadableSource, queue: Captured, sent: Sent = {}): Promise<Response> {
	await cacheSource(queue.env, source);
	const sample = sampleOf(source.kind, Date.now(), source.settings);
	const body = sent.body ?? sample.body;
	const secret = sent.signedWith ?? source.secrets[0]?.value ?? "";
	const unsigned = { url: `https://sluice.example/in/${source.name}`, headers: sample.headers, body };
	const proof =
		sent.unproven === true ? null : sign(source.auth, secret, unsigned, Date.now() - (sent.age ?? 0));
	const headers = { ...sample.headers, ...proof?.headers, ...sent.headers };
	const ctx = createExecutionContext();
	const request = new Request(`${unsigned.url}${proof?.query ?? ""}`, { method: "POST", headers, body });
	const response = await receive(request, queue.env, ctx, source.name);
	await waitOnExecutionContext(ctx);
	return response;
}

type BadInput = [what: string, sent: Sent | ((body: string) => Sent), status: number, code: string];

const LEVELS = 10_000;

const BAD_INPUT: BadInput[] = [
	["a signature by another secret", { signedWith: "somebody-else's-secret" }, 401, "unauthorized"],
	["a cut body", (body) => ({ body: body.slice(0, -2) }), 400, "invalid_json"],
	["no body", { body: "" }, 400, "invalid_json"],
	[
		"invalid UTF-8",
		{ body: new Uint8Array([0x7b, 0x22, 0xc0, 0xa0, 0x22, 0x3a, 0x31, 0x7d]) },
		400,
		"invalid_json",
	],
	["a list", { body: "[]" }, 400, "invalid_payload"],
	[
		"a member twice",
		(body) => ({ body: body.replace("{", '{"extra":1,"extra":2,') }),
		400,
		"duplicate_member",
	],
	[
		"a member twice, spelled differently",
		(body) => ({ body: body.replace("{", '{"extra":1,"\\u0065xtra":2,') }),
		400,
		"duplicate_member",
	],
	[
		"10,000 levels",
		(body) => ({ body: body.replace("{", `{"extra":${"[".repeat(LEVELS)}${"]".repeat(LEVELS)},`) }),
		400,
		"nested_too_deep",
	],
	["another content type", { headers: { "content-type": "text/xml" } }, 415, "unsupported_media_type"],
	[
		"another charset",
		{ headers: { "content-type": "application/json; charset=utf-16" } },
		415,
		"unsupported_media_type",
	],
	["a compressed body", { headers: { "content-encoding": "gzip" } }, 415, "unsupported_content_encoding"],
	["10 MB", { body: " ".repeat(10_000_000) }, 413, "body_too_large"],
];

/** Defines the tests. `isTimed`: whether the publisher signs the time, and `maxAgeSeconds` how long ago it may have. */
export function describeBadInput(
	kind: string,
	{ isTimed, secret, maxAgeSeconds = 300 }: { isTimed: boolean; secret?: string; maxAgeSeconds?: number },
): void {
	const cases: BadInput[] = [
		...BAD_INPUT.map(([what, sent, ...refusal]): BadInput => [
			what,
			// A secret of the right form, where the form matters.
			what.startsWith("a signature") && secret !== undefined ? { signedWith: otherThan(secret) } : sent,
			...refusal,
		]),
		...(isTimed
			? ([
					["an old signature", { age: maxAgeSeconds * 1000 + 2_000 }, 401, "unauthorized"],
					["a signature of the future", { age: -302_000 }, 401, "unauthorized"],
				] satisfies BadInput[])
			: []),
	];

	describe("bad input is refused, and nothing stored", () => {
		test.each(cases)("%s", async (_what, change, status, code) => {
			const queue = captureQueue();
			const source = sourceOf(kind, secret);
			const sent = typeof change === "function" ? change(sampleBody(kind)) : change;
			const response = await post(source, queue, sent);
			expect(await response.json()).toMatchObject({ status, code });
			expect(response.status).toBe(status);
			expect(response.headers.get("content-type")).toBe("application/problem+json");
			expect(queue.messages).toEqual([]);
		});

		test("no signature at all", async () => {
			const queue = captureQueue();
			const source = sourceOf(kind, secret);
			const response = await post(source, queue, { unproven: true });
			expect(response.status).toBe(401);
			expect(queue.messages).toEqual([]);
		});
	});
}

function sampleBody(kind: string): string {
	return sampleOf(kind, Date.now()).body;
}

/** Another secret of the same form. */
function otherThan(secret: string): string {
	return secret.replace(/.(?==*$)/, (last) => (last === "A" ? "Q" : "A"));
}
