import { describe, expect, test } from "vitest";
import { isOwnSignature, signOwn } from "../../src/crypto/own-signature.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { newId } from "../../src/events/ids.ts";
import { type Lineage, lineageAfter } from "../../src/events/lineage.ts";
import { continueLineage, lineageHeader, readLineage } from "../../src/events/lineage-header.ts";

const env = { ADMIN_TOKEN: "root-key" };
const now = Date.UTC(2026, 10, 25);
const DAY = 86_400_000;
const lineage: Lineage = {
	hops: 2,
	chain: ["sub_a", "sub_b"],
	budget: 24,
	correlationId: "evt_root",
	causationId: "evt_cause",
};

function signed(
	more: Partial<Lineage> = {},
	at = now,
	keys: Parameters<typeof lineageHeader>[0] = env,
): string {
	return lineageHeader(keys, { ...lineage, ...more }, at) ?? expect.fail("nothing was signed");
}

function read(value: string | null, at = now, keys: Parameters<typeof readLineage>[0] = env): Lineage | null {
	return readLineage(keys, new Headers(value === null ? {} : { "sluice-lineage": value }), at);
}

describe("a lineage header", () => {
	test.each<[string, Partial<Lineage>]>([
		["as it is", {}],
		["with the whole budget", { budget: null }],
		["with no budget left", { budget: 0 }],
		["with a correlation id in any letters", { correlationId: "Größe 😀" }],
		["with one that is a number", { correlationId: 7 }],
	])("is read back: %s", (_what, more) => {
		expect(read(signed(more))).toEqual({ ...lineage, ...more });
	});

	test("of the longest chain with the longest correlation id is read back, and fits into servers' limits", () => {
		const longest = { chain: Array.from({ length: 66 }, () => newId("sub")), correlationId: "ü".repeat(512) };
		expect(read(signed(longest))).toEqual({ ...lineage, ...longest });
		expect(signed(longest).length).toBeLessThan(4_096);
		expect(signed().length).toBeLessThan(300);
	});

	test.each([
		["from this moment", 0, true],
		["a day later", DAY, true],
		["later than that", DAY + 1, false],
		["from a clock that is a little ahead", -300_000, true],
		["from the future", -300_001, false],
	])("holds for a day: %s", (_what, age, holds) => {
		expect(read(signed({}, now - age)) !== null).toBe(holds);
	});

	test.each([
		["none", null],
		["an empty one", ""],
		["words", "hello"],
		["parts that are missing", signed().split(".").slice(0, 2).join(".")],
		["a part too many", `${signed()}.x`],
		["no signature", `${signed().split(".").slice(0, 2).join(".")}.`],
		["another version", signed().replace("v1", "v2")],
		["one that is too long", `${signed()}${"A".repeat(4_096)}`],
		["one of another router", signed({}, now, { ADMIN_TOKEN: "another" })],
		["two of them", `${signed()}, ${signed()}`],
		["one whose content was changed", altered({ hops: 1 })],
	])("is passed over: %s", (_what, value) => {
		expect(read(value)).toBeNull();
	});

	test("that a newer release has signed in a form of its own is passed over", () => {
		const text = `v1.${Buffer.from('{"at":"now"}').toString("base64url")}`;
		expect(read(`${text}.${signOwn(env, "lineage", text)}`)).toBeNull();
	});

	test("is verified by every key that is set, and signed with the first", () => {
		const former = signed();
		const both = { ENCRYPTION_KEY: "new-key, other", ADMIN_TOKEN: "root-key" };
		expect(read(former, now, both)).toEqual(lineage);
		expect(read(signed({}, now, both), now, { ENCRYPTION_KEY: "new-key" })).toEqual(lineage);
		expect(read(signed({}, now, both), now, env)).toBeNull();
		expect(read(former, now, { ENCRYPTION_KEY: "new-key" })).toBeNull();
	});

	test("is not made while no key is set", () => {
		expect(lineageHeader({}, lineage, now)).toBeNull();
		expect(read(signed(), now, {})).toBeNull();
	});

	function altered(more: Partial<Lineage>): string {
		const [version, , signature] = signed().split(".");
		const [, content] = signed(more, now, { ADMIN_TOKEN: "another" }).split(".");
		return `${version}.${content}.${signature}`;
	}
});

test("a signature says nothing of the key that seals secrets, nor of the token itself", () => {
	const signature = signOwn(env, "lineage", "text") ?? "";
	expect(signature).toHaveLength(43);
	expect(isOwnSignature(env, "lineage", "text", signature)).toBe(true);
	expect(isOwnSignature(env, "lineage", "other", signature)).toBe(false);
	expect(isOwnSignature(env, "lineage", "text", "")).toBe(false);
	expect(isOwnSignature(env, "lineage", "text", "ü".repeat(43))).toBe(false);
});

describe("an event that is posted with one", () => {
	const event: SluiceEvent = {
		id: "evt_1",
		sourceId: "src_1",
		receivedAt: now,
		attributes: { id: "1", source: "/s", type: "t", correlationid: "its own" },
		data: null,
	};

	test("continues the chain of the delivery, under the same id", () => {
		expect(continueLineage([event], lineage)).toEqual([
			{
				...event,
				attributes: {
					...event.attributes,
					correlationid: "evt_root",
					causationid: "evt_cause",
					sluicehops: 2,
					sluicechain: "sub_a,sub_b",
					sluicebudget: 24,
				},
			},
		]);
	});

	test("is left alone without one", () => {
		expect(continueLineage([event], null)).toEqual([event]);
	});

	test("hands on what it came with", () => {
		const [continued] = continueLineage([event], lineage);
		expect(lineageAfter(continued ?? event, "sub_c", 3)).toEqual({
			hops: 3,
			chain: ["sub_a", "sub_b", "sub_c"],
			budget: 3,
			correlationId: "evt_root",
			causationId: "evt_1",
		});
	});
});
