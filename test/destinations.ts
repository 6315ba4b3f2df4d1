/**
 * What endpoints of the tests are bound to: a Worker that takes messages of the queue `JOBS` and requests of the service
 * `OCR`, and tells on request what it got. Bound in vitest.config.ts.
 */

/** The Worker's code; it keeps what it got in memory. */
export const DESTINATION = `
const got = [];
export default {
	async queue(batch) {
		for (const { body } of batch.messages) got.push({ type: typeof body, text: JSON.stringify(body) });
	},
	async fetch(request) {
		const { pathname, search } = new URL(request.url);
		if (pathname === "/got") return Response.json(got);
		const body = await request.text();
		return Response.json({ path: pathname + search, id: request.headers.get("webhook-id"), body });
	},
};
`;

/** One message, as its consumer sees it: JSON has been parsed already. */
export interface Got {
	type: string;
	/** Its JSON. */
	text: string;
}
