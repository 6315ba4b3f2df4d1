/** docs/deliveries.md, "Signatures": the lines with which a receiver verifies take what is signed, and nothing else. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { blocksOf, PROJECT } from "./markdown.ts";

const run = promisify(execFile);
const PAGE = readFileSync(join(PROJECT, "docs/deliveries.md"), "utf8");
const SECRET = "whsec_c2x1aWNlIHNpZ25zIHdoYXQgaXQgc2VuZHM=";
const BODY = '{"id":9007199254740993,"title":"grün"}';
/** What a runner is handed: the environment of a receiver, and one request. */
const env = { ...process.env, SIGNING_SECRET: SECRET };
const python = findPython();

interface Request {
	body: string;
	headers: Record<string, string>;
}

const genuine = signed(new Date());
const CASES: [name: string, request: Request, isAccepted: boolean][] = [
	["what is signed", genuine, true],
	["another body", { ...genuine, body: BODY.replace("993", "994") }, false],
	["another id", { ...genuine, headers: { ...genuine.headers, "webhook-id": "dlv_2" } }, false],
	["six minutes ago", signed(new Date(Date.now() - 360_000)), false],
	["no signature", { ...genuine, headers: {} }, false],
];

describe("with the package", () => {
	const [code = ""] = blocksOf(PAGE, "js").map((block) => block.code);

	test.each(CASES)("%s", async (_, request, isAccepted) => {
		const script = `const { body: rawBody, headers } = JSON.parse(process.argv.at(-1));
			const request = { headers };
			${code}
			console.log(event.title);`;
		const ended = run(
			process.execPath,
			["--input-type=module", "-e", script, "--", JSON.stringify(request)],
			{
				cwd: PROJECT,
				env,
			},
		);
		if (isAccepted) expect((await ended).stdout).toBe("grün\n");
		else await expect(ended).rejects.toThrow("WebhookVerificationError");
	});
});

describe.skipIf(python === null && process.env["SLUICE_REQUIRE_LIVE"] !== "1")("with Python alone", () => {
	const [code = ""] = blocksOf(PAGE, "python").map((block) => block.code);
	const SCRIPTS = {
		"as the page has it": code,
		"as docs/examples/receiver.py has it": `import runpy
verify = runpy.run_path("docs/examples/receiver.py")["verify"]`,
	};

	test.each(Object.entries(SCRIPTS))("%s", async (_, script) => {
		const judge = `${script}
import json, os, sys
for request in json.loads(sys.argv[1]):
    print(verify(os.environ["SIGNING_SECRET"], request["headers"], request["body"].encode()))`;
		const requests = JSON.stringify(CASES.map(([, request]) => request));
		const { stdout } = await run(python ?? "python3", ["-c", judge, requests], { cwd: PROJECT, env });
		expect(stdout.trim().split("\n")).toEqual(
			CASES.map(([, , isAccepted]) => (isAccepted ? "True" : "False")),
		);
	});
});

function signed(at: Date): Request {
	const headers = {
		"webhook-id": "dlv_1",
		"webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
		"webhook-signature": new Webhook(SECRET).sign("dlv_1", at, BODY),
	};
	return { body: BODY, headers };
}

function findPython(): string | null {
	try {
		execFileSync("python3", ["--version"], { stdio: "ignore" });
		return "python3";
	} catch {
		return null;
	}
}
