import { describe, expect, test } from "vitest";
import { readBindingUrl } from "../../../src/models/requests/binding-url.ts";
import { outputText, read } from "../captures.ts";
import { jobsOf, POLLED, readStep, stepRequest, summary } from "./jobs.ts";

describe.each(["http", "cloudevents"])("%s", (name) => {
	const url = "https://a.example:8443/run/ocr?x=1";
	const accept = (headers: Record<string, string>) =>
		read(name, { status: 202, headers, body: '{"id":1}' }, false, { url, ...POLLED });

	test.each([
		[{ location: "/jobs/1" }, "/jobs/1"],
		[{ location: "jobs/1" }, "/run/jobs/1"],
		[{ location: "https://a.example:8443/jobs/1?token=a%20b#part" }, "/jobs/1?token=a%20b"],
		[{ location: "../../../../etc" }, "/etc"],
		[{ location: "/x", "operation-location": "/jobs/1" }, "/jobs/1"],
		[{ location: "/jobs/1", "operation-location": "" }, "/jobs/1"],
		[{ location: `/${"x".repeat(1_023)}` }, `/${"x".repeat(1_023)}`],
	])("a 202 with %j has the handle %s", (headers, handle) => {
		expect(accept(headers)).toMatchObject({ class: "accepted", handle, output: null, error: null });
	});

	test.each([
		[{}, "no Location"],
		[{ location: "" }, "no Location"],
		[{ location: "https://b.example/jobs/1" }, "another origin"],
		[{ location: "https://a.example/jobs/1" }, "another origin"],
		[{ location: "http://a.example:8443/jobs/1" }, "another origin"],
		[{ location: "//b.example/jobs/1" }, "another origin"],
		[{ location: "\\\\b.example\\jobs" }, "another origin"],
		[{ location: "https://a.example:8443@b.example/" }, "another origin"],
		[{ location: "javascript:alert(1)" }, "another origin"],
		[{ location: "https://[" }, "another origin"],
		[{ location: `/${"x".repeat(1_024)}` }, "too long"],
	])("a 202 with %j names no job that can be asked for", (headers, error) => {
		expect(accept(headers)).toMatchObject({
			class: "error",
			handle: null,
			error: expect.stringContaining(error),
		});
	});

	describe("behind a binding to a private network", () => {
		const url = "vpc:OCR_API/run/ocr?x=1";
		const acceptThere = (location: string) =>
			read(name, { status: 202, headers: { location }, body: "" }, false, { url, ...POLLED });

		test.each([
			["/jobs/1", "vpc:OCR_API/jobs/1"],
			["jobs/1?a=b", "vpc:OCR_API/run/jobs/1?a=b"],
			// As which host it was called.
			["http://ocr-api/jobs/1", "vpc:OCR_API/jobs/1"],
			["/jobs/a|b?c={d}^`", "vpc:OCR_API/jobs/a%7Cb?c=%7Bd%7D%5E%60"],
			["?job=1", "vpc:OCR_API/run/ocr?job=1"],
		])("a 202 with the location %s is polled at %s", (location, asked) => {
			const said = acceptThere(location);
			expect(said).toMatchObject({ class: "accepted", error: null });
			expect(stepRequest(name, "poll", said?.handle ?? "", { url })?.url).toBe(asked);
			expect(readBindingUrl(asked)).not.toBeNull();
		});

		test.each([
			"https://ocr-api/jobs/1",
			"http://b.example/jobs/1",
			"//b.example/jobs",
			"vpc:OTHER/jobs/1",
			"vpc:OCR_API/jobs/1",
		])("and never anywhere else: %s", (location) => {
			expect(acceptThere(location)).toMatchObject({
				class: "error",
				handle: null,
				error: expect.stringContaining("another origin"),
			});
		});
	});

	test("without polling a 202 is like any other response, and so is a 200 with polling", () => {
		const headers = { location: "/jobs/1" };
		for (const completion of ["sync", "callback"] as const) {
			expect(read(name, { status: 202, headers }, false, { url, completion })).toMatchObject({
				class: null,
				handle: null,
				error: null,
			});
		}
		const said = read(name, { status: 200, headers, body: { a: 1 } }, false, { url, ...POLLED });
		expect(said).toMatchObject({ class: null, handle: null });
		expect(outputText(said)).toBe('{"a":1}');
	});

	test.each([
		["/jobs/1?a=b", "https://a.example:8443/jobs/1?a=b"],
		["//b.example/x", "https://a.example:8443//b.example/x"],
		// Never one of ours, and all the same the host stays.
		["@b.example/x", "https://a.example:8443/@b.example/x"],
		["https://b.example/x", "https://a.example:8443/https://b.example/x"],
		["", "https://a.example:8443/"],
	])("the handle %j is asked for at %s", (handle, asked) => {
		expect(stepRequest(name, "poll", handle, { url })).toEqual({
			method: "GET",
			url: asked,
			headers: {},
			body: null,
		});
		expect(new URL(asked).origin).toBe("https://a.example:8443");
	});

	test.each([
		[{ status: 202, body: { status: "running" } }, "running"],
		[{ status: 200, body: { text: "a" } }, ["ended", null, '{"text":"a"}']],
		[{ status: 200, body: "plain" }, ["ended", null, "plain"]],
		[{ status: 204 }, ["ended", null, null]],
		[{ status: 404, body: { error: "no such job" } }, ["lost", "no such job"]],
		// Of the job; it disables no endpoint.
		[{ status: 410 }, ["lost", "The server responded with 410 to a poll of the job."]],
		[{ status: 303, headers: { location: "/x" } }, ["ended", "error", expect.stringContaining("303")]],
		[{ status: 403, body: { error: "no" } }, ["ended", "unauthorized", "no"]],
		[{ status: 402 }, ["ended", "quota", expect.stringContaining("402")]],
		[{ status: 400, body: { error: "no" } }, ["ended", "error", "no"]],
	])("asked after, %j", (said, meaning) => {
		expect(summary(readStep(name, "poll", said))).toEqual(meaning);
	});

	test("an output that is an event is one", () => {
		const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/m", "ce-type": "done" };
		expect(readStep(name, "poll", { status: 200, headers, body: { a: 1 } })).toMatchObject({
			kind: "ended",
			reading: { output: { kind: "event", attributes: { type: "done" } } },
		});
	});

	test("its jobs hold no slot, and are asked for only where the endpoint says so", () => {
		expect(jobsOf(name)).toMatchObject({ defaultMode: "sync", holdsSlot: false });
		expect(stepRequest(name, "cancel", "/jobs/1")).toBeNull();
	});
});
