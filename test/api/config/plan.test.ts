/** What applying a document would do, by tables. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type ConfigInput, exportConfiguration } from "../../../src/api/config/document.ts";
import { planConfiguration } from "../../../src/api/config/plan.ts";
import { type Plan, planToWire } from "../../../src/api/config/planned.ts";
import { ROOT } from "../../../src/api/access/principal.ts";
import { Problem } from "../../../src/http/problem.ts";
import type { Configuration } from "../../../src/store/resources/configuration.ts";
import { aSource, aSubscription, anEndpoint } from "../../store/records.ts";

const URL = "https://models.example.com/";
const NOW = 1_800_000_000_000;

const docs = aSource({ name: "docs", description: "scans" });
const queue = aSource({
	name: "queue",
	kind: "r2",
	auth: { type: "none" },
	secrets: [],
	settings: { queue: "bucket" },
});
const ocr = anEndpoint({ name: "ocr", version: "1", url: URL });
const ocr2 = anEndpoint({ name: "ocr", version: "2", url: URL, status: "disabled", statusReason: "gone" });
const read = aSubscription({ name: "read", sourceId: docs.id, types: ["a"], target: { endpointId: ocr.id } });
const latest = aSubscription({ name: "latest", target: { latestOf: "ocr" }, result: null });
const asked = aSubscription({
	name: "asked",
	sourceId: docs.id,
	target: { endpointId: ocr.id },
	status: "requested",
});

const stored: Configuration = {
	version: 7,
	sources: [docs, queue],
	endpoints: [ocr, ocr2],
	subscriptions: [read, latest, asked],
};
const empty: Configuration = { version: 0, sources: [], endpoints: [], subscriptions: [] };
const exported = exportConfiguration(stored).document;

function plan(input: ConfigInput, from = stored): Promise<Plan> {
	const site = { env, requestUrl: "https://sluice.example/v1/config", ownHosts: [] };
	return planConfiguration(input, from, { principal: ROOT, site, now: NOW });
}

/** In short: `+source docs`, `~endpoint ocr@1 url`, `-`, `=`. */
async function steps(input: ConfigInput, from = stored): Promise<string[]> {
	const { created, changed, deleted, unchanged } = planToWire(await plan(input, from));
	return [
		...created.map(({ resource, name }) => `+${resource} ${name}`),
		...changed.map(({ resource, name, fields }) => `~${resource} ${name} ${fields.join(" ")}`),
		...deleted.map(({ resource, name }) => `-${resource} ${name}`),
		...unchanged.map(({ resource, name }) => `=${resource} ${name}`),
	];
}

async function errorsOf(input: ConfigInput, from = stored): Promise<string[]> {
	try {
		await plan(input, from);
	} catch (error) {
		if (error instanceof Problem) return error.errors.map(({ path }) => path);
		throw error;
	}
	return [];
}

const ALL = [
	"=source docs",
	"=source queue",
	"=endpoint ocr@1",
	"=endpoint ocr@2",
	"=subscription read",
	"=subscription latest",
	"=subscription asked",
];

test("an export changes nothing in its own router, with or without prune", async () => {
	expect(await steps(exported)).toEqual(ALL);
	expect(await steps({ ...exported, prune: true })).toEqual(ALL);
});

test("an export contains neither ids nor secrets", () => {
	const text = JSON.stringify(exported);
	for (const secret of ["source-secret", "endpoint-token", "header-secret", "whsec_"]) {
		expect(text).not.toContain(secret);
	}
	for (const { id } of [...stored.sources, ...stored.endpoints, ...stored.subscriptions]) {
		expect(text).not.toContain(id);
	}
	expect(exported.endpoints[0]).toMatchObject({
		auth: { type: "bearer", token: { secret_ref: "endpoints/ocr@1/auth.token" } },
		headers: { "x-api-key": { secret_ref: "endpoints/ocr@1/headers.x-api-key" } },
		signing_secret: { secret_ref: "endpoints/ocr@1/signing_secret" },
	});
	expect(exported.subscriptions[1]).toMatchObject({ source: null, targets: [{ endpoint: "ocr@latest" }] });
});

test("a missing grant is exported, and is missing wherever the document is applied", async () => {
	const denied = { ...asked, id: "sub_denied00000", name: "denied", status: "denied" as const };
	const from = { ...stored, subscriptions: [read, asked, denied] };
	const { document } = exportConfiguration(from);
	expect(document.subscriptions.map(({ status }) => status)).toEqual([undefined, "requested", "denied"]);
	expect(await steps(document, from)).not.toContainEqual(expect.stringMatching(/^[~+-]/));
	const secrets = {
		"endpoints/ocr@1/auth.token": "endpoint-token",
		"endpoints/ocr@1/headers.x-api-key": "k",
		"endpoints/ocr@2/auth.token": "endpoint-token",
		"endpoints/ocr@2/headers.x-api-key": "k",
	};
	const { subscriptions } = await plan({ ...document, secrets }, empty);
	expect(subscriptions.created.map(({ status }) => status)).toEqual(["active", "requested", "denied"]);
	// Granted since the export.
	const granted = { ...from, subscriptions: [read, { ...asked, status: "active" as const }, denied] };
	expect(await steps(document, granted)).not.toContainEqual(expect.stringMatching(/^[~+-]/));
});

