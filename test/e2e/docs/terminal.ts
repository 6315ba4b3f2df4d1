/**
 * A terminal in which the commands of the documentation run as they stand: bash, with `api` as the README defines it, in a
 * folder of its own. Commands that need a Cloudflare account, install something or run for minutes are written down instead.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { PROJECT } from "./markdown.ts";

const execute = promisify(execFile);
/** The project's Node.js and its programs, before those of the machine. */
const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
/** What ends an argument, and a command, in the list of those that were written down. */
const [ARGUMENT, COMMAND] = ["\u001f", "\u001e"];
const STAND_INS = `
write_down() { printf '%s${ARGUMENT}' "$@" >>"$COMMANDS"; printf '${COMMAND}' >>"$COMMANDS"; }
npx() { write_down npx "$@"; }
script() { write_down script "$@"; }
.ci/run() { write_down .ci/run "$@"; }
openssl() { write_down openssl "$@"; }
node() { write_down node "$@"; }
npm() {
	if [[ "$1 $2 $3" == "run smoke --" && "$4" == http* ]]; then (cd "$PROJECT" && command npm "$@"); else write_down npm "$@"; fi
}
`;

export interface Ran {
	stdout: string;
	stderr: string;
	/** 0 when all went well. */
	exitCode: number;
	/** What would have run elsewhere, or for long: the words of each command. */
	writtenDown: string[][];
}

export interface Terminal {
	/** Runs the lines in one shell. Variables and functions that they define are gone afterwards. */
	run: (script: string) => Promise<Ran>;
	close: () => Promise<void>;
}

/** `prelude` runs before each script, in the same shell. `token` is in `.sluice/token`. */
export async function openTerminal(prelude: string, token: string): Promise<Terminal> {
	const folder = await mkdtemp(join(tmpdir(), "sluice-docs-"));
	await mkdir(join(folder, ".sluice"));
	await writeFile(join(folder, ".sluice/token"), token);
	const commands = join(folder, "commands");
	return {
		run: async (script) => {
			await writeFile(commands, "");
			const ran = await execute("bash", ["--norc", "-c", [STAND_INS, prelude, script].join("\n")], {
				cwd: folder,
				env: { ...process.env, PATH, PROJECT, COMMANDS: commands, NO_COLOR: "1", LC_ALL: "C" },
			}).then(
				(output) => ({ ...output, exitCode: 0 }),
				(error: { stdout: string; stderr: string; code: number }) => ({ ...error, exitCode: error.code }),
			);
			const { stdout, stderr, exitCode } = ran;
			// npm may have a word to say about the machine.
			const heard = stderr.replaceAll(/^npm (?:warn|notice).*\n/gm, "");
			return { stdout, stderr: heard, exitCode, writtenDown: wordsOf(await readFile(commands, "utf8")) };
		},
		close: () => rm(folder, { recursive: true, force: true }),
	};
}

function wordsOf(written: string): string[][] {
	return written
		.split(COMMAND)
		.slice(0, -1)
		.map((command) => command.split(ARGUMENT).slice(0, -1));
}
