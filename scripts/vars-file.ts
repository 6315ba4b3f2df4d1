/**
 * Passes the Worker's variables, including secrets, in a temporary file while the router runs. Not by `--var`, because
 * every user of the machine can read process arguments; and not in the state folder, because that is kept and copied.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface VarsFile {
	path: string;
	/** Deletes the file. The end of this process deletes it too. */
	remove: () => void;
}

/** @throws {Error} when a value contains a character that would need escaping */
export function writeVarsFile(vars: Record<string, string>): VarsFile {
	const text = toEnvFile(vars);
	// Only this user can read a folder created by mkdtemp.
	const folder = mkdtempSync(join(tmpdir(), "sluice-vars-"));
	const path = join(folder, "vars.env");
	const remove = () => {
		process.off("exit", remove);
		rmSync(folder, { recursive: true, force: true });
	};
	process.once("exit", remove);
	writeFileSync(path, text, { mode: 0o600 });
	return { path, remove };
}

function toEnvFile(vars: Record<string, string>): string {
	const lines = Object.entries(vars).map(([name, value]) => {
		if (/['$\\\n]/.test(value))
			throw new Error(
				`The variable ${name} contains a quote, $, backslash or line break, which cannot be passed to wrangler. Remove it.`,
			);
		return `${name}='${value}'\n`;
	});
	return lines.join("");
}
