/**
 * The commands of every page but those that have a test of their own (claims.ts): blocks of `sh`, and commands between
 * backticks, run one after the other as they stand, against a router that has what the README made by then. In
 * docs/sources.md each card has a clean router, and its example of an event is what the router makes of the kind's sample.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRouter } from "../../../scripts/router.ts";
import type { Router } from "../../../scripts/router.ts";
import { type Api, connect } from "../support/api.ts";
import { startReceiver } from "../support/receiver.ts";
import type { Model, Receiver } from "../support/receiver.ts";
import { claimOf } from "./claims.ts";
import { blocksOf, fencesOf, pages, PROJECT, spansOf } from "./markdown.ts";
import { faultOf } from "./programs.ts";
import { sampleDiffers } from "./samples.ts";
import { openTerminal } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

const SELF = "terminal.test.ts";
const TOKEN = "docs-root-key";
/** A span that begins with one of these and goes on is a command. */
const COMMAND = /^(?:api|npx|npm|openssl) [^…]|^curl .*\$|^\.ci\/run$/;
/** Has to find in the router what the README made. */
const ASKS_ROUTER = /\bapi |\bcurl |\bsmoke /;
/** In a problem document: its code. */
const REFUSED = /"status":[45]\d\d,"code":"(\w+)"/g;

interface Item {
	line: number;
	heading: string;
	language: string;
	code: string;
}

/** Commands that the router refuses here, with the code; there is nothing that they could act on. */
const REFUSED_HERE: Record<string, string> = {
	"api /dead-letters/dead_…/retry -X POST": "dead_letter_not_found",
	"api /deliveries/dlv_…/cancel -X POST": "already_succeeded",
	"api /deliveries/dlv_…/retry -X POST": "already_succeeded",
	"api /keys/team-a -X DELETE": "key_not_found",
};

/** What stands for something else in a command that is not in a block. */
const PLACEHOLDERS: [string, string][] = [
	["dlv_…", "$DELIVERY"],
	["dead_…", "dead_3v8k2m9q1x"],
	["/NAME/", "/documents/"],
];

let router: Router;
let receiver: Receiver;
let models: Record<"counter" | "app" | "slack", Model>;
let api: Api;
let folder: string;
let terminal: Terminal;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-docs-router-"));
	receiver = await startReceiver();
	const model = () =>
		receiver.model((response) => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
	models = { counter: model(), app: model(), slack: model() };
	const vars = { ADMIN_TOKEN: TOKEN, ALLOW_PRIVATE_ENDPOINTS: "true", ROUTING_MAX_AGE_MS: "0" };
	router = await startRouter({ port: 0, vars, persistTo: folder });
	api = connect(router.url, TOKEN);
	terminal = await openTerminal(here(readme(0)), TOKEN);
});

afterAll(async () => {
	await terminal?.close();
	await router?.stop();
	await receiver?.close();
	await rm(folder, { recursive: true, force: true });
});

const tested = pages()
	.map((page) => ({ page, items: itemsOf(page) }))
	.filter(({ items }) => items.length > 0);

test("there are pages with commands", () => {
	expect(tested.map(({ page }) => page)).toEqual(
		expect.arrayContaining(["README.md", "docs/api.md", "docs/operations.md", "docs/sources.md"]),
	);
});

describe.each(tested.filter(({ page }) => page !== "docs/sources.md"))("$page", ({ items }) => {
	/** Ids of what the README's event became. */
	let ids = "";

	beforeAll(async () => {
		if (!items.some(({ code }) => ASKS_ROUTER.test(code))) return;
		await clean();
		const made = await terminal.run(here([readme(1), readme(2), readme(3)].join("\n")));
		expect(made.stdout).not.toMatch(REFUSED);
		const delivery = await api.deliveryWhen(
			{ endpoint: "counter@1" },
			({ status }) => status === "succeeded",
		);
		ids = `EVENT=${delivery.event_id} DELIVERY=${delivery.id}`;
	});

	test.each(items)("line $line: $code", async ({ code }) => {
		await runs(code, ids);
	});
});

