/** Values by a JSON Schema of the description: valid as far as the schema says, and the same with something spoiled. */
import type { JsonSchema } from "../../../../src/api/openapi/operation.ts";
import { TEXTS, hostileText, hostileValue } from "./hostile.ts";
import type { Random } from "./random.ts";

/** Candidates for texts with a pattern; most patterns of the API take some of them. */
const WORDS: readonly string[] = [
	"a",
	"1",
	"42",
	"ocr",
	"x-signature",
	"Bearer",
	"utf8",
	"{body}",
	"eu-central-1",
	"push@shop.example.com",
	"arn:aws:sns:eu-central-1:123456789012:topic",
	"/data/id",
	"AKIAIOSFODNN7EXAMPLE",
	"https://sqs.eu-central-1.amazonaws.com/123456789012/queue",
	"https://models.example.com/ocr",
	"http://127.0.0.1:9/",
	"a-secret-of-the-publisher",
	"2026-11-22T11:18:25Z",
	"document.inserted",
	"document.*",
	"body.id",
	"=body.type",
	"data.pages < 20",
	'{ "url": data.url }',
	"active",
	"paused",
];

/** What stands for fields whose values have to exist, or must not. Undefined: no special value. */
export type Known = (field: string) => unknown;

export class Generator {
	readonly #schemas: Record<string, JsonSchema>;
	readonly #random: Random;
	readonly #known: Known;

	constructor(schemas: Record<string, JsonSchema>, random: Random, known: Known) {
		this.#schemas = schemas;
		this.#random = random;
		this.#known = known;
	}

	valid(schema: JsonSchema, field = "", depth = 0): unknown {
		const random = this.#random;
		const known = this.#known(field);
		if (known !== undefined) return known;
		if (typeof schema["$ref"] === "string") {
			return this.valid(this.#schemas[schema["$ref"].split("/").at(-1) ?? ""] ?? {}, field, depth + 1);
		}
		if (schema["const"] !== undefined) return schema["const"];
		if (Array.isArray(schema["enum"])) return random.pick(schema["enum"] as unknown[]);
		const alternatives = schema.anyOf ?? schema.oneOf;
		if (alternatives !== undefined) {
			// Deep down the first ones, which do not nest.
			const some = depth > 8 ? alternatives.slice(0, 2) : alternatives;
			return this.valid(random.pick(some) ?? {}, field, depth + 1);
		}
		switch (schema["type"]) {
			case "string":
				return this.#text(schema);
			case "integer":
			case "number":
				return this.#number(schema);
			case "boolean":
				return random.chance(0.5);
			case "null":
				return null;
			case "array":
				return Array.from({ length: random.int(Number(schema["minItems"] ?? 0), 3) }, () =>
					this.valid(schema.items ?? {}, field, depth + 1),
				);
			case "object":
				return this.#object(schema, depth);
			default:
				return random.pick(["text", 12.5, null, { total: 12.5, list: [1, "a"] }]);
		}
	}

	#text({ pattern, examples, maxLength = 64 }: JsonSchema): string {
		const random = this.#random;
		if (Array.isArray(examples) && random.chance(0.5)) return String(random.pick(examples));
		const fitting = WORDS.filter(
			(word) =>
				word.length <= Number(maxLength) &&
				(typeof pattern !== "string" || new RegExp(pattern, "u").test(word)),
		);
		return random.pick(fitting) ?? "text";
	}

	#number({ minimum = 0, maximum = 1_000, type }: JsonSchema): number {
		const [min, max] = [Number(minimum), Number(maximum)];
		const random = this.#random;
		const value = random.pick([min, max, random.int(min, max), Math.min(max, min + random.int(0, 10))]);
		return type === "integer" ? Math.trunc(value) : value;
	}

	#object({ properties = {}, required, additionalProperties }: JsonSchema, depth: number): unknown {
		const random = this.#random;
		const names = Object.keys(properties);
		const asked = (Array.isArray(required) ? required : []) as string[];
		const share = random.pick([0.1, 0.4, 0.9]);
		const chosen = names.filter((name) => asked.includes(name) || random.chance(share));
		const entries = chosen.map((name) => [name, this.valid(properties[name] ?? {}, name, depth + 1)]);
		if (typeof additionalProperties === "object") {
			const name = random.pick(["subject", "type", "x-trace", "source"]);
			entries.push([name, this.valid(additionalProperties as JsonSchema, "", depth + 1)]);
		}
		return Object.fromEntries(entries) as unknown;
	}

	/** With one value somewhere in it replaced, removed or added. */
	spoil(value: unknown): unknown {
		const random = this.#random;
		if (typeof value !== "object" || value === null || random.chance(0.15)) return hostileValue(random);
		if (Array.isArray(value)) return this.#spoilList(value);
		const entries = Object.entries(value);
		const at = random.int(0, Math.max(0, entries.length - 1));
		const [name, inner] = entries[at] ?? ["x", null];
		const others = entries.filter((_, index) => index !== at);
		switch (random.int(0, 4)) {
			case 0:
				return Object.fromEntries(others);
			case 1:
				return Object.fromEntries([...entries, [hostileText(random), hostileValue(random)]]);
			case 2:
				return Object.fromEntries([...others, [name, hostileValue(random)]]);
			default:
				return Object.fromEntries([...others, [name, this.spoil(inner)]]);
		}
	}

	#spoilList(list: readonly unknown[]): unknown[] {
		const random = this.#random;
		if (random.chance(0.3)) return Array.from({ length: 120 }, () => list[0] ?? TEXTS[2]);
		return [...list.slice(1), this.spoil(list[0])];
	}
}
