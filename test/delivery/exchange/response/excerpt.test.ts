import { describe, expect, test } from "vitest";
import { excerpt } from "../../../../src/delivery/exchange/response/excerpt.ts";

function of(
	body: string | Uint8Array<ArrayBuffer>,
	contentType?: string,
	secrets: string[] = [],
): string | null {
	const bytes = typeof body === "string" ? Buffer.from(body) : body;
	return excerpt(
		{ headers: contentType === undefined ? {} : { "content-type": contentType }, body: bytes, failure: null },
		secrets,
	);
}

describe("a textual body", () => {
	test.each([
		"text/plain",
		"text/html; charset=utf-8",
		"TEXT/HTML",
		"application/json",
		"application/problem+json",
		"application/cloudevents+json; charset=utf-8",
		"application/xml",
		"application/soap+xml",
		"application/x-www-form-urlencoded",
	])("as %s is shown", (contentType) => {
		expect(of("no space left", contentType)).toBe("no space left");
	});

	test("is cut after 500 characters, and never inside one", () => {
		expect(of("a".repeat(501), "text/plain")).toBe("a".repeat(500));
		expect(of("a".repeat(499) + "🦊🦊", "text/plain")).toBe("a".repeat(499));
		expect(of("🦊".repeat(400), "text/plain")).toBe("🦊".repeat(250));
		expect(of("語".repeat(1_000), "text/plain")).toBe("語".repeat(500));
	});

	test("shows no control characters and no marks that reorder text", () => {
		expect(of("a\0b\r\n\tc\u001b[31md\u0085e\u202ef", "text/plain")).toBe("a b   c [31md e f");
	});

	test("in another encoding is shown as far as it can be", () => {
		expect(of(new Uint8Array([0x5a, 0x6f, 0xeb]), "text/plain; charset=iso-8859-1")).toBe("Zo\ufffd");
	});
});

describe("a body that broke off", () => {
	test("is shown as far as it came, without half a character", () => {
		const failure = { error: "cut_off", message: "…" } as const;
		const body = new Uint8Array([0x6f, 0x75, 0x74, 0x20, 0xe8, 0xaa]);
		expect(excerpt({ headers: {}, body, failure }, [])).toBe("out");
	});
});

describe("a body that says not what it is", () => {
	test("is shown when it is text", () => {
		expect(of("upstream connect error")).toBe("upstream connect error");
	});

	test("is not shown if it is not text", () => {
		expect(of(new Uint8Array([0xff, 0xd8, 0xff, 0xe0]))).toBeNull();
		expect(of(new Uint8Array([0x61, 0x00, 0x62]))).toBeNull();
	});
});

test.each([
	"image/png",
	"application/octet-stream",
	"application/jsonp-archive",
	"multipart/form-data; x=text/plain",
])("a body of type %s is not shown", (contentType) => {
	expect(of("text inside", contentType)).toBeNull();
});

test("an empty body has no excerpt", () => {
	expect(of("", "text/plain")).toBeNull();
});

describe("credentials that a server echoes", () => {
	test("are hidden, wherever they stand", () => {
		expect(of("got Bearer s3cret-token, again s3cret-token", "text/plain", ["s3cret-token", ""])).toBe(
			"got Bearer ***, again ***",
		);
	});

	test("are hidden as JSON escapes them, percent-encoded and in base64", () => {
		const secret = "s3cret/token";
		const body = `{"a":"s3cret\\/token","b":"s3cret%2Ftoken","c":"${btoa(secret)}","d":"s3cret\\u002ftoken"}`;
		expect(of(body, "application/json", [secret])).toBe('{"a":"***","b":"***","c":"***","d":"***"}');
	});

	test("are not looked for when they have fewer than four characters", () => {
		expect(of("a cat sat", "text/plain", ["a", "at", "cat"])).toBe("a cat sat");
		expect(of("a cats sat", "text/plain", ["cats"])).toBe("a *** sat");
	});

	test("are hidden when they fill the excerpt", () => {
		expect(of("s3cret-token".repeat(1_000), "text/plain", ["s3cret-token"])).toBe(
			"***".repeat(167).slice(0, 500),
		);
	});

	test("are hidden when the cut goes through them", () => {
		expect(of(`${"a".repeat(495)}s3cret-token`, "text/plain", ["s3cret-token"])).toBe(
			`${"a".repeat(495)}***`,
		);
	});
});
