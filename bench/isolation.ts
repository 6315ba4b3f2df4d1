/**
 * Whether a model that hangs delays others: how late events reach nine healthy endpoints while a tenth, which receives
 * every event too, accepts requests and never responds, compared with ten healthy ones. All share one thread here, and
 * a hanging model leaves it fewer responses to process, so the ratio may fall a little below 1.
 */
import { answer, hang } from "../test/e2e/support/behaviours.ts";
import { startSluice } from "./pipeline.ts";
import { atMost } from "./report.ts";
import type { Part } from "./report.ts";
import { median, round } from "./stats.ts";
import { measureSteady } from "./steady.ts";
import type { Steady } from "./steady.ts";

/** Budget of the design: p99 at healthy endpoints, with one of ten hanging against none. */
const BUDGET = 1.1;
const HEALTHY = Array.from({ length: 9 }, () => answer(204));
const PER_SECOND = 20;
/** Short, so that the hanging endpoint times out and retries while the others are measured. */
const ENDPOINT = { timeout_seconds: 2 };

export async function measureIsolation(isQuick: boolean): Promise<Part> {
	const { rounds, seconds } = isQuick ? { rounds: 2, seconds: 1 } : { rounds: 24, seconds: 2 };
	await using calm = await startSluice([...HEALTHY, answer(204)], ENDPOINT);
	await using troubled = await startSluice([...HEALTHY, hang], ENDPOINT);
	const measured = { calm: [] as Steady[], troubled: [] as Steady[] };
	// The first round warms up.
	for (let count = 0; count <= rounds; count += 1) {
		const order = count % 2 === 0 ? (["calm", "troubled"] as const) : (["troubled", "calm"] as const);
		for (const which of order) {
			const pipeline = which === "calm" ? calm : troubled;
			const healthy = pipeline.models.slice(0, HEALTHY.length);
			const steady = await measureSteady(pipeline, PER_SECOND, seconds, healthy);
			if (count > 0) measured[which].push(steady);
		}
	}
	const ratio = round(medianOf(measured.troubled, "p99_ms") / medianOf(measured.calm, "p99_ms"), 2);
	const compare = (quantile: "p50_ms" | "p99_ms") => ({
		measured: `${medianOf(measured.troubled, quantile)} ms`,
		against: `${medianOf(measured.calm, quantile)} ms`,
	});
	return {
		rows: [
			{
				what: `${PER_SECOND}/s to each of nine, p99`,
				...compare("p99_ms"),
				ratio,
				budget: atMost(ratio, BUDGET),
			},
			{ what: `${PER_SECOND}/s to each of nine, p50`, ...compare("p50_ms") },
		],
		details: { hanging_requests: troubled.models.at(-1)?.requests.length, rounds: measured },
	};
}

/** Over all rounds. */
function medianOf(rounds: readonly Steady[], quantile: "p50_ms" | "p99_ms"): number {
	return median(rounds.map((round) => round[quantile]));
}
