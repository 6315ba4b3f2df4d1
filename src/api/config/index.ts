/** `/v1/config`: sources, endpoints and subscriptions as one document, by name. */
import { type Context, Hono } from "hono";
import { Problem } from "../../http/problem.ts";
import { type Configuration, readConfiguration } from "../../store/resources/configuration.ts";
import { siteOf } from "../endpoints/draft.ts";
import { readJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { invalidQuery, readQuery } from "../http/query.ts";
import { applyPlan } from "./apply.ts";
import { MAX_ENTRIES, configSchema, exportConfiguration } from "./document.ts";
import { planConfiguration } from "./plan.ts";
import { planToWire } from "./planned.ts";
import { type Flags, configQuery } from "./query.ts";

/**
 * Limit of stored resources for planning a document, because all of them are read.
 */
const MAX_STORED = 5_000;

export const config = new Hono<ApiEnv>()
	.get("/", async (c) => {
		const { document, untold } = exportConfiguration(await read(c, MAX_ENTRIES));
		if (untold.length === 0) return c.json(document);
		throw new Problem(
			409,
			"config_unreadable",
			"Some entries cannot be exported, and a document without them would be wrong. Write them again, or delete them.",
			{ errors: untold },
		);
	})
	.post("/", async (c) => {
		const query = readQuery(c, configQuery);
		const input = await readJson(c.req.raw, configSchema);
		const asked = { ...input, prune: flagOf("prune", query, input) };
		const isDryRun = flagOf("dry_run", query, input);
		const now = Date.now();
		const [stored, site] = await Promise.all([read(c, MAX_STORED), siteOf(c.env, c.req.url)]);
		const plan = await planConfiguration(asked, stored, { principal: c.var.principal, site, now });
		if (!isDryRun) await applyPlan(c, plan, stored, now);
		return c.json({ dry_run: isDryRun, ...planToWire(plan), secrets: isDryRun ? {} : plan.made });
	});

/** Throws 400 if query and body contradict each other. */
function flagOf(name: "dry_run" | "prune", query: Flags, body: Flags): boolean {
	const { [name]: asked } = query;
	const { [name]: said } = body;
	if (asked === undefined || said === undefined || asked === said) return (asked ?? said) === true;
	throw invalidQuery([{ path: name, message: `is ${said} in the body` }]);
}

async function read(c: Context<ApiEnv>, limit: number): Promise<Configuration> {
	const stored = await readConfiguration(c.env, limit);
	if (stored !== null) return stored;
	const detail = `There are more than ${limit} sources, endpoints and subscriptions, which is too many for one document. Use their lists.`;
	throw new Problem(409, "config_too_large", detail);
}
