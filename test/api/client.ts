/** The management API from inside workerd: one call, one parsed answer, which has to be as it is described. */
import { exports } from "cloudflare:workers";
import { assertDescribed } from "./described.ts";

export const ORIGIN = "https://sluice.example";

export interface Answer {
	status: number;
	headers: Headers;
	text: string;
	body: Resource;
}

/** What most answers are; an answer that has no id or name has none here. */
export interface Resource {
	id: string;
	name: string;
	[field: string]: unknown;
}

export interface Page {
	data: Resource[];
	next_cursor: string | null;
}

/** One request with the root key; `body` may be text that is sent as it stands. */
export async function ask(
	method: string,
	path: string,
	body?: unknown,
	headers: Record<string, string> = {},
): Promise<Answer> {
	const response = await exports.default.fetch(
		new Request(ORIGIN + path, {
			method,
			headers: {
				authorization: "Bearer test-token",
				...(body !== undefined && { "content-type": "application/json" }),
				...headers,
			},
			...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
		}),
	);
	const text = await response.text();
	const { status, headers: answered } = response;
	const contentType = answered.get("content-type");
	assertDescribed({ method, path, status, contentType, text, headers: answered });
	return {
		status,
		headers: response.headers,
		text,
		body: (text === "" ? {} : JSON.parse(text)) as Resource,
	};
}

/** One request that must succeed. */
export async function must<T = Resource>(method: string, path: string, body?: unknown): Promise<T> {
	const answer = await ask(method, path, body);
	if (answer.status < 300) return answer.body as T;
	throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
}

/** The paths of a problem's `errors`, in order. */
export function badPaths({ body }: Answer): string[] {
	return ((body["errors"] ?? []) as { path: string }[]).map(({ path }) => path);
}

/** The ids on the pages of a list, in order, until there is no further page or `maxPages` have been read. */
export async function readIds(path: string, maxPages = 1): Promise<{ ids: string[]; more: boolean }> {
	const ids: string[] = [];
	let cursor: string | null = null;
	for (let page = 0; page < maxPages; page++) {
		const found: Page = await must("GET", cursor === null ? path : `${path}&cursor=${cursor}`);
		ids.push(...found.data.map(({ id }) => id));
		cursor = found.next_cursor;
		if (cursor === null) break;
	}
	return { ids, more: cursor !== null };
}
