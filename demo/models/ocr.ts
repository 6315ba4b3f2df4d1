/**
 * The OCR model: fetches the image of a scan and reads it with tesseract.js. It speaks the Open Inference Protocol (V2).
 * One worker is kept warm; the language data comes from the `@tesseract.js-data/eng` package, so nothing is downloaded.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import Tesseract from "tesseract.js";
import { BadInput, serveWebhooks } from "../webhook-server.ts";
import type { WebhookServer } from "../webhook-server.ts";

const LANGUAGE_VERSION = "4.0.0_best_int";
const LANGUAGE_DATA = join(
	dirname(fileURLToPath(import.meta.resolve("@tesseract.js-data/eng/package.json"))),
	LANGUAGE_VERSION,
);
const FETCH_TIMEOUT_MS = 5_000;

/** The text of a scan. */
export interface ReadText {
	key: string;
	text: string;
	/** Mean confidence of the words, in percent. */
	confidence: number;
	words: number;
}

/** A tensor of the protocol that holds one value. */
interface Tensor {
	name: string;
	datatype: string;
	shape: number[];
	data: unknown[];
}

export interface OcrWatcher {
	started: (key: string) => void;
	read: (result: ReadText) => void;
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
	const readScan = async ({ key, url }: Upload): Promise<ReadText> => {
		const image = await fetchImage(url);
		const { data } = await worker.recognize(image).catch((cause: unknown) => {
			watcher.refused(key, "the OCR model cannot read this image");
			throw new BadInput(`${key} is not a readable image.`, { cause });
		});
		const text = data.text.trim();
		const words = text.split(/\s+/).filter((word) => word !== "").length;
		return { key, text, confidence: data.confidence, words };
	};
	const server = await serveWebhooks({
		path: "/v2/models/ocr/infer",
		readable: { "/v2/models/ocr/ready": { name: "ocr", ready: true } },
		async respond({ body }) {
			const upload = uploadIn(body);
			watcher.started(upload.key);
			const result = await readScan(upload);
			watcher.read(result);
			return { status: 200, body: { ...responseTo(body), outputs: outputsOf(result) } };
		},
	});
	return {
		...server,
		close: async () => {
			await server.close();
			await worker.terminate();
		},
	};
}

interface Upload {
	key: string;
	url: string;
}

function uploadIn(request: unknown): Upload {
	const { inputs } = request as { inputs?: Tensor[] };
	const [key, url] = ["key", "url"].map((name) => inputs?.find((input) => input.name === name)?.data[0]);
	if (typeof key === "string" && typeof url === "string") return { key, url };
	throw new BadInput("The inputs key and url must be tensors of one string.");
}

function responseTo(request: unknown) {
	const { id } = request as { id?: string };
	return { model_name: "ocr", model_version: LANGUAGE_VERSION, id };
}

function outputsOf({ text, confidence, words }: ReadText): Tensor[] {
	return [
		{ name: "text", datatype: "BYTES", shape: [1], data: [text] },
		{ name: "confidence", datatype: "FP32", shape: [1], data: [confidence] },
		{ name: "words", datatype: "INT64", shape: [1], data: [words] },
	];
}

async function fetchImage(url: string): Promise<Buffer> {
	const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
	if (!response.ok) throw new Error(`The scan could not be fetched: ${response.status} from ${url}`);
	return Buffer.from(await response.arrayBuffer());
}
