/** `npm run demo` as a user runs it. Its summary is what the router has recorded. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PATIENCE_MS } from "../../patience.ts";

const PROJECT = join(import.meta.dirname, "../../..");

test(
	"five scans go through three models to the application, and every delivery succeeds",
	async () => {
		const { code, output } = await runDemo();
		expect(code, output).toBe(0);
		// On a busy machine an attempt may time out, and a 202 may be read after the callback of its job.
		expect(output).toMatch(/5 scans became 20 events and 25 deliveries: 25 succeeded, in \d+ attempts\./);
		expect(output).toMatch(/5 outputs came by callback, [1-5] of them before the model's 202\./);
		expect(Number(/(\d+) signatures were verified/.exec(output)?.[1])).toBeGreaterThanOrEqual(25);
		expect(output).toContain("ocr@1 and entities@1, asked through the router");
		// Each model has contributed something.
		expect(output).toContain("PERSON Amara Okafor");
		expect(output).toContain("SENTIMENT positive (rose, rise)");
		expect(output).toMatch(/entities@1 {2}kserve-v1 {2}attempt .*: 200 in/);
		expect(output).toMatch(/sentiment@1 {2}http {2}attempt .* output by callback after/);
		expect(output).toContain("Next: run npm run dev");
	},
	// It has timeouts of its own, which say what it waited for.
	5 * PATIENCE_MS,
);

async function runDemo(): Promise<{ code: number | null; output: string }> {
	const demo = spawn(process.execPath, ["demo/main.ts"], {
		cwd: PROJECT,
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, NO_COLOR: "1" },
	});
	let output = "";
	for (const stream of [demo.stdout, demo.stderr]) {
		stream.setEncoding("utf8").on("data", (text: string) => {
			output += text;
		});
	}
	const [code] = (await once(demo, "close")) as [number | null];
	return { code, output };
}
