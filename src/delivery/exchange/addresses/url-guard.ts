/**
 * Which URLs the router sends to: https on a public host; with `ALLOW_PRIVATE_ENDPOINTS` also hosts
 * on a developer's own machine and network; or a binding of the Worker, in its exact form
 * (models/requests/binding-url.ts). Checked when an endpoint is stored and again before each attempt. A
 * Worker cannot see which address a name resolves to, so this check cannot stop every request to a
 * private address; addresses.ts knows the ranges.
 */
import { BINDING_FORMS, bindingSchemeOf, readBindingUrl } from "../../../models/requests/binding-url.ts";
import { type AddressKind, addressKind } from "./addresses.ts";
import { isOwnBinding } from "../carriers/bindings.ts";

const MAX_URL_LENGTH = 2_048;
const TOO_LONG = `is longer than ${MAX_URL_LENGTH} characters`;

/** Ports on which Cloudflare commonly proxies https; "" is 443. */
const PUBLIC_PORTS = new Set(["", "8443"]);

export interface UrlRules {
	/**
	 * For development: http, any port, private and loopback hosts. Link-local and metadata addresses
	 * stay blocked.
	 */
	allowPrivate: boolean;
	/** The router's own hosts, as far as they are known, with ports where given. */
	ownHosts: readonly string[];
}

/**
 * Returns why the router does not send to `url`, as the end of a sentence that begins with the
 * field's name, or null if it does. For a URL that is being set.
 */
export function refuseUrl(url: string, rules: UrlRules): string | null {
	return refuseSpelling(url) ?? refuseAddress(url, rules);
}

/** Like `refuseUrl`, for fields that need an HTTP URL. */
export function refuseHttpUrl(url: string, rules: UrlRules): string | null {
	return refuseSpelling(url) ?? refuseHttpAddress(url, rules);
}

function refuseSpelling(url: string): string | null {
	if (url !== url.trim()) return "must not begin or end with white space";
	// The URL parser silently removes tabs and line feeds, and encodes other control characters.
	return /\p{Cc}/u.test(url) ? "must not contain control characters such as tabs and line feeds" : null;
}

/**
 * Like `refuseUrl`, for a stored URL in any spelling. Only the parsed URL is checked, because that is what `fetch`
 * uses.
 */
export function refuseAddress(url: string, rules: UrlRules): string | null {
	const scheme = bindingSchemeOf(url);
	if (scheme === null) return refuseHttpAddress(url, rules);
	if (url.length > MAX_URL_LENGTH) return TOO_LONG;
	const target = readBindingUrl(url);
	if (target === null) return `must have the form ${BINDING_FORMS[scheme]}`;
	return "binding" in target && isOwnBinding(target.binding)
		? `names ${target.binding}, a binding of the router itself`
		: null;
}

/** Like `refuseAddress`, for fields that need an HTTP URL. */
export function refuseHttpAddress(url: string, rules: UrlRules): string | null {
	if (url.length > MAX_URL_LENGTH) return TOO_LONG;
	const parsed = URL.parse(url);
	if (parsed === null) return "is not an absolute URL, such as https://models.example.com/ocr";
	return refuseShape(parsed, rules) ?? refuseOwnHost(parsed, rules) ?? refuseHost(parsed.hostname, rules);
}

function refuseShape(url: URL, { allowPrivate }: UrlRules): string | null {
	if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) {
		return allowPrivate ? "must begin with https:// or http://" : "must begin with https://";
	}
	if (url.username !== "" || url.password !== "") return "must not carry credentials; they belong in `auth`";
	// `hash` is empty for a bare "#".
	if (url.href.includes("#")) return "must not have a fragment";
	if (!allowPrivate && !PUBLIC_PORTS.has(url.port)) return "must use port 443 or 8443";
	return null;
}

/**
 * The router sends to itself only at the URLs of sources: their events keep the lineage that the request carries, so
 * that loops end. No other path accepts deliveries.
 */
function refuseOwnHost(url: URL, { allowPrivate, ownHosts }: UrlRules): string | null {
	if (SOURCE_PATH.test(url.pathname)) return null;
	return ownHosts.some((host) => isAt(url, host, allowPrivate))
		? "is the router itself, where only /in/{source} accepts events"
		: null;
}

const SOURCE_PATH = /^\/in\/[^/]+$/;

/**
 * In production the router responds on every port that Cloudflare opens; in development other ports
 * are other servers.
 */
function isAt(url: URL, host: string, allowPrivate: boolean): boolean {
	const own = URL.parse(`${url.protocol}//${host}`);
	if (own === null || withoutDot(own.hostname) !== withoutDot(url.hostname)) return false;
	return !allowPrivate || own.port === url.port;
}

function refuseHost(hostname: string, { allowPrivate }: UrlRules): string | null {
	const kind = addressKind(hostname);
	if (kind !== null) return allowPrivate ? refuseInDevelopment(kind) : refuseInProduction(kind);
	const name = withoutDot(hostname);
	if (name.split(".").includes("")) return "has a host name with an empty part";
	if (METADATA_NAMES.has(name)) return DESCRIPTION.metadata;
	// Such a name can stand for any address, including the metadata service.
	if (underAny(name, ANY_ADDRESS_SUFFIXES)) return "has a host name that can stand for any address";
	if (allowPrivate) return null;
	if (!name.includes("."))
		return "has a host name without a domain, which resolves only in a private network";
	return underAny(name, LOCAL_SUFFIXES) ? "has a host name that resolves only in a private network" : null;
}

const DESCRIPTION: Record<Exclude<AddressKind, "public">, string> = {
	loopback: "points to a loopback address",
	private: "points to a private address",
	link_local: "points to a link-local address",
	metadata: "points to a cloud's metadata service",
	reserved: "points to a reserved address that is not on the public internet",
};

/** A bare address may belong to somebody else tomorrow, and has no trustworthy certificate. */
function refuseInProduction(kind: AddressKind): string {
	return kind === "public" ? "must have a host name, not an IP address" : DESCRIPTION[kind];
}

function refuseInDevelopment(kind: AddressKind): string | null {
	return kind === "public" || kind === "loopback" || kind === "private" ? null : DESCRIPTION[kind];
}

const METADATA_NAMES = new Set([
	"metadata",
	"metadata.google.internal",
	"metadata.goog",
	"metadata.tencentyun.com",
	"metadata.packet.net",
	"metadata.platformequinix.com",
	"instance-data",
	"instance-data.ec2.internal",
]);

const ANY_ADDRESS_SUFFIXES = ["nip.io", "sslip.io", "xip.io"];

/**
 * Top-level names of private networks, and public names that resolve to 127.0.0.1; that second list
 * cannot be complete.
 */
const LOCAL_SUFFIXES = [
	"localhost",
	"localdomain",
	"local",
	"internal",
	"intranet",
	"lan",
	"corp",
	"home.arpa",
	"svc",
	"onion",
	"invalid",
	"localtest.me",
	"lvh.me",
];

function underAny(name: string, suffixes: readonly string[]): boolean {
	return suffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/** `example.com.` is the full form of `example.com`. */
function withoutDot(hostname: string): string {
	return hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
}
