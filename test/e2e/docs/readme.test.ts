/**
 * README.md: its blocks of commands run as they stand there, on ports of their own, and print what it shows. The lines about
 * a database run in ../postgres/postgres.test.ts, the demo in ../demo/run.test.ts, commands between backticks in terminal.test.ts.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { startReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import { blocksOf, PROJECT } from "./markdown.ts";

const execute = promisify(execFile);
const README = readFileSync(join(PROJECT, "README.md"), "utf8");
const FIRST_EVENT = "Your first event in five minutes";
/** The project's Node.js and its programs, before those of the machine. */
const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
/** What no test may run: it installs, or needs an account. */
const CHANGES = /\bnpm (?:ci|i|install)\b|\bwrangler (?!deploy --dry-run)/;
/** In a problem document. */
const REFUSED = /"status":[45]\d\d/;

interface Terminal {
	output: () => string;
	close: () => Promise<void>;
}

test("every block of commands is one that a test runs", () => {
	const blocks = Map.groupBy(blocksOf(README, "sh"), ({ heading }) => heading);
	const counts = [...blocks].map(([heading, { length }]) => [heading, length]);
	expect(Object.fromEntries(counts)).toEqual({
		"Two commands": 2,
		[FIRST_EVENT]: 7,
		"Your database": 3,
		Deploy: 2,
	});
});

test("the two commands are scripts of the project", () => {
	const commands = shell("Two commands").map((code) => /^npm run (\w+)/.exec(code)?.[1]);
	expect(commands).toEqual(["demo", "dev"]);
	const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
		scripts: Record<string, string>;
	};
	expect(scripts).toMatchObject({ demo: expect.any(String), dev: expect.any(String) });
});

test("the demo names a section that is there", () => {
	const named = /"([^"]+)" in README\.md/.exec(readFileSync(join(PROJECT, "demo/main.ts"), "utf8"))?.[1];
	expect(named).toBe(FIRST_EVENT);
});

