/**
 * Notices a run that does not end though all its tests have: the plugin that runs files in workerd waits for ever for a
 * queue batch that arrives while its file is being closed.
 */
import type { Reporter, Vitest } from "vitest/node";

/** Closing takes a second or two on an idle machine. */
const GRACE_MS = 60_000;

export interface StallWatch {
	reporter: Reporter;
	/** Resolves with the run when all files have ended and it has not, a minute later. Never, when there is none. */
	stalled: Promise<Vitest>;
}

export function watchForStall(): StallWatch {
	const { promise, resolve } = Promise.withResolvers<Vitest>();
	let vitest: Vitest | null = null;
	let files = 0;
	let ended = 0;
	const reporter: Reporter = {
		onInit(started) {
			vitest = started;
		},
		onTestRunStart(specifications) {
			files = specifications.length;
		},
		onTestModuleEnd() {
			ended += 1;
			if (ended < files) return;
			setTimeout(() => {
				if (vitest !== null) resolve(vitest);
			}, GRACE_MS).unref();
		},
	};
	return { reporter, stalled: promise };
}
