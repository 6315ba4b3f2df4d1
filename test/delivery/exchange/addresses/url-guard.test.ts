import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	refuseAddress,
	refuseHttpAddress,
	refuseHttpUrl,
	refuseUrl,
} from "../../../../src/delivery/exchange/addresses/url-guard.ts";

const production = { allowPrivate: false, ownHosts: ["other.example.com", "sluice.example.com"] };
const development = { allowPrivate: true, ownHosts: ["localhost:8787"] };

describe("in production", () => {
	test.each([
		"https://models.example.com",
		"https://models.example.com/v2/models/ocr/infer?key=1",
		"https://models.example.com:443/",
		"https://models.example.com:8443/",
		"HTTPS://MODELS.EXAMPLE.COM/",
		"https://models.example.com./",
		"https://bücher.example.com/",
		"https://a-b.c_d.example.com/",
		"https://local.example.com/",
		"https://internal.example.com/",
		"https://notlocalhost.com/",
		"https://nip.io.example.com/",
		`https://models.example.com/${"a".repeat(2_048 - 27)}`,
	])("%s is taken", (url) => {
		expect(refuseUrl(url, production)).toBeNull();
	});

	test.each([
		["", "not an absolute URL"],
		["models.example.com", "not an absolute URL"],
		["/infer", "not an absolute URL"],
		["https://", "not an absolute URL"],
		["https://[fe80::1%25eth0]/", "not an absolute URL"],
		["https://1.2.3.4.5/", "not an absolute URL"],
		["http://models.example.com/", "must begin with https://"],
		["ftp://models.example.com/", "must begin with https://"],
		["file:///etc/passwd", "must begin with https://"],
		["data:text/plain,hello", "must begin with https://"],
		["javascript:alert(1)", "must begin with https://"],
		["wss://models.example.com/", "must begin with https://"],
		["https://u:p@models.example.com/", "credentials"],
		["https://u@models.example.com/", "credentials"],
		["https://:p@models.example.com/", "credentials"],
		["https://models.example.com@127.0.0.1/", "credentials"],
		["https://models.example.com/#part", "fragment"],
		["https://models.example.com/#", "fragment"],
		["https://models.example.com:80/", "port 443 or 8443"],
		["https://models.example.com:8080/", "port 443 or 8443"],
		["https://models.example.com:22/", "port 443 or 8443"],
		[`https://models.example.com/${"a".repeat(2_048 - 26)}`, "longer than 2048"],
	])("the shape of %j is refused: %s", (url, reason) => {
		expect(refuseUrl(url, production)).toContain(reason);
	});

	test.each([
		["1.1.1.1", "not an IP address"],
		["[2606:4700::1]", "not an IP address"],
		["127.0.0.1", "loopback"],
		["2130706433", "loopback"],
		["0x7f000001", "loopback"],
		["0177.0.0.1", "loopback"],
		["127.1", "loopback"],
		["127.0.0.1.", "loopback"],
		["127。0。0。1", "loopback"],
		["①②⑦.⓪.⓪.①", "loopback"],
		["%31%32%37.0.0.1", "loopback"],
		["0", "loopback"],
		["[::]", "loopback"],
		["[::1]", "loopback"],
		["[::ffff:7f00:1]", "loopback"],
		["10.0.0.1", "private"],
		["192.168.1.1", "private"],
		["[fd12:3456::1]", "private"],
		["169.254.1.1", "link-local"],
		["[fe80::1]", "link-local"],
		["169.254.169.254", "metadata"],
		["168.63.129.16", "metadata"],
		["100.100.100.200", "metadata"],
		["[fd00:ec2::254]", "metadata"],
		["[::7f00:1]", "reserved"],
		["[::ffff:0:7f00:1]", "reserved"],
		["[64:ff9b::7f00:1]", "reserved"],
		["[2002:7f00:1::]", "reserved"],
	])("the address %s is refused: %s", (host, reason) => {
		expect(refuseUrl(`https://${host}/`, production)).toContain(reason);
	});

	test.each([
		["localhost", "without a domain"],
		["localhost.", "without a domain"],
		["LOCALHOST", "without a domain"],
		["loc%61lhost", "without a domain"],
		["printer", "without a domain"],
		["a.localhost", "private network"],
		["a.localhost.", "private network"],
		["nas.local", "private network"],
		["db.internal", "private network"],
		["nas.lan", "private network"],
		["nas.home.arpa", "private network"],
		["wiki.corp", "private network"],
		["wiki.intranet", "private network"],
		["ocr.models.svc", "private network"],
		["ocr.models.svc.cluster.local", "private network"],
		["abcdefghijklmnop.onion", "private network"],
		["nothing.invalid", "private network"],
		["localtest.me", "private network"],
		["app.lvh.me", "private network"],
		["127.0.0.1.nip.io", "any address"],
		["app-10-0-0-1.sslip.io", "any address"],
		["app-10-0-0-1.sslip.io.", "any address"],
		["metadata.google.internal", "metadata"],
		["Metadata.Google.Internal.", "metadata"],
		["metadata.tencentyun.com", "metadata"],
		["metadata.packet.net", "metadata"],
		["localhost..", "empty part"],
		["a..example.com", "empty part"],
	])("the name %s is refused: %s", (host, reason) => {
		expect(refuseUrl(`https://${host}/`, production)).toContain(reason);
	});
});

