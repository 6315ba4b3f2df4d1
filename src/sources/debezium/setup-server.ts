/**
 * The set-up of Debezium Server, for row changes or the events of an outbox table.
 * https://debezium.io/documentation/reference/stable/operations/debezium-server.html, "HTTP Client".
 */
import type { SetupStep, SetupTarget, SetupVariant } from "../kind.ts";
import { slotName } from "./slot-name.ts";

/** Every row change of a table, many per request. */
export function debeziumServer(target: SetupTarget): SetupVariant {
	const slot = slotName(target.source.name);
	const properties = [
		...sinkProperties(target),
		"# Many records per request. Debezium Server before 3.6 does not support this and sends them one by one.",
		"debezium.sink.http.batch.enabled=true",
		"debezium.sink.http.batch.max-size=100",
		"",
		...databaseProperties(slot, "public.documents"),
		"debezium.source.tombstones.on.delete=false",
		"# Decimal numbers as text. Otherwise they are sent as bytes and a scale.",
		"debezium.source.decimal.handling.mode=string",
		"# Send a row of a partition as a row of the partitioned table.",
		"debezium.source.publish.via.partition.root=true",
		"# A record above 1 MB arrives as debezium.record.too_large, without its row. To cut a long text column instead:",
		"# debezium.source.column.truncate.to.100000.chars=public.documents.content",
	];
	return {
		name: "debezium-server",
		title: "Debezium Server 3.6 and Java 21: no Kafka needed",
		steps: [
			logicalWal(),
			{
				title:
					"For each table and each partition: send complete old rows, and allow updates in tables without a key",
				language: "sql",
				code: "alter table public.documents replica identity full;",
			},
			...serverSteps(properties),
		],
		remove: removeSlot(slot),
	};
}

/**
 * Events that an application writes into a table, in the transaction that they report. Their type is in headers, which
 * only a request with a single record has.
 */
export function debeziumServerOutbox(target: SetupTarget): SetupVariant {
	const slot = slotName(target.source.name);
	const placement = [
		"type:header:eventType",
		"aggregatetype:header:aggregateType",
		"aggregateid:header:aggregateId",
	];
	const properties = [
		...sinkProperties(target),
		"# Id, type and key of an event are sent as headers, which needs one record per request.",
		"debezium.sink.http.batch.enabled=false",
		"",
		...databaseProperties(slot, "public.outbox"),
		"debezium.source.tombstones.on.delete=false",
		"",
		"debezium.transforms=outbox",
		"debezium.transforms.outbox.type=io.debezium.transforms.outbox.EventRouter",
		`debezium.transforms.outbox.table.fields.additional.placement=${placement.join(",")}`,
		"debezium.transforms.outbox.table.expand.json.payload=true",
	];
	const table = [
		"create table if not exists public.outbox (",
		"  id uuid primary key default gen_random_uuid(),",
		"  aggregatetype text not null,",
		"  aggregateid text not null,",
		"  type text not null,",
		"  payload jsonb not null",
		");",
	].join("\n");
	return {
		name: "debezium-server-outbox",
		title: "The same for an outbox table. Its id, type and key become those of the event",
		steps: [
			logicalWal(),
			{
				title: "Create the table. Rows may be deleted as soon as they are inserted",
				language: "sql",
				code: table,
			},
			...serverSteps(properties),
		],
		remove: removeSlot(slot),
	};
}

function logicalWal(): SetupStep {
	const code = [
		"alter system set wal_level = logical;",
		"-- Restart PostgreSQL unless this shows logical:",
		"show wal_level;",
	].join("\n");
	return {
		title: "Enable logical replication in PostgreSQL. Hosted databases have a setting for it",
		language: "sql",
		code,
	};
}

function serverSteps(properties: readonly string[]): SetupStep[] {
	return [
		{
			title:
				"In the folder of Debezium Server: create the folder for offsets. Without it every restart reads everything again",
			language: "shell",
			code: "java -version   # 21 or newer\nmkdir -p config data",
		},
		{ title: "Write config/application.properties", language: "properties", code: properties.join("\n") },
		{ title: "Start it", language: "shell", code: "./run.sh" },
	];
}

function sinkProperties({ source, url, secret }: SetupTarget): string[] {
	return [
		"debezium.sink.type=http",
		`debezium.sink.http.url=${url}`,
		"debezium.sink.http.timeout.ms=60000",
		"# The capture stops when all retries have failed. This setting retries for a day.",
		"debezium.sink.http.retries=86400",
		"debezium.sink.http.retry.interval.ms=1000",
		...(source.auth.type === "standard_webhooks"
			? [
					"debezium.sink.http.authentication.type=standard-webhooks",
					`debezium.sink.http.authentication.webhook.secret=${secret}`,
				]
			: []),
		"# json or cloudevents",
		"debezium.format.value=json",
		"debezium.format.value.schemas.enable=false",
	];
}

function databaseProperties(slot: string, table: string): string[] {
	return [
		"# The database. For databases other than PostgreSQL, see the documentation of the connector.",
		"debezium.source.connector.class=io.debezium.connector.postgresql.PostgresConnector",
		"debezium.source.plugin.name=pgoutput",
		`debezium.source.topic.prefix=${slot}`,
		`debezium.source.slot.name=${slot}`,
		`debezium.source.publication.name=${slot}`,
		"debezium.source.publication.autocreate.mode=filtered",
		`debezium.source.table.include.list=${table}`,
		"debezium.source.database.hostname=localhost",
		"debezium.source.database.port=5432",
		"debezium.source.database.user=postgres",
		"debezium.source.database.password=<DATABASE PASSWORD>",
		"debezium.source.database.dbname=postgres",
		"debezium.source.offset.storage.file.filename=data/offsets.dat",
		"debezium.source.offset.flush.interval.ms=0",
	];
}

function removeSlot(slot: string): SetupStep {
	const code = [
		`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${slot}';`,
		`drop publication if exists ${slot};`,
	].join("\n");
	return { title: "Stop Debezium, then drop its replication slot and publication", language: "sql", code };
}
