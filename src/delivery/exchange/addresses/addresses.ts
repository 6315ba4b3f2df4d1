/**
 * Classifies IP literals: the special-purpose ranges of IANA's registries (RFC 6890), and the addresses at which
 * clouds serve credentials to any client inside.
 */

export type AddressKind = "public" | "loopback" | "private" | "link_local" | "metadata" | "reserved";

/**
 * The kind of the host of a parsed URL: `192.0.2.1` or `[2001:db8::1]`. null if the host is a name.
 * The URL parser has already normalised every spelling of IPv4 to four decimal numbers, and IPv6 to
 * its shortest form.
 */
export function addressKind(hostname: string): AddressKind | null {
	if (hostname.startsWith("[")) return ipv6Kind(ipv6Groups(hostname.slice(1, -1)));
	return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? ipv4Kind(ipv4Number(hostname)) : null;
}

/**
 * The first match wins: single addresses come before the ranges that contain them.
 */
const IPV4: readonly (readonly [range: string, kind: AddressKind])[] = [
	["168.63.129.16/32", "metadata"], // Azure's wire server, inside a public range
	["100.100.100.200/32", "metadata"], // Alibaba Cloud
	["192.0.0.192/32", "metadata"], // Oracle Cloud
	["169.254.169.254/32", "metadata"], // most clouds
	["169.254.170.2/32", "metadata"], // AWS containers
	["169.254.0.0/16", "link_local"],
	["127.0.0.0/8", "loopback"],
	["0.0.0.0/32", "loopback"], // connecting to it reaches this machine
	["0.0.0.0/8", "reserved"],
	["10.0.0.0/8", "private"],
	["100.64.0.0/10", "private"], // carrier-grade NAT
	["172.16.0.0/12", "private"],
	["192.168.0.0/16", "private"],
	["192.0.0.0/24", "reserved"], // protocol assignments
	["192.0.2.0/24", "reserved"], // documentation
	["192.88.99.0/24", "reserved"], // 6to4 relays
	["198.18.0.0/15", "reserved"], // benchmarks
	["198.51.100.0/24", "reserved"], // documentation
	["203.0.113.0/24", "reserved"], // documentation
	["224.0.0.0/4", "reserved"], // multicast
	["240.0.0.0/4", "reserved"], // future use, broadcast
];

const IPV6: readonly (readonly [range: string, kind: AddressKind])[] = [
	["fd00:ec2::/32", "metadata"], // AWS
	["fd20:ce::254/128", "metadata"], // Google Cloud
	["fe80::/10", "link_local"],
	["fec0::/10", "link_local"], // site-local, deprecated
	["::/128", "loopback"],
	["::1/128", "loopback"],
	["fc00::/7", "private"],
	["2001::/23", "reserved"], // Teredo and kin
	["2001:db8::/32", "reserved"], // documentation
	["2002::/16", "reserved"], // 6to4
	["3fff::/20", "reserved"], // documentation
	["2000::/3", "public"],
];

function ipv4Kind(address: number): AddressKind {
	const found = IPV4.find(([range]) => {
		const [base = "", bits = ""] = range.split("/");
		// Division, because shifts are signed and stop at 31 bits.
		const size = 2 ** (32 - Number(bits));
		return Math.floor(address / size) === Math.floor(ipv4Number(base) / size);
	});
	return found?.[1] ?? "public";
}

function ipv6Kind(address: readonly number[]): AddressKind {
	const mapped = ipv4Mapped(address);
	if (mapped !== null) return ipv4Kind(mapped);
	const found = IPV6.find(([range]) => {
		const [base = "", bits = ""] = range.split("/");
		return samePrefix(address, ipv6Groups(base), Number(bits));
	});
	// Only 2000::/3 is assigned for public use; translated, compatible, NAT64 and discard addresses
	// are outside it.
	return found?.[1] ?? "reserved";
}

/** `::ffff:a.b.c.d` connects to an IPv4 address. */
function ipv4Mapped(groups: readonly number[]): number | null {
	const [high = 0, low = 0] = groups.slice(6);
	return samePrefix(groups, [0, 0, 0, 0, 0, 0xffff, 0, 0], 96) ? high * 0x10000 + low : null;
}

function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
	return a.every((group, index) => {
		const compared = Math.min(16, Math.max(0, bits - index * 16));
		const rest = 16 - compared;
		return group >> rest === (b[index] ?? 0) >> rest;
	});
}

function ipv4Number(text: string): number {
	return text.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

/** Eight groups of 16 bits. */
function ipv6Groups(text: string): number[] {
	const [head = "", tail = ""] = text.split("::");
	const before = head === "" ? [] : head.split(":");
	const after = tail === "" ? [] : tail.split(":");
	const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
	return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}
