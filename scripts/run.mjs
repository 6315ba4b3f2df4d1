/**
 * Runs a TypeScript file of this project with the pinned Node.js version, after installing missing dependencies. Plain
 * JavaScript for Node 20, because it runs before the dependencies are installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "node_modules", ".bin");
const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
const [script, ...args] = process.argv.slice(2);

if (Number(process.versions.node.split(".")[0]) < 20) {
	fail(`Sluice needs Node.js 20 or newer; this is ${process.version}.`);
}
if (!isInstalled()) install();

const child = spawn(node, ["--disable-warning=ExperimentalWarning", join(root, script), ...args], {
	stdio: "inherit",
	cwd: root,
	env: { ...process.env, PATH: `${bin}${process.platform === "win32" ? ";" : ":"}${process.env.PATH}` },
});
// The child shares the terminal and receives Ctrl-C itself. A signal sent to this process alone is passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => fail(`Could not start Node.js: ${error.message}`));
child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));

/** npm leaves a copy of the lock file in node_modules. If ours is newer, compares the two. */
function isInstalled() {
	const installed = join(root, "node_modules", ".package-lock.json");
	if (!existsSync(installed) || !existsSync(node)) return false;
	if (statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs) return true;
	const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
	const present = JSON.parse(readFileSync(installed, "utf8")).packages;
	return (
		Object.entries(present).every(([path, entry]) => wanted[path]?.version === entry.version) &&
		Object.entries(wanted).every(([path, entry]) => path === "" || entry.optional || path in present)
	);
}

function install() {
	console.log("Installing dependencies (npm ci) ...");
	const npm = process.platform === "win32" ? "npm.cmd" : "npm";
	const done = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
		cwd: root,
		stdio: "inherit",
		shell: process.platform === "win32",
	});
	if (done.status !== 0) fail("npm ci failed. Its output is above.");
}

function fail(message) {
	console.error(message);
	process.exit(1);
}
