/**
 * Allows only one router per state folder. Two would both process the stored deliveries, and send each of them twice.
 * Uses a file lock of the operating system, through SQLite because Node.js has none. The lock ends with its process,
 * so a stale lock cannot remain.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** Another router uses the state folder. */
export class StateInUseError extends Error {
	override readonly name = "StateInUseError";

	constructor(folder: string, holder: string) {
		super(
			`The state in ${folder} is in use by another router (process ${holder}). Both would send its deliveries. ` +
				"Stop that router, or start this one with its own state and port: --state <folder> --port <number>.",
		);
	}
}

/**
 * Claims an existing folder for this process. Returns a function that releases it.
 *
 * @throws {StateInUseError} when this process or another has already claimed it
 */
export function claimState(folder: string): () => void {
	const holderFile = join(folder, "lock.pid");
	const lock = new DatabaseSync(join(folder, "lock.sqlite"));
	try {
		// Nothing is ever written. The lock is an open transaction that intends to write.
		lock.exec("BEGIN IMMEDIATE");
	} catch (error) {
		lock.close();
		if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
		throw new StateInUseError(folder, readHolder(holderFile));
	}
	writeFileSync(holderFile, String(process.pid));
	return () => lock.close();
}

/** Only for the message. The holder may not have written it yet. */
function readHolder(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "unknown";
	}
}
