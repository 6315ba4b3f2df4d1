/** What `npm run dev` prints when it is up is where the README continues. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { firstStep, welcomeText } from "../../scripts/welcome.ts";

const README = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const WELCOME = {
	url: "http://127.0.0.1:8787",
	token: "x".repeat(32),
	tokenFile: ".sluice/token",
	tokenInShell: "$(cat .sluice/token)",
	state: ".sluice/state",
};

test("its first step is that of the README, word for word", () => {
	expect(README).toContain(firstStep(WELCOME.url, WELCOME.tokenInShell).join("\n"));
	const [, section = ""] = /Next: "([^"]+)" in README\.md/.exec(welcomeText(WELCOME)) ?? [];
	expect(README).toContain(`\n## ${section}\n`);
});

test("it fits into 80 columns", () => {
	const widths = welcomeText(WELCOME)
		.split("\n")
		.map(({ length }) => length);
	expect(Math.max(...widths)).toBeLessThanOrEqual(80);
});
