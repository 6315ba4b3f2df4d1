/**
 * Allows only one router per state folder: two would both process the stored deliveries and send each of them twice.
 * Uses a file lock of the operating system, through SQLite because Node.js has none. The lock ends with its process, so
 * no stale lock can remain.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** Another router works in the state folder. */
export class StateInUseError extends Error {
	override readonly name = "StateInUseError";

	constructor(folder: string, holder: string) {
		super(
			`The state in ${folder} is in use by another router (process ${holder}), and both would send its deliveries. ` +
				"Stop that one, or give this one a state and a port of its own: --state <folder> --port <number>.",
		);
	}
}

/**
 * Claims an existing folder for this process; the answer lets go of it.
 *
 * @throws {StateInUseError} when it is claimed already, by this process or another
 */
export function claimState(folder: string): () => void {
	const holderFile = join(folder, "lock.pid");
	const lock = new DatabaseSync(join(folder, "lock.sqlite"));
	try {
		// Nothing is ever written: an open transaction that means to is the lock.
		lock.exec("BEGIN IMMEDIATE");
	} catch (error) {
		lock.close();
		if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
		throw new StateInUseError(folder, readHolder(holderFile));
	}
	writeFileSync(holderFile, String(process.pid));
	return () => lock.close();
}

/** For the message only: the holder may not have written it yet. */
function readHolder(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "unknown";
	}
}
