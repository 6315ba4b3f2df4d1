import { expect, test } from "vitest";
import { Turns } from "../../../src/delivery/pick/turns.ts";

/** Serves from two lists until both are empty. */
function serve(untried: string[], retries: string[]): string[] {
	const turns = new Turns();
	const served: string[] = [];
	for (;;) {
		const next = turns.next(
			() => untried.shift() ?? null,
			() => retries.shift() ?? null,
		);
		if (next === null) return served;
		served.push(next);
	}
}

test("untried deliveries and retries take turns, and the rest continues alone", () => {
	expect(serve(["u1", "u2", "u3"], ["r1"])).toEqual(["u1", "r1", "u2", "u3"]);
	expect(serve([], ["r1", "r2"])).toEqual(["r1", "r2"]);
});

test.each([1, 2, 3, 4])("after %i retries of a failing delivery alone, an untried one is next", (count) => {
	const turns = new Turns();
	for (let at = 0; at < count; at++) {
		expect(
			turns.next(
				() => null,
				() => "failing",
			),
		).toBe("failing");
	}
	expect(
		turns.next(
			() => "untried",
			() => "failing",
		),
	).toBe("untried");
});
