/**
 * Scale, simulated: which limit is reached first with 10,000 sources and 10,000 endpoints, and how much each remedy of
 * the design helps. Runs our own pure code against Cloudflare's limits, without a clock. The same seed gives the same
 * lines.
 */
import { paint } from "../scripts/paint.ts";
import type { Part } from "./report.ts";
import { linesOf } from "./scale/report.ts";
import { simulate } from "./scale/simulation.ts";
import type { Look } from "./scale/text.ts";

const SEED = 1;
const WHOLE = { seed: SEED, sources: 10_000, endpoints: 10_000, events: 50_000, rounds: 20 };
const QUICK = { seed: SEED, sources: 1_000, endpoints: 1_000, events: 5_000, rounds: 4 };

const STYLES = { title: "bold", head: "dim", plain: null, faint: "dim" } as const satisfies Record<
	Look,
	Parameters<typeof paint>[0] | null
>;

export async function measureScale(isQuick: boolean): Promise<Part> {
	const results = await simulate(isQuick ? QUICK : WHOLE);
	const lines = linesOf(results).map(({ look, text }) => {
		const style = STYLES[look];
		return style === null ? text : paint(style, text);
	});
	return { rows: [], lines, details: results };
}
