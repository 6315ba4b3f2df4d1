import { expect, test } from "vitest";
import { PROTOCOL_NAMES } from "../../src/models/registry.ts";
import { sampleFor } from "../../src/models/sample.ts";
import { find, inputOf, json, request } from "./captures.ts";

test.each([
	["http", '{"text":"A sample from Sluice."}'],
	["open-inference", "[5.1,3.5,1.4,0.2]"],
	["openai-chat", '"Answer with one word: ready."'],
])("%s is tried with %s", (name, sample) => {
	expect(sampleFor(find(name))).toBe(sample);
});

test.each(PROTOCOL_NAMES)("a sample fits protocol %s", (name) => {
	expect(request(name, inputOf(json(sampleFor(find(name)))))).not.toHaveProperty("misfit");
});

test("a row of measures is one tensor of real numbers", () => {
	const made = request("open-inference", inputOf(json(sampleFor(find("open-inference")))));
	const body = "body" in made ? JSON.parse(String(made.body)) : null;
	expect(body).toMatchObject({ inputs: [{ name: "input-0", shape: [1, 4], datatype: "FP64" }] });
});
