/** The client of the router's HTTP API: one call function and the types of the responses. */
import { within } from "./deadline.ts";

const TIMEOUT_SECONDS = 20;

export type Api = <T>(method: "GET" | "POST", path: string, body?: unknown) => Promise<T>;

export interface Page<T> {
	data: T[];
	next_cursor: string | null;
}

export interface Attempt {
	number: number;
	at: string;
	duration_ms: number;
	status_code: number | null;
	outcome: string;
	error: string | null;
	/** How the attempt's job ended; null if it started none. */
	job: { ended_at: string; by: string; outcome: string; error: string | null } | null;
}

export interface Delivery {
	id: string;
	event_id: string;
	/** `name@version`. */
	endpoint: string;
	status: string;
	reason: string | null;
	attempt_count: number;
	attempts: Attempt[];
}

/** An event and its consequences, as `/events/{id}/trace` returns them. */
export interface TracedEvent {
	id: string;
	type: string | null;
	deliveries: TracedDelivery[];
}

export interface TracedDelivery {
	id: string;
	endpoint: string | null;
	result_event: TracedEvent | null;
}

/** Calls the API under `/v1` with the token. A refusal becomes an Error with the router's message. */
export function connect(routerUrl: string, token: string): Api {
	return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
		const call = `${method} /v1${path}`;
		const responding = fetch(`${routerUrl}/v1${path}`, {
			method,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			body: body === undefined ? null : JSON.stringify(body),
		});
		const response = await within(TIMEOUT_SECONDS, call, responding);
		const text = await response.text();
		if (!response.ok) throw new Error(`${call} returned ${response.status}: ${text}`);
		return JSON.parse(text) as T;
	};
}
