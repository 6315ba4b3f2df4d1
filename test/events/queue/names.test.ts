/** Which queues are the router's own, and what each carries. */
import { expect, test } from "vitest";
import { ownQueue } from "../../../src/events/queue/names.ts";

test.each([
	["sluice-events", "events"],
	["sluice-events-dlq", "dead_letters"],
	["sluice-events-staging", "events"],
	["sluice-events-staging-dlq", "dead_letters"],
	["sluice-events-dlq-staging", "events"],
	["scans", null],
	["scans-dlq", null],
	["my-sluice-events", null],
] as const)("%s: %s", (name, expected) => {
	expect(ownQueue(name)).toBe(expected);
});
