/**
 * Model servers with a state of their own, as behaviours of the receiver: what does not fit into a script of single
 * answers, because it follows from the requests before, or from the time. What a server has counted stands beside its
 * behaviour.
 */
import { answer, answerJson } from "./behaviours.ts";
import { freePort } from "./free-port.ts";
import { startReceiver } from "./receiver.ts";
import type { Behaviour, Model, ReceivedRequest, Receiver } from "./receiver.ts";

/** Takes `limit` requests at once, works on each for `workMs`, and answers 429 to whatever comes on top. */
export function admitting(limit: number, workMs: number) {
	const seen = { accepted: [] as string[], refused: 0, most: 0 };
	let open = 0;
	const behave: Behaviour = (response, request) => {
		if (open === limit) {
			seen.refused += 1;
			answer(429)(response, request);
			return;
		}
		open += 1;
		seen.most = Math.max(seen.most, open);
		seen.accepted.push(String(request.headers["webhook-id"]));
		setTimeout(() => {
			open -= 1;
			answerJson("{}")(response, request);
		}, workMs);
	};
	return { behave, seen };
}

/** A model of MLServer that loads until `load` is called; behind its URL is the protocol `open-inference`. */
export function loading(model: string, output: string) {
	let isLoaded = false;
	const behave: Behaviour = (response, request) => {
		if (!request.path.includes(`/v2/models/${model}/`)) return answer(404)(response, request);
		if (request.method === "GET") return answer(isLoaded ? 200 : 400)(response, request);
		const refusal = JSON.stringify({ error: `Model ${model} is not ready yet.` });
		const json = { "content-type": "application/json" };
		return isLoaded ? answerJson(output)(response, request) : answer(400, refusal, json)(response, request);
	};
	return { behave, load: () => void (isLoaded = true) };
}

/** What the router said to the callbacks of a server. */
export interface Said {
	status: number;
	effect: unknown;
}

/**
 * Takes the request as a job, which ends at once or never: posts the output `before` times to the callback URL before it
 * answers 202, and `after` times then.
 */
export function callingBack({ before = 0, after = 0 }: { before?: number; after?: number }, output: string) {
	const said: Said[] = [];
	const post = async (request: ReceivedRequest) => {
		const response = await fetch(String(request.headers["sluice-callback-url"]), {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: output,
		});
		const { effect } = (await response.json()) as { effect?: unknown };
		said.push({ status: response.status, effect });
	};
	const work = async (response: Parameters<Behaviour>[0], request: ReceivedRequest) => {
		for (let times = 0; times < before; times++) await post(request);
		answer(202)(response, request);
		for (let times = 0; times < after; times++) await post(request);
	};
	const behave: Behaviour = (response, request) => {
		// A callback that fails shows: the connection is cut, and `said` lacks it.
		work(response, request).catch(() => response.destroy());
	};
	return { behave, said };
}

/** Takes a request as a job, answers 202 with its place, and 202 again the first `unfinished` times it is asked there. */
export function polled(unfinished: number, output: string) {
	const asked: string[] = [];
	const behave: Behaviour = (response, request) => {
		if (request.method === "POST") {
			const place = `${request.path}/jobs/${String(request.headers["webhook-id"])}`;
			return answer(202, "", { location: place })(response, request);
		}
		asked.push(request.path);
		return asked.length > unfinished ? answerJson(output)(response, request) : answer(202)(response, request);
	};
	return { behave, asked };
}

/** A server that is down. Connections are refused until it is `opened`. */
export interface ColdServer {
	url: string;
	/** Listens from now on; answers 503 for `unavailableMs` from the first request on, and then works. */
	open(unavailableMs: number): Promise<Model>;
	close(): Promise<void>;
}

export async function coldServer(output: string): Promise<ColdServer> {
	const port = await freePort();
	let receiver: Receiver | null = null;
	return {
		url: `http://127.0.0.1:${port}/model-1`,
		async open(unavailableMs) {
			receiver = await startReceiver(port);
			let worksAt: number | null = null;
			return receiver.model((response, request) => {
				worksAt ??= request.at + unavailableMs;
				const isUp = request.at >= worksAt;
				return (isUp ? answerJson(output) : answer(503))(response, request);
			});
		},
		close: async () => receiver?.close(),
	};
}
