/**
 * What a model server may do with a request, good and bad: the vocabulary of the receiver's scripts. Servers whose answer
 * follows from what came before are in model-server.ts.
 */
import type { Behaviour } from "./receiver.ts";

/** Answers with a status, and with headers and a body if there are any. */
export function answer(status: number, body = "", headers: Record<string, string> = {}): Behaviour {
	return (response) => {
		response.writeHead(status, headers).end(body);
	};
}

/** A model's output: 200 with a JSON body. The text is sent as it stands. */
export function answerJson(text: string): Behaviour {
	return answer(200, text, { "content-type": "application/json" });
}

/** Takes the request and never answers. */
export const hang: Behaviour = () => {};

/** Sends the head of an answer and then nothing. */
export const stallInBody: Behaviour = (response) => {
	response.writeHead(200, { "content-type": "application/json" });
	response.write('{"partial":');
};

/** Drops the connection with a TCP reset instead of an answer. */
export const reset: Behaviour = (response) => {
	response.socket?.resetAndDestroy();
};

/** Announces and sends a 200 with `bytes` of text. */
export function answerBytes(bytes: number): Behaviour {
	return (response) => {
		response.writeHead(200, { "content-type": "text/plain", "content-length": bytes });
		response.end(Buffer.alloc(bytes, "x"));
	};
}

/** Sends a 200 whose body has no end, as fast as the reader takes it. */
export const answerWithoutEnd: Behaviour = (response) => {
	response.writeHead(200, { "content-type": "text/plain" });
	const chunk = Buffer.alloc(65_536, "x");
	const pour = () => {
		while (!response.destroyed && response.write(chunk));
	};
	response.on("drain", pour);
	pour();
};

/** Answers a model's output as a CloudEvent in structured mode. */
export function answerEvent(event: Record<string, unknown>): Behaviour {
	return answer(200, JSON.stringify({ specversion: "1.0", ...event }), {
		"content-type": "application/cloudevents+json",
	});
}

/** Answers a model's output as a CloudEvent in binary mode; `attributes` without their prefix. */
export function answerBinaryEvent(attributes: Record<string, string>, data: string): Behaviour {
	const headers = Object.entries({ specversion: "1.0", ...attributes }).map(([name, value]) => [
		`ce-${name}`,
		value,
	]);
	return answer(200, data, { "content-type": "application/json", ...Object.fromEntries(headers) });
}

/** Streams server-sent events, each written by itself. */
export function answerStream(...data: string[]): Behaviour {
	return (response) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		for (const text of data) response.write(`data: ${text}\n\n`);
		response.end();
	};
}
