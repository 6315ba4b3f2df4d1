/**
 * How much of the platform's ingest throughput is left after Sluice has looked up the source, verified an HMAC signature
 * and created an event. Measured in requests a second, against a bare Worker that only puts the same body into a queue.
 */
import { createHmac } from "node:crypto";
import { connect } from "../test/e2e/support/api.ts";
import { saturate } from "./load.ts";
import type { Shot } from "./load.ts";
import { atLeast } from "./report.ts";
import type { Part } from "./report.ts";
import { median, round } from "./stats.ts";
import { startWorker } from "./worker.ts";

/** Budget of the design: verified, signed ingest keeps nine tenths of the bare Worker's throughput. */
const BUDGET = 0.9;
const KEY = "bench-root-key";
const CONNECTIONS = 32;
/** Different bodies, signed before the clock starts. */
const BODIES = 500;

export async function measureIngest(isQuick: boolean): Promise<Part> {
	const { rounds, secondsPerRound } = isQuick
		? { rounds: 3, secondsPerRound: 0.5 }
		: { rounds: 60, secondsPerRound: 0.3 };
	const bare = await startWorker({ config: "bench/bare/wrangler.toml", consumer: "idle" });
	const sluice = await startWorker({
		config: "wrangler.toml",
		vars: { ADMIN_TOKEN: KEY },
		consumer: "idle",
	});
	try {
		const bodies = Array.from({ length: BODIES }, (_, number) => makeBody(number));
		const load = { connections: CONNECTIONS, maxRequests: 50_000, maxSeconds: secondsPerRound };
		const bareLoad = { ...load, shot: inTurns(bodies.map((body) => bareShot(`${bare.url}/`, body))) };
		const sluiceLoad = { ...load, shot: inTurns(await signedShots(sluice.url, bodies)) };

		await saturate(bareLoad);
		await saturate(sluiceLoad);
		const bareRates: number[] = [];
		const sluiceRates: number[] = [];
		for (let count = 0; count < rounds; count += 1) {
			bareRates.push(round(await saturate(bareLoad), 0));
			sluiceRates.push(round(await saturate(sluiceLoad), 0));
		}
		// Compares adjacent rounds, so that a machine that slows down slows both.
		const ratio = round(median(sluiceRates.map((rate, index) => rate / (bareRates[index] ?? Number.NaN))), 2);
		return {
			rows: [
				{
					what: "accepted",
					measured: `${median(sluiceRates)}/s`,
					against: `${median(bareRates)}/s`,
					ratio,
					budget: atLeast(ratio, BUDGET),
				},
			],
			details: { bare: bareRates, sluice: sluiceRates },
		};
	} finally {
		await bare.stop();
		await sluice.stop();
	}
}

/** After the last one comes the first again. */
function inTurns(shots: readonly Shot[]): (number: number) => Shot {
	return (number) => {
		const shot = shots[number % shots.length];
		if (shot === undefined) throw new Error("There is nothing to send.");
		return shot;
	};
}

/** About 1 KB, as a database trigger would send it. */
function makeBody(number: number): Buffer {
	const record = { id: number, title: "scan", path: `scans/${number}.png`, notes: "x".repeat(900) };
	return Buffer.from(JSON.stringify({ type: "INSERT", table: "documents", record, old_record: null }));
}

function bareShot(url: string, body: Buffer): Shot {
	return { url, body, headers: { "content-type": "application/json" } };
}

async function signedShots(origin: string, bodies: readonly Buffer[]): Promise<Shot[]> {
	const source = await connect(origin, KEY).createSource({
		auth: { type: "hmac", header: "x-signature", algorithm: "sha256", encoding: "hex", prefix: "sha256=" },
		event_type: "document.changed",
	});
	const url = `${origin}/in/${source.name}`;
	return bodies.map((body) => {
		const signature = createHmac("sha256", source.secret).update(body).digest("hex");
		return {
			url,
			body,
			headers: { "content-type": "application/json", "x-signature": `sha256=${signature}` },
		};
	});
}
