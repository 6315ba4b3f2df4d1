/**
 * The OCR model: takes the event of an uploaded scan, fetches the image it points to and reads it with tesseract.js.
 * One worker is kept warm; the language data comes from the `@tesseract.js-data/eng` package, so nothing is
 * downloaded.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import Tesseract from "tesseract.js";
import { BadInput, serveWebhooks } from "../webhook-server.ts";
import type { WebhookServer } from "../webhook-server.ts";

const LANGUAGE_DATA = join(
	dirname(fileURLToPath(import.meta.resolve("@tesseract.js-data/eng/package.json"))),
	"4.0.0_best_int",
);
const FETCH_TIMEOUT_MS = 5_000;

/** What the model answers, and so the data of a `document.text` event. */
export interface ReadText {
	key: string;
	text: string;
	/** Mean certainty of the words, in percent. */
	confidence: number;
	words: number;
	/** Time in the model, without fetching the image. */
	ms: number;
}

export interface OcrWatcher {
	started: (key: string) => void;
	answered: (result: ReadText) => void;
	refused: (key: string, reason: string) => void;
}

export async function startOcrModel(watcher: OcrWatcher): Promise<WebhookServer> {
	const worker = await Tesseract.createWorker("eng", Tesseract.OEM.LSTM_ONLY, {
		langPath: LANGUAGE_DATA,
		// The default would leave an unpacked copy of the language data in the working directory.
		cacheMethod: "none",
		// A failure also rejects the call it belongs to; without a handler it would end the process as well.
		errorHandler: () => {},
	});
	const server = await serveWebhooks(async (body) => {
		const { key, url } = readUpload(body);
		watcher.started(key);
		const image = await fetchImage(url);
		const startedAt = performance.now();
		const { data } = await worker.recognize(image).catch((cause: unknown) => {
			watcher.refused(key, "the OCR model cannot read this image");
			throw new BadInput(`${key} is not an image that can be read.`, { cause });
		});
		const result: ReadText = {
			key,
			text: data.text.trim(),
			confidence: data.confidence,
			words: data.text.split(/\s+/).filter((word) => word !== "").length,
			ms: Math.round(performance.now() - startedAt),
		};
		watcher.answered(result);
		return result;
	});
	return {
		...server,
		close: async () => {
			await server.close();
			await worker.terminate();
		},
	};
}

/** The fields of a `document.uploaded` event (structured CloudEvents JSON) that the model needs. */
function readUpload(event: unknown): { key: string; url: string } {
	const { key, url } = (event as { data?: { key?: unknown; url?: unknown } }).data ?? {};
	if (typeof key === "string" && typeof url === "string") return { key, url };
	throw new BadInput("data.key and data.url must be strings.");
}

async function fetchImage(url: string): Promise<Buffer> {
	const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
	if (!response.ok) throw new Error(`The scan could not be fetched: ${response.status} from ${url}`);
	return Buffer.from(await response.arrayBuffer());
}
