/** For tests: keys, and requests with them. */
import { type Answer, type Resource, ask, must } from "../client.ts";

export interface TestKey extends Resource {
	key: string;
}

let count = 0;

export function makeKey(fields: Record<string, unknown>): Promise<TestKey> {
	return must<TestKey>("POST", "/v1/keys", { name: `key-${++count}`, ...fields });
}

/** One request with a key; without one, when it is null. */
export function askWith(
	key: TestKey | null,
	method: string,
	path: string,
	body?: unknown,
	headers: Record<string, string> = {},
): Promise<Answer> {
	return ask(method, path, body, { ...headers, authorization: key === null ? "" : `Bearer ${key.key}` });
}

/** The names on the first page of a list, in order of the alphabet. */
export async function namesIn(key: TestKey, path: string): Promise<string[]> {
	const answer = await askWith(key, "GET", path);
	if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${answer.text}`);
	return (answer.body["data"] as Resource[]).map(({ name }) => name).sort();
}
