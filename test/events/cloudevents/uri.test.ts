import { expect, test } from "vitest";
import { isUriReference } from "../../../src/events/cloudevents/uri.ts";

// RFC 3986, sections 1.1.2 and 5.4, and what CloudEvents shows as sources.
test.each([
	"https://github.com/cloudevents",
	"mailto:cncf-wg-serverless@lists.cncf.io",
	"urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
	"cloudevents/spec/pull/123",
	"/cloudevents/spec/pull/123",
	"1-555-123-4567",
	"//pubsub.googleapis.com/projects/p/subscriptions/s",
	"ftp://user:pw@host:21/a;type=i?q=1/2?3#f/4",
	"ldap://[2001:db8::7]/c=GB?objectClass?one",
	"aws:s3.eu-west-1.my-bucket",
	"arn:aws:sns:us-east-1:123456789012:scans",
	"file:///etc/hosts",
	"../g;x=1/./y",
	"?y",
	"#s",
	"%C3%A9%20",
])("a URI reference: %s", (text) => {
	expect(isUriReference(text)).toBe(true);
});

test.each([
	"",
	"a b",
	" /a",
	"/a\n",
	"é",
	"/100%",
	"/%zz",
	"a<b>",
	"a^b",
	'"a"',
	"a\\b",
	"/[a]",
	"http://[::1",
	"http://a b/",
	"http://host:port/",
	"a#b#c",
	"1a:b",
])("none: %j", (text) => {
	expect(isUriReference(text)).toBe(false);
});

test("a long text is judged as any other", () => {
	expect(isUriReference(`/${"a".repeat(1_000_000)}`)).toBe(true);
	expect(isUriReference(`/${"a".repeat(1_000_000)} `)).toBe(false);
});