const [docsEntry = {}, queueEntry = {}] = exported.sources;
const [ocrEntry = {}] = exported.endpoints;
const [readEntry = {}] = exported.subscriptions;

describe("a document with a change", () => {
	test.each<[string, ConfigInput, string[]]>([
		["of one field", { sources: [{ ...docsEntry, description: "x" }] }, ["~source docs description"]],
		["of a field that is left out", { sources: [{ name: "docs" }] }, ["~source docs description"]],
		[
			"of fields within",
			{ endpoints: [{ ...ocrEntry, retry: { schedule_seconds: [9] }, busy: { statuses: [529] } }] },
			["~endpoint ocr@1 retry.schedule_seconds retry.busy_max_wait_seconds busy.statuses"],
		],
		["of a status", { sources: [{ ...docsEntry, status: "paused" }] }, ["~source docs status"]],
		[
			"of what stopped by itself",
			{ endpoints: [{ ...exported.endpoints[1], status: "active" }] },
			["~endpoint ocr@2 status"],
		],
		["that names it paused", { endpoints: [exported.endpoints[1] ?? {}] }, ["=endpoint ocr@2"]],
		[
			"of a credential",
			{ endpoints: [ocrEntry], secrets: { "endpoints/ocr@1/auth.token": "other" } },
			["~endpoint ocr@1 auth.token"],
		],
		[
			"of no credential",
			{ endpoints: [ocrEntry], secrets: { "endpoints/ocr@1/auth.token": "endpoint-token" } },
			["=endpoint ocr@1"],
		],
		[
			"of a source's secret",
			{ sources: [docsEntry], secrets: { "sources/docs/secret": "other-secret" } },
			["~source docs secret"],
		],
		[
			"of a reference",
			{ subscriptions: [{ ...readEntry, source: null, targets: [{ endpoint: "ocr@latest" }] }] },
			["~subscription read source targets"],
		],
		[
			"of the order of members",
			{ sources: [Object.fromEntries(Object.entries(docsEntry).reverse())] },
			["=source docs"],
		],
		[
			"with new things that name each other",
			{
				subscriptions: [{ name: "new", source: "fresh", endpoint: "ner" }],
				endpoints: [{ name: "ner", url: URL }],
				sources: [{ name: "fresh" }],
			},
			["+source fresh", "+endpoint ner@1", "+subscription new"],
		],
		[
			"that prunes one list",
			{ subscriptions: [readEntry], prune: true },
			["-subscription latest", "-subscription asked", "=subscription read"],
		],
		["that does not prune", { subscriptions: [readEntry] }, ["=subscription read"]],
		[
			"that prunes with an empty list",
			{ subscriptions: [], prune: true },
			["-subscription read", "-subscription latest", "-subscription asked"],
		],
		["that says nothing", { prune: true }, []],
		[
			"that prunes everything",
			{ sources: [], endpoints: [], subscriptions: [], prune: true },
			[
				"-source docs",
				"-source queue",
				"-endpoint ocr@1",
				"-endpoint ocr@2",
				"-subscription read",
				"-subscription latest",
				"-subscription asked",
			],
		],
		[
			"for a builtin source",
			{ subscriptions: [{ name: "b", source: "results", endpoint: "ocr" }], prune: false },
			["+subscription b"],
		],
	])("%s", async (_, input, expected) => {
		expect(await steps(input)).toEqual(expected);
	});
});

