import { describe, expect, test } from "vitest";
import { refuseKey, refuseScheme } from "../../../src/api/sources/hmac-field.ts";
import { ask, badPaths, must } from "../client.ts";

function named(fields: object): object {
	return { name: `hmac-${crypto.randomUUID().slice(0, 8)}`, ...fields };
}

function auth(fields: object): object {
	return { type: "hmac", header: "X-Sig", ...fields };
}

describe("a scheme that makes no sense is refused", () => {
	test.each([
		["an unknown place", { signed_content: "{body}{path}" }, "signed_content"],
		["no body", { signed_content: "{method}{url}" }, "signed_content"],
		["text alone", { signed_content: "body" }, "signed_content"],
		["an empty one", { signed_content: "" }, "signed_content"],
		["the body twice", { signed_content: "{body}{body}" }, "signed_content"],
		["the body and the form", { signed_content: "{form}{body}" }, "signed_content"],
		["its own signature", { signed_content: "{header:x-sig}{body}" }, "signed_content"],
		["a time from nowhere", { signed_content: "{timestamp}{body}" }, "timestamp_header"],
		["a time that is not signed", { timestamp_header: "X-Time" }, "signed_content"],
		[
			"a time in the signature's header",
			{ signed_content: "{timestamp}{body}", timestamp_header: "x-SIG" },
			"timestamp_header",
		],
		[
			"a bad name of a header",
			{ signed_content: "{timestamp}{body}", timestamp_header: "X Time" },
			"timestamp_header",
		],
		["no tolerance", { tolerance_seconds: 0 }, "tolerance_seconds"],
		["too much of it", { tolerance_seconds: 86_401 }, "tolerance_seconds"],
		["an unknown encoding", { secret_encoding: "base32" }, "secret_encoding"],
	])("%s", async (_what, fields, path) => {
		const answer = await ask("POST", "/v1/sources", named({ auth: auth(fields) }));
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual([`auth.${path}`]);
	});

	test("the message names what is wrong, and what is known", () => {
		const scheme = { header: "x", signed_content: "{bdy}", timestamp_header: null };
		expect(refuseScheme(scheme)?.message).toMatch(/^\{bdy\} is unknown\. Use .*\{body\}/);
	});
});

test("a field that was read can be written again", async () => {
	const fields = { signed_content: "{timestamp}{body}", timestamp_header: "X-Time" };
	const created = await must("POST", "/v1/sources", named({ auth: auth(fields) }));
	const changed = await must("PATCH", `/v1/sources/${created.id}`, { auth: created["auth"] });
	expect(changed["auth"]).toEqual(created["auth"]);
});

describe("a secret in another encoding", () => {
	test.each([
		["hex", "00112233445566xx", "hex"],
		["hex", "001122334455667", "hex"],
		["hex", "00112233445566", "8 bytes"],
		["base64", "no base64, this", "base64"],
		["base64", "c2hvcnQ=", "8 bytes"],
	])("%s cannot be %j", async (secret_encoding, secret, message) => {
		const answer = await ask("POST", "/v1/sources", named({ secret, auth: auth({ secret_encoding }) }));
		expect(answer.body["errors"]).toEqual([{ path: "secret", message: expect.stringContaining(message) }]);
	});

	test.each(["utf8", "hex", "base64"] as const)(
		"one that the router makes is %s too",
		async (secret_encoding) => {
			const created = await must("POST", "/v1/sources", named({ auth: auth({ secret_encoding }) }));
			const { secret } = created as unknown as { secret: string };
			const scheme = { algorithm: "sha256", encoding: "hex", prefix: "", secret_encoding } as const;
			expect(refuseKey({ type: "hmac", header: "x", ...scheme }, secret)).toBeNull();
			const { answer } = await must("POST", `/v1/sources/${created.id}/test`);
			expect(answer).toMatchObject({ status: 202 });
		},
	);

	test("a change of the encoding asks for another secret where the former does not fit", async () => {
		const created = await must("POST", "/v1/sources", named({ secret: "no hex at all", auth: auth({}) }));
		const path = `/v1/sources/${created.id}`;
		const hex = { auth: auth({ secret_encoding: "hex" }) };
		expect(badPaths(await ask("PATCH", path, hex))).toEqual(["auth.type"]);
		await must("PATCH", path, { ...hex, secret: "00112233445566778899" });
		expect(badPaths(await ask("PATCH", path, { secret: "no hex at all" }))).toEqual(["secret"]);
		const rotated = await ask("POST", `${path}/secret/rotate`, { secret: "no hex at all" });
		expect(badPaths(rotated)).toEqual(["secret"]);
	});
});
