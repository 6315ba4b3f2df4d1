/** Requests by the description: valid, nearly valid and hostile, by the throw of a die. */
import type { OpenApiDocument } from "../../../../src/api/openapi/document.ts";
import type { JsonSchema, OperationDescription } from "../../../../src/api/openapi/operation.ts";
import { ORIGIN } from "../../client.ts";
import { CONTENT_TYPES, hostileBody, hostileText } from "./hostile.ts";
import type { Random } from "./random.ts";
import { Generator, type Known } from "./values.ts";

interface Parameter {
	name: string;
	in: "path" | "query" | "header";
	schema: JsonSchema;
}

export interface Asked {
	method: string;
	/** With the query. */
	path: string;
	headers: Record<string, string>;
	body: string | Uint8Array<ArrayBuffer> | null;
	/** With the key of a viewer, in place of the root key. */
	isViewer: boolean;
}

/** What there is to be named: ids and names by tag, secrets by the name of their source. */
export interface Pool {
	refs: Map<string, string[]>;
	secrets: Map<string, string>;
	/** Paths that a model server could have been given. */
	callbacks: string[];
	/** The key of a viewer. */
	viewer: string;
}

/** What code judges, and no schema: most of it is to pass, so that what stands behind it is reached. */
const KNOWN: ReadonlyMap<string, readonly unknown[]> = new Map([
	["url", ["https://models.example.com/ocr", "http://127.0.0.1:9/", "queue:JOBS"]],
	["signing_secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]],
	["transform", ['{ "url": data.url }', "data", null]],
	["jsonata", ["data.pages < 20", "type = 'order.paid'"]],
	["dedupe_key", ["body.id", null]],
	["types", [[], ["document.*"], ["order.paid", "fuzz.*"]]],
	["sources", [[], ["*"], ["documents-db"]]],
	["endpoints", [[], ["team-*"]]],
	["subscriptions", [[], ["team-*"]]],
	["expires_at", ["2999-01-01T00:00:00Z", null]],
	["filters", [[], [{ prefix: { subject: "scans/" } }]]],
	["prune", [false]],
]);

/** Fields that name something by its id or name. */
const REFS: ReadonlyMap<string, string> = new Map([
	["source", "Sources"],
	["event_source", "Sources"],
	["endpoint", "Endpoints"],
	["subscription", "Subscriptions"],
	["event_id", "Events"],
]);

/** Headers that say something only when they fit what there is. */
const HEADERS: ReadonlyMap<string, readonly string[]> = new Map([
	["If-Match", ["*", '"1"', '"1", "2", "3"', 'W/"1"']],
	["If-None-Match", ['"0"', 'W/"0"', "*", '"1"']],
]);

/** Of a query that must not say something else: pruning would delete what the run is built on. */
const FIXED: ReadonlyMap<string, readonly [string, string]> = new Map([
	["applyConfiguration", ["prune", "false"]],
]);

const KEY = "Bearer test-token";

export class Requests {
	readonly #random: Random;
	readonly #document: OpenApiDocument;
	readonly #pool: Pool;
	readonly #generator: Generator;
	#made = 0;

	constructor(document: OpenApiDocument, pool: Pool, random: Random) {
		this.#document = document;
		this.#pool = pool;
		this.#random = random;
		this.#generator = new Generator(document.components.schemas, random, this.#known);
	}

	/** Names are new, and what has to exist mostly does. */
	readonly #known: Known = (field) => {
		const random = this.#random;
		if (field === "name" && random.chance(0.8)) return `fuzz-${(this.#made += 1)}`;
		const tag = REFS.get(field);
		const known = tag === undefined ? (KNOWN.get(field) ?? []) : (this.#pool.refs.get(tag) ?? []);
		return random.chance(0.85) ? random.pick(known) : undefined;
	};

	next(operation: OperationDescription): Asked {
		const { method, path } = operation;
		const described = this.#document.paths[path]?.[method] ?? {};
		const parameters = described["parameters"] as Parameter[];
		const filled = this.#path(operation);
		const headers = this.#headers(operation, filled, parameters);
		const isViewer = isKeyed(operation) && this.#random.chance(0.05);
		if (isViewer) headers["authorization"] = `Bearer ${this.#pool.viewer}`;
		return {
			method: method.toUpperCase(),
			path:
				filled +
				this.#query(
					operation,
					parameters.filter((parameter) => parameter.in === "query"),
				),
			headers,
			isViewer,
			body: method === "get" ? null : this.#body(operation),
		};
	}

	#path(operation: OperationDescription): string {
		const random = this.#random;
		const callback = random.pick(this.#pool.callbacks);
		if (operation.tag === "Callbacks" && callback !== undefined && random.chance(0.75)) return callback;
		return operation.path.replaceAll(/\{\w+\}/g, () => this.#pathPart(operation));
	}

	#pathPart({ tag }: OperationDescription): string {
		const random = this.#random;
		const known = random.pick(this.#pool.refs.get(tag) ?? []);
		if (known !== undefined && random.chance(0.75)) return encodeURIComponent(known);
		const other = random.pick([...this.#pool.refs.values()].flat());
		const part = random.chance(0.3) && other !== undefined ? other : hostileText(random);
		// Dots would be taken for steps, and an empty part for another path.
		return encode(part === "" || part === "." ? "x" : part.slice(0, 2_000));
	}

	#query({ id }: OperationDescription, parameters: readonly Parameter[]): string {
		const random = this.#random;
		const fixed = FIXED.get(id);
		const parts = parameters
			.filter(({ name }) => random.chance(0.3) && name !== fixed?.[0])
			.map(({ name, schema }) => {
				const value = random.chance(0.6) ? this.#generator.valid(schema, name) : hostileText(random);
				return `${name}=${encode(String(value))}`;
			});
		if (fixed !== undefined) parts.push(fixed.join("="));
		if (random.chance(0.05))
			parts.push(random.pick(["limit=1&limit=2", "x=1", "limit=%E0%A4%A", "&&=&", "%", "=="]));
		return parts.length === 0 ? "" : `?${parts.join("&")}`;
	}

	#headers(
		{ tag, body }: OperationDescription,
		path: string,
		all: readonly Parameter[],
	): Record<string, string> {
		const random = this.#random;
		const secret = this.#pool.secrets.get(decodeURIComponent(path.split("/").at(-1) ?? "")) ?? "none";
		const authorization = tag === "Ingest" ? `Bearer ${secret}` : KEY;
		const headers: Record<string, string> = {};
		if (random.chance(0.97)) headers["authorization"] = authorization;
		else
			headers["authorization"] = random.pick(["", "Bearer", "Bearer x", "Basic dGVzdC10b2tlbg==", `${KEY}x`]);
		if (body !== undefined || random.chance(0.1)) {
			headers["content-type"] = random.chance(0.92) ? "application/json" : random.pick(CONTENT_TYPES);
		}
		if (random.chance(0.02)) headers["content-encoding"] = random.pick(["gzip", "identity", "x"]);
		for (const { name } of all.filter((parameter) => parameter.in === "header")) {
			if (random.chance(0.3)) headers[name] = this.#header(name);
		}
		return headers;
	}

	#header(name: string): string {
		const random = this.#random;
		const known = random.pick(HEADERS.get(name) ?? []);
		if (known !== undefined && random.chance(0.8)) return known;
		// Some come twice.
		if (name === "Idempotency-Key" && random.chance(0.5)) return `key-${random.int(0, 200)}`;
		return headerText(random);
	}

	#body({ id, body }: OperationDescription): Asked["body"] {
		const random = this.#random;
		const schema = this.#document.components.schemas[body?.schema.name ?? ""];
		if (schema === undefined) {
			const takesAny = id === "ingest" || id === "takeCallback";
			if (!takesAny && random.chance(0.8)) return null;
			return random.chance(0.5) ? JSON.stringify(this.#generator.valid({})) : hostileBody(random);
		}
		if (body?.optional === true && random.chance(0.1)) return null;
		if (random.chance(0.08)) return hostileBody(random);
		const example = random.pick(Object.values(body?.examples ?? {}));
		const valid = random.chance(0.2) ? example : this.#generator.valid(schema);
		return JSON.stringify(random.chance(0.45) ? valid : this.#generator.spoil(valid)) ?? "";
	}
}

/** Whether it asks for an API key, whose role then counts. */
function isKeyed({ access = "key" }: OperationDescription): boolean {
	return access === "key";
}

/** As a query or a path has it; half a surrogate pair has no encoding, and goes as a question mark. */
function encode(text: string): string {
	return encodeURIComponent(text.toWellFormed());
}

/** What this client can put into a header. */
function headerText(random: Random): string {
	const text = random.chance(0.5)
		? hostileText(random)
		: random.pick([
				"k1",
				"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
				"https://shop.example.com",
			]);
	return text.replaceAll(/[^\u0020-\u007e]/g, "?").slice(0, 4_000);
}

export function toRequest({ method, path, headers, body }: Asked): Request {
	return new Request(ORIGIN + path, { method, headers, body });
}
