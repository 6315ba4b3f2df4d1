/** Paths that a protocol puts behind an endpoint's URL. By text alone, since every attempt asks. */

interface Split {
	base: string;
	/** With its question mark; empty when there is none. */
	query: string;
}

function split(url: string): Split {
	const at = url.indexOf("?");
	const path = at === -1 ? url : url.slice(0, at);
	return { base: path.replace(/\/+$/, ""), query: at === -1 ? "" : url.slice(at) };
}

/** `path` begins with a slash, and comes before the query. */
export function under(url: string, path: string): string {
	const { base, query } = split(url);
	return `${base}${path}${query}`;
}

/** The URL without such an end of its path. */
export function withoutEnd(url: string, end: RegExp): string {
	const { base, query } = split(url);
	return `${base.replace(end, "")}${query}`;
}

/** The URL with one more parameter in its query. */
export function withQuery(url: string, name: string, value: string): string {
	return `${url}${url.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(value)}`;
}

/** Whether the URL names nothing behind its host, or behind the binding that leads to a private one. */
export function isBare(url: string): boolean {
	return /^(?:[a-z]+:\/\/|vpc:)[^/]*$/i.test(split(url).base);
}

/** Whether the URL already is the one of a call, which ends so. */
export function endsWith(url: string, end: RegExp): boolean {
	return end.test(split(url).base);
}

/** The URL of a call with another end, where it ends in `end`; null where it does not. The query stays. */
export function withEnd(url: string, end: RegExp, other: string): string | null {
	const { base, query } = split(url);
	return end.test(base) ? `${base.replace(end, other)}${query}` : null;
}

/** Scheme, host and port, as the URL spells them; or its binding, and the model where that is one of Workers AI. */
export function originOf(url: string): string {
	return /^(?:[a-z]+:\/\/|vpc:)[^/?#]*|^(?:workers-ai|queue):.*/i.exec(url)?.[0] ?? "";
}

/** A model's name within a path; its own slashes stay. */
export function inPath(model: string): string {
	return model.split("/").map(encodeURIComponent).join("/");
}