test("the deployment builds, and its secrets have the names that wrangler is told", async () => {
	const [commands = ""] = shell("Deploy");
	expect(commands.trim().split("\n")).toEqual([
		"npm ci",
		"npx wrangler deploy",
		"npx wrangler secret put ADMIN_TOKEN",
		"npx wrangler secret put ENCRYPTION_KEY",
	]);
	const folder = await mkdtemp(join(tmpdir(), "sluice-readme-"));
	try {
		const { stdout } = await bash(`npx wrangler deploy --dry-run --outdir ${folder}`);
		expect(stdout).toContain("--dry-run: exiting now");
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
});

describe("the first event", () => {
	const [model = "", application = "", define = "", connect = "", subscribe = "", publish = "", read = ""] =
		shell(FIRST_EVENT);
	const [received = "", delivered = ""] = blocksOf(README, "text")
		.filter(({ heading }) => heading === FIRST_EVENT)
		.map(({ code }) => code.trim());
	const terminals: Terminal[] = [];
	let folder: string;
	let onOwnPorts: (code: string) => string;

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "sluice-readme-"));
		const router = openTerminal(`npm run dev -- --port 0 --state ${folder}`);
		const ports = { model: await freePort(), application: await freePort() };
		openTerminal(model, { PORT: String(ports.model) });
		openTerminal(application, { PORT: String(ports.application) });
		const url = await until(
			"the router to be up",
			() => /http:\/\/[^/]+(?=\/healthz)/.exec(router.output())?.[0] ?? null,
		);
		for (const { output } of terminals.slice(1)) {
			await until("a server to listen", () => (output().includes("Listening") ? true : null));
		}
		onOwnPorts = (code) =>
			code
				.replaceAll("http://127.0.0.1:8787", url)
				.replaceAll("127.0.0.1:9000", `127.0.0.1:${ports.model}`)
				.replaceAll("127.0.0.1:9001", `127.0.0.1:${ports.application}`);
	});

	afterAll(async () => {
		for (const { close } of terminals) await close();
		await rm(folder, { recursive: true, force: true });
	});

	test("it reaches the model, and the model's output the application", async () => {
		const { stdout } = await bash(onOwnPorts([define, connect, subscribe, publish].join("\n")));
		expect(stdout).not.toMatch(REFUSED);
		expect(stdout).toMatch(/\{"id":"evt_\w+"\}\s*$/);
		const [router, model, application] = terminals;
		await until("the application's line", () => (application?.output().includes(received) ? true : null));
		expect(model?.output()).toContain('"id": 9007199254740993');
		for (const line of delivered.split("\n")) {
			const pattern = new RegExp(line.replace(/\d+ ms/, "\\d+ ms"));
			await until(line, () => (pattern.test(router?.output() ?? "") ? true : null));
		}
	});

	test("it can be read back, with everything that resulted from it", async () => {
		const trace = await until("both deliveries to have succeeded", async () => {
			const { stdout } = await bash(onOwnPorts([define, read].join("\n")));
			return stdout.match(/"status":"succeeded"/g)?.length === 2 ? stdout : null;
		});
		expect(JSON.parse(trace)).toMatchObject({
			event_count: 2,
			event: {
				type: "document.created",
				deliveries: [{ endpoint: "counter@1", result_event: { type: "document.counted" } }],
			},
		});
		const [explain = ""] = /api "[^"]*explain=true"/.exec(README) ?? [];
		const { stdout } = await bash(onOwnPorts([define, read, explain].join("\n")));
		const [, explained = ""] = stdout.trim().split("\n");
		expect(JSON.parse(explained)).toMatchObject({
			matched: [{ subscription: "count-words" }],
			unmatched: [{ subscription: "counts-to-app", criterion: "types" }],
		});
	});

	test("a row for a model of one's own: the sample of the source goes all the way to the application", async () => {
		const receiver = await startReceiver();
		try {
			const { url } = receiver.model((response, { text }) => {
				const { text: title } = JSON.parse(text) as { text: string };
				response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ read: title }));
			});
			const [database = "", connect = ""] = shell("Your database");
			const [source = ""] = database.split("\n");
			const sample = "api /sources/documents-db/test -X POST";
			const lines = [define, source, connect.replace("http://127.0.0.1:9100/predict", url), sample];
			const { stdout } = await bash(onOwnPorts(lines.join("\n")));
			expect(stdout).not.toMatch(REFUSED);
			expect(stdout.match(/"id":"(?:src|ep|sub)_\w+"/g)).toHaveLength(4);
			const line = 'document.labelled documents/9007199254740993 {"read":"How sluice gates work"}';
			await until(line, () => (terminals[2]?.output().includes(line) ? true : null));
		} finally {
			await receiver.close();
		}
	});

	test("the check of a deployment passes", async () => {
		const [, check = ""] = shell("Deploy");
		const { stdout } = await bash(onOwnPorts([define, check].join("\n")));
		expect(stdout).toContain("works");
	});

	/** A terminal of its own, with a command that stays. */
	function openTerminal(command: string, env: Record<string, string> = {}): Terminal {
		const child = spawn("bash", ["--norc", "-c", command], {
			cwd: PROJECT,
			env: { ...process.env, PATH, NO_COLOR: "1", ...env },
			// A group of its own: the shell and what it started end together.
			detached: true,
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
		const ended = once(child, "close");
		const close = async () => {
			if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
			await ended;
		};
		const terminal = { output: () => output, close };
		terminals.push(terminal);
		return terminal;
	}
});

/** The blocks of commands under a heading. */
function shell(heading: string): string[] {
	return blocksOf(README, "sh")
		.filter((block) => block.heading === heading)
		.map(({ code }) => code);
}

/** @throws {Error} for what would change this checkout or somebody's account, as a block of commands at another place may */
function bash(script: string): Promise<{ stdout: string; stderr: string }> {
	if (CHANGES.test(script)) throw new Error(`Not run: ${script}`);
	return execute("bash", ["--norc", "-c", script], {
		cwd: PROJECT,
		env: { ...process.env, PATH, NO_COLOR: "1" },
	});
}
