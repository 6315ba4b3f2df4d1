import { expect, test } from "vitest";
import { waitIn } from "../../../src/models/responses/wait-text.ts";

test.each([
	["Request was throttled. Expected available in 1 second.", 1_000],
	["Request was throttled. Expected available in 3s", 3_000],
	["Request was throttled. Your rate limit resets in ~30s.", 30_000],
	["Request was throttled. Expected available in 831.0 seconds.", 831_000],
	["Expected available in 2", 2_000],
	["it resets in 250 ms", 250],
	["it resets in 2 minutes", 120_000],
	["resets in 1h", 3_600_000],
	["resets in 3 parsecs", null],
	["resets in a moment", null],
	["Request was throttled.", null],
	["available in 99999999999 seconds", null],
	["", null],
])("%j: %j ms", (text, ms) => {
	expect(waitIn(text)).toBe(ms);
});
