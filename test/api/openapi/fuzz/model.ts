/** What stands where model servers are asked: it responds at once, with whatever a server might, and calls nobody. */
import { CONTENT_TYPES, hostileBody, hostileText } from "./hostile.ts";
import type { Random } from "./random.ts";

const STATUSES: readonly [number, ...number[]] = [
	200, 200, 200, 201, 202, 204, 302, 400, 401, 402, 404, 410, 422, 429, 500, 503,
];
const BODIES: readonly [string, ...string[]] = [
	'{"text": "read"}',
	'{"access_token": "token", "expires_in": 60, "token_type": "Bearer"}',
	'{"id": "job", "status": "starting"}',
	'{"choices": [{"message": {"content": "hello"}}], "usage": {"prompt_tokens": 1}}',
	'{"error": {"message": "no"}}',
];
/** In whose response the body has to be null. */
const BODILESS = [204];

export function modelServer(random: Random): typeof fetch {
	return async () => {
		if (random.chance(0.1)) throw new TypeError("Network connection lost.");
		const status = random.pick(STATUSES);
		const headers = new Headers();
		if (random.chance(0.7)) headers.set("content-type", random.pick(["application/json", ...CONTENT_TYPES]));
		for (const name of ["retry-after", "location", "ce-type", "ce-id", "x-request-id", "set-cookie"]) {
			if (random.chance(0.1)) headers.set(name, visible(hostileText(random)));
		}
		const body = random.chance(0.7) ? random.pick(BODIES) : hostileBody(random);
		return new Response(BODILESS.includes(status) ? null : body, { status, headers });
	};
}

/** What a header can carry. */
function visible(text: string): string {
	return text.replaceAll(/[^\u0020-\u007e]/g, "?").slice(0, 1_000);
}
