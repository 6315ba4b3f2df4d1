/** Explains unexpected responses of the router. Pure. */
import { SmokeFailure, type Answer } from "./client.ts";

/** For a route of the API that was asked for `what`. */
export function refused(what: string, { status, code, detail }: Answer): SmokeFailure {
	const said = `${what}: the router answered ${status} ${code}`.trim();
	if (code === "not_configured") {
		return new SmokeFailure(
			"The router is closed: it has no ADMIN_TOKEN.",
			"Run `npx wrangler secret put ADMIN_TOKEN`, and try again in a minute.",
		);
	}
	if (status === 401) {
		return new SmokeFailure(
			"The router does not know the token in SLUICE_TOKEN.",
			"It is what `npx wrangler secret put ADMIN_TOKEN` was given, or a key that `POST /v1/keys` has made. In development it is in .sluice/token, or ADMIN_TOKEN in .dev.vars.",
		);
	}
	if (status === 403) {
		return new SmokeFailure(
			`${said}: the key in SLUICE_TOKEN may not do that.`,
			"The smoke test makes and deletes sources, an endpoint and a subscription: use the root key, or a key with the role admin.",
		);
	}
	if (status >= 500) {
		return new SmokeFailure(
			`${said}: ${detail}`,
			"Most likely the database (D1): `npx wrangler tail` shows what the Worker logs, `npx wrangler d1 list` whether the database is there.",
		);
	}
	if (code === "") {
		return new SmokeFailure(`${said}, which is no response of Sluice.`, "Is this the URL of the router?");
	}
	return new SmokeFailure(`${said}: ${detail}`, "The detail says what the router does not take.");
}

/** An accepted event that is not in the event log after `seconds`. `waiting`: messages in the queue; null: unknown. */
export function notRouted(seconds: number, waiting: number | null): SmokeFailure {
	const backlog = waiting === null ? "" : ` ${waiting} messages wait in the queue.`;
	return new SmokeFailure(
		`The event was accepted and has not been routed within ${seconds} s.${backlog}`,
		"The consumer of the queue sluice-events does not run, or cannot read D1: `npx wrangler queues info sluice-events` says whether this Worker consumes it, `npx wrangler tail` what it logs (router.no_table: D1 cannot be read).",
	);
}

/** A delivery that has not succeeded after `seconds`, as the API shows it; null: there is none. */
export function notDelivered(seconds: number, delivery: Record<string, unknown> | null): SmokeFailure {
	if (delivery === null) {
		return new SmokeFailure(
			`The event was routed, and its delivery has not reached its dispatcher within ${seconds} s.`,
			"`npx wrangler tail` shows router.dispatch_failed with the reason.",
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
		`The delivery has not succeeded within ${seconds} s: ${parts.join("; ")}.`,
		"The endpoint is the router's own ingest URL, asked from inside the Worker: it must be reachable from the internet under the name that was given, without a login page (Cloudflare Access) in front of /in/.",
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