describe("in development", () => {
	test.each([
		"http://localhost:8000/",
		"http://127.0.0.1:8000/infer",
		"http://0.0.0.0:8000/",
		"http://[::1]:8000/",
		"http://[::ffff:127.0.0.1]:8000/",
		"http://10.0.0.5/",
		"http://192.168.1.20:9000/",
		"http://[fd12:3456::1]/",
		"http://ocr:8080/",
		"http://host.docker.internal:8080/",
		"http://ocr.models.svc.cluster.local/",
		"https://models.example.com:9443/",
		"http://1.1.1.1/",
	])("%s is taken, too", (url) => {
		expect(refuseUrl(url, development)).toBeNull();
	});

	test.each([
		["http://169.254.169.254/latest/meta-data/", "metadata"],
		["http://2852039166/", "metadata"],
		["http://[::ffff:169.254.169.254]/", "metadata"],
		["http://169.254.170.2/", "metadata"],
		["http://168.63.129.16/", "metadata"],
		["http://100.100.100.200/", "metadata"],
		["http://192.0.0.192/", "metadata"],
		["http://[fd00:ec2::254]/", "metadata"],
		["http://metadata.google.internal/", "metadata"],
		["http://metadata/", "metadata"],
		["http://metadata.tencentyun.com./", "metadata"],
		["http://169.254.169.254.nip.io/", "any address"],
		["http://169.254.1.1/", "link-local"],
		["http://[fe80::1]/", "link-local"],
		["http://[64:ff9b::a9fe:a9fe]/", "reserved"],
		["http://[::a9fe:a9fe]/", "reserved"],
		["http://[2002:a9fe:a9fe::1]/", "reserved"],
		["http://224.0.0.1/", "reserved"],
		["http://u:p@localhost:8000/", "credentials"],
		["http://localhost:8000/#part", "fragment"],
		["ftp://localhost/", "https:// or http://"],
		["http://localhost:8787/v1/events", "the router itself"],
	])("%s is refused anyway: %s", (url, reason) => {
		expect(refuseUrl(url, development)).toContain(reason);
	});
});

