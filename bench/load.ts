/**
 * Two ways to send: as fast as a fixed number of connections allows, and at a steady rate regardless of the responses.
 */
import { Agent, request } from "node:http";

export interface Shot {
	url: string;
	headers: Record<string, string>;
	body: Buffer;
}

/** Sends a POST and resolves with the status once the response is read. */
export function post(shot: Shot, agent: Agent): Promise<number> {
	return new Promise((resolve, reject) => {
		const sent = request(
			shot.url,
			{ method: "POST", agent, headers: { ...shot.headers, "content-length": shot.body.length } },
			(response) => {
				response.resume();
				response.once("end", () => resolve(response.statusCode ?? 0));
			},
		);
		sent.once("error", reject);
		sent.end(shot.body);
	});
}

export interface Saturation {
	shot: (number: number) => Shot;
	connections: number;
	/** Ends after a count or a time, whichever comes first. */
	maxRequests: number;
	maxSeconds: number;
}

/**
 * Keeps every connection busy and resolves with requests per second.
 *
 * @throws {Error} on any response but 202: refusals are fast, and would count as speed
 */
export async function saturate({ shot, connections, maxRequests, maxSeconds }: Saturation): Promise<number> {
	const agent = new Agent({ keepAlive: true, maxSockets: connections });
	const started = performance.now();
	const end = started + maxSeconds * 1000;
	let sent = 0;
	await Promise.all(
		Array.from({ length: connections }, async () => {
			while (sent < maxRequests && performance.now() < end) {
				const next = shot(sent++);
				const status = await post(next, agent);
				if (status !== 202) throw new Error(`${next.url} responded with ${status} instead of 202.`);
			}
		}),
	);
	const seconds = (performance.now() - started) / 1000;
	agent.destroy();
	return sent / seconds;
}

/** Calls `send` `perSecond` times a second for `seconds`, without waiting for each call, then waits for all. */
export async function sendSteadily(
	perSecond: number,
	seconds: number,
	send: (number: number) => Promise<void>,
): Promise<void> {
	const started = performance.now();
	const sending: Promise<void>[] = [];
	for (let number = 0; number < perSecond * seconds; number += 1) {
		// Due times are computed from the start, so that a late one does not delay the rest.
		const due = started + (number * 1000) / perSecond;
		const wait = due - performance.now();
		if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
		sending.push(send(number));
	}
	await Promise.all(sending);
}
