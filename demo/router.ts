/** The demo's own router: a free port unless one is given, a token for this run, and temporary state. */
import { randomBytes } from "node:crypto";
import { startRouter } from "../scripts/router.ts";
import type { Router } from "../scripts/router.ts";

export interface DemoRouter extends Router {
	token: string;
}

export async function startDemoRouter(port: number, persistTo: string): Promise<DemoRouter> {
	const token = randomBytes(24).toString("base64url");
	const vars = { ADMIN_TOKEN: token, ALLOW_PRIVATE_ENDPOINTS: "true" };
	return { ...(await startRouter({ port, vars, persistTo })), token };
}
