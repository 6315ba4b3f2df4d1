/**
 * A model server for tests: a real HTTP server on loopback whose answers are scripted per path, and which keeps
 * every request as it came off the wire. How a server can misbehave is in behaviours.ts.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { until } from "./until.ts";

/** Answers one request, or does not. The request has been read to its end. */
export type Behaviour = (response: ServerResponse, request: ReceivedRequest) => void;

export interface ReceivedRequest {
	method: string;
	/** With the query, without the origin. */
	path: string;
	headers: IncomingHttpHeaders;
	/** The bytes of the body. */
	body: Buffer;
	text: string;
	/** When the last byte had come, ms since the epoch. */
	at: number;
}

/** One path of the receiver: a model with a behaviour of its own. */
export interface Model {
	url: string;
	/** All requests so far, oldest first; it grows. */
	requests: ReceivedRequest[];
	/** Replaces what the model does from the next request on. */
	behave(...script: [Behaviour, ...Behaviour[]]): void;
	/** Resolves once `count` requests have come. */
	received(count: number): Promise<ReceivedRequest[]>;
	/** Resolves with the first request that `matches`, once it has come. */
	request(matches?: (request: ReceivedRequest) => boolean): Promise<ReceivedRequest>;
}

export interface Receiver {
	/** Adds a model. Its first request gets the first behaviour of the script, and so on; the last one stays. */
	model(...script: [Behaviour, ...Behaviour[]]): Model;
	/** Ends the server and its open connections, hanging ones too. */
	close(): Promise<void>;
}

/** Starts a receiver on a port of 127.0.0.1; 0 takes a free one. What is asked below a model's path, the model is asked. */
export async function startReceiver(port = 0): Promise<Receiver> {
	const models = new Map<string, Model & { script: Behaviour[] }>();
	const server = createServer((request, response) => {
		readRequest(request).then(
			(received) => {
				const model = models.get(/^\/[^/?]*/.exec(received.path)?.[0] ?? "");
				if (model === undefined) return response.writeHead(404).end();
				model.requests.push(received);
				const behaviour = model.script.length > 1 ? model.script.shift() : model.script[0];
				return behaviour?.(response, received);
			},
			// The sender died in the middle of its request: there was none.
			() => response.destroy(),
		);
	});
	server.listen(port, "127.0.0.1");
	await once(server, "listening");
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

	return {
		model(...script) {
			const path = `/model-${models.size + 1}`;
			const model = {
				url: origin + path,
				script: [...script],
				requests: [] as ReceivedRequest[],
				behave: (...next: Behaviour[]) => void (model.script = next),
				received: async (count: number) => {
					await until(`${count} requests at ${path}`, () => model.requests.length >= count || null);
					return model.requests;
				},
				request: (matches: (request: ReceivedRequest) => boolean = () => true) =>
					until(`a request at ${path}`, () => model.requests.find(matches) ?? null),
			};
			models.set(path, model);
			return model;
		},
		async close() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	const body = Buffer.concat(chunks);
	return {
		method: request.method ?? "",
		path: request.url ?? "",
		headers: request.headers,
		body,
		text: body.toString("utf8"),
		at: Date.now(),
	};
}

/**
 * Verifies a request with the reference library of Standard Webhooks.
 *
 * @throws {WebhookVerificationError} when no signature matches or the timestamp is off
 */
export function verifySignature(request: ReceivedRequest, secret: string): void {
	new Webhook(secret).verify(request.body, request.headers as Record<string, string>);
}
