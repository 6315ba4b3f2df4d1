import { expect, test } from "vitest";
import { admit, openGates } from "../../../src/delivery/gates/gates.ts";
import { MAX_BYTES } from "../../../src/delivery/gates/memory.ts";

test("large events go fewer at a time than the endpoint's limit allows, and the gate says why", () => {
	const moment = {
		now: 0,
		random: 0.5,
		inFlight: 20,
		jobs: 0,
		maxConcurrency: 600,
		isActive: true,
		isRecovering: false,
	};
	expect(admit(openGates, { ...moment, bytesInFlight: MAX_BYTES - 1 })).toMatchObject({ blockedBy: null });
	expect(admit(openGates, { ...moment, bytesInFlight: MAX_BYTES })).toEqual({
		slots: 0,
		blockedBy: "memory",
		until: null,
	});
});
