/**
 * `npm test`: every test of the project, then one line that counts them. Arguments go to vitest, so that
 * `npm test -- delivery` runs the files whose path has "delivery" in it.
 */
import { join } from "node:path";
import { parseCLI, startVitest } from "vitest/node";
import type { TestModule } from "vitest/node";
import { findChromium } from "./e2e/support/chromium.ts";
import { findPostgres } from "./e2e/postgres/server.ts";
import { watchForStall } from "./stall.ts";

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)], {
	allowUnknownOptions: false,
});
const { reporter, stalled } = watchForStall();
const run = startVitest(filter, {
	...options,
	config: join(import.meta.dirname, "vitest.config.ts"),
	watch: false,
	reporters: ["default", reporter],
});
const isStalled = await Promise.race([run.then(() => false), stalled.then(() => true)]);
const vitest = await (isStalled ? stalled : run);
if (isStalled) reportStall(vitest.state.getTestModules());
const count = countTests(vitest.state.getTestModules());
let failed = count.failed + count.brokenFiles + vitest.state.getUnhandledErrors().length;
// What stops vitest itself, such as a router that does not start, shows in the exit code only.
if (failed === 0 && process.exitCode !== undefined && process.exitCode !== 0) failed = 1;
if (!isStalled) await vitest.close();

if (findPostgres() === null && process.env["SLUICE_REQUIRE_POSTGRES"] !== "1") {
	console.log(
		"\nThe PostgreSQL suite was skipped: no server is installed (.ci/run installs one and insists on it).",
	);
}
if (findChromium() === null) {
	console.log(
		"\nThe reference page was not opened: no Chromium is in PATH (.ci/run installs one and insists on it).",
	);
}
for (const note of [...count.notes, ...notesOf(vitest.state.getTestModules())]) console.log(`\n${note}`);
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
console.log(`\n${count.passed} passed, ${failed} failed${skipped}`);
process.exit(failed === 0 && count.passed > 0 ? 0 : 1);

/**
 * A file that does not load, or whose set-up fails, has no failed test; it is counted as one. `notes`: what skipped suites
 * say of themselves.
 */
function countTests(files: readonly TestModule[]) {
	const count = { passed: 0, failed: 0, skipped: 0, brokenFiles: 0, notes: new Set<string>() };
	for (const file of files) {
		if (!file.ok() && [...file.children.allTests("failed")].length === 0) count.brokenFiles += 1;
		for (const test of file.children.allTests()) {
			const result = test.result();
			const { state } = result;
			if (result.state === "skipped" && result.note !== undefined) count.notes.add(result.note);
			count[state === "pending" ? "failed" : state] += 1;
		}
	}
	return count;
}

/** What tests have to say of themselves, such as the seed of a fuzz. */
function notesOf(files: readonly TestModule[]): string[] {
	return files.flatMap((file) => [...file.children.allTests()].flatMap((test) => test.meta().note ?? []));
}

declare module "vitest" {
	interface TaskMeta {
		note?: string;
	}
}

/** What the default reporter would have said at its end. */
function reportStall(files: readonly TestModule[]): void {
	console.log("\nAll tests have ended, and the run has not: its workers are left behind.");
	for (const file of files) {
		for (const test of file.children.allTests("failed")) {
			console.log(`\nFAIL ${file.moduleId} > ${test.fullName}`);
			for (const { message, stack } of test.result().errors ?? []) console.log(stack ?? message);
		}
	}
}
