/**
 * The receiving side of a webhook on loopback, shared by the models and the application: read the body, verify the
 * router's signature with the independent `standardwebhooks` package, respond with JSON. The caller provides the
 * response.
 */
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

export interface Service {
	/** The only path that accepts signed requests. */
	path: string;
	respond: (call: Call) => Promise<Reply>;
	/** The responses to unauthenticated `GET` requests by path: the readiness checks of a model. */
	readable?: Record<string, unknown>;
}

/** A request with a valid signature. */
export interface Call {
	body: unknown;
	headers: IncomingHttpHeaders;
}

export interface Reply {
	status: number;
	/** Sent as JSON. Absent: no body. */
	body?: unknown;
}

export interface WebhookServer {
	url: string;
	/** Sets the endpoint's `signing_secret`. Until then, every signed request is refused. */
	trust: (signingSecret: string) => void;
	/** The number of requests with a valid signature. */
	verifiedCount: () => number;
	close: () => Promise<void>;
}

/** The request cannot be processed, and a retry would fail too: 422. */
export class BadInput extends Error {
	override readonly name = "BadInput";
}

/** Serves on a free port of 127.0.0.1. */
export async function serveWebhooks({ path, respond, readable = {} }: Service): Promise<WebhookServer> {
	let verifier: Webhook | null = null;
	let verified = 0;
	const replyTo = async (request: IncomingMessage): Promise<Reply> => {
		const { method, headers, url = "" } = request;
		if (method === "GET" && Object.hasOwn(readable, url)) return { status: 200, body: readable[url] };
		if (method !== "POST" || url !== path)
			return { status: 404, body: { error: `There is no ${url} here.` } };
		const body = await readBody(request);
		if (verifier === null) throw new WebhookVerificationError("The signing secret is not set yet");
		verifier.verify(body, headers as Record<string, string>);
		verified++;
		return respond({ body: JSON.parse(body), headers });
	};
	const server = createServer((request, response) => void reply(response, replyTo(request)));
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

/** Listens on a free port of 127.0.0.1 and returns the origin. */
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

async function reply(response: ServerResponse, work: Promise<Reply>): Promise<void> {
	const { status, body } = await work.catch((error: Error): Reply => {
		return { status: statusOf(error), body: { error: error.message } };
	});
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
