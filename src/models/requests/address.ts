/**
 * Paths that a protocol appends to an endpoint's URL. Works on the text alone, because every
 * attempt needs it.
 */

interface Split {
	base: string;
	/** With its question mark; empty if there is none. */
	query: string;
}

function split(url: string): Split {
	const at = url.indexOf("?");
	const path = at === -1 ? url : url.slice(0, at);
	return { base: path.replace(/\/+$/, ""), query: at === -1 ? "" : url.slice(at) };
}

/** `path` begins with a slash and is inserted before the query. */
export function under(url: string, path: string): string {
	const { base, query } = split(url);
	return `${base}${path}${query}`;
}

/** The URL without this end of its path. */
export function withoutEnd(url: string, end: RegExp): string {
	const { base, query } = split(url);
	return `${base.replace(end, "")}${query}`;
}

/** The URL with one more query parameter. */
export function withQuery(url: string, name: string, value: string): string {
	return `${url}${url.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(value)}`;
}

/**
 * Whether the URL has no path after its host, or after the binding that leads to a private host.
 */
export function isBare(url: string): boolean {
	return /^(?:[a-z]+:\/\/|vpc:)[^/]*$/i.test(split(url).base);
}

/** Whether the URL already is the URL of a call, because its path ends like one. */
export function endsWith(url: string, end: RegExp): boolean {
	return end.test(split(url).base);
}

/**
 * The URL with `other` in place of `end`; null if its path does not end in `end`. The query stays.
 */
export function withEnd(url: string, end: RegExp, other: string): string | null {
	const { base, query } = split(url);
	return end.test(base) ? `${base.replace(end, other)}${query}` : null;
}

/**
 * Scheme, host and port, as the URL spells them; or its binding, including the model for Workers
 * AI.
 */
export function originOf(url: string): string {
	return /^(?:[a-z]+:\/\/|vpc:)[^/?#]*|^(?:workers-ai|queue):.*/i.exec(url)?.[0] ?? "";
}

/** A model's name as part of a path; its own slashes stay. */
export function inPath(model: string): string {
	return model.split("/").map(encodeURIComponent).join("/");
}
