/**
 * The entity model: finds dates, money, people and so on in a text with wink-nlp. Its English model knows the general
 * types; names in business papers are added here as patterns over its word classes. It speaks KServe's V1 protocol.
 */
import model from "wink-eng-lite-web-model";
import winkNLP from "wink-nlp";
import type { CustomEntityExample, Detail } from "wink-nlp";
import { BadInput, serveWebhooks } from "../webhook-server.ts";
import type { WebhookServer } from "../webhook-server.ts";
import { readDocument } from "./document.ts";

interface Pattern extends CustomEntityExample {
	/** First and last token of a match to keep; missing in the package's own types. */
	mark?: [number, number];
}

/** `[A|B]` is one token, given as a literal or as a word class (PROPN: a name). */
const PATTERNS: Pattern[] = [
	{ name: "REFERENCE", patterns: ["[Invoice|Receipt|Note|Report] [PROPN]"], mark: [1, 1] },
	{ name: "PERSON", patterns: ["[Mr|Mrs|Ms|Dr] [PROPN] [PROPN]"] },
	{
		name: "PERSON",
		patterns: ["[Attention|Client|Author] [:] [PROPN] [PROPN]", "Served by [PROPN] [PROPN]"],
		mark: [2, 3],
	},
	{ name: "ORG", patterns: ["[PROPN] [PROPN|VERB|NOUN] [Ltd|GmbH|AG|Inc|Institute|Trust]"] },
	{ name: "PLACE", patterns: ["[,] [PROPN]"], mark: [1, 1] },
];

/** One prediction of the model: the data of a `document.entities` event. */
export interface FoundEntities {
	document: string;
	entities: Detail[];
	sentences: number;
	/** Time spent in the model. */
	ms: number;
}

export async function startEntityModel(predicted: (result: FoundEntities) => void): Promise<WebhookServer> {
	const nlp = winkNLP(model);
	nlp.learnCustomEntities(PATTERNS, { matchValue: true, usePOS: true, useEntity: true });
	// oxlint-disable-next-line typescript/unbound-method -- wink's accessors are plain functions
	const asDetail = nlp.its.detail;

	const predict = (instance: unknown): FoundEntities => {
		const { document, text } = readDocument(instance);
		const startedAt = performance.now();
		const read = nlp.readDoc(text);
		const named = read.customEntities().out(asDetail) as Detail[];
		const general = read.entities().out(asDetail) as Detail[];
		return {
			document,
			entities: [...named, ...general],
			sentences: read.sentences().length(),
			ms: Math.round(performance.now() - startedAt),
		};
	};

	return serveWebhooks({
		path: "/v1/models/entities:predict",
		readable: { "/v1/models/entities": { name: "entities", ready: true } },
		async respond({ body }) {
			const { instances } = body as { instances?: unknown };
			if (!Array.isArray(instances)) throw new BadInput("instances must be a list.");
			const predictions = instances.map(predict);
			for (const prediction of predictions) predicted(prediction);
			return { status: 200, body: { predictions } };
		},
	});
}
