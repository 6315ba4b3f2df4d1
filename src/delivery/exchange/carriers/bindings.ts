/**
 * The Worker's bindings other than those that the router itself needs, for endpoints whose URL names a binding. An
 * operator adds such bindings to wrangler.toml under any name; they are found by name and checked by their shape.
 */
import type { AiBinding, Env } from "../../../env.ts";
import { type BindingUrl, readBindingUrl, vpcHttpUrl } from "../../../models/requests/binding-url.ts";

/** Names that no endpoint may use, because the bindings belong to the router. */
const OWN: Readonly<Record<keyof Env, true>> = {
	DB: true,
	SOURCES: true,
	EVENTS: true,
	EVENTS_DLQ: true,
	EVENT_LOG: true,
	DISPATCHER: true,
	HAND: true,
	BULK_JOB: true,
	DEAD_LETTERS: true,
	PULLER: true,
	WATCH: true,
	AI: true,
	ADMIN_TOKEN: true,
	ENCRYPTION_KEY: true,
	ROUTING_MAX_AGE_MS: true,
	RESULT_BUDGET: true,
	OWN_HOSTS: true,
	ALLOW_PRIVATE_ENDPOINTS: true,
};
/** Common names for the Worker itself and for its static files. */
const OWN_BY_CUSTOM = new Set(["ASSETS", "SELF"]);

export function isOwnBinding(name: string): boolean {
	return Object.hasOwn(OWN, name) || OWN_BY_CUSTOM.has(name);
}

export interface QueueBinding {
	send(body: unknown, options: { contentType: "json" | "text" }): Promise<unknown>;
}

export interface FetcherBinding {
	fetch(url: string, init: RequestInit): Promise<Response>;
}

/** The binding of a URL, ready to use. */
export type Bound =
	| { scheme: "workers-ai"; model: string; ai: AiBinding }
	| { scheme: "queue"; queue: QueueBinding }
	| { scheme: "vpc"; fetcher: FetcherBinding; url: string };

/**
 * null: there is no such binding, it does not have the type that the URL needs, or it belongs to
 * the router.
 */
export function findBinding(env: Env, target: BindingUrl): Bound | null {
	if (target.scheme === "workers-ai") {
		const { AI: ai } = env;
		return isAi(ai) ? { scheme: target.scheme, model: target.model, ai } : null;
	}
	if (isOwnBinding(target.binding)) return null;
	const value: unknown = Reflect.get(env, target.binding);
	if (target.scheme === "queue") {
		return isQueue(value) ? { scheme: target.scheme, queue: value } : null;
	}
	if (!isFetcher(value)) return null;
	return { scheme: target.scheme, fetcher: value, url: vpcHttpUrl(target) };
}

function isAi(value: unknown): value is AiBinding {
	return has(value, "run");
}

function isQueue(value: unknown): value is QueueBinding {
	return has(value, "send") && has(value, "sendBatch");
}

function isFetcher(value: unknown): value is FetcherBinding {
	return has(value, "fetch");
}

function has(value: unknown, method: string): boolean {
	return typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
}

/**
 * Returns why nothing can be sent to `url` in this deployment, as the end of a sentence; null: it
 * can be sent, or the URL names no binding.
 */
export function refuseBinding(env: Env, url: string): string | null {
	const target = readBindingUrl(url);
	return target === null || findBinding(env, target) !== null ? null : missing(target);
}

/** The message, with the lines to add to wrangler.toml. */
export function missing(target: BindingUrl): string {
	const { what, lines } = needed(target);
	return `names ${what} that this deployment does not have; add to wrangler.toml, and deploy:\n${lines.join("\n")}`;
}

function needed(target: BindingUrl): { what: string; lines: string[] } {
	switch (target.scheme) {
		case "workers-ai":
			return { what: "a binding for Workers AI", lines: ["[ai]", 'binding = "AI"'] };
		case "queue":
			return {
				what: "a queue binding",
				lines: ["[[queues.producers]]", `binding = "${target.binding}"`, 'queue = "the-name-of-the-queue"'],
			};
		case "vpc":
			return {
				what: "a binding to a VPC service",
				lines: ["[[vpc_services]]", `binding = "${target.binding}"`, 'service_id = "the-id-of-the-service"'],
			};
	}
}
