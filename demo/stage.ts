/**
 * Starts the router, models, application and bucket on loopback, registers them through the router's API, and reports
 * their progress to the journeys.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "./api.ts";
import type { Api } from "./api.ts";
import { startApplication } from "./app.ts";
import { openBucket } from "./bucket.ts";
import type { Bucket, StoredObject } from "./bucket.ts";
import { within } from "./deadline.ts";
import type { Journeys } from "./journey.ts";
import { startEntityModel } from "./models/entities.ts";
import { startOcrModel } from "./models/ocr.ts";
import { startSentimentModel } from "./models/sentiment.ts";
import { publishUpload } from "./publisher.ts";
import type { PublisherAccess } from "./publisher.ts";
import { startDemoRouter } from "./router.ts";
import type { DemoRouter } from "./router.ts";
import type { Screen } from "./screen.ts";
import { readyModels, registerAll } from "./setup.ts";

const MODEL_LOAD_SECONDS = 60;

export interface Stage {
	router: DemoRouter;
	api: Api;
	bucket: Bucket;
	/** The number of requests with a valid signature, for the models and the application. */
	verifiedCount: () => number;
}

/** `cleanup` stops everything started here, even if a later part fails. `folder` is for the state and the bucket. */
export async function setStage(
	{ port, folder }: { port: number; folder: string },
	{ screen, journeys, cleanup }: { screen: Screen; journeys: Journeys; cleanup: AsyncDisposableStack },
): Promise<Stage> {
	const router = await screen.step(
		"router",
		() => startDemoRouter(port, join(folder, "state")),
		({ url }) => `${url}  wrangler dev: Queue, D1, KV, Durable Objects`,
	);
	cleanup.defer(() => router.stop());
	const ocr = await screen.step(
		"OCR model",
		() => startOcr(journeys),
		({ url }) => `${url}  tesseract.js; protocol open-inference`,
	);
	cleanup.defer(ocr.close);
	const entities = await screen.step(
		"entity model",
		() => startEntities(journeys),
		({ url }) => `${url}  wink-nlp; protocol kserve-v1`,
	);
	cleanup.defer(entities.close);
	const sentiment = await screen.step(
		"sentiment",
		() => startSentiment(journeys),
		({ url }) => `${url}  wink-sentiment; 202, then a callback`,
	);
	cleanup.defer(sentiment.close);
	const inbox = await screen.step(
		"application",
		() => startInbox(journeys),
		({ url }) => `${url}  receives the output of both models`,
	);
	cleanup.defer(inbox.close);

	const api = connect(router.url, router.token);
	const urls = { ocr: ocr.url, entities: entities.url, sentiment: sentiment.url, inbox: inbox.url };
	const registered = await screen.step(
		"registered",
		() => registerAll(api, urls),
		() => "1 source, 4 endpoints, 4 subscriptions, through the HTTP API",
	);
	const { signingSecrets } = registered;
	ocr.trust(signingSecrets.ocr);
	entities.trust(signingSecrets.entities);
	sentiment.trust(signingSecrets.sentiment);
	inbox.trust(signingSecrets.inbox);
	await screen.step(
		"ready",
		() => readyModels(api),
		(names) => `${names.join(" and ")}, asked through the router, each in its protocol`,
	);

	const bucketFolder = join(folder, "bucket");
	await mkdir(bucketFolder);
	const bucket = await openBucket(
		bucketFolder,
		(object) => void publish(registered.publisher, object, journeys),
	);
	cleanup.defer(bucket.close);
	const servers = [ocr, entities, sentiment, inbox];
	return {
		router,
		api,
		bucket,
		verifiedCount: () => servers.reduce((sum, server) => sum + server.verifiedCount(), 0),
	};
}

async function startOcr(journeys: Journeys) {
	const server = startOcrModel({
		started: (key) => journeys.reach(key, "reading"),
		read: ({ key, words }) => journeys.reach(key, "text", `${words} words`),
		refused: journeys.fail,
	});
	return within(MODEL_LOAD_SECONDS, "Loading the OCR model", server);
}

async function startEntities(journeys: Journeys) {
	const server = startEntityModel(({ document, entities }) => {
		journeys.reach(document, "entities", `${entities.length} found`);
	});
	return within(MODEL_LOAD_SECONDS, "Loading the entity model", server);
}

async function startSentiment(journeys: Journeys) {
	return startSentimentModel({
		judged: ({ document, sentiment }) => journeys.reach(document, "sentiment", sentiment),
		failed: journeys.fail,
	});
}

async function startInbox(journeys: Journeys) {
	return startApplication((event) => {
		const journey = journeys.all().find(({ key }) => key === event.data.document);
		if (journey === undefined) return;
		if (event.type === "document.entities") journey.found = event.data;
		else journey.sentiment = event.data;
		if (journey.found && journey.sentiment) journeys.reach(journey.key, "received");
	});
}

async function publish(access: PublisherAccess, object: StoredObject, journeys: Journeys): Promise<void> {
	const journey = journeys.begin(object.key, object.size);
	try {
		journey.eventId = await publishUpload(access, object);
		journeys.reach(object.key, "accepted");
	} catch (error) {
		journeys.fail(object.key, error instanceof Error ? error.message : String(error));
	}
}
