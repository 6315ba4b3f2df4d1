/**
 * Commands of the documentation that its tests do not run, because they need an account, install something or take minutes:
 * whether each is one that its program has, with these flags.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { experimental_getWranglerCommands } from "wrangler";
import { PROJECT } from "./markdown.ts";

const WRANGLER = experimental_getWranglerCommands();
const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
	scripts: Record<string, string>;
};
/** The flags and parts of scripts that the pages give them, as the scripts' own code reads them. */
const OPTIONS: Record<string, { code: string; option: (name: string) => string }> = {
	dev: { code: "scripts/dev.ts", option: (name) => `${name}: {` },
	demo: { code: "demo/main.ts", option: (name) => `${name}: {` },
	bench: { code: "bench/main.ts", option: (name) => `${name}: {` },
};

/** Why nobody could run the command; null where it is fine. */
export function faultOf([program = "", ...words]: readonly string[]): string | null {
	if (program === "npm") return faultOfNpm(words);
	if (program === "npx")
		return words[0] === "wrangler" ? faultOfWrangler(words.slice(1)) : "not of the project";
	if (program === ".ci/run") return words.length === 0 ? null : "it takes no arguments";
	if (program === "script") return null;
	if (program === "openssl") return words.join(" ") === "rand -hex 32" ? null : "not what makes a key";
	const missing = words.filter((file) => !existsSync(join(PROJECT, file)));
	if (program !== "node") return `${program} is not known here`;
	return missing.length === 0 ? null : `no file ${missing.join(" ")}`;
}

function faultOfNpm([verb = "", ...rest]: readonly string[]): string | null {
	if (verb === "ci") return rest.length === 0 ? null : "it takes no arguments";
	const [name = "", ...given] =
		verb === "test" ? ["test", ...rest] : rest.filter((word) => word !== "--silent");
	if (verb !== "test" && verb !== "run") return `npm ${verb} is not known here`;
	if (!(name in scripts)) return `no script ${name}`;
	const [dashes, ...args] = given;
	if (dashes !== undefined && dashes !== "--") return `npm takes ${dashes} for itself: -- is missing`;
	if (name === "test") return args.every(isTestFile) ? null : "no test file has that in its path";
	if (name === "smoke") return args.length === (dashes === undefined ? 0 : 1) ? null : "it takes one URL";
	const known = OPTIONS[name];
	if (known === undefined) return args.length === 0 ? null : `${name} takes no arguments`;
	const code = readFileSync(join(PROJECT, known.code), "utf8");
	const options = args.filter((arg, index) => !isValue(arg, args[index - 1]));
	const unknown = options.filter((arg) => !code.includes(known.option(arg.replace(/^--/, ""))));
	return unknown.length === 0 ? null : `${name} does not know ${unknown.join(" ")}`;
}

/** Whether it stands behind an option that takes one. */
function isValue(arg: string, before: string | undefined): boolean {
	return !arg.startsWith("--") && (before === "--port" || before === "--state");
}

function isTestFile(part: string): boolean {
	return readdirSync(join(PROJECT, "test"), { recursive: true, encoding: "utf8" }).some(
		(path) => path.endsWith(".test.ts") && `test/${path}`.includes(part),
	);
}

/** By wrangler's own table of its commands: each word a subcommand, and then its arguments. */
function faultOfWrangler(words: readonly string[]): string | null {
	let { subtree } = WRANGLER.registry;
	for (const [index, word] of words.entries()) {
		const node = subtree.get(word);
		if (node === undefined) return `wrangler has no ${words.slice(0, index + 1).join(" ")}`;
		if (node.definition?.type === "command") return faultOfArguments(node.definition, words.slice(index + 1));
		({ subtree } = node);
	}
	return "the subcommand is missing";
}

interface Command {
	args?: Record<string, { type?: string; alias?: string | readonly string[] }>;
	positionalArgs?: readonly string[];
}

function faultOfArguments(
	{ args = {}, positionalArgs = [] }: Command,
	words: readonly string[],
): string | null {
	const flags: NonNullable<Command["args"]> = { ...args, ...WRANGLER.globalFlags };
	const known = new Map(
		Object.entries(flags).flatMap(([name, flag]) =>
			[name, flag.alias ?? []].flat().map((spelling) => [spelling, flag] as const),
		),
	);
	let positional = 0;
	for (let index = 0; index < words.length; index++) {
		const word = words[index] ?? "";
		if (!word.startsWith("-")) {
			positional++;
			continue;
		}
		const flag = known.get(word.replace(/^--?/, ""));
		if (flag === undefined) return `no flag ${word}`;
		if (flag.type !== "boolean") index++;
	}
	return positional <= positionalArgs.length ? null : `${positional} arguments`;
}
