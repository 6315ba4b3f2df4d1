/** Explains unexpected responses of the router. Pure. */
import { SmokeFailure, type Answer } from "./client.ts";

/** For an unexpected response of the API. `what` names the route. */
export function refused(what: string, { status, code, detail }: Answer): SmokeFailure {
	const said = `${what}: the router responded with ${status} ${code}`.trim();
	if (code === "not_configured") {
		return new SmokeFailure(
			"The router is closed: it has no ADMIN_TOKEN.",
			"Run `npx wrangler secret put ADMIN_TOKEN`, and try again in a minute.",
		);
	}
	if (status === 401) {
		return new SmokeFailure(
			"The router does not know the token in SLUICE_TOKEN.",
			"Use the value that you gave to `npx wrangler secret put ADMIN_TOKEN`, or a key created with `POST /v1/keys`. In development the token is in .sluice/token, or ADMIN_TOKEN in .dev.vars.",
		);
	}
	if (status === 403) {
		return new SmokeFailure(
			`${said}: the key in SLUICE_TOKEN does not allow this.`,
			"The smoke test creates and deletes sources, an endpoint and a subscription. Use the root key, or a key with the role admin.",
		);
	}
	if (status >= 500) {
		return new SmokeFailure(
			`${said}: ${detail}`,
			"The most likely cause is the database (D1). `npx wrangler tail` shows the Worker's log, and `npx wrangler d1 list` whether the database exists.",
		);
	}
	if (code === "") {
		return new SmokeFailure(`${said}, which is not a response of Sluice.`, "Is this the URL of the router?");
	}
	return new SmokeFailure(`${said}: ${detail}`, "The detail says what the router refused.");
}

/** An accepted event that is not in the event log after `seconds`. `waiting`: messages in the queue; null if unknown. */
export function notRouted(seconds: number, waiting: number | null): SmokeFailure {
	const backlog = waiting === null ? "" : ` ${waiting} messages wait in the queue.`;
	return new SmokeFailure(
		`The event was accepted but not routed within ${seconds} s.${backlog}`,
		"The consumer of the events queue (sluice-events, or the name in wrangler.toml) is not running, or cannot read D1. `npx wrangler queues info sluice-events` shows whether this Worker consumes the queue, and `npx wrangler tail` shows its log (router.no_table: D1 cannot be read).",
	);
}

/** A delivery that has not succeeded after `seconds`, as the API shows it; null if there is none. */
export function notDelivered(seconds: number, delivery: Record<string, unknown> | null): SmokeFailure {
	if (delivery === null) {
		return new SmokeFailure(
			`The event was routed, but its delivery did not reach its dispatcher within ${seconds} s.`,
			"`npx wrangler tail` shows the reason, as router.dispatch_failed.",
		);
	}
	const { status, reason, blocked_by: blockedBy, detail } = delivery;
	const last = attemptsOf(delivery).at(-1);
	const parts = [
		`status ${String(status)}`,
		...(typeof reason === "string" ? [`reason ${reason}`] : []),
		...(typeof blockedBy === "string" ? [`blocked_by ${blockedBy}`] : []),
		...(typeof detail === "string" ? [detail] : []),
		...(last === undefined
			? ["no attempt was made"]
			: [`last attempt: ${statusOf(last)} ${wordOf(last)}`.trim()]),
	];
	return new SmokeFailure(
		`The delivery did not succeed within ${seconds} s: ${parts.join("; ")}.`,
		"The endpoint is the router's own ingest URL, called from inside the Worker. It must be reachable from the internet under the given name, without a login page (Cloudflare Access) in front of /in/.",
	);
}

function attemptsOf({ attempts }: Record<string, unknown>): Record<string, unknown>[] {
	return Array.isArray(attempts) ? (attempts as Record<string, unknown>[]) : [];
}

function wordOf({ error, response_excerpt: excerpt }: Record<string, unknown>): string {
	return (typeof error === "string" ? error : typeof excerpt === "string" ? excerpt : "").slice(0, 200);
}

function statusOf({ status_code: status }: Record<string, unknown>): string {
	return typeof status === "number" ? String(status) : "no response";
}
