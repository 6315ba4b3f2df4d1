/** What happens to a change whose client disconnects: the runtime waits for what `waitUntil` was given, and no longer. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import { ORIGIN, type Page, must } from "../client.ts";

/** D1, whose next write to the audit log waits for `gate`. */
function gatedAudit(gate: Promise<void>, onReached: () => void): D1Database {
	let isAudit = false;
	return new Proxy(env.DB, {
		get(target, name) {
			if (name === "prepare") {
				return (sql: string) => {
					isAudit ||= sql.includes("INTO audit");
					return target.prepare(sql);
				};
			}
			if (name === "batch") {
				return async (statements: D1PreparedStatement[]) => {
					if (isAudit) {
						onReached();
						await gate;
					}
					return target.batch(statements);
				};
			}
			return (target[name as keyof D1Database] as () => unknown).bind(target);
		},
	});
}

test("a change is finished, audit log and kept response included", async () => {
	const gate = Promise.withResolvers<void>();
	const reached = Promise.withResolvers<void>();
	const held: Promise<unknown>[] = [];
	const ctx = {
		waitUntil: (promise: Promise<unknown>) => void held.push(promise),
		passThroughOnException: () => undefined,
		props: {},
	} as unknown as ExecutionContext;
	const request = new Request(`${ORIGIN}/v1/sources`, {
		method: "POST",
		headers: {
			authorization: "Bearer test-token",
			"content-type": "application/json",
			"idempotency-key": "left",
		},
		body: '{"name":"left-behind"}',
	});
	// Nobody waits for the response.
	void app.fetch(request, { ...env, DB: gatedAudit(gate.promise, reached.resolve) }, ctx);
	await reached.promise;
	const over = Promise.all(held).then(() => "over");
	const pause = new Promise((resolve) => setTimeout(() => resolve("held"), 500));
	expect(await Promise.race([over, pause])).toBe("held");
	gate.resolve();
	await over;
	const { data } = await must<Page>("GET", "/v1/audit?resource=source&limit=200");
	expect(data.map(({ name }) => name)).toContain("left-behind");
	const kept = await env.DB.prepare("SELECT response FROM idempotency WHERE key = 'left'").first("response");
	expect(kept).toMatch(/^v1\./);
});
