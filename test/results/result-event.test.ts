import { describe, expect, test } from "vitest";
import type { SluiceEvent } from "../../src/events/event.ts";
import { isAttributeLength } from "../../src/events/cloudevents/attributes.ts";
import { logIdsOf, logOf, newId } from "../../src/events/ids.ts";
import kserve from "../models/captures/kserve.json";
import { readCapture } from "../models/captures.ts";
import { type Produced, buildResultEvent } from "../../src/results/result-event.ts";

const parent: SluiceEvent = {
	id: "evt_parent",
	sourceId: "src_docs",
	receivedAt: 0,
	attributes: {
		id: "scan-1",
		source: "/bucket",
		type: "document.uploaded",
		subject: "scans/1.png",
		traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	},
	data: null,
};

const policy = { type: "document.read", transform: null, maxHops: 8, allowCycles: false };
const data = { kind: "json" as const, text: '{"text": "Dear Sir"}' };

function build(more: Partial<Produced> = {}): SluiceEvent {
	return buildResultEvent({
		parent,
		deliveryId: "dlv_1",
		subscriptionId: "sub_1",
		budget: null,
		endpointId: "ep_ocr3",
		endpointName: "ocr",
		endpointRef: "ocr@3",
		policy,
		output: { kind: "data", data, contentType: "application/json" },
		now: Date.UTC(2026, 10, 22),
		...more,
	});
}

test("a plain output becomes an event that names its origin and its cause", () => {
	expect(build()).toEqual({
		id: expect.stringMatching(/^evt_/),
		sourceId: "src_results",
		receivedAt: Date.UTC(2026, 10, 22),
		attributes: {
			id: "dlv_1",
			source: "/endpoints/ocr@3",
			type: "document.read",
			time: "2026-11-22T00:00:00.000Z",
			subject: "scans/1.png",
			traceparent: parent.attributes["traceparent"],
			datacontenttype: "application/json",
			correlationid: "evt_parent",
			causationid: "evt_parent",
			sluicehops: 1,
			sluicechain: "sub_1",
			sluicemodel: "ocr",
			sluicemodelversion: "3",
		},
		data,
	});
});

test("publishing the same output twice is publishing one event", () => {
	expect(build({ now: 1 }).id).toBe(build({ now: 2 }).id);
	expect(build({ deliveryId: "dlv_2" }).id).not.toBe(build().id);
	expect(logIdsOf("src_results")).toContain(logOf(build()));
});

test("the correlation id is handed on, hops and chain grow", () => {
	const second = build({ parent: build(), subscriptionId: "sub_2", deliveryId: "dlv_2" });
	expect(second.attributes).toMatchObject({
		correlationid: "evt_parent",
		causationid: build().id,
		sluicehops: 2,
		sluicechain: "sub_1,sub_2",
	});
});

test("the budget is the one that routing gave the delivery, not the parent's", () => {
	const halfway = { ...parent, attributes: { ...parent.attributes, sluicehops: 1, sluicebudget: 50 } };
	expect(build({ parent: halfway, budget: 24 }).attributes).toMatchObject({
		sluicehops: 2,
		sluicebudget: 24,
	});
	expect(build({ parent: halfway, budget: 0 }).attributes).toMatchObject({ sluicebudget: 0 });
	expect(build({ parent: halfway }).attributes).not.toHaveProperty("sluicebudget");
});

test("attributes that release 0.1 accepted beyond the limits are not passed on", () => {
	const long = "x".repeat(300_000);
	const attributes = { ...parent.attributes, subject: long, correlationid: long, tracestate: long };
	const event = build({ parent: { ...parent, attributes } });
	expect(event.attributes).toMatchObject({ correlationid: "evt_parent" });
	expect(event.attributes).not.toHaveProperty("subject");
	expect(event.attributes).not.toHaveProperty("tracestate");
});

test("the longest chain is no longer than an attribute may be", () => {
	const ids = Array.from({ length: 63 }, () => newId("sub")).join(",");
	const deep = { ...parent, attributes: { ...parent.attributes, sluicehops: 63, sluicechain: ids } };
	const { attributes } = build({ parent: deep, subscriptionId: newId("sub") });
	expect(attributes["sluicehops"]).toBe(64);
	expect(isAttributeLength(String(attributes["sluicechain"]))).toBe(true);
});

test("an output without a type is named after the model", () => {
	expect(build({ policy: { ...policy, type: null } }).attributes.type).toBe("ocr.completed");
});

