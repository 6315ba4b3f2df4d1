/**
 * What the Worker is bound to beside what it needs itself, for endpoints whose URL names a binding. An operator adds such
 * bindings to wrangler.toml, under any name; they are looked up by it and judged by their shape.
 */
import type { AiBinding, Env } from "../../env.ts";
import { type BindingUrl, readBindingUrl } from "../../models/binding-url.ts";

/** Names that no endpoint may use: what is behind them is the router's own. */
const OWN: Readonly<Record<keyof Env, true>> = {
	DB: true,
	SOURCES: true,
	EVENTS: true,
	EVENTS_DLQ: true,
	EVENT_LOG: true,
	DISPATCHER: true,
	HAND: true,
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
/** By custom, the Worker itself and its static files. */
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

/** A URL's binding, ready to be used. */
export type Bound =
	| { scheme: "workers-ai"; model: string; ai: AiBinding }
	| { scheme: "queue"; queue: QueueBinding }
	| { scheme: "vpc"; fetcher: FetcherBinding; url: string };

/** null: there is no such binding, or it is not what the URL takes it for, or it is the router's own. */
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
	// The binding decides where it leads; the host is no more than the `host` header.
	const host = target.binding.toLowerCase().replaceAll("_", "-");
	return { scheme: target.scheme, fetcher: value, url: `http://${host}${target.path}` };
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

/** Why nothing can be sent to `url` in this deployment, as the end of a sentence; null: it can, or names no binding. */
export function refuseBinding(env: Env, url: string): string | null {
	const target = readBindingUrl(url);
	return target === null || findBinding(env, target) !== null ? null : missing(target);
}

/** With the lines that wrangler.toml lacks. */
export function missing(target: BindingUrl): string {
	const { what, lines } = needed(target);
	return `names ${what} that this deployment does not have; add to wrangler.toml, and deploy:\n${lines.join("\n")}`;
}

function needed(target: BindingUrl): { what: string; lines: string[] } {
	switch (target.scheme) {
		case "workers-ai":
			return { what: "a model of Workers AI, through a binding", lines: ["[ai]", 'binding = "AI"'] };
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
