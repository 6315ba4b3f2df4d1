/**
 * The receiving side of a webhook on loopback, shared by the two models and the application: read the body, verify
 * the router's signature with the independent `standardwebhooks` package, answer JSON. What the answer is, they say.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

export interface WebhookServer {
	url: string;
	/** The endpoint's `signing_secret`; until it is known every request is refused. */
	trust: (signingSecret: string) => void;
	/** How many requests had a right signature. */
	verifiedCount: () => number;
	close: () => Promise<void>;
}

/** The request cannot be answered as it is, and would fail again: 422. */
export class BadInput extends Error {
	override readonly name = "BadInput";
}

/** Serves `answer` on a free port. Its value goes back as JSON; undefined means 204. */
export async function serveWebhooks(answer: (body: unknown) => Promise<unknown>): Promise<WebhookServer> {
	let verifier: Webhook | null = null;
	let verified = 0;
	const server = createServer((request, response) => {
		void respond(response, async () => {
			const body = await readBody(request);
			if (verifier === null) throw new WebhookVerificationError("No signing secret is known yet");
			verifier.verify(body, request.headers as Record<string, string>);
			verified++;
			return answer(JSON.parse(body));
		});
	});
	const url = await listen(server);
	return {
		url,
		trust: (signingSecret) => {
			verifier = new Webhook(signingSecret);
		},
		verifiedCount: () => verified,
		close: () => closeServer(server),
	};
}

/** Listens on a free port of 127.0.0.1 and gives the origin. */
export async function listen(server: Server): Promise<string> {
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
	const address = server.address();
	if (address === null || typeof address === "string") throw new Error("The server has no port.");
	return `http://127.0.0.1:${address.port}`;
}

export async function closeServer(server: Server): Promise<void> {
	const closed = new Promise((resolve) => server.close(resolve));
	server.closeAllConnections();
	await closed;
}

async function respond(response: ServerResponse, work: () => Promise<unknown>): Promise<void> {
	const { status, body } = await work().then(
		(body) => (body === undefined ? { status: 204, body } : { status: 200, body }),
		(error: Error) => ({ status: statusOf(error), body: { error: error.message } }),
	);
	response.writeHead(status, body === undefined ? {} : { "content-type": "application/json" });
	response.end(body === undefined ? undefined : JSON.stringify(body));
}

function statusOf(error: Error): number {
	if (error instanceof WebhookVerificationError) return 401;
	return error instanceof BadInput ? 422 : 500;
}

async function readBody(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString("utf8");
}
