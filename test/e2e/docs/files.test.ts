/** Blocks of the documentation that are parts of files: settings of wrangler, a workflow of CI, the map of the rooms. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { blocksOf, PROJECT } from "./markdown.ts";
import { faultOf } from "./programs.ts";

const execute = promisify(execFile);
const read = (path: string) => readFileSync(join(PROJECT, path), "utf8");
const only = (page: string, language: string) => blocksOf(read(page), language).map(({ code }) => code);

describe("additions to wrangler.toml", () => {
	const [bindings = ""] = only("docs/models.md", "toml");
	const [hostName = "", staging = ""] = only("docs/operations.md", "toml");
	const settings = read("wrangler.toml");
	/** In place of the Worker, whose code is not the subject here: what the bindings ask it to export. */
	const stub = [...settings.matchAll(/class_name = "(\w+)"/g)].map(([, name]) => `export class ${name} {}`);
	let folder: string;

	/** Writes wrangler.toml with additions around it. Returns the path. */
	async function writeSettings(name: string, before: string, after: string): Promise<string> {
		const path = join(folder, name);
		const own = settings.replace('main = "src/worker.ts"', 'main = "worker.js"');
		await writeFile(path, [before, own, after].join("\n"));
		return path;
	}

	/** What wrangler prints of the file; warnings fail the test. */
	async function dryRun(file: string, ...args: string[]): Promise<string> {
		const wrangler = join(PROJECT, "node_modules/wrangler/bin/wrangler.js");
		const given = ["deploy", "--dry-run", "--config", file, "--outdir", join(folder, "out"), ...args];
		const { stdout, stderr } = await execute(process.execPath, [wrangler, ...given], {
			env: { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" },
		});
		expect(stdout + stderr).not.toMatch(/unexpected|invalid|warning/i);
		return stdout;
	}

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "sluice-wrangler-"));
		await writeFile(join(folder, "worker.js"), [...stub, "export default {};"].join("\n"));
	});

	afterAll(() => rm(folder, { recursive: true, force: true }));

	test("the bindings of docs/models.md stand there, commented out", () => {
		const commented = bindings
			.trim()
			.split("\n")
			.map((line) => `# ${line}`.trim());
		expect(settings).toContain(commented.join("\n"));
	});

	test("wrangler takes them, and the host name of docs/operations.md", async () => {
		const said = await dryRun(await writeSettings("first.toml", hostName, bindings));
		for (const bound of [/env\.AI /, /env\.JOBS \(jobs\)/, /env\.OCR /]) expect(said).toMatch(bound);
	});

	test("wrangler takes the second router, which lacks nothing and takes nothing of the first", async () => {
		const file = await writeSettings("second.toml", hostName, staging);
		// Wrangler warns about bindings of the top level that the environment does not have.
		const said = await dryRun(file, "--env=staging");
		expect(said).toContain("env.EVENTS (sluice-events-staging)");
		const first = readConfig({ config: join(PROJECT, "wrangler.toml") });
		const second = readConfig({ config: file, env: "staging" });
		expect(second).toMatchObject({ name: "sluice-staging", routes: [], workers_dev: true });
		const renamed = JSON.stringify(first.queues).replaceAll('"sluice-events', '"sluice-events-staging');
		expect(second.queues).toEqual(JSON.parse(renamed));
		expect(second.durable_objects).toEqual(first.durable_objects);
	});
});

describe("docs/operations.md: the workflow", () => {
	const [workflow = ""] = only("docs/operations.md", "yaml");
	const lines = workflow.trimEnd().split("\n");

	test("every line is a key, or an entry of a list, two spaces deep at most below the one before", () => {
		const depths = lines.map(
			(line) => /^(?: {2})*(?=(?:- )?[\w-]+:(?: \S.*)?$)/.exec(line)?.[0].length ?? -1,
		);
		expect(depths).not.toContain(-1);
		const steps = depths.map((depth, index) => depth - (depths[index - 1] ?? 0));
		expect(steps.filter((step, index) => step > (lines[index - 1]?.trim().startsWith("- ") ? 4 : 2))).toEqual(
			[],
		);
	});

	test("the commands that it runs exist", () => {
		const commands = lines.flatMap((line) => /^\s+- run: (.+)$/.exec(line)?.slice(1) ?? []);
		expect(commands).toHaveLength(4);
		const faults = commands.map((command) => faultOf(command.split(" ")));
		expect(faults.filter((fault) => fault !== null)).toEqual([]);
	});

	test("it hands wrangler and the smoke test the secrets under the names that they read", () => {
		const names = [...workflow.matchAll(/^\s+(\w+): \$\{\{ secrets\.(\w+) \}\}$/gm)];
		expect(names.map(([, name, secret]) => [name, secret])).toEqual(
			["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "SLUICE_TOKEN"].map((name) => [name, name]),
		);
		expect(read("scripts/smoke.ts")).toContain("SLUICE_TOKEN");
	});
});

test("CONTRIBUTING.md: the rooms through which data flows are there", () => {
	const [map = ""] = only("CONTRIBUTING.md", "text");
	const rooms = map.trim().split(" → ");
	expect(rooms.length).toBeGreaterThan(5);
	expect(rooms.filter((room) => !existsSync(join(PROJECT, "src", room)))).toEqual([]);
});
