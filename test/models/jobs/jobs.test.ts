/** Whatever a server says of a job, its protocol makes something of it, and asks nobody but the endpoint. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { handleOf } from "../../../src/models/jobs/handles.ts";
import { MAX_HANDLE_LENGTH } from "../../../src/models/jobs/jobs.ts";
import { PROTOCOL_NAMES, protocolOf } from "../../../src/models/registry.ts";
import { read } from "../captures.ts";
import { jobsOf, readCallback, readStep, stepRequest } from "./jobs.ts";

const WITH_JOBS = PROTOCOL_NAMES.filter((name) => protocolOf(name)?.jobs !== undefined);
const MEGABYTE = 1_048_576;

test("these know of jobs", () => {
	expect(WITH_JOBS.toSorted()).toEqual(["bentoml", "cloudevents", "cog", "http", "replicate"]);
});

test.each(WITH_JOBS)("%s completes by default in a way that it can", (name) => {
	const { defaultMode, poll } = jobsOf(name);
	expect(defaultMode === "poll" ? poll : "sync").toBeDefined();
});

describe("a handle", () => {
	test.each([
		["abc", "abc"],
		["x".repeat(MAX_HANDLE_LENGTH), "x".repeat(MAX_HANDLE_LENGTH)],
		["a/../b", "a/../b"],
		["...", "..."],
	])("is a text: %j", (value, handle) => {
		expect(handleOf(value)).toBe(handle);
	});

	test.each([
		[""],
		["x".repeat(MAX_HANDLE_LENGTH + 1)],
		["."],
		[".."],
		[7],
		[null],
		[undefined],
		[{}],
		[["a"]],
		[true],
	])("is not %j", (value) => {
		expect(handleOf(value)).toBeNull();
	});

	test("is not half a character, which no report of a failed test can carry either", () => {
		expect(handleOf("a\ud800") === null).toBe(true);
	});
});

const BODIES: [string, string][] = [
	["nothing", ""],
	["no JSON", "<html>"],
	["a text", '"a"'],
	["null", "null"],
	["a list", '[{"id":"a","status":"succeeded"}]'],
	["members of other types", '{"id":{},"task_id":[],"status":{},"output":1,"error":[[]],"metrics":"a"}'],
	["a status that objects have", '{"id":"a","task_id":"a","status":"constructor"}'],
	["a member that objects have", '{"__proto__":{"status":"succeeded","id":"a","task_id":"a"}}'],
	["a megabyte of text", "x".repeat(MEGABYTE)],
	["a megabyte of JSON", JSON.stringify({ id: "a", status: "x".repeat(MEGABYTE - 100) })],
	["a megabyte of error", JSON.stringify({ status: "failed", error: "x".repeat(MEGABYTE - 100) })],
	["lists without end", `{"status":"failed","error":${"[".repeat(50_000)}${"]".repeat(50_000)}}`],
];
const KINDS = ["running", "fetch", "lost", "ended"];
const CLASSES = [null, "error", "bad_input", "unauthorized", "quota"];

describe.each(WITH_JOBS)("%s", (name) => {
	const jobs = jobsOf(name);

	test.each(BODIES)("makes something of %s", (_what, body) => {
		const readings = [100, 200, 201, 202, 204, 302, 400, 401, 402, 403, 404, 409, 410, 422, 499].flatMap(
			(status) => {
				for (const completion of ["sync", "callback", "poll"] as const)
					expect(() => read(name, { status, body }, false, { completion })).not.toThrow();
				const polled = jobs.poll === undefined ? [] : [readStep(name, "poll", { status, body })];
				const result = jobs.poll === undefined ? [] : [readStep(name, "result", { status, body })];
				return [...polled, ...result];
			},
		);
		const called = jobs.readCallback === undefined ? [] : [readCallback(name, { body })];
		for (const said of [...readings, ...called]) {
			expect(KINDS).toContain(said.kind);
			if (said.kind !== "ended") continue;
			expect(CLASSES).toContain(said.reading.class);
			// What has not succeeded says why, and has no output.
			if (said.reading.class !== null) {
				expect(said.reading.error).toEqual(expect.any(String));
				expect(said.reading.output).toBeNull();
			}
		}
	});

	test("accepts no handle that is too long or not text", () => {
		for (const id of ["x".repeat(MAX_HANDLE_LENGTH + 1), 7, null, [], {}, "", ".."]) {
			const body = { id, task_id: id, status: "starting" };
			const headers = { location: `/${"x".repeat(MAX_HANDLE_LENGTH)}` };
			for (const status of [200, 201, 202])
				for (const completion of ["callback", "poll"] as const)
					expect(read(name, { status, headers, body }, false, { completion }).handle).toBeNull();
		}
	});

	test("never requests another host than the endpoint's, whatever the handle", () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.webUrl(),
					fc.string({ unit: "grapheme" }),
					fc.constantFrom("..", "@b.example", "//b.example", "\\b", ":1", "?", "#", "/..", "%2e%2e/"),
				),
				fc.constantFrom(
					"https://a.example",
					"https://a.example:8443/x/?q=1",
					"https://a.example/v1/predictions",
				),
				(handle, url) => {
					for (const step of ["poll", "result", "cancel"] as const) {
						const made = stepRequest(name, step, handle, { url, model: "m" });
						if (made === null) continue;
						expect(new URL(made.url).origin).toBe(new URL(url).origin);
						expect(new URL(made.url).username).toBe("");
					}
				},
			),
		);
	});
});
