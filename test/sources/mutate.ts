/** Spoils requests: what a broken proxy, a new version of the publisher or an attacker could make of a real one. */
import * as fc from "fast-check";
import type { Sample } from "../../src/sources/kind.ts";

export interface SpoiledRequest {
	headers: [name: string, value: string][];
	body: Uint8Array;
}

type Spoil = (request: SpoiledRequest) => SpoiledRequest;

const utf8 = new TextEncoder();

/** One to three things done to one of the samples. */
export function spoiled(samples: readonly Sample[]): fc.Arbitrary<SpoiledRequest> {
	const spoil = fc.oneof(
		{ arbitrary: spoilJson, weight: 8 },
		{ arbitrary: spoilBytes, weight: 1 },
		{ arbitrary: spoilHeaders, weight: 2 },
	);
	const spoils = fc.array(spoil, { minLength: 1, maxLength: 3 });
	return fc.tuple(fc.constantFrom(...samples), spoils).map(([{ headers, body }, spoils]) =>
		spoils.reduce<SpoiledRequest>((request, spoil) => spoil(request), {
			headers: Object.entries(headers),
			body: utf8.encode(body),
		}),
	);
}

/** Positions and choices are drawn as fractions, so that they fit whatever stands there; evenly, without edges. */
const fraction = fc.noBias(fc.nat(9_999)).map((part) => part / 10_000);

function pick<T>(items: readonly T[], at: number): T | undefined {
	return items[Math.floor(at * items.length)];
}

const spoilBytes: fc.Arbitrary<Spoil> = fc
	.tuple(
		fc.constantFrom("cut", "insert", "overwrite", "delete"),
		fraction,
		fc.uint8Array({ minLength: 1, maxLength: 8 }),
	)
	.map(([how, where, bytes]) => ({ headers, body }) => {
		const at = Math.floor(where * body.length);
		const after = body.subarray(Math.min(body.length, how === "insert" ? at : at + bytes.length));
		const parts = how === "cut" ? [] : how === "delete" ? [after] : [bytes, after];
		return { headers, body: Buffer.concat([body.subarray(0, at), ...parts]) };
	});

const HEADER_VALUES = [
	"",
	" ",
	"a, b",
	"%C0%A0",
	'"',
	"\u007f",
	"-1",
	"x".repeat(20_000),
	"1".repeat(400),
	"null",
];
const CONTENT_TYPES = [
	"application/json",
	"application/json; charset=utf-16",
	"application/cloudevents+json",
	"application/cloudevents-batch+json",
	"application/x-www-form-urlencoded",
	"text/plain; charset=UTF-8",
	"multipart/form-data",
	"nonsense",
	"",
];

const spoilHeaders: fc.Arbitrary<Spoil> = fc
	.tuple(fc.constantFrom("drop", "garble", "repeat", "content-type"), fraction, fraction)
	.map(([how, where, which]) => ({ headers, body }) => {
		const index = Math.floor(where * headers.length);
		const found = headers[index];
		if (how === "content-type") {
			const others = headers.filter(([name]) => name !== "content-type");
			return { headers: [...others, ["content-type", pick(CONTENT_TYPES, which) ?? ""]], body };
		}
		if (found === undefined) return { headers, body };
		const [name, value] = found;
		const changed: [string, string][] = {
			drop: [],
			garble: [[name, pick(HEADER_VALUES, which) ?? ""] as [string, string]],
			repeat: [found, [name, `${value}x`] as [string, string]],
		}[how];
		return { headers: headers.toSpliced(index, 1, ...changed), body };
	});

const DEEP = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
/** JSON texts that take the place of a value. */
const VALUES = fc.oneof(
	fc.constantFrom("null", "true", "{}", "[]", '""', "0", "-0", "1e400", "1.5", "-1", '"a b"', '"\\ud800"'),
	fc.constantFrom(
		'"\\u0000"',
		'"é/ü %"',
		'"../..//?#"',
		"9007199254740993",
		'"2026-02-30T00:00:00Z"',
		"253402300800",
	),
	fc.constantFrom(
		DEEP,
		`"${"x".repeat(50_000)}"`,
		'{"__proto__":{"id":1}}',
		'"{}"',
		'"eyJhIjoxfQ=="',
		'[{"a":1},null]',
	),
	fc.jsonValue().map((value) => JSON.stringify(value)),
	fc.string({ unit: "binary", maxLength: 30 }).map((text) => JSON.stringify(text)),
);

const spoilJson: fc.Arbitrary<Spoil> = fc
	.tuple(fc.constantFrom<Change>("delete", "replace", "nest", "repeat"), fraction, VALUES)
	.map(([change, where, value]) => ({ headers, body }) => {
		const text = new TextDecoder().decode(body);
		return { headers, body: utf8.encode(spoilJsonText(text, change, where, value)) };
	});

type Change = "delete" | "replace" | "nest" | "repeat";

/** Stands for `value` until the document is written, because some values exist as text only. */
const HOLE = "\u{1F573}hole";

/** Changes one value somewhere in the document; text that is no JSON stays as it is. */
function spoilJsonText(text: string, change: Change, where: number, value: string): string {
	const document = tryParse(text);
	if (!isContainer(document)) return text;
	const holder = { document };
	// What names an event stands near the top, in payloads with hundreds of values further down.
	const places = [...placesIn(document as object)].sort((a, b) => a.depth - b.depth);
	const { parent, key } = pick(places, where ** 2) ?? { parent: holder, key: "document" };
	const former = JSON.stringify((parent as Record<string, unknown>)[key]);
	const inside = tryParseInside((parent as Record<string, unknown>)[key]);
	let filling = value;
	if (inside !== undefined) filling = inside.wrap(spoilJsonText(inside.text, change, where, value));
	else if (change === "nest") filling = `{"nested":[${former}]}`;
	else if (change === "repeat")
		filling = Array.isArray(parent) ? `${former},${former}` : `${former},${JSON.stringify(key)}:${value}`;
	if (change === "delete" && inside === undefined) {
		if (Array.isArray(parent)) parent.splice(Number(key), 1);
		else delete (parent as Record<string, unknown>)[key];
	} else {
		(parent as Record<string, unknown>)[key] = HOLE;
	}
	return (JSON.stringify(holder.document) ?? "").replace(JSON.stringify(HOLE), () => filling);
}

interface Place {
	parent: object;
	key: string;
	depth: number;
}

/** Every value of the document, by what holds it and its key there. */
function* placesIn(parent: object, depth = 0): Generator<Place> {
	for (const [key, value] of Object.entries(parent)) {
		yield { parent, key, depth };
		if (typeof value === "object" && value !== null) yield* placesIn(value as object, depth + 1);
	}
}

/** JSON in a string, as in a notification of SNS, or in base64, as in a message of Pub/Sub. */
function tryParseInside(value: unknown): { text: string; wrap(text: string): string } | undefined {
	if (typeof value !== "string") return undefined;
	if (isContainer(tryParse(value))) return { text: value, wrap: (text) => JSON.stringify(text) };
	const decoded = Buffer.from(value, "base64").toString();
	if (!isContainer(tryParse(decoded))) return undefined;
	return { text: decoded, wrap: (text) => JSON.stringify(Buffer.from(text).toString("base64")) };
}

function isContainer(value: unknown): boolean {
	return typeof value === "object" && value !== null;
}

function tryParse(text: string): unknown {
	// Deeper than its own recursion bears, a document is not spoiled further.
	if (text.includes("[[[[[[[[")) return undefined;
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
