/** Converts a Google Cloud Pub/Sub message, wrapped or unwrapped, to an event. Pure. */
import { checkAttributes } from "../../events/cloudevents/attributes.ts";
import type { Attributes, CloudEvent } from "../../events/event.ts";
import { isMediaType } from "../../events/cloudevents/media-type.ts";
import { guessContentType, readPayload } from "../../events/payload.ts";
import { sourcePath, timeFrom, usableText } from "./attribute-values.ts";
import type { ParseInput } from "../kind.ts";

export interface PubsubMessage {
	/** In a form that can be an attribute. */
	id: string;
	publishTime: string | undefined;
	orderingKey: string | undefined;
	/** `projects/{project}/subscriptions/{name}` */
	subscription: string | undefined;
	/** By name in lower case, because headers lose their case. */
	attributes: ReadonlyMap<string, string>;
	data: Uint8Array;
}

/**
 * Maps the attribute `eventType` of Cloud Storage (https://cloud.google.com/storage/docs/pubsub-notifications) to
 * CloudEvents types (https://github.com/googleapis/google-cloudevents).
 */
const STORAGE_TYPES: Readonly<Record<string, string>> = {
	OBJECT_FINALIZE: "finalized",
	OBJECT_DELETE: "deleted",
	OBJECT_ARCHIVE: "archived",
	OBJECT_METADATA_UPDATE: "metadataUpdated",
};

export function messageToEvent(message: PubsubMessage, { source, now }: ParseInput): CloudEvent {
	const { contentType, data } = readData(message);
	const own = cloudEventAttributes(message, contentType);
	if (own !== null) return { attributes: own, data };
	const { source: from, type, subject, time } = storageAttributes(message) ?? plainAttributes(message);
	return {
		attributes: {
			id: message.id,
			source: from ?? sourcePath("sources", source.name),
			type,
			...(subject !== undefined && { subject }),
			time: time ?? timeFrom(message.publishTime) ?? new Date(now).toISOString(),
			...(contentType !== undefined && { datacontenttype: contentType }),
		},
		data,
	};
}

/** Publishers rarely set a content type, and it may be wrong. In both cases the type is guessed. */
function readData({ attributes, data }: PubsubMessage): {
	contentType: string | undefined;
	data: CloudEvent["data"];
} {
	if (data.byteLength === 0) return { contentType: undefined, data: null };
	const said = attributes.get("content-type") ?? attributes.get("ce-datacontenttype");
	const types = [...(said !== undefined && isMediaType(said) ? [said] : []), guessContentType(data)];
	for (const contentType of types) {
		const payload = readPayload(data, contentType);
		if (payload.ok) return { contentType, data: payload.data };
	}
	throw new Error("a guessed content type must always fit");
}

/** CloudEvents binding for Pub/Sub: attributes with the prefix `ce-`. Returns null if they are invalid. */
function cloudEventAttributes(
	{ attributes }: PubsubMessage,
	contentType: string | undefined,
): Attributes | null {
	const raw = [...attributes].flatMap(([name, value]) =>
		name.startsWith("ce-") && name !== "ce-datacontenttype"
			? [[name.slice("ce-".length), value] as const]
			: [],
	);
	const checked = checkAttributes([...raw, ["datacontenttype", contentType]]);
	return checked.ok ? checked.attributes : null;
}

interface Named {
	source: string | undefined;
	type: string;
	subject: string | undefined;
	time: string | undefined;
}

/** Returns null if it is not a Cloud Storage notification. */
function storageAttributes({ attributes }: PubsubMessage): Named | null {
	const eventType = attributes.get("eventtype") ?? "";
	const bucket = usableText(attributes.get("bucketid"));
	const object = attributes.get("objectid");
	if (bucket === undefined || object === undefined || !Object.hasOwn(STORAGE_TYPES, eventType)) return null;
	return {
		source: `//storage.googleapis.com${sourcePath("projects", "_", "buckets", bucket)}`,
		type: `google.cloud.storage.object.v1.${STORAGE_TYPES[eventType]}`,
		subject: usableText(`objects/${object}`),
		time: timeFrom(attributes.get("eventtime")),
	};
}

function plainAttributes({ subscription, orderingKey }: PubsubMessage): Named {
	const parts = subscription?.split("/") ?? [];
	return {
		source: parts.length === 0 ? undefined : `//pubsub.googleapis.com${sourcePath(...parts)}`,
		type: "google.cloud.pubsub.topic.v1.messagePublished",
		subject: usableText(orderingKey),
		time: undefined,
	};
}
