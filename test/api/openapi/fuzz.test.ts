/**
 * Ten thousand requests that the description makes: whatever comes, the router answers as it is described, never with a
 * failure of its own, and what it refuses changes nothing. `SLUICE_FUZZ_SEED` repeats or varies a run.
 */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { buildDocument } from "../../../src/api/openapi/document.ts";
import { OPERATIONS } from "../../../src/api/openapi/operations.ts";
import type { OperationDescription } from "../../../src/api/openapi/operation.ts";
import { ask, must, type Page, type Resource } from "../client.ts";
import { undescribed } from "../described.ts";
import { PATIENCE_MS } from "../../patience.ts";
import { Random } from "./fuzz/random.ts";
import { type Asked, type Pool, Requests, toRequest } from "./fuzz/requests.ts";
import type { NewDeadLetter } from "../../../src/dead-letters/rpc.ts";
import { diagnose } from "../../../src/dead-letters/diagnosis.ts";
import { deadLetters } from "../../../src/objects/clients.ts";
import { callbackToken } from "../../../src/crypto/callback-token.ts";
import { rolesOf } from "../../../src/api/openapi/roles.ts";
import { modelServer } from "./fuzz/model.ts";
import { World } from "./fuzz/world.ts";

const SEED = Number((env as unknown as { FUZZ_SEED?: string }).FUZZ_SEED ?? "") || 20_261_125;
const ROUNDS = 20;
const REQUESTS_A_ROUND = 520;
const SOURCE = "publisher";
const CONSENTING = "cloudevents";
const SECRET = "a-secret-of-the-publisher";
/** What the examples of the description name, too. */
const KEPT: readonly string[] = [SOURCE, CONSENTING, "kept", "called", "ocr", "ocr-scans", "documents-db"];
/** More of one resource are deleted again. */
const MAX_LIVE = 6;
/** So many of each are made before a round. */
const MIN_LIVE = 3;

const document = buildDocument(OPERATIONS);
const random = new Random(SEED);
const world = new World();
const pool: Pool = { refs: new Map(), secrets: new Map(), callbacks: [], viewer: "" };
const requests = new Requests(document, pool, random);
/** How often each operation was answered with each status. */
const seen = new Map<string, Map<number, number>>();
let sent = 0;
let made = 0;
/** What was stored after the last request. */
let before = "";

/**
 * One thing of each sort that outlasts the run: deliveries that wait, because their endpoint is paused, some to be tried
 * again and some to be called back for.
 */
beforeAll(async () => {
	vi.spyOn(globalThis, "fetch").mockImplementation(modelServer(new Random(SEED)));
	for (const name of ["kept", "called"]) {
		await must("POST", "/v1/endpoints", { name, url: "http://127.0.0.1:9/", status: "paused" });
		await must("POST", "/v1/subscriptions", { name, endpoint: `${name}@1`, types: ["kept.*"] });
	}
	await must("POST", "/v1/endpoints", { name: "ocr", version: "3", url: "https://models.example.com/" });
	await must("POST", "/v1/sources", { name: "documents-db" });
	await must("POST", "/v1/subscriptions", { name: "ocr-scans", source: "documents-db", endpoint: "ocr@3" });
	const { key } = await must<Resource & { key: string }>("POST", "/v1/keys", {
		name: "kept",
		role: "viewer",
	});
	pool.viewer = key;
	const events = await Promise.all(
		Array.from({ length: 5 }, (_, index) =>
			must("POST", "/v1/events", { type: `kept.${index}`, data: index }),
		),
	);
	await vi.waitFor(async () => expect((await must<Page>("GET", "/v1/deliveries")).data).toHaveLength(10), {
		timeout: PATIENCE_MS,
		interval: 100,
	});
	const { data } = await must<Page>("GET", "/v1/deliveries");
	world.endpointIds = [...new Set(data.map((delivery) => String(delivery["endpoint_id"])))];
	const { kept = [], called = [] } = Object.groupBy(data, (delivery) => String(delivery["subscription"]));
	pool.refs.set(
		"Deliveries",
		kept.map(({ id }) => id),
	);
	pool.callbacks = called.map(({ id }) => `/callbacks/${id}/${callbackToken(env, id)}`);
	pool.refs.set(
		"Events",
		events.map(({ id }) => id),
	);
	await learnPool();
});

/** Enough of everything that a round can ask for it, whatever the round before has done to it. */
async function fillPool(): Promise<void> {
	for (const [name, kind] of [
		[SOURCE, "generic"],
		[CONSENTING, "cloudevents"],
	]) {
		const fields = { kind, auth: { type: "bearer" }, secret: SECRET };
		const there = await ask("POST", "/v1/sources", { name, ...fields });
		if (there.status === 201) continue;
		await must("PATCH", `/v1/sources/${name}`, {
			...fields,
			event_type: null,
			subject: null,
			dedupe_key: null,
		});
		await must("POST", `/v1/sources/${name}/resume`);
	}
	for (let count = 0; count < MIN_LIVE; count++) {
		made += 1;
		const name = `made-${made}`;
		await must("POST", "/v1/sources", { name });
		await must("POST", "/v1/endpoints", { name, url: "https://models.example.com/" });
		await must("POST", "/v1/subscriptions", { name, endpoint: `${name}@1` });
		await must("POST", "/v1/keys", { name, role: "viewer" });
	}
}

