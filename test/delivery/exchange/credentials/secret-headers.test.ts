import { expect, test } from "vitest";
import { isSecretHeader } from "../../../../src/delivery/exchange/credentials/secret-headers.ts";

test.each([
	"Authorization",
	"x-api-key",
	"apikey",
	"X-Auth-Token",
	"x-client-secret",
	"Cookie",
	"x-password",
	"x-vercel-protection-bypass",
	"x-credential",
])("%s holds a credential", (name) => {
	expect(isSecretHeader(name)).toBe(true);
});

test.each(["x-scale-up-timeout", "x-model", "accept", "content-type", "x-request-id"])(
	"%s holds none",
	(name) => {
		expect(isSecretHeader(name)).toBe(false);
	},
);
