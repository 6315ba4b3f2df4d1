/** The Worker as one Hono application: the ingest routes and the management API, which receives ingest functions. */
import { Hono } from "hono";
import { errorResponse, api } from "./api/app.ts";
import type { ApiEnv, Ingest } from "./api/http/context.ts";
import { receiveCallback } from "./callbacks/receive.ts";
import { takeMessage } from "./ingest/queues/take-message.ts";
import { receive } from "./ingest/receive.ts";
import { forgetSource } from "./ingest/source-lookup.ts";

const ingest: Ingest = { receive, takeMessage, forgetSource };

export const app = new Hono<ApiEnv>();

// First, because most requests are events.
app.all("/in/:source", (c) => receive(c.req.raw, c.env, c.executionCtx, c.req.param("source")));
app.post("/callbacks/:delivery/:token", (c) => {
	const { delivery, token } = c.req.param();
	return receiveCallback(c.req.raw, c.env, delivery, token);
});
app.use("/v1/*", async (c, next) => {
	c.set("ingest", ingest);
	await next();
});
app.route("/", api);
app.onError((error, c) => errorResponse(error, c.req.raw));
