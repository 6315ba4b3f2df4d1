import { expect, test } from "vitest";
import type { BodyError, NetworkError } from "../../../../src/delivery/rules/attempt.ts";
import {
	describeFetchError,
	describeReadError,
} from "../../../../src/delivery/exchange/carriers/network-error.ts";

/** Quoted from workerd 1.20261023.1; the second argument says what was really the matter. */
test.each<[said: string, cause: string, error: NetworkError]>([
	["Network connection lost.", "connection refused, reset or closed", "connection_lost"],
	["Network connection lost.", "the response is no HTTP", "connection_lost"],
	["internal error; reference = eqsmtv0n127itso44irll6hv", "the name does not resolve", "unreachable"],
	["internal error; reference = 139spl5a3d5pm1s4l4q0tbp9", "no TLS on that port", "unreachable"],
	["internal error; reference = 0kc8rl9h3tbr55fcgm942mgu", "untrusted certificate", "unreachable"],
	["internal error", "the same, without a reference", "unreachable"],
	["Fetch API cannot load: ftp://127.0.0.1/", "scheme", "network"],
	["Too many subrequests by single Worker invocation.", "our own limit", "network"],
])("%j (%s) before a response is called %s", (said, _, error) => {
	expect(describeFetchError(new Error(said)).error).toBe(error);
});

test.each<[said: string, cause: string, error: BodyError]>([
	["Network connection lost.", "reset or closed", "cut_off"],
	["internal error; reference = 0kc8rl9h3tbr55fcgm942mgu", "unknown", "network"],
])("%j (%s) within a response is called %s", (said, _, error) => {
	expect(describeReadError(new Error(said)).error).toBe(error);
});

test("a thrown value that is not an Error is described too", () => {
	expect(describeFetchError("broken")).toEqual({ error: "network", message: "broken" });
});

test("the URL, which may carry a key, is not in the message", () => {
	const said = "Fetch API cannot load: ftp://models.example.com/v1?key=s3cret";
	expect(describeFetchError(new Error(said)).message).toBe("Fetch API cannot load: (URL)");
	expect(describeReadError(new Error(said)).message).toBe("Fetch API cannot load: (URL)");
});
