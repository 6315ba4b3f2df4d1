/**
 * Debezium Server's HTTP sink, or Debezium in Kafka Connect followed by an HTTP sink: row changes as JSON or as
 * CloudEvents, one per request or in a list. A refused request stops the capture after a few retries, so every JSON
 * record is accepted: records that are not row changes become `debezium.record`, and records that are too large become a
 * small event that reports this.
 */
import type { CloudEvent } from "../../events/event.ts";
import { readJson } from "../../events/payload.ts";
import { readCloudEvent } from "./cloudevent.ts";
import { outboxEvent } from "./outbox.ts";
import { NO_HEADERS, recordHeaders } from "./record-headers.ts";
import { readRecord } from "./record.ts";
import { debeziumSetup } from "./setup.ts";
import { tooLargeEvent, wantedOf } from "./too-large.ts";
import { type JsonObject, refuseUnlessJson } from "../reading/json-body.ts";
import { readJsonRecords } from "../reading/json-records.ts";
import { type Parsed, type ParseInput, type Sample, defineKind } from "../kind.ts";
import { idFromHeader } from "../reading/publisher-id.ts";
import { type RowSettings, rowSettings } from "../reading/row-change.ts";

export const debezium = defineKind({
	defaultAuth: { type: "standard_webhooks" },
	settings: rowSettings,
	parse: async (input) => parse(input),
	setup: debeziumSetup,
	sample,
	large: ({ primary_key: primaryKey }) => wantedOf(primaryKey),
});

function parse({ source, settings, headers, body, now, freshId, part }: ParseInput<RowSettings>): Parsed {
	const read = refuseUnlessJson({ headers, body }) ?? readJsonRecords(body, part?.firstIndex);
	const { primary_key: primaryKey } = settings;
	// Debezium Server creates one per record or list, and keeps it when it retries.
	const requestId = idFromHeader(headers, "webhook-id") ?? freshId;
	const common = { sourceName: source.name, primaryKey, now };
	if (!read.ok) {
		// The payload in an application's outbox can be any JSON.
		const json = read.code === "invalid_payload" ? readJson(body) : read;
		const context = { ...common, place: requestId, headers: recordHeaders(headers) };
		const event = json.ok ? outboxEvent(json.text, context) : null;
		return event === null ? read : { ok: true, events: [event], batch: false };
	}
	const isList = part?.isList ?? read.isList;
	const firstIndex = part?.firstIndex ?? 0;
	const tooLarge = (event: CloudEvent, record: JsonObject) =>
		part?.abridged === undefined ? event : tooLargeEvent(event, record, part.abridged, primaryKey);
	const alone = isList ? NO_HEADERS : recordHeaders(headers);
	const events: CloudEvent[] = [];
	for (const [index, record] of read.records.entries()) {
		if (Object.hasOwn(record.value, "specversion")) {
			const cloudEvent = readCloudEvent(record, primaryKey, isList ? `[${firstIndex + index}]` : "");
			if (!cloudEvent.ok) return cloudEvent;
			events.push(tooLarge(cloudEvent.event, record));
		} else {
			const place = `${requestId}[${firstIndex + index}]`;
			const event = readRecord(record, { ...common, place, headers: alone });
			if (event !== null) events.push(tooLarge(event, record));
		}
	}
	if (events.length > 0) return { ok: true, events, batch: isList };
	return { ok: true, events, batch: isList, reply: { status: 200, body: { ids: [] } } };
}

/** An insert into PostgreSQL, as the connector represents it. */
function sample(now: number): Sample {
	const body = {
		before: null,
		after: { id: 1004, path: "scans/1004.png", status: "new" },
		source: {
			version: "3.3.1.Final",
			connector: "postgresql",
			name: "documents",
			ts_ms: now,
			snapshot: "false",
			db: "app",
			sequence: '["24023119","24023128"]',
			schema: "public",
			table: "documents",
			txId: 555,
			lsn: 24_023_128 + (now % 1_000_000),
			xmin: null,
		},
		transaction: null,
		op: "c",
		ts_ms: now,
	};
	return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
