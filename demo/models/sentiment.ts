/**
 * The sentiment model: adds up how positive or negative the words of a text are, with wink-sentiment. It works like
 * slow models: it accepts a job with 202 and posts the output to the job's callback URL later.
 */
import { setTimeout } from "node:timers/promises";
import analyse from "wink-sentiment";
import { BadInput, serveWebhooks } from "../webhook-server.ts";
import type { WebhookServer } from "../webhook-server.ts";
import { readDocument } from "./document.ts";
import type { DocumentText } from "./document.ts";

export const SENTIMENT_PATH = "/jobs";

/** How long a job waits for its turn. */
const QUEUE_MS = 400;
/** This job does not wait, so its output arrives before the 202. The router must support that too. */
const EARLY_JOB = 3;
const TRIES = 3;
const MS_BETWEEN_TRIES = 500;
const POST_TIMEOUT_MS = 5_000;

/** The model's output: the data of a `document.sentiment` event. */
export interface Sentiment {
	document: string;
	sentiment: "positive" | "neutral" | "negative";
	/** The sum over the words, each from -5 to 5. */
	score: number;
	/** The words that contributed to the score. */
	words: string[];
}

export interface SentimentWatcher {
	judged: (result: Sentiment) => void;
	failed: (document: string, reason: string) => void;
}

export async function startSentimentModel({ judged, failed }: SentimentWatcher): Promise<WebhookServer> {
	let jobs = 0;
	const closing = new AbortController();
	const run = async (input: DocumentText, callbackUrl: string) => {
		const result = judge(input);
		judged(result);
		await postOutput(callbackUrl, result, closing.signal);
	};
	const server = await serveWebhooks({
		path: SENTIMENT_PATH,
		async respond({ body, headers }) {
			const input = readDocument(body);
			const callbackUrl = headers["sluice-callback-url"];
			if (typeof callbackUrl !== "string") throw new BadInput("The header sluice-callback-url is missing.");
			jobs++;
			const job =
				jobs === EARLY_JOB
					? run(input, callbackUrl)
					: setTimeout(QUEUE_MS, undefined, { signal: closing.signal }).then(() => run(input, callbackUrl));
			const watched = job.catch((error: Error) => {
				if (!closing.signal.aborted) failed(input.document, error.message);
			});
			if (jobs === EARLY_JOB) await watched;
			return { status: 202 };
		},
	});
	return {
		...server,
		close: async () => {
			closing.abort();
			await server.close();
		},
	};
}

function judge({ document, text }: DocumentText): Sentiment {
	const { score, tokenizedPhrase } = analyse(text);
	const words = tokenizedPhrase.filter((token) => token.score !== undefined).map(({ value }) => value);
	const sentiment = score > 0 ? "positive" : score < 0 ? "negative" : "neutral";
	return { document, sentiment, score, words };
}

/** The router responds with 200 once the output is stored. After any other response, the output is posted again. */
async function postOutput(url: string, result: Sentiment, signal: AbortSignal): Promise<void> {
	for (let tried = 1; ; tried++) {
		const response = await fetch(url, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify(result),
			signal: AbortSignal.any([signal, AbortSignal.timeout(POST_TIMEOUT_MS)]),
		});
		if (response.ok) return;
		if (tried === TRIES)
			throw new Error(`the callback was refused: ${response.status} ${await response.text()}`);
		await setTimeout(MS_BETWEEN_TRIES, undefined, { signal });
	}
}
