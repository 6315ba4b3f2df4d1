/**
 * A model server in one file. It checks that the request comes from your router, and responds with the number of words
 * in the event's title. `SIGNING_SECRET=whsec_… node docs/examples/receiver.mjs`
 */
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const { SIGNING_SECRET, PORT = 9000 } = process.env;
if (!SIGNING_SECRET) {
	console.error("Set SIGNING_SECRET to the endpoint's signing_secret, whsec_…");
	process.exit(1);
}
const webhook = new Webhook(SIGNING_SECRET);

const server = createServer(async (request, response) => {
	let body = "";
	for await (const chunk of request.setEncoding("utf8")) body += chunk;
	try {
		webhook.verify(body, request.headers);
	} catch (error) {
		// After a 401 the router pauses this endpoint and keeps its deliveries until you resume it.
		console.log(`refused: ${error.message}`);
		return response.writeHead(401).end();
	}
	const { "sluice-event-id": event, "webhook-id": delivery, "sluice-attempt": attempt } = request.headers;
	console.log(`${event} ${delivery} attempt ${attempt}\n${body}\n`);
	const { data } = JSON.parse(body);
	const words = String(data?.title ?? "").match(/\S+/g) ?? [];
	response.setHeader("content-type", "application/json");
	return response.end(JSON.stringify({ words: words.length }));
});

server.listen(PORT, "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${PORT}`));
