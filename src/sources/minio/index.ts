/**
 * MinIO's webhook target, and other stores that post S3 records, with or without the members `EventName` and `Key` around
 * them. Events get the same types as from S3.
 * https://docs.min.io/community/minio-object-store/administration/monitoring/publish-events-to-webhook.html
 */
import { type CloudEvent, MAX_BATCH_EVENTS } from "../../events/event.ts";
import { refuse } from "../../http/refusal.ts";
import { refuseUnlessJson } from "../reading/json-body.ts";
import { readJsonRecords } from "../reading/json-records.ts";
import { type ParseInput, type Parsed, type Sample, defineKind, noSettings } from "../kind.ts";
import { readS3Notification, s3RecordSample } from "../reading/s3-records.ts";
import { minioSetup } from "./setup.ts";

export const minio = defineKind({
	settings: noSettings,
	defaultAuth: { type: "bearer" },
	parse: async (input) => parse(input),
	setup: minioSetup,
	sample,
});

/** A request has one notification with one record. Lists are supported too, although no store sends them yet. */
function parse({ headers, body }: ParseInput): Parsed {
	const read = refuseUnlessJson({ headers, body }) ?? readJsonRecords(body);
	if (!read.ok) return read;
	const events: CloudEvent[] = [];
	for (const [index, { text }] of read.records.entries()) {
		const found = readS3Notification(text);
		if (found === null) {
			const path = read.isList ? `[${index}].Records` : "Records";
			return refuse(400, "invalid_payload", `"${path}" must be a list of S3 records.`, path);
		}
		events.push(...found);
	}
	if (events.length > MAX_BATCH_EVENTS) {
		return refuse(413, "too_many_events", `A request may contain at most ${MAX_BATCH_EVENTS} events.`);
	}
	const batch = events.length > 1;
	// S3's test message, which some stores send too.
	if (events.length === 0) return { ok: true, events, batch, reply: { status: 200, body: null } };
	return { ok: true, events, batch };
}

/** The record of a new object. Unlike S3, MinIO has no region unless one is configured. */
function sample(now: number): Sample {
	const record = {
		...s3RecordSample(now),
		eventVersion: "2.0",
		eventSource: "minio:s3",
		awsRegion: "",
		eventName: "s3:ObjectCreated:Put",
	};
	const body = { EventName: record.eventName, Key: "scans/2026/red flower.jpg", Records: [record] };
	return {
		headers: { "content-type": "application/json", "user-agent": "Go-http-client/1.1" },
		body: JSON.stringify(body),
	};
}
