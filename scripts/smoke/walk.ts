/**
 * Sends an event through a deployed router: from a new source through the queue to an endpoint, which is a second
 * source of the same router, so that an arrival there proves the whole path. Both sources are only for tests, so that
 * no other subscription gets the events. Deletes everything it created.
 */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type Answer, request, SmokeFailure } from "./client.ts";
import { notDelivered, notRouted, refused } from "./words.ts";

export interface Walk {
	/** Origin of the router, without a slash at the end. */
	origin: string;
	token: string;
	/** How long one step may take, seconds. */
	waitSeconds: number;
	signal: AbortSignal;
	/** Called after each successful step. */
	done: (step: string) => void;
	/** Called with what an operator should know although the test goes on. */
	note: (text: string) => void;
}

/** Paths to delete: everything that was created, or may have been, the latest first. */
export type Made = string[];

const NO_TEST_SOURCES =
	"This router has no test sources, as earlier releases: subscriptions to every source receive the event too.";
const POLL_MS = 250;
/** More digits than a JavaScript number can hold. They must arrive unchanged. */
const EXACT = "9007199254740993";

/** Throws a `SmokeFailure` at the first failure. Each thing is added to `made` before it is created. */
export async function walk(
	{ origin, token, waitSeconds, signal, done, note }: Walk,
	made: Made,
): Promise<void> {
	const api = (path: string): Promise<Answer> => request(origin + path, { token, signal });
	// Not aborted: the router would go on, and create it after the clean-up has looked for it.
	const post = async (path: string, body: unknown): Promise<Answer> => {
		const answer = await request(origin + path, { method: "POST", token, body });
		signal.throwIfAborted();
		return answer;
	};
	const wait = async <T>(look: () => Promise<T | null>): Promise<T | null> => {
		const deadline = Date.now() + waitSeconds * 1000;
		for (;;) {
			const found = await look();
			if (found !== null || Date.now() >= deadline) return found;
			await setTimeout(POLL_MS, undefined, { signal });
		}
	};

	const health = await request(`${origin}/healthz`, { token: null, signal });
	if (health.status !== 200 || health.body["status"] !== "ok") throw refused("GET /healthz", health);
	done("the router responds");

	const sources = await api("/v1/sources?limit=1");
	if (sources.status !== 200) throw refused("GET /v1/sources", sources);
	done("the token is valid, and the database can be read");

	let isNoted = false;
	const name = `smoke-${randomBytes(4).toString("hex")}`;
	const create = async (
		resource: string,
		fields: { name: string; test?: true; [field: string]: unknown },
	): Promise<Record<string, unknown>> => {
		// Noted before the request, because after an abort it is unknown whether the resource was created.
		made.unshift(`/v1/${resource}/${fields.name}`);
		let answer = await post(`/v1/${resource}`, fields);
		if (fields.test === true && refusesField(answer, "test")) {
			if (!isNoted) note(NO_TEST_SOURCES);
			isNoted = true;
			const { test: _, ...older } = fields;
			answer = await post(`/v1/${resource}`, older);
		}
		if (answer.status < 500 && answer.status !== 201) made.shift();
		if (answer.status !== 201) throw refused(`POST /v1/${resource}`, answer);
		return answer.body;
	};
	const auth = { type: "bearer" };
	const publisher = await create("sources", { name, auth, event_type: "smoke.sent", test: true });
	const echo = await create("sources", {
		name: `${name}-echo`,
		auth,
		event_type: "smoke.arrived",
		test: true,
	});
	const endpoint = await create("endpoints", {
		name,
		url: `${origin}/in/${name}-echo`,
		auth: { type: "bearer", token: echo["secret"] },
		timeout_seconds: 20,
	});
	await create("subscriptions", { name, source: name, endpoint: endpoint["id"] });
	done("a source, an endpoint and a subscription were created");

	const nonce = randomBytes(12).toString("hex");
	const sent = await request(`${origin}/in/${name}`, {
		method: "POST",
		token: String(publisher["secret"]),
		body: `{"nonce":"${nonce}","exact":${EXACT}}`,
		signal,
	});
	if (sent.status !== 202) throw refused(`POST /in/${name}`, sent);
	done("an event was accepted: it is in the queue");

	const eventId = String(sent.body["id"]);
	const event = await wait(async () => {
		const answer = await api(`/v1/events/${eventId}?explain=true`);
		if (answer.status === 200) return answer.body;
		if (answer.status === 404) return null;
		throw refused("GET /v1/events/{id}", answer);
	});
	if (event === null) throw notRouted(waitSeconds, await countWaiting(origin, signal));
	const [decision] = event["matched"] as { delivery_id: string }[];
	if (decision === undefined)
		throw new SmokeFailure("The event matches no subscription.", reasonOf(event, name));
	done("the queue consumer routed it");

	let delivery: Record<string, unknown> | null = null;
	const delivered = await wait(async () => {
		const answer = await api(`/v1/deliveries/${decision.delivery_id}`);
		if (answer.status !== 200 && answer.status !== 404) throw refused("GET /v1/deliveries/{id}", answer);
		delivery = answer.status === 200 ? answer.body : null;
		const status = delivery?.["status"];
		if (status === "dead" || status === "canceled") throw notDelivered(waitSeconds, delivery);
		return status === "succeeded" ? delivery : null;
	});
	if (delivered === null) throw notDelivered(waitSeconds, delivery);
	done("the dispatcher delivered it, signed");

	const arrived = await wait(async () => {
		const listed = await api(`/v1/events?source=${name}-echo&limit=1`);
		const [first] = (listed.body["data"] ?? []) as { id: string }[];
		return first === undefined ? null : api(`/v1/events/${first.id}`);
	});
	if (arrived === null) throw notRouted(waitSeconds, await countWaiting(origin, signal));
	if (!arrived.text.includes(nonce) || !arrived.text.includes(EXACT)) {
		throw new SmokeFailure(
			"The delivered event differs from the one that was sent.",
			`GET /v1/events/${eventId} shows what was sent.`,
		);
	}
	done("it arrived unchanged");
}

/** Whether the router does not know a field of the body, as an earlier release may not. */
function refusesField({ status, body }: Answer, field: string): boolean {
	const errors = Array.isArray(body["errors"]) ? (body["errors"] as { path?: unknown }[]) : [];
	return status === 422 && errors.some(({ path }) => path === field);
}

async function countWaiting(origin: string, signal: AbortSignal): Promise<number | null> {
	const { body } = await request(`${origin}/healthz`, { token: null, signal });
	const { backlog_count: count } = (body["queue"] ?? {}) as { backlog_count?: unknown };
	return typeof count === "number" ? count : null;
}

/** Why our own subscription did not match, as explained by the router. */
function reasonOf(event: Record<string, unknown>, name: string): string {
	const unmatched = (event["unmatched"] ?? []) as { subscription: string; reason: string }[];
	const own = unmatched.find(({ subscription }) => subscription === name);
	return own === undefined
		? "It was routed before the router knew the subscription. Run the smoke test again."
		: `The router says: ${own.reason}.`;
}

/** Deletes what was created, the latest first. Returns the paths that could not be deleted. Never throws. */
export async function cleanUp(origin: string, token: string, made: Made): Promise<string[]> {
	const left: string[] = [];
	for (const path of made) {
		const status = await request(origin + path, { method: "DELETE", token }).then(
			(answer) => answer.status,
			() => 0,
		);
		if (status !== 204 && status !== 404) left.push(path);
	}
	return left;
}