describe("a binding", () => {
	test.each([
		"workers-ai:@cf/meta/llama-3.1-8b-instruct",
		"workers-ai:@hf/thebloke/mistral-7b-instruct-v0.1-awq",
		"queue:JOBS",
		"vpc:OCR",
		"vpc:OCR/",
		"vpc:OCR/v1/models/a:predict?key=1&b=%20",
		"vpc:ocr_2?x",
	])("%s is taken, in production and development", (url) => {
		expect(refuseUrl(url, production)).toBeNull();
		expect(refuseUrl(url, development)).toBeNull();
	});

	test.each([
		["workers-ai:llama", "must have the form workers-ai:@cf/{author}/{model}"],
		["workers-ai:@cf/meta/../x", "must have the form"],
		["workers-ai:@cf/meta/llama?x", "must have the form"],
		["workers-ai://@cf/meta/llama", "must have the form"],
		["queue:", "must have the form queue:{BINDING}"],
		["queue:A B", "must have the form"],
		["queue:JOBS/", "must have the form"],
		["queue:__proto__.x", "must have the form"],
		["vpc:/path", "must have the form vpc:{BINDING}/{path}"],
		["vpc://OCR/path", "must have the form"],
		["vpc:OCR@models.example.com/", "must have the form"],
		["vpc:OCR:8080/", "must have the form"],
		["vpc:OCR/a b", "must have the form"],
		["vpc:OCR/a#b", "must have the form"],
		["vpc:OCR/a\\b", "must have the form"],
		["vpc:OCR/ü", "must have the form"],
		[`vpc:OCR/${"a".repeat(2_048)}`, "is longer than"],
		["queue:EVENTS", "names EVENTS, a binding of the router itself"],
		["vpc:ASSETS/", "names ASSETS, a binding of the router itself"],
		["QUEUE:JOBS", "must begin with https://"],
		["queue:JOBS\n", "white space"],
		["service:OTHER", "must begin with https://"],
	])("%s is refused: %s", (url, reason) => {
		expect(refuseUrl(url, production)).toContain(reason);
		expect(refuseUrl(url, development)).not.toBeNull();
	});

	test.each(["workers-ai:@cf/meta/llama", "queue:JOBS", "vpc:OCR/"])(
		"%s is no URL of HTTP, where only such a one will do",
		(url) => {
			expect(refuseHttpUrl(url, production)).toBe("must begin with https://");
			expect(refuseHttpAddress(url, production)).toBe("must begin with https://");
		},
	);
});

describe("characters that the URL parser ignores silently", () => {
	test.each([
		"https://mod\tels.example.com/",
		"https://models.example.com/in\nfer",
		"https://models.example.com/\r\n",
		"ht\ntps://models.example.com/",
		"https://models.example.com/\0",
		"https://models.example.com/?a=\u0001",
		"https://models.example.com/\u007f",
		"https://models.example.com/\u0085x",
		"\thttps://models.example.com/",
		" https://models.example.com/",
		"https://models.example.com/ ",
		"https://models.example.com/\u00a0",
	])("is refused: %j", (url) => {
		expect(refuseUrl(url, production)).toMatch(/control characters|white space/);
		expect(refuseUrl(url, development)).toMatch(/control characters|white space/);
	});

	test("is sent to where it is stored already, and judged by what the parser makes of it", () => {
		expect(refuseAddress("https://models.example.com/in\tfer\n", production)).toBeNull();
		expect(refuseAddress(" https://localhost/", production)).toContain("without a domain");
		expect(refuseAddress("https://169.254.\t169.254/", development)).toContain("metadata");
	});
});

