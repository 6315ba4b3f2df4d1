/** The responses of `…/setup` and `…/test`, with the texts of their fields, for the API description. */
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
		[`${path}.title`, "What the step does."],
		[`${path}.language`, "The language of the code."],
		[`${path}.code`, "Run it unchanged. Running it twice does no harm."],
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
		ingest_url: "The URL to which the publisher posts; null if nobody posts to this source.",
		secret_placeholder: "The placeholder for the secret in the code; null if there is no secret.",
		variants: "Alternative ways to connect the publisher.",
		"variants.name": "A short name.",
		"variants.title": "When to choose this variant.",
		"variants.steps": "In order.",
		"variants.remove": "Undoes all steps.",
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
		sent: "The request as the publisher would send it.",
		"sent.headers": "The headers without the proof.",
		"sent.body": "As text.",
		answer: "The response that the publisher would get.",
		"answer.status": "The HTTP status.",
		"answer.body": "The JSON of the response; null if there was none.",
	},
};
