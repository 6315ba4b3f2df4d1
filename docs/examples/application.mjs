/**
 * A service that receives the output of a model. It checks that the request comes from your router, and prints the
 * event's type, what it is about (its subject, here the document), and its data.
 * `SIGNING_SECRET=whsec_… node docs/examples/application.mjs`
 */
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const { SIGNING_SECRET, PORT = 9001 } = process.env;
if (!SIGNING_SECRET) {
	console.error("Set SIGNING_SECRET to the endpoint's signing_secret, whsec_…");
	process.exit(1);
}
const webhook = new Webhook(SIGNING_SECRET);
/** Delivery is at least once, so a delivery can arrive twice. A real service stores these ids with its data. */
const seen = new Set();

const server = createServer(async (request, response) => {
	let body = "";
	for await (const chunk of request.setEncoding("utf8")) body += chunk;
	try {
		webhook.verify(body, request.headers);
	} catch (error) {
		console.log(`refused: ${error.message}`);
		return response.writeHead(401).end();
	}
	const id = request.headers["webhook-id"];
	if (!seen.has(id)) {
		seen.add(id);
		const { type, subject, correlationid, id: eventId, data } = JSON.parse(body);
		// Without a subject, the first event of the chain tells which input this came from.
		console.log(type, subject ?? correlationid ?? eventId, JSON.stringify(data));
	}
	return response.writeHead(204).end();
});

server.listen(PORT, "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${PORT}`));
