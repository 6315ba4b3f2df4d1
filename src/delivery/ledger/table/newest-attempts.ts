/** The attempts of the newest deliveries, to restore statistics when an object has just woken. */
import { storedRow } from "./columns.ts";
import type { Attempt } from "../../records.ts";

/** Rows that are read, and characters of their attempts: some milliseconds. */
const LOOK_ROWS = 512;
const LOOK_TEXT = 1_000_000;

/** In no order. Attempts in the form of a newer release are left out. */
export function newestAttempts(sql: SqlStorage): Attempt[] {
	const found: Attempt[] = [];
	let looked = 0;
	const rows = sql.exec<{ attempts: string }>(
		"SELECT attempts FROM deliveries ORDER BY seq DESC LIMIT ?",
		LOOK_ROWS,
	);
	for (const { attempts } of rows) {
		found.push(...readAttempts(attempts));
		looked += attempts.length;
		if (looked > LOOK_TEXT) break;
	}
	return found;
}

function readAttempts(text: string): Attempt[] {
	try {
		return storedRow.shape.attempts.parse(JSON.parse(text));
	} catch {
		return [];
	}
}
