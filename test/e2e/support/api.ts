/**
 * The router as its users see it: HTTP and nothing else. A thin client of the management API that refuses
 * surprises, so that a test reads as a list of what happens.
 */
import { randomBytes } from "node:crypto";
import { until } from "./until.ts";
import type { Seen } from "./described.ts";

export interface Answer<T = Record<string, unknown>> {
	status: number;
	headers: Headers;
	body: T;
}

export interface Source {
	id: string;
	name: string;
	ingest_url: string;
	secret: string;
}

export interface Endpoint {
	id: string;
	name: string;
	version: string;
	status: "active" | "paused" | "disabled";
	status_reason: string | null;
	signing_secret: string;
}

export interface Subscription {
	id: string;
	name: string;
}

export interface Delivery {
	id: string;
	event_id: string;
	subscription_id: string;
	subscription: string;
	endpoint_id: string;
	endpoint: string;
	status: "pending" | "in_flight" | "waiting" | "publishing" | "succeeded" | "dead" | "canceled";
	reason: string | null;
	attempt_count: number;
	next_attempt_at: string | null;
	finished_at: string | null;
	attempts: {
		number: number;
		status_code: number | null;
		outcome: string;
		error: string | null;
		response_excerpt: string | null;
	}[];
	result: unknown;
	result_event_id: string | null;
}

export interface ListedEvent {
	id: string;
	type: string;
}

type Fields = Record<string, unknown>;

/** A name that no other test uses: all suites share one router. */
export function unique(name: string): string {
	return `${name}-${randomBytes(4).toString("hex")}`;
}

/** Ports of routers that suites talk to, beside the shared one: `fetch` checks every response from them. */
const ports = new Set<string>();

/** From now on every response of a router goes through `check`, which throws where it is not as it should be. */
export function checkResponses(shared: string, check: (seen: Seen) => void): void {
	ports.add(new URL(shared).port);
	const { fetch } = globalThis;
	globalThis.fetch = async (input, init) => {
		const response = await fetch(input, init);
		const asked = input instanceof Request ? input : null;
		const url = new URL(input instanceof Request ? input.url : input);
		if (!ports.has(url.port)) return response;
		const method = init?.method ?? asked?.method ?? "GET";
		const { status, headers } = response;
		const text = await response.clone().text();
		check({ method, path: url.pathname, status, contentType: headers.get("content-type"), text });
		return response;
	};
}

export type Api = ReturnType<typeof connect>;

/** The API of the router at `origin`, with the root key. */
export function connect(origin: string, token: string) {
	ports.add(new URL(origin).port);

	/** One request, whatever it answers. */
	async function ask<T = Record<string, unknown>>(
		method: string,
		path: string,
		body?: unknown,
		headers: Record<string, string> = {},
	): Promise<Answer<T>> {
		const response = await fetch(origin + path, {
			method,
			headers: {
				authorization: `Bearer ${token}`,
				...(body !== undefined && { "content-type": "application/json" }),
				...headers,
			},
			...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
		});
		const text = await response.text();
		return {
			status: response.status,
			headers: response.headers,
			body: (text === "" ? null : JSON.parse(text)) as T,
		};
	}

	/** One request that must go well. */
	async function must<T>(method: string, path: string, body?: unknown): Promise<T> {
		const answer = await ask<T>(method, path, body);
		if (answer.status < 300) return answer.body;
		throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
	}

	/** The deliveries that match the filters, with their attempts. */
	async function deliveries(filters: Record<string, string>): Promise<Delivery[]> {
		const listed: { id: string }[] = [];
		let cursor: string | null = null;
		do {
			const query = new URLSearchParams({ ...filters, limit: "200", ...(cursor !== null && { cursor }) });
			const page: { data: { id: string }[]; next_cursor: string | null } = await must(
				"GET",
				`/v1/deliveries?${query.toString()}`,
			);
			listed.push(...page.data);
			cursor = page.next_cursor;
		} while (cursor !== null);
		return Promise.all(listed.map(({ id }) => must<Delivery>("GET", `/v1/deliveries/${id}`)));
	}

	return {
		origin,
		ask,
		must,
		deliveries,
		createSource: (fields: Fields) =>
			must<Source>("POST", "/v1/sources", { name: unique("source"), kind: "generic", ...fields }),
		createEndpoint: (fields: Fields & { url: string }) =>
			must<Endpoint>("POST", "/v1/endpoints", { name: unique("model"), ...fields }),
		createSubscription: (fields: Fields & { endpoint: string }) =>
			must<Subscription>("POST", "/v1/subscriptions", { name: unique("subscription"), ...fields }),
		endpoint: (id: string) => must<Endpoint>("GET", `/v1/endpoints/${id}`),
		/** Whether the model server says that its model is ready, asked now. */
		ready: async (id: string) =>
			(await must<{ ready: boolean | null }>("GET", `/v1/endpoints/${id}/health?probe=true`)).ready,
		delivery: (id: string) => must<Delivery>("GET", `/v1/deliveries/${id}`),
		/** Publishes into the built-in source `api`; answers the event's id. */
		publish: async (event: Fields) => (await must<{ id: string }>("POST", "/v1/events", event)).id,
		/** Posts to a source's URL as a publisher would, without the root key. */
		ingest: async (url: string, body: string | Buffer, headers: Record<string, string>): Promise<Answer> => {
			const response = await fetch(url, { method: "POST", body: new Uint8Array(Buffer.from(body)), headers });
			const text = await response.text();
			return {
				status: response.status,
				headers: response.headers,
				body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
			};
		},
		/** The only delivery that matches the filters, once `settled` says it has come where it should. */
		deliveryWhen: (filters: Record<string, string>, settled: (delivery: Delivery) => boolean) => {
			let last: Delivery[] = [];
			return until("the delivery to settle", async () => {
				last = await deliveries(filters);
				if (last.length > 1) throw new Error(`One delivery was expected: ${JSON.stringify(last)}`);
				return last.find(settled) ?? null;
			}).catch((error: unknown) => {
				throw new Error(`${String(error)} Last seen: ${JSON.stringify(last)}`);
			});
		},
		/** The events of one type that the log lists, newest first. */
		eventsOfType: async (type: string) =>
			(await must<{ data: ListedEvent[] }>("GET", `/v1/events?type=${encodeURIComponent(type)}`)).data,
	};
}

/** The delivery has ended, well or badly. */
export function isFinished({ status }: Delivery): boolean {
	return status === "succeeded" || status === "dead" || status === "canceled";
}
