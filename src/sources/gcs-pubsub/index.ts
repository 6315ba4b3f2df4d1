/**
 * Google Cloud Pub/Sub push, for notifications of Cloud Storage and any other message: wrapped in JSON, or
 * unwrapped with its metadata as headers (https://cloud.google.com/pubsub/docs/push and …/payload-unwrapping).
 * A message whose attributes are those of a CloudEvent is that CloudEvent.
 */
import { isExactHeader } from "../../events/cloudevents/header-value.ts";
import { refuse } from "../../http/refusal.ts";
import { gcsPubsubSetup } from "./setup.ts";
import { isObject, readJsonRequest, valueAt } from "../reading/json-body.ts";
import { type Parsed, type ParseInput, type Sample, defineKind, noSettings } from "../kind.ts";
import { idFrom, idFromHeader } from "../reading/publisher-id.ts";
import { type PubsubMessage, messageToEvent } from "../reading/pubsub-message.ts";

const METADATA = "x-goog-pubsub-";

export const gcsPubsub = defineKind({
	settings: noSettings,
	defaultAuth: { type: "url_token" },
	parse: async (input) => parse(input),
	setup: gcsPubsubSetup,
	sample,
});

function parse(input: ParseInput): Parsed {
	const isUnwrapped = input.headers.has(`${METADATA}message-id`);
	const read = isUnwrapped ? readUnwrapped(input) : readWrapped(input);
	if (!read.ok) return read;
	const event = messageToEvent(read.message, input);
	return { ok: true, events: [event], batch: false };
}

type ReadMessage = { ok: true; message: PubsubMessage } | Extract<Parsed, { ok: false }>;

/** `{message: {data, attributes, messageId, publishTime, orderingKey}, subscription}` */
function readWrapped({ headers, body }: ParseInput): ReadMessage {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const at = (name: string) => stringOf(valueAt(json, "message", name));
	const id = idFrom(at("messageId"));
	if (id === undefined) {
		const message =
			'"message.messageId" must be a text. If the subscription unwraps messages, let it write their metadata.';
		return refuse(400, "invalid_payload", message, "message.messageId");
	}
	const data = valueAt(json, "message", "data") ?? "";
	if (typeof data !== "string" || !isBase64(data)) {
		return refuse(400, "invalid_payload", '"message.data" must be base64.', "message.data");
	}
	const attributes = valueAt(json, "message", "attributes");
	return {
		ok: true,
		message: {
			id,
			publishTime: at("publishTime"),
			orderingKey: at("orderingKey"),
			subscription: stringOf(valueAt(json, "subscription")),
			attributes: new Map(
				Object.entries(isObject(attributes) ? attributes : {}).flatMap(([name, value]) =>
					typeof value === "string" ? [[name.toLowerCase(), value] as const] : [],
				),
			),
			data: Buffer.from(data, "base64"),
		},
	};
}

/**
 * The body is the data; headers that are not metadata may be attributes. If a part of a CloudEvent is not UTF-8, the
 * message is not treated as one, because its id could equal another's.
 */
function readUnwrapped({ headers, body, freshId }: ParseInput): ReadMessage {
	const at = (name: string) => headers.get(`${METADATA}${name}`) ?? undefined;
	return {
		ok: true,
		message: {
			id: idFromHeader(headers, `${METADATA}message-id`) ?? freshId,
			publishTime: at("publish-time"),
			orderingKey: at("ordering-key"),
			subscription: at("subscription-name"),
			attributes: new Map(
				[...headers].filter(([name, value]) => !name.startsWith("ce-") || isExactHeader(value)),
			),
			data: body,
		},
	};
}

function stringOf(value: unknown): string | undefined {
	return typeof value === "string" ? value : undefined;
}

function isBase64(text: string): boolean {
	return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** A new object, as Cloud Storage reports it with `--payload-format=json`. */
function sample(now: number): Sample {
	const time = new Date(now).toISOString();
	const generation = String(now * 1000);
	const object = {
		kind: "storage#object",
		id: `scans/inbox/red flower.jpg/${generation}`,
		name: "inbox/red flower.jpg",
		bucket: "scans",
		generation,
		metageneration: "1",
		contentType: "image/jpeg",
		timeCreated: time,
		updated: time,
		storageClass: "STANDARD",
		size: "482133",
		md5Hash: "rL0Y20zC+Fzt72VPzMSk2A==",
		crc32c: "R8+7Eg==",
		etag: "CPjS1tKO1IoDEAE=",
	};
	const message = {
		attributes: {
			bucketId: "scans",
			eventTime: time,
			eventType: "OBJECT_FINALIZE",
			notificationConfig: "projects/_/buckets/scans/notificationConfigs/1",
			objectGeneration: generation,
			objectId: object.name,
			payloadFormat: "JSON_API_V1",
		},
		data: Buffer.from(JSON.stringify(object, null, 2)).toString("base64"),
		messageId: generation,
		message_id: generation,
		publishTime: time,
		publish_time: time,
	};
	const body = { message, subscription: "projects/app/subscriptions/sluice" };
	return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