describe("an output that is a CloudEvent", () => {
	const output = {
		kind: "event" as const,
		attributes: {
			id: "answer-7",
			source: "/models/ocr",
			type: "scan.read",
			sluicemodel: "another",
			sluicehops: 0,
			sluicechain: "",
			sluiceadmin: true,
		},
		data,
	};

	test("is taken as it is, with its type where the subscription names none", () => {
		const { attributes } = build({ output, policy: { ...policy, type: null } });
		expect(attributes).toMatchObject({
			id: "answer-7",
			source: "/models/ocr",
			type: "scan.read",
		});
		expect(build({ output }).attributes.type).toBe("document.read");
	});

	test("cannot say anything on the router's behalf", () => {
		const { attributes } = build({ output });
		expect(attributes).toMatchObject({ sluicehops: 1, sluicechain: "sub_1", causationid: "evt_parent" });
		expect(attributes).toMatchObject({ sluicemodel: "ocr", sluicemodelversion: "3" });
		expect(attributes).not.toHaveProperty("sluiceadmin");
	});

	test("is one event however often it is published, whatever id it gives itself", () => {
		const other = { ...output, attributes: { ...output.attributes, id: "answer-8" } };
		expect(build({ output: other }).id).toBe(build({ output }).id);
	});

	test("is another one at another endpoint, though both give it the same id", () => {
		const events = [build({ output }), build({ output, endpointId: "ep_other" })];
		expect(events.map(({ attributes }) => attributes.id)).toEqual(["answer-7", "answer-7"]);
		expect(new Set(events.map(({ id }) => id.slice(0, 26))).size).toBe(2);
	});
});

describe("KServe, which responds to an event with an event that it generates", () => {
	const { output } = readCapture("cloudevents", kserve, "v1-ce-binary");
	if (output?.kind !== "event") throw new Error("the capture is no event");

	test("id and source are the router's, all else the server's", () => {
		expect(output.attributes).toMatchObject({ source: "io.kserve.inference.iris" });
		const { attributes, data } = build({ output, policy: { ...policy, type: null } });
		expect(attributes).toMatchObject({
			id: "dlv_1",
			source: "/endpoints/ocr@3",
			type: "io.kserve.inference.response",
			time: output.attributes.time,
		});
		expect(data).toEqual({ kind: "json", text: '{"predictions": [6]}' });
		expect(build({ output }).attributes.type).toBe("document.read");
	});

	test.each(["io.kserve.inferences", "/models/iris", "https://example.com/io.kserve.inference.iris"])(
		"a source that somebody has chosen is kept: %s",
		(source) => {
			const chosen = { ...output, attributes: { ...output.attributes, source } };
			expect(build({ output: chosen }).attributes).toMatchObject({ source, id: output.attributes.id });
		},
	);

	test("its V1 protocol drops the event around the output", () => {
		expect(readCapture("kserve-v1", kserve, "v1-ce-binary").output).toMatchObject({ kind: "data" });
	});
});

describe("usage, model version and request id of the server", () => {
	test("is in the router's own attributes", () => {
		const usage = { inputTokens: 12, outputTokens: 3, seconds: 0.25 };
		const reported = { usage, modelVersion: "gpt-4o-mini-2024-07-18", requestId: "req_1" };
		expect(build({ reported }).attributes).toMatchObject({
			sluicemodel: "ocr",
			sluicemodelversion: "gpt-4o-mini-2024-07-18",
			sluicerequestid: "req_1",
			sluicetokensin: 12,
			sluicetokensout: 3,
			sluiceseconds: "0.25",
		});
	});

	test("is left out where it is no integer of 32 bits, or not known", () => {
		const usage = { inputTokens: 2 ** 31, outputTokens: 1.5, seconds: null };
		const { attributes } = build({ reported: { usage } });
		for (const name of ["sluicetokensin", "sluicetokensout", "sluiceseconds", "sluicerequestid"]) {
			expect(attributes).not.toHaveProperty(name);
		}
	});

	test("is left out of an event that has no room for it, and the lineage is not", () => {
		const many = Object.fromEntries(Array.from({ length: 58 }, (_, at) => [`a${at}`, "x"]));
		const attributes = {
			id: "1",
			source: "/m",
			type: "t",
			subject: "s",
			time: "2026-11-22T00:00:00Z",
			...many,
		};
		const made = build({ output: { kind: "event", attributes, data }, reported: { requestId: "req_1" } });
		expect(made.attributes).toMatchObject({ ...many, sluicehops: 1, sluicechain: "sub_1" });
		expect(made.attributes).not.toHaveProperty("sluicemodel");
		const long = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`a${at}`, "x".repeat(1_024)]));
		const large = { id: "1", source: "/m", type: "t", ...long, last: "x".repeat(660) };
		const full = build({
			output: { kind: "event", attributes: large, data },
			reported: { requestId: "r".repeat(256) },
		});
		expect(full.attributes).toMatchObject({ last: large.last, sluicehops: 1, sluicemodel: "ocr" });
		expect(full.attributes).not.toHaveProperty("sluicerequestid");
	});
});

test("the result of a test is part of the test, whatever the model returns", () => {
	expect(build().attributes).not.toHaveProperty("sluicetest");
	const tried = { ...parent, attributes: { ...parent.attributes, sluicetest: true } };
	expect(build({ parent: tried }).attributes).toMatchObject({ sluicetest: true });
});
