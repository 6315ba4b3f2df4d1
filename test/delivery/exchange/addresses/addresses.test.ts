import { describe, expect, test } from "vitest";
import { type AddressKind, addressKind } from "../../../../src/delivery/exchange/addresses/addresses.ts";

/** As the guard sees it: the host of a URL that the runtime has parsed. */
function kindOf(host: string): AddressKind | null {
	return addressKind(new URL(`https://${host}/`).hostname);
}

/** The first and the last address of each range, and their neighbours outside. */
test.each<[range: string, kind: AddressKind, inside: string[], outside: string[]]>([
	["0.0.0.0/8", "reserved", ["0.0.0.1", "0.255.255.255"], ["1.0.0.0"]],
	["10.0.0.0/8", "private", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]],
	["100.64.0.0/10", "private", ["100.64.0.0", "100.127.255.255"], ["100.63.255.255", "100.128.0.0"]],
	[
		"127.0.0.0/8",
		"loopback",
		["127.0.0.0", "127.0.0.1", "127.255.255.255"],
		["126.255.255.255", "128.0.0.0"],
	],
	["169.254.0.0/16", "link_local", ["169.254.0.0", "169.254.255.255"], ["169.253.255.255", "169.255.0.0"]],
	["172.16.0.0/12", "private", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
	["192.0.0.0/24", "reserved", ["192.0.0.0", "192.0.0.255"], ["191.255.255.255", "192.0.1.0"]],
	["192.0.2.0/24", "reserved", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]],
	["192.88.99.0/24", "reserved", ["192.88.99.0", "192.88.99.255"], ["192.88.98.255", "192.88.100.0"]],
	["192.168.0.0/16", "private", ["192.168.0.0", "192.168.255.255"], ["192.167.255.255", "192.169.0.0"]],
	["198.18.0.0/15", "reserved", ["198.18.0.0", "198.19.255.255"], ["198.17.255.255", "198.20.0.0"]],
	["198.51.100.0/24", "reserved", ["198.51.100.0", "198.51.100.255"], ["198.51.99.255", "198.51.101.0"]],
	["203.0.113.0/24", "reserved", ["203.0.113.0", "203.0.113.255"], ["203.0.112.255", "203.0.114.0"]],
	["224.0.0.0/4", "reserved", ["224.0.0.0", "239.255.255.255"], ["223.255.255.255"]],
	["240.0.0.0/4", "reserved", ["240.0.0.0", "255.255.255.255"], []],
	["the unspecified address", "loopback", ["0.0.0.0", "[::]"], []],
	["fc00::/7", "private", ["[fc00::]", "[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]"], ["[fbff::1]"]],
	["fe80::/10", "link_local", ["[fe80::1]", "[febf::1]"], ["[fe7f::1]"]],
	["fec0::/10", "link_local", ["[fec0::1]", "[feff::1]"], ["[ff00::1]"]],
	["ff00::/8", "reserved", ["[ff00::1]", "[ff02::1]", "[ffff::1]"], []],
	["loopback", "loopback", ["[::1]", "[0:0:0:0:0:0:0:1]"], ["[::2]"]],
	["compatible", "reserved", ["[::7f00:1]", "[::127.0.0.1]"], []],
	["translated", "reserved", ["[::ffff:0:7f00:1]"], []],
	["ISATAP without a prefix", "reserved", ["[::5efe:7f00:1]"], []],
	["NAT64", "reserved", ["[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]"], []],
	["discard", "reserved", ["[100::1]"], []],
	["segment routing", "reserved", ["[5f00::1]"], []],
	["Teredo and kin", "reserved", ["[2001::1]", "[2001:1ff:ffff::1]"], ["[2001:200::1]"]],
	["documentation", "reserved", ["[2001:db8::1]", "[2001:db8:ffff::1]"], ["[2001:db7::1]", "[2001:db9::1]"]],
	["6to4", "reserved", ["[2002::1]", "[2002:7f00:1::1]"], ["[2003::1]"]],
	["documentation, newer", "reserved", ["[3fff::1]", "[3fff:fff::1]"], ["[3fff:1000::1]", "[3ffe::1]"]],
	["2000::/3", "public", ["[2606:4700::1111]", "[2000::1]", "[3ffe:ffff::1]"], ["[1fff::1]", "[4000::1]"]],
	["elsewhere", "public", ["1.1.1.1", "8.8.8.8", "168.63.129.15", "223.255.255.255"], []],
])("%s is %s", (_, kind, inside, outside) => {
	expect(inside.map(kindOf)).toEqual(inside.map(() => kind));
	expect(outside.map(kindOf)).not.toContain(kind);
});

describe("metadata services", () => {
	test.each([
		"169.254.169.254",
		"169.254.170.2",
		"168.63.129.16",
		"100.100.100.200",
		"192.0.0.192",
		"[fd00:ec2::254]",
		"[fd20:ce::254]",
		"[::ffff:169.254.169.254]",
		"[::ffff:a83f:8110]",
	])("%s", (host) => {
		expect(kindOf(host)).toBe("metadata");
	});
});

test("an IPv4 address inside an IPv6 one is judged as what it is", () => {
	expect(kindOf("[::ffff:127.0.0.1]")).toBe("loopback");
	expect(kindOf("[::ffff:10.1.2.3]")).toBe("private");
	expect(kindOf("[::ffff:169.254.1.1]")).toBe("link_local");
	expect(kindOf("[::ffff:1.1.1.1]")).toBe("public");
});

test.each(["example.com", "127.0.0.1.example.com", "a.b.c.d", "xn--zoe-0ma.example"])(
	"%s is a name",
	(host) => {
		expect(kindOf(host)).toBeNull();
	},
);
