/** The responses of `…/setup` and `…/test`, with the texts of their fields: for the description. */
import * as z from "zod";
import type { FieldTexts } from "../openapi/operation.ts";
import { testSourceSchema } from "./fields.ts";

const step = z.strictObject({
	title: z.string(),
	language: z.enum(["sql", "shell", "json", "javascript", "properties", "toml", "text"]),
	code: z.string(),
});

const STEP_FIELDS: FieldTexts = Object.fromEntries(
	["variants.steps", "variants.remove"].flatMap((path) => [
		[`${path}.title`, "What it does."],
		[`${path}.language`, "What the code is written in."],
		[`${path}.code`, "To be run as it stands; twice does no harm."],
	]),
);

export const SETUP = {
	name: "SourceSetup",
	schema: z.strictObject({
		source: z.string(),
		kind: z.string(),
		ingest_url: z.string().nullable(),
		secret_placeholder: z.string().nullable(),
		variants: z.array(
			z.strictObject({ name: z.string(), title: z.string(), steps: z.array(step), remove: step.optional() }),
		),
	}),
	fields: {
		source: "The source's name.",
		kind: "The source's kind.",
		ingest_url: "Where the publisher posts; null where nobody does.",
		secret_placeholder: "Stands where the secret belongs; null where there is none.",
		variants: "Ways to connect the publisher, of which one is enough.",
		"variants.name": "A short name.",
		"variants.title": "When to choose it.",
		"variants.steps": "In order.",
		"variants.remove": "Takes all of it away again.",
		...STEP_FIELDS,
	},
};

export const TEST_OPTIONS = { name: "SourceTestOptions", schema: testSourceSchema, fields: {} };

export const TEST = {
	name: "SourceTest",
	schema: z.strictObject({
		sent: z.strictObject({ headers: z.record(z.string(), z.string()), body: z.string() }),
		answer: z.strictObject({ status: z.number().int(), body: z.unknown() }),
	}),
	fields: {
		sent: "What the publisher would have sent.",
		"sent.headers": "Without the proof.",
		"sent.body": "As text.",
		answer: "What the publisher would have been answered.",
		"answer.status": "The HTTP status.",
		"answer.body": "The JSON of the response; null where there was none.",
	},
};
