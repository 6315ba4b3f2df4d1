/**
 * Checks the types of every part of the project: the Worker, its tests, the end-to-end suite, the demo with the
 * scripts, and the benchmarks each have a tsconfig.json, because they run in different environments. Silent on success.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
const parts = [".", "test", "test/e2e", "demo", "bench"];

const codes = await Promise.all(parts.map(check));
process.exit(codes.every((code) => code === 0) ? 0 : 1);

/** Returns tsc's exit code. Its output goes straight to the terminal, with paths from the project's root. */
function check(part) {
	return new Promise((resolve, reject) => {
		const child = spawn(
			process.execPath,
			[compiler, "--project", part, "--pretty", String(process.stdout.isTTY === true)],
			{
				cwd: root,
				stdio: ["ignore", "inherit", "inherit"],
			},
		);
		child.on("error", reject);
		child.on("exit", (code) => resolve(code ?? 1));
	});
}