test("docs/operations.md, Alerts: an operational event reaches the chat", async () => {
	await clean();
	await terminal.run(here([readme(1), readme(2)].join("\n")));
	const [alerts] = itemsOf("docs/operations.md").filter(({ heading }) => heading === "Alerts");
	await runs(alerts?.code ?? "");
	await api.must("POST", "/v1/keys", { name: "told", role: "viewer" });
	const { text } = await models.slack.request(({ text }) => text.includes("told"));
	expect(JSON.parse(text)).toEqual({ text: "sluice.key.created: told " });
});

describe.each([...Map.groupBy(itemsOf("docs/sources.md"), ({ heading }) => heading)])(
	"docs/sources.md, %s",
	(_, items) => {
		beforeAll(clean);

		test.each(items)("line $line: $language $code", async ({ language, code }) => {
			if (language === "sh") return runs(code);
			const { data } = await api.must<{ data: { name: string; built_in?: boolean }[] }>("GET", "/v1/sources");
			const [source] = data.filter(({ name }) => name !== "api" && name !== "sluice");
			expect(await sampleDiffers(api, source?.name ?? "", code)).toEqual(null);
		});
	},
);

test("a command that nobody could run is found", () => {
	const faults = [
		"npx wrangler d1 restore DB",
		"npx wrangler tail --serach x",
		"npx wrangler secret put A B",
		"npm run smoek",
		"npm test classify",
		"npm test -- no-such-file",
		"npm run dev -- --prot 1",
		"npm run bench -- speed",
		"node scripts/none.mjs",
	].filter((line) => faultOf(line.split(" ")) === null);
	expect(faults).toEqual([]);
});

/** Runs one block or one command between backticks; fails where a reader would. */
async function runs(code: string, given = ""): Promise<void> {
	const { stdout, stderr, exitCode, writtenDown } = await terminal.run([given, here(code)].join("\n"));
	const refusals = [...stdout.matchAll(REFUSED)].map(([, refusal]) => refusal);
	const expected = REFUSED_HERE[code];
	expect({ refusals, stderr, exitCode }, stdout).toEqual({
		refusals: expected === undefined ? [] : [expected],
		stderr: "",
		exitCode: 0,
	});
	expect(writtenDown.map(faultOf).filter((fault) => fault !== null)).toEqual([]);
}

/** The commands as they run here: at the ports of this test, with stand-ins on loopback for other hosts. */
function here(code: string): string {
	let text = code
		.replaceAll("http://127.0.0.1:8787", router.url)
		.replaceAll("https://sluice.YOUR-SUBDOMAIN.workers.dev", router.url)
		.replaceAll("THE-ROOT-KEY", TOKEN)
		.replaceAll("http://127.0.0.1:9000", models.counter.url)
		.replaceAll("http://127.0.0.1:9001", models.app.url)
		.replaceAll(/https:\/\/hooks\.slack\.com\/[\w/]+/g, models.slack.url);
	for (const [placeholder, value] of PLACEHOLDERS) text = text.replaceAll(placeholder, value);
	return text;
}

/** What this test runs or compares, in the order of the page. */
function itemsOf(page: string): Item[] {
	const markdown = readFileSync(join(PROJECT, page), "utf8");
	const blocks = fencesOf(markdown).filter((block) => claimOf(page, block) === SELF);
	const spans = spansOf(markdown)
		.filter(({ code }) => COMMAND.test(code))
		.map(({ code, line }) => ({ line, heading: "", language: "sh", code: code.replaceAll("\\|", "|") }));
	return [...blocks, ...spans].toSorted((a, b) => a.line - b.line);
}

/** A part of "Your first event": how `api` is defined, what is connected to the model, to the application, the event. */
function readme(part: number): string {
	const blocks = blocksOf(readFileSync(join(PROJECT, "README.md"), "utf8"), "sh");
	return blocks.filter(({ heading }) => heading === "Your first event in five minutes")[2 + part]?.code ?? "";
}

/** Takes all away that pages have made. */
async function clean(): Promise<void> {
	await api.must("POST", "/v1/config?prune=true", { sources: [], endpoints: [], subscriptions: [] });
	const { data } = await api.must<{ data: { id: string }[] }>("GET", "/v1/keys");
	for (const { id } of data) await api.ask("DELETE", `/v1/keys/${id}`);
}