/** Messages that could not be routed, beside those that are left. */
async function keepDeadLetters(): Promise<void> {
	const letters = Array.from({ length: MIN_LIVE }, (): NewDeadLetter => {
		const body = { kind: "text", text: "no message of this router" } as const;
		return { messageId: crypto.randomUUID(), queuedAt: Date.now(), body, diagnosis: diagnose(body.text) };
	});
	await deadLetters(env).keep(letters);
	const { data } = await must<Page>("GET", `/v1/dead-letters?limit=${2 * MIN_LIVE}`);
	pool.refs.set(
		"Dead letters",
		data.map(({ id }) => id),
	);
}

/** What there is now, by id and by name. */
async function learnPool(): Promise<void> {
	await fillPool();
	await keepDeadLetters();
	for (const [tag, path] of [
		["Subscriptions", "/v1/subscriptions"],
		["Endpoints", "/v1/endpoints"],
		["Sources", "/v1/sources"],
		["Keys", "/v1/keys"],
	] as const) {
		const { data } = await must<Page>("GET", `${path}?limit=200`);
		// What deliveries wait for is left alone: a model would be asked.
		const others = data.filter(({ name }) => !KEPT.includes(name));
		for (const { id } of others.slice(MAX_LIVE)) await ask("DELETE", `${path}/${id}`);
		const kept = others.slice(0, MAX_LIVE);
		const refs = kept.flatMap(({ id, name, version }) => [
			id,
			typeof version === "string" ? `${name}@${version}` : name,
		]);
		pool.refs.set(tag, refs);
	}
	const sources = pool.refs.get("Sources") ?? [];
	pool.refs.set("Ingest", [
		...sources,
		...Array<string>(sources.length).fill(SOURCE),
		...Array<string>(10).fill(CONSENTING),
	]);
	for (const name of [SOURCE, CONSENTING]) pool.secrets.set(name, SECRET);
}

test.each(Array.from({ length: ROUNDS }, (_, round) => [round + 1]))(
	`round %i of ${ROUNDS}, ${REQUESTS_A_ROUND} requests each, seed ${SEED}`,
	async () => {
		before = await world.stored();
		for (let count = 0; count < REQUESTS_A_ROUND; count++) {
			const operation = OPERATIONS[sent % OPERATIONS.length];
			if (operation === undefined) throw new Error("there is no operation");
			await tryOne(operation, requests.next(operation));
			sent += 1;
		}
		await learnPool();
	},
	// An idle machine needs seconds; one with twenty others at work gets its time.
	10 * PATIENCE_MS,
);

/** What a publisher is told while its source is paused: the one refusal with 503 that a request alone can bring about. */
const PASSING = ["source_paused"];

async function tryOne(operation: OperationDescription, asked: Asked): Promise<void> {
	const { status, contentType, text, headers } = await world.ask(toRequest(asked));
	const statuses = seen.get(operation.id) ?? new Map<number, number>();
	seen.set(operation.id, statuses.set(status, (statuses.get(status) ?? 0) + 1));
	const said = describe(asked, status, text);
	expect(undescribed({ ...asked, status, contentType, text, headers }), said).toBeNull();
	if (asked.isViewer) expect(status === 403, said).toBe(rolesOf(operation)?.viewer === undefined);
	if (status >= 500) expect(PASSING, said).toContain((JSON.parse(text) as { code: string }).code);
	// A GET that changed something would show with the next request.
	if (asked.method === "GET") return;
	const after = await world.stored();
	if (status >= 400) expect(after, said).toBe(before);
	else remember(text);
	before = after;
}

/** The secret of a new source, to send to it; the id of a bulk job. */
function remember(text: string): void {
	const made = (text === "" ? {} : JSON.parse(text)) as { name?: string; id?: string; secret?: string };
	if (made.id?.startsWith("bulk_") === true) {
		pool.refs.set("Bulk jobs", [made.id, ...(pool.refs.get("Bulk jobs") ?? [])].slice(0, MAX_LIVE));
	}
	if (typeof made.secret !== "string") return;
	for (const ref of [made.id, made.name]) if (ref !== undefined) pool.secrets.set(ref, made.secret);
}

function describe({ method, path, headers, body }: Asked, status: number, text: string): string {
	const shown = typeof body === "string" ? body.slice(0, 2_000) : JSON.stringify(body);
	return `request ${sent} of seed ${SEED}: ${method} ${path} ${JSON.stringify(headers)} ${shown} → ${status} ${text.slice(0, 1_000)}`;
}

test("at least 10,000 requests, and every route has both taken and refused some", ({ task }) => {
	expect(sent).toBeGreaterThanOrEqual(10_000);
	const untouched = OPERATIONS.filter(({ id, responses }) => {
		const statuses = [...(seen.get(id)?.keys() ?? [])];
		return !Object.keys(responses).some((status) => statuses.includes(Number(status)));
	});
	expect(untouched.map(({ id }) => id)).toEqual([]);
	const unrefused = OPERATIONS.filter(
		({ id }) => ![...(seen.get(id)?.keys() ?? [])].some((status) => status >= 400),
	);
	// Nothing about them can be wrong.
	expect(unrefused.map(({ id }) => id)).toEqual(["getHealth", "getDescription", "getDocs"]);
	const all = [...seen.values()].flatMap((statuses) => [...statuses]);
	const count = (from: number) =>
		all
			.filter(([status]) => status >= from && status < from + 100)
			.reduce((sum, [, times]) => sum + times, 0);
	task.meta.note = `Fuzz: ${sent} requests with seed ${SEED}; ${count(200)} taken, ${count(400)} refused, ${count(500)} put off.`;
});

declare module "vitest" {
	interface TaskMeta {
		/** Printed at the end of the run. */
		note?: string;
	}
}