describe("a document that is refused", () => {
	test.each<[string, ConfigInput, string[]]>([
		["a bad field", { endpoints: [{ name: "x", url: "nowhere" }] }, ["endpoints.0.url"]],
		["an unknown field", { sources: [{ name: "x", id: "src_1" }] }, ["sources.0.id"]],
		["no name", { subscriptions: [{ endpoint: "ocr" }] }, ["subscriptions.0.name"]],
		["a name twice", { sources: [docsEntry, docsEntry] }, ["sources.1.name"]],
		[
			"a version twice",
			{
				endpoints: [
					{ name: "x", url: URL },
					{ name: "x", version: "1", url: URL },
				],
			},
			["endpoints.1.name"],
		],
		["a builtin source", { sources: [{ name: "api" }] }, ["sources.0.name"]],
		[
			"an endpoint that is not there",
			{ subscriptions: [{ name: "x", endpoint: "nobody@1" }] },
			["subscriptions.0.endpoint"],
		],
		[
			"an id",
			{ subscriptions: [{ name: "x", endpoint: ocr.id, source: docs.id }] },
			["subscriptions.0.endpoint", "subscriptions.0.source"],
		],
		[
			"an endpoint that it deletes",
			{ endpoints: [], subscriptions: [readEntry], prune: true },
			["subscriptions.0.targets.0.endpoint", "endpoints"],
		],
		["a source that stays in use", { sources: [queueEntry], prune: true }, ["sources"]],
		["the last version that stays in use", { endpoints: [], prune: true }, ["endpoints", "endpoints"]],
		["a queue with two sources", { sources: [{ ...queueEntry, name: "second" }] }, ["sources"]],
		[
			"a secret that nobody has",
			{ sources: [{ name: "x" }], secrets: { "sources/y/secret": "12345678" } },
			["secrets.sources/y/secret"],
		],
		[
			"credentials that are nowhere",
			{
				endpoints: [
					{
						name: "x",
						url: URL,
						auth: { type: "basic", username: "u" },
						headers: { "x-key": { secret_ref: "k" } },
					},
				],
			},
			["endpoints.0.auth.password", "endpoints.0.headers.x-key"],
		],
		[
			"credentials of another type",
			{ endpoints: [{ ...ocrEntry, auth: { type: "basic", username: "u" } }] },
			["endpoints.0.auth.password"],
		],
		[
			"a secret where none is",
			{ sources: [{ name: "x", description: { secret_ref: "k" } }] },
			["sources.0.description"],
		],
		[
			"only its own fault",
			{
				endpoints: [{ name: "x", url: "nowhere" }],
				subscriptions: [
					{ name: "s", endpoint: "x@1" },
					{ name: "t", endpoint: "x" },
				],
			},
			["endpoints.0.url"],
		],
		[
			"every fault at once",
			{
				sources: [{ name: "x", kind: "what" }],
				subscriptions: [{ name: "s", endpoint: "ocr", filters: [{ jsonata: "(" }] }],
			},
			["sources.0.kind", "subscriptions.0.filters.0.jsonata"],
		],
	])("for %s", async (_, input, paths) => {
		expect(await errorsOf(input)).toEqual(paths);
	});
});

test("an exported document recreates the configuration, together with the credentials", async () => {
	const secrets = {
		"endpoints/ocr@1/auth.token": "endpoint-token",
		"endpoints/ocr@1/headers.x-api-key": "header-secret",
		"endpoints/ocr@2/auth.token": "endpoint-token",
		"endpoints/ocr@2/headers.x-api-key": "header-secret",
		"sources/docs/secret": "given-secret",
	};
	const made = await plan({ ...exported, secrets }, empty);
	expect(planToWire(made).created).toHaveLength(7);
	// What was given is not shown; what was made is.
	expect(Object.keys(made.made)).toEqual([
		"endpoints/ocr@1/signing_secret",
		"endpoints/ocr@2/signing_secret",
	]);
	const after: Configuration = {
		version: 1,
		sources: made.sources.created,
		endpoints: made.endpoints.created,
		subscriptions: made.subscriptions.created,
	};
	expect(exportConfiguration(after).document).toEqual(exported);
	expect(await steps(exported, after)).toEqual(ALL);
	expect(await errorsOf(exported, empty)).toHaveLength(4);
});

test.each<[string, Partial<Configuration>, string[]]>([
	["an auth", { sources: [{ ...docs, auth: null }] }, ["sources/docs"]],
	["headers", { endpoints: [{ ...ocr, headers: null }] }, ["endpoints/ocr@1"]],
	["filters", { subscriptions: [{ ...latest, unreadable: ["filters"] }] }, ["subscriptions/latest"]],
	["a source that is lost", { sources: [] }, ["subscriptions/read", "subscriptions/asked"]],
])("%s that cannot be read is reported", (_, part, paths) => {
	expect(exportConfiguration({ ...stored, ...part }).untold.map(({ path }) => path)).toEqual(paths);
});

test("a member that is missing in what release 0.1 stored is no change", async () => {
	const hmac = aSource({
		name: "old",
		auth: { type: "hmac", header: "x-signature", algorithm: "sha256", encoding: "hex", prefix: "" },
	});
	const old: Configuration = { ...empty, sources: [hmac] };
	expect(await steps(exportConfiguration(old).document, old)).toEqual(["=source old"]);
	expect(
		await steps({ sources: [{ name: "old", auth: { type: "hmac", header: "x-signature" } }] }, old),
	).toEqual(["=source old"]);
});

test("an endpoint without a callback origin is unchanged", async () => {
	const endpoint = anEndpoint({ name: "old", protocol: "replicate", model: "a/b", url: URL });
	const old: Configuration = { ...empty, endpoints: [endpoint] };
	expect(await steps(exportConfiguration(old).document, old)).toEqual(["=endpoint old@1"]);
});
