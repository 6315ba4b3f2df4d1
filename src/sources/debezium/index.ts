/**
 * Debezium Server's HTTP sink, or Debezium in Kafka Connect with an HTTP sink behind it: changes of rows as JSON or
 * as CloudEvents, one a request or a list. A refused request stops the capture after a few tries, so every record
 * that is JSON is taken: what is no change of a row becomes `debezium.record`.
 */
import type { CloudEvent } from "../../events/event.ts";
import { readJson } from "../../events/payload.ts";
import { readCloudEvent } from "./cloudevent.ts";
import { outboxEvent } from "./outbox.ts";
import { NO_HEADERS, recordHeaders } from "./record-headers.ts";
import { readRecord } from "./record.ts";
import { debeziumSetup } from "./setup.ts";
import { refuseUnlessJson } from "../reading/json-body.ts";
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
});

function parse({ source, settings, headers, body, now, freshId }: ParseInput<RowSettings>): Parsed {
	const read = refuseUnlessJson({ headers, body }) ?? readJsonRecords(body);
	const { primary_key: primaryKey } = settings;
	// Debezium Server makes one for each record or list, and keeps it while it tries again.
	const requestId = idFromHeader(headers, "webhook-id") ?? freshId;
	const common = { sourceName: source.name, primaryKey, now };
	if (!read.ok) {
		// What an application puts into its outbox can be any JSON.
		const json = read.code === "invalid_payload" ? readJson(body) : read;
		const context = { ...common, place: requestId, headers: recordHeaders(headers) };
		const event = json.ok ? outboxEvent(json.text, context) : null;
		return event === null ? read : { ok: true, events: [event], batch: false };
	}
	const alone = read.isList ? NO_HEADERS : recordHeaders(headers);
	const events: CloudEvent[] = [];
	for (const [index, record] of read.records.entries()) {
		if (Object.hasOwn(record.value, "specversion")) {
			const cloudEvent = readCloudEvent(record, primaryKey, read.isList ? `[${index}]` : "");
			if (!cloudEvent.ok) return cloudEvent;
			events.push(cloudEvent.event);
		} else {
			const place = `${requestId}[${index}]`;
			const event = readRecord(record, { ...common, place, headers: alone });
			if (event !== null) events.push(event);
		}
	}
	if (events.length > 0) return { ok: true, events, batch: read.isList };
	return { ok: true, events, batch: read.isList, reply: { status: 200, body: { ids: [] } } };
}

/** An insert into PostgreSQL, as the connector describes it. */
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