describe("the router's own host", () => {
	test.each([
		"https://sluice.example.com/v1/events",
		"https://sluice.example.com/in",
		"https://sluice.example.com/in/",
		"https://sluice.example.com/in/a/b",
		"https://sluice.example.com/in/../v1/events",
		"https://sluice.example.com/in/%2e%2e/v1/events",
		"https://other.example.com/",
		"https://sluice.example.com:8443/",
		"https://SLUICE.example.com./",
	])("is refused in production on any port: %s", (url) => {
		expect(refuseUrl(url, production)).toContain("is the router itself");
	});

	test.each(["https://sluice.example.com/in/a", "https://sluice.example.com:8443/in/a?token=t"])(
		"may be sent to at its sources: %s",
		(url) => {
			expect(refuseUrl(url, production)).toBeNull();
		},
	);

	test("is refused in production even when it is known with another port", () => {
		expect(
			refuseUrl("https://sluice.example.com/", { ...production, ownHosts: ["sluice.example.com:8443"] }),
		).toContain("is the router itself");
	});

	test("shares its name with other servers in development", () => {
		expect(refuseUrl("http://localhost:8788/", development)).toBeNull();
	});

	test("does not cover hosts below or above it", () => {
		expect(refuseUrl("https://models.sluice.example.com/", production)).toBeNull();
		expect(refuseUrl("https://example.com/", production)).toBeNull();
	});

	test("is refused in development by its port", () => {
		expect(refuseUrl("http://localhost:8787/v1/events", development)).toContain("is the router itself");
		expect(refuseUrl("http://localhost:8787/in/a", development)).toBeNull();
	});

	test("may be unknown", () => {
		expect(refuseUrl("https://sluice.example.com/", { ...production, ownHosts: [] })).toBeNull();
	});
});

describe("any spelling", () => {
	/** An IPv4 number in the forms that inet_aton has always taken, in any radix, with any number of parts. */
	const radix = fc.constantFrom(
		(part: number) => String(part),
		(part: number) => `0x${part.toString(16)}`,
		(part: number) => `0X${part.toString(16).toUpperCase()}`,
		(part: number) => `0${part.toString(8)}`,
	);
	const spelling = fc.record({
		parts: fc.integer({ min: 1, max: 4 }),
		radixes: fc.tuple(radix, radix, radix, radix),
		dot: fc.constantFrom(".", "。", "．", "%2e"),
		end: fc.constantFrom("", "."),
	});
	type Spelling = typeof spelling extends fc.Arbitrary<infer T> ? T : never;

	function spell(address: number, { parts, radixes, dot, end }: Spelling): string {
		const bytes = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
		const head = bytes.slice(0, parts - 1);
		const last = address % 2 ** (8 * (5 - parts));
		return [...head, last].map((part, index) => radixes[index]?.(part) ?? "").join(dot) + end;
	}

	const metadata = fc.constantFrom(0xa9fea9fe, 0xa9feaa02, 0xa83f8110, 0x646464c8, 0xc00000c0);
	const linkLocal = fc.nat(0xffff).map((low) => 0xa9fe0000 + low);
	const anyAddress = fc.nat(0xffffffff);

	test("of an IPv4 address is refused in production", () => {
		fc.assert(
			fc.property(anyAddress, spelling, (address, form) => {
				expect(refuseUrl(`https://${spell(address, form)}/`, production)).not.toBeNull();
			}),
		);
	});

	test("of a metadata or link-local address is refused in development, mapped into IPv6 as well", () => {
		fc.assert(
			fc.property(fc.oneof(metadata, linkLocal), spelling, (address, form) => {
				const hex = `${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}`;
				for (const host of [spell(address, form), `[::ffff:${hex}]`, `[0:0:0:0:0:FFFF:${hex}]`]) {
					expect(refuseUrl(`http://${host}/`, development)).toMatch(/metadata|link-local/);
				}
			}),
		);
	});

	test("of an IPv6 address is refused in production", () => {
		fc.assert(
			fc.property(fc.ipV6(), (address) => {
				expect(refuseUrl(`https://[${address}]/`, production)).not.toBeNull();
			}),
		);
	});

	test("any text gets a verdict and no exception", () => {
		const text = fc.oneof(
			fc.webUrl({ withFragments: true, withQueryParameters: true }),
			fc.string({ unit: "binary" }),
		);
		fc.assert(
			fc.property(text, fc.boolean(), (url, allowPrivate) => {
				const refusal = refuseUrl(url, { allowPrivate, ownHosts: [] });
				expect(refusal === null || refusal.length > 0).toBe(true);
			}),
		);
	});
});
