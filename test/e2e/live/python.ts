/**
 * Environments of Python in which model servers run, made once: a venv with exactly the packages of a requirements.txt,
 * from PyPI, in node_modules/.cache. Nothing is installed into the machine's own Python.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const CACHE = join(import.meta.dirname, "../../../node_modules/.cache/sluice-live");
/** Two minutes on a busy machine with an empty cache of pip; beyond this the network is at fault. */
export const INSTALL_TIMEOUT_MS = 480_000;
/** Newer ones MLServer does not take, and for older ones the pinned numpy has no wheels. */
const INTERPRETERS = ["python3", "python3.12", "python3.11"];
const TELL_VERSION =
	"import ensurepip, platform, sys, venv; print(platform.platform(), *sys.version_info[:2])";
const PIP_OPTIONS = [
	"--quiet",
	"--no-input",
	"--disable-pip-version-check",
	// The list is whole, so that nothing has to be resolved; what is imported is compiled then.
	"--no-deps",
	"--no-compile",
	"--only-binary=:all:",
	"--retries=2",
];

export type Environment = { ok: true; python: string } | { ok: false; reason: string };

/** The environment for a requirements.txt; made if this machine has none yet. Never throws. */
export async function prepareEnvironment(name: string, requirements: string): Promise<Environment> {
	const found = await findInterpreter();
	if (found === null) {
		return { ok: false, reason: "there is no Python 3.11 or 3.12 with venv and ensurepip" };
	}
	const hash = createHash("sha256").update(found.version);
	const key = hash.update(await readFile(requirements)).digest("hex");
	const folder = join(CACHE, `${name}-${key.slice(0, 16)}`);
	const python = join(folder, "bin", "python");
	if (existsSync(python)) return { ok: true, python };
	try {
		await install(found.program, requirements, folder);
		return { ok: true, python };
	} catch (error) {
		const { stderr } = error as { stderr?: string };
		const said = stderr?.trim().split("\n").at(-1) ?? "";
		return { ok: false, reason: `${name} could not be installed: ${said === "" ? String(error) : said}` };
	}
}

async function findInterpreter(): Promise<{ program: string; version: string } | null> {
	for (const program of INTERPRETERS) {
		const version = await run(program, ["-c", TELL_VERSION]).then(
			({ stdout }) => stdout.trim(),
			() => "",
		);
		if (/ 3 1[12]$/.test(version)) return { program, version };
	}
	return null;
}

/** Beside its place and then moved there, so that what is there is whole, whoever else is making one. */
async function install(python: string, requirements: string, folder: string): Promise<void> {
	await mkdir(CACHE, { recursive: true });
	const draft = await mkdtemp(`${folder}.`);
	const options = { signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS) };
	try {
		await run(python, ["-m", "venv", draft], options);
		const pip = ["-m", "pip", "install", ...PIP_OPTIONS, "--requirement", requirements];
		await run(join(draft, "bin", "python"), pip, options);
		await rename(draft, folder).catch((error: unknown) => {
			if (!existsSync(folder)) throw error;
		});
	} finally {
		await rm(draft, { recursive: true, force: true });
	}
}
