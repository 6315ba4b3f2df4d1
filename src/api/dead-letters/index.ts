/** `/v1/dead-letters`: reads, resends and deletes messages that could not be routed. */
import { type Context, Hono } from "hono";
import { sendBody } from "../../dead-letters/consumer.ts";
import type { DeadLetter, MessageBody } from "../../dead-letters/rpc.ts";
import { Problem } from "../../http/problem.ts";
import { toProblem, refuseForNow } from "../../http/refusal.ts";
import { deadLetters as store } from "../../objects/clients.ts";
import { recordChange } from "../access/audit.ts";
import type { ApiEnv } from "../http/context.ts";
import { cutPage, decodeCursor, encodeCursor } from "../http/pages.ts";
import { DEFAULT_LIMIT, readQuery } from "../http/query.ts";
import { deadLetterListQuery } from "./fields.ts";
import { deadLettersToWire, wholeLetterToWire } from "./wire.ts";

const LIST = "dead-letters";

export const deadLetters = new Hono<ApiEnv>()
	.get("/", async (c) => {
		const { limit = DEFAULT_LIMIT, cursor } = readQuery(c, deadLetterListQuery);
		const place = decodeCursor(LIST, cursor);
		const range = { ...(place !== null && { before: place.at }), limit: limit + 1 };
		const { items: found } = await store(c.env).list(range);
		const { items, next } = cutPage(found, limit, ({ position, id }) => ({ at: position, id }));
		const data = await deadLettersToWire(c.env, items);
		return c.json({ data, next_cursor: next && encodeCursor(LIST, next) });
	})
	.get("/:id", async (c) => c.json(await wholeLetterToWire(c.env, await letterOf(c))))
	.post("/:id/retry", async (c) => {
		const letter = await letterOf(c);
		// Read first: what has been sent could not be told any more if the database failed then.
		const [wire = null] = await deadLettersToWire(c.env, [letter]);
		try {
			await sendBody(c.env.EVENTS, letter.body);
		} catch (cause) {
			const message = "The queue did not accept the message, which is still stored. Send the request again.";
			throw toProblem(refuseForNow("queue_unavailable", message, { cause }));
		}
		// Two concurrent requests send it twice; its events are then recognised by their
		// ids.
		await store(c.env).remove(letter.id);
		await recordChange(c, { action: "retry", resource: "dead_letter", before: wire, after: null });
		return c.json(wire, 202);
	})
	.delete("/:id", async (c) => {
		const letter = await letterOf(c);
		const [before = null] = await deadLettersToWire(c.env, [letter]);
		if (!(await store(c.env).remove(letter.id))) throw notFound();
		await recordChange(c, { action: "delete", resource: "dead_letter", before, after: null });
		return c.body(null, 204);
	});

/** Throws 404. */
async function letterOf(c: Context<ApiEnv>): Promise<DeadLetter & { body: MessageBody }> {
	const letter = await store(c.env).get(c.req.param("id") ?? "");
	if (letter === null) throw notFound();
	return letter;
}

function notFound(): Problem {
	const detail =
		"There is no dead letter with this id: it has been retried, or deleted by request or after 30 days.";
	return new Problem(404, "dead_letter_not_found", detail);
}
