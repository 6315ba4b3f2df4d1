/** Protocol `queue`: a Cloudflare queue that the Worker is bound to, at `queue:BINDING`. There is no output. */
import { Buffer } from "node:buffer";
import { parseWithRawNumbers } from "../../events/json/parse.ts";
import { JSON_HEADERS } from "../requests/input.ts";
import { messageOf } from "../requests/message.ts";
import type { Protocol } from "../protocol.ts";
import { errorTextOf, isSuccess, reading } from "../responses/reading.ts";

/** Cloudflare accepts 128 KB (of 1,000 bytes), including about 100 bytes of its own metadata. */
const MAX_BYTES = 127_000;

export const queue: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: () => false,
	scheme: "queue",
	request(input, { url }) {
		const { kind, text: made } = messageOf(input);
		// The binding accepts a value and serialises it again. That JSON has to fit, and a preview shows it.
		const text = kind === "json" ? JSON.stringify(parseWithRawNumbers(made)) : made;
		const size = Buffer.byteLength(text);
		if (size > MAX_BYTES) {
			return { misfit: `the message has ${size} bytes; a queue accepts at most ${MAX_BYTES}` };
		}
		const headers = kind === "json" ? JSON_HEADERS : { "content-type": "text/plain; charset=utf-8" };
		return { method: "POST", url, headers, body: text };
	},
	read: (exchange) => reading({ error: isSuccess(exchange) ? null : errorTextOf(exchange) }),
};
