import { expect, test } from "vitest";
import { isTokenStale } from "../../../src/delivery/rules/stale-token.ts";
import type { AttemptResult } from "../../../src/delivery/rules/attempt.ts";
import type { EndpointAuth } from "../../../src/store/records.ts";

const OAUTH: EndpointAuth = {
	type: "oauth2_client_credentials",
	tokenUrl: "https://login.example.com/token",
	clientId: "a",
	clientSecret: "b",
};
const responded = (status: number): AttemptResult => ({
	kind: "response",
	status,
	headers: {},
	body: new Uint8Array(),
	failure: null,
	durationMs: 0,
});
const LOST: AttemptResult = { kind: "no_response", error: "token_refused", message: "", durationMs: 0 };

test.each<[EndpointAuth, AttemptResult, (number | null)[], boolean]>([
	[OAUTH, responded(401), [], true],
	[OAUTH, responded(401), [500, null], true],
	[OAUTH, responded(401), [401], false],
	[OAUTH, responded(401), [401, 503], true],
	[OAUTH, responded(403), [], false],
	[OAUTH, responded(200), [], false],
	[OAUTH, LOST, [], false],
	[{ type: "bearer", token: "t" }, responded(401), [], false],
])("%j, %j after %j: %s", (auth, result, statuses, isStale) => {
	const attempts = statuses.map((statusCode) => ({ statusCode }));
	expect(isTokenStale(auth, result, attempts)).toBe(isStale);
});
