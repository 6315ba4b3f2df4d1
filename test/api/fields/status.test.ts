import { beforeAll, describe, expect, test } from "vitest";
import { namesSetAside, statusOf } from "../../../src/api/fields/status.ts";
import type { Quarantine } from "../../../src/events/expressions/set-aside.ts";
import { changeSource, changeSubscription } from "../../store/change.ts";
import { anEndpoint, aSource, aSubscription } from "../../store/records.ts";
import { must } from "../client.ts";

const target = { latestOf: "ocr" };
const aside = (field: string): Quarantine => ({ field, reason: "too many steps", at: 1 });

describe("statusOf", () => {
	test.each([
		[aSource(), "active", null],
		[aSource({ status: "paused" }), "paused", "manual"],
		[aSource({ quarantine: aside("subject") }), "quarantined", "subject: too many steps"],
		[aSource({ status: "paused", quarantine: aside("subject") }), "paused", "manual"],
		[{ ...aSource(), secrets: null }, "paused", "secret_unreadable"],
		[aSubscription({ target }), "active", null],
		[aSubscription({ target, status: "paused", quarantine: aside("transform") }), "paused", "manual"],
		[aSubscription({ target, quarantine: aside("transform") }), "quarantined", "transform: too many steps"],
		[anEndpoint(), "active", null],
		[anEndpoint({ status: "disabled", statusReason: "gone" }), "disabled", "gone"],
	])("%# is %s", (record, status, reason) => {
		expect(statusOf(record)).toEqual({ status, status_reason: reason });
	});
});

describe("namesSetAside", () => {
	test.each<[string | null, Record<string, unknown>, boolean]>([
		[null, { transform: "a" }, false],
		["transform", { transform: "a" }, true],
		["transform", { transform: null }, true],
		["transform", { name: "n", result: { transform: "a" } }, false],
		["filters.1.not.jsonata", { filters: [] }, true],
		["filters.1.jsonata", { transform: "a" }, false],
		["result.transform", { result: { transform: "a" } }, true],
		["result.transform", { result: null }, true],
		["result.transform", { result: { max_hops: 2 } }, false],
		["result.transform", { transform: "a" }, false],
		["event_type", { event_type: "t" }, true],
		["dedupe_key", { event_type: "t" }, false],
	])("of %s by %j: %s", (field, patch, names) => {
		expect(namesSetAside(field === null ? null : aside(field), patch)).toBe(names);
	});
});

describe("the shown status, and how it becomes active again", () => {
	beforeAll(async () => {
		await must("POST", "/v1/endpoints", { name: "set-aside", url: "https://models.example.com/" });
	});

	test("a subscription", async () => {
		const { id } = await must("POST", "/v1/subscriptions", { endpoint: "set-aside", transform: "data" });
		await changeSubscription(id, { quarantine: aside("transform") });
		const quarantined = { status: "quarantined", status_reason: "transform: too many steps" };
		expect(await must("GET", `/v1/subscriptions/${id}`)).toMatchObject(quarantined);
		expect(await must("PATCH", `/v1/subscriptions/${id}`, { types: ["a"] })).toMatchObject(quarantined);
		const active = { status: "active", status_reason: null };
		expect(await must("PATCH", `/v1/subscriptions/${id}`, { transform: "data.a" })).toMatchObject(active);
		await changeSubscription(id, { quarantine: aside("transform") });
		expect(await must("POST", `/v1/subscriptions/${id}/resume`)).toMatchObject(active);
	});

	test("a source", async () => {
		const { id } = await must("POST", "/v1/sources", { name: "set-aside", event_type: "=body.type" });
		await changeSource(id, { quarantine: aside("event_type") });
		const quarantined = { status: "quarantined", status_reason: "event_type: too many steps" };
		expect(await must("GET", `/v1/sources/${id}`)).toMatchObject(quarantined);
		expect(await must("PATCH", `/v1/sources/${id}`, { subject: "s" })).toMatchObject(quarantined);
		const active = { status: "active", status_reason: null };
		expect(await must("PATCH", `/v1/sources/${id}`, { event_type: "t" })).toMatchObject(active);
		await changeSource(id, { quarantine: aside("event_type") });
		expect(await must("POST", `/v1/sources/${id}/resume`)).toMatchObject(active);
	});
});
