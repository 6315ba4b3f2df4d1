/** Minimal ingest for comparison: a Hono route that puts the body into the queue. */
import { Hono } from "hono";

const app = new Hono<{ Bindings: { EVENTS: Queue<string> } }>();

app.post("/", async (c) => {
	await c.env.EVENTS.send(await c.req.text(), { contentType: "text" });
	return c.json({ ok: true }, 202);
});

export default app;
