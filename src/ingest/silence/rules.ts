/**
 * Whether a source that should send something every so often is silent, and what of that is told. Pure; times in ms since
 * the epoch.
 */
import * as z from "zod";
import { windowEnd, windowOf } from "../../operations/windows.ts";

/** While a source is silent, it is looked at least as often as this, to see whether it has come back. */
const LOOK_AGAIN_MS = 300_000;

export const silenceSchema = z.object({
	/** When its silence was told; null: it is not silent. */
	since: z.number().nullable(),
	/** In which windows silence and its end were told last. */
	windows: z.object({ silent: z.number().optional(), recovered: z.number().optional() }),
});
export type Silence = z.output<typeof silenceSchema>;

export const NOT_SILENT: Silence = { since: null, windows: {} };

export interface Heard {
	/** When the last event came; null: none has, or none is kept. */
	lastAt: number | null;
	/** When the source was changed last: waiting begins anew with that. */
	changedAt: number;
	everyMs: number;
	now: number;
}

export interface Verdict {
	/** To be kept when what is told is with the queue. */
	silence: Silence;
	tell: "silent" | "recovered" | null;
	/** When to look again. */
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

/** Once in a window: what comes a second time is told when the window is over, if it holds then. */
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
