/**
 * Decides whether a source with an expected interval is silent, and what to report. Pure; times in ms since the epoch.
 */
import * as z from "zod";
import { windowEnd, windowOf } from "../../operations/windows.ts";

/** The maximum interval between checks while a source is silent, to notice its recovery. */
const LOOK_AGAIN_MS = 300_000;

export const silenceSchema = z.object({
	/** When its silence was reported. null: it is not silent. */
	since: z.number().nullable(),
	/** The windows in which silence and recovery were last reported. */
	windows: z.object({ silent: z.number().optional(), recovered: z.number().optional() }),
});
export type Silence = z.output<typeof silenceSchema>;

export const NOT_SILENT: Silence = { since: null, windows: {} };

export interface Heard {
	/** When the last event was received. null: none was, or none is retained. */
	lastAt: number | null;
	/** When the source was last changed, which restarts the wait. */
	changedAt: number;
	everyMs: number;
	now: number;
}

export interface Verdict {
	/** Store this after the report is in the queue. */
	silence: Silence;
	tell: "silent" | "recovered" | null;
	/** When to check again. */
	nextAt: number;
}

export function judgeSilence(silence: Silence, heard: Heard): Verdict {
	const { lastAt, changedAt, everyMs, now } = heard;
	const { since } = silence;
	if (since !== null && lastAt !== null && lastAt >= since) {
		const dueAt = lastAt + everyMs;
		return told(silence, "recovered", now, null, Math.max(dueAt, now));
	}
	if (since !== null && changedAt <= since) {
		return { silence, tell: null, nextAt: now + Math.min(everyMs, LOOK_AGAIN_MS) };
	}
	const dueAt = Math.max(lastAt ?? 0, changedAt) + everyMs;
	if (now >= dueAt) return told(silence, "silent", now, now, now + Math.min(everyMs, LOOK_AGAIN_MS));
	return { silence: since === null ? silence : { ...silence, since: null }, tell: null, nextAt: dueAt };
}

/** Reports once per window. A repeated change is reported after the window, if it still holds. */
function told(
	{ since: before, windows }: Silence,
	tell: "silent" | "recovered",
	now: number,
	since: number | null,
	nextAt: number,
): Verdict {
	const window = windowOf(now);
	if (windows[tell] === window) {
		return { silence: { since: before, windows }, tell: null, nextAt: windowEnd(now) };
	}
	return { silence: { since, windows: { ...windows, [tell]: window } }, tell, nextAt };
}
