import { describe, expect, test } from "vitest";
import { warningsOf } from "../../../src/api/subscriptions/warnings.ts";
import type { ResultPolicy } from "../../../src/store/records.ts";
import { must } from "../client.ts";

const RESULTS = "src_results";
const policy = (type: string | null, allowCycles = false): ResultPolicy => ({
	type,
	transform: null,
	maxHops: 8,
	allowCycles,
});
const filter = { exact: { subject: "a" } };

describe("warnings of a subscription", () => {
	test.each([
		["only its own results", { sourceId: RESULTS, types: ["read"], result: policy("read") }, "only_loops"],
		[
			"the same by the endpoint's name",
			{ sourceId: RESULTS, types: ["ocr.completed"], result: policy(null) },
			"only_loops",
		],
		[
			"the same with filters",
			{ sourceId: RESULTS, types: ["read"], filters: [filter], result: policy("read") },
			"only_loops",
		],
		[
			"its own among all results",
			{ sourceId: RESULTS, types: [], result: policy("read") },
			"own_results_match",
		],
		["its own among everything", { sourceId: null, types: [], result: policy(null) }, "own_results_match"],
		["its own by a pattern", { sourceId: null, types: ["ocr.*"], result: policy(null) }, "own_results_match"],
		[
			"its own and what publishers call the same",
			{ sourceId: null, types: ["read"], result: policy("read") },
			"own_results_match",
		],
		[
			"filters may leave them out",
			{ sourceId: null, types: [], filters: [filter], result: policy(null) },
			null,
		],
		[
			"types that the source sluice does not have",
			{ sourceId: "src_sluice", types: ["endpoint.paused"], result: null },
			"no_such_events",
		],
		["a wildcard of MQTT", { sourceId: null, types: ["scans/#"], result: null }, "no_wildcard"],
		["a wildcard of SQL", { sourceId: null, types: ["ocr.*", "scans.%"], result: null }, "no_wildcard"],
		["a regular expression", { sourceId: null, types: ["^scans[.]"], result: null }, "no_wildcard"],
		["types as they are", { sourceId: null, types: ["com.example.a-b_c/1:d.*"], result: null }, null],
		["types that it has", { sourceId: "src_sluice", types: ["sluice.endpoint.*"], result: null }, null],
		["another type", { sourceId: RESULTS, types: ["scan.*"], result: policy("read") }, null],
		["another source", { sourceId: "src_1", types: [], result: policy("read") }, null],
		["cycles are meant", { sourceId: RESULTS, types: ["read"], result: policy("read", true) }, null],
		["no results", { sourceId: null, types: [], result: null }, null],
	])("%s", (_what, subscription, code) => {
		const told = warningsOf({ filters: [], ...subscription }, "ocr");
		expect(told.map((warning) => warning.code)).toEqual(code === null ? [] : [code]);
	});

	test("are returned when it is created and changed, and are not part of it", async () => {
		await must("POST", "/v1/endpoints", { name: "warned", url: "https://models.example.com/" });
		const draft = { name: "warned", endpoint: "warned@1", source: "results", types: ["warned.completed"] };
		expect(await must("POST", "/v1/subscriptions", draft)).toMatchObject({ warnings: [] });
		const changed = await must("PATCH", "/v1/subscriptions/warned", { result: {} });
		expect(changed).toMatchObject({ warnings: [{ code: "only_loops", path: "types" }] });
		expect(await must("GET", "/v1/subscriptions/warned")).not.toHaveProperty("warnings");
		const latest = await must("PATCH", "/v1/subscriptions/warned", { endpoint: "warned@latest" });
		expect(latest).toMatchObject({ warnings: [{ code: "only_loops" }] });
		const made = await must("POST", "/v1/subscriptions", {
			endpoint: "warned",
			types: ["warned.*"],
			result: {},
		});
		expect(made).toMatchObject({ warnings: [{ code: "own_results_match" }] });
	});
});
