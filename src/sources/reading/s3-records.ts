/**
 * S3 event notifications (MinIO uses the same format), received by SNS, SQS or webhook. One event per record.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
import { type CloudEvent, MAX_BATCH_EVENTS } from "../../events/event.ts";
import { parseJson } from "../../events/json/parse.ts";
import { elementTexts, memberTexts } from "../../events/json/text.ts";
import { timeFrom, usableText } from "./attribute-values.ts";
import { contentHash } from "./content-hash.ts";
import { isObject, type JsonObject, valueAt } from "./json-body.ts";
import { idFrom } from "./publisher-id.ts";

/**
 * Returns the events of a notification; none for the `s3:TestEvent` that S3 sends when notifications are enabled.
 * Returns null if `text` is not an S3 notification.
 */
export function readS3Notification(text: string): CloudEvent[] | null {
	const parsed = parseJson(text);
	if (!parsed.ok || !isObject(parsed.value)) return null;
	if (parsed.value["Event"] === "s3:TestEvent") return [];
	const records = parsed.value["Records"];
	if (!Array.isArray(records) || records.length === 0 || records.length > MAX_BATCH_EVENTS) return null;
	const texts = elementTexts(memberTexts(text).get("Records") ?? "[]");
	const events: CloudEvent[] = [];
	for (const [index, value] of records.entries()) {
		const event = isObject(value) ? toEvent({ value, text: texts[index] ?? "" }) : null;
		if (event === null) return null;
		events.push(event);
	}
	return events;
}

/** Returns null if the record lacks a required field. */
function toEvent(record: JsonObject): CloudEvent | null {
	// MinIO writes "s3:ObjectCreated:Put"; S3 uses the prefix only in the configuration.
	const name = usableText(valueAt(record, "eventName"))?.replace(/^s3:/, "");
	const bucket = usableText(valueAt(record, "s3", "bucket", "name"));
	const key = valueAt(record, "s3", "object", "key");
	if (name === undefined || bucket === undefined || typeof key !== "string") return null;
	const subject = usableText(decodeKey(key));
	const time = timeFrom(valueAt(record, "eventTime"));
	return {
		attributes: {
			id: idOf(record, key),
			source: sourceOf(usableText(valueAt(record, "awsRegion")), bucket),
			type: `com.amazonaws.s3.${name}`,
			...(subject !== undefined && { subject }),
			...(time !== undefined && { time }),
			datacontenttype: "application/json",
		},
		data: { kind: "json", text: record.text },
	};
}

/** As in the CloudEvents adapter for S3. MinIO has no region unless one is configured. */
function sourceOf(region: string | undefined, bucket: string): string {
	const parts = [region, bucket].filter((part) => part !== undefined);
	return `aws:s3.${parts.map((part) => encodeURIComponent(part.toWellFormed())).join(".")}`;
}

/**
 * The CloudEvents adapter's `{x-amz-request-id}.{x-amz-id-2}` is the same for all records of one request, for example a
 * bulk deletion, so key and sequencer are added.
 */
function idOf(record: JsonObject, key: string): string {
	const requestId = valueAt(record, "responseElements", "x-amz-request-id");
	const extendedId = valueAt(record, "responseElements", "x-amz-id-2");
	// Without a sequencer, the version distinguishes several operations on one object in one request.
	const sequencer =
		idFrom(valueAt(record, "s3", "object", "sequencer")) ?? valueAt(record, "s3", "object", "versionId");
	if (typeof requestId !== "string" || requestId === "") return contentHash(record.text);
	const texts = [requestId, extendedId, key, sequencer].map((part) => (typeof part === "string" ? part : ""));
	const id = texts.join(".");
	// The longest keys would make an id that is too long for a header.
	return usableText(id) ?? contentHash(...texts);
}

/** Decodes a form-encoded key: `red+flower.jpg`. Returns undefined if the result is not UTF-8. */
function decodeKey(key: string): string | undefined {
	try {
		return decodeURIComponent(key.replaceAll("+", " "));
	} catch {
		return undefined;
	}
}

/** A sample record, as in the S3 user guide. */
export function s3RecordSample(now: number): object {
	return {
		eventVersion: "2.1",
		eventSource: "aws:s3",
		awsRegion: "eu-central-1",
		eventTime: new Date(now).toISOString(),
		eventName: "ObjectCreated:Put",
		userIdentity: { principalId: "AIDAJDPLRKLG7UEXAMPLE" },
		requestParameters: { sourceIPAddress: "198.51.100.7" },
		responseElements: {
			"x-amz-request-id": "C3D13FE58DE4C810",
			"x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
		},
		s3: {
			s3SchemaVersion: "1.0",
			configurationId: "sluice",
			bucket: {
				name: "scans",
				ownerIdentity: { principalId: "A3NL1KOZZKExample" },
				arn: "arn:aws:s3:::scans",
			},
			object: {
				key: "2026/red+flower.jpg",
				size: 1024,
				eTag: "d41d8cd98f00b204e9800998ecf8427e",
				// S3's write counter: increasing, in hexadecimal.
				sequencer: now.toString(16).toUpperCase().padStart(18, "0"),
			},
		},
	};
}
