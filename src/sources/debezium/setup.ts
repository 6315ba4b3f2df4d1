/** How Debezium is made to send: the configuration of Debezium Server, or of a sink in Kafka Connect. */
import type { Setup, SetupStep, SetupTarget, SetupVariant } from "../kind.ts";
import { setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

/**
 * Debezium Server signs by Standard Webhooks and can set no fixed header; the sinks of Kafka Connect set headers
 * and cannot sign. A token in the URL works for both.
 */
export function debeziumSetup(target: SetupTarget): Setup {
	const { type } = target.source.auth;
	const isUrlEnough = type === "url_token" || type === "none";
	const variants: SetupVariant[] = [];
	if (isUrlEnough || type === "standard_webhooks") variants.push(debeziumServer(target));
	const proof = staticProof(target.source.auth, target.secret);
	if (proof !== null) variants.push(kafkaConnect(target, proof.headers));
	if (variants.length > 0) return { variants };
	return setupAfterAuthChange(target, {
		auth: { type: "standard_webhooks" },
		secret: "whsec_<32 BYTES IN BASE64>",
	});
}

/** https://debezium.io/documentation/reference/stable/operations/debezium-server.html, "HTTP Client". */
function debeziumServer({ source, url, secret }: SetupTarget): SetupVariant {
	const slot = slotName(source.name);
	const isSigned = source.auth.type === "standard_webhooks";
	const code = [
		"debezium.sink.type=http",
		`debezium.sink.http.url=${url}`,
		"debezium.sink.http.timeout.ms=10000",
		"# When the tries are used up the capture stops; this waits a day.",
		"debezium.sink.http.retries=86400",
		"debezium.sink.http.retry.interval.ms=1000",
		...(isSigned
			? [
					"debezium.sink.http.authentication.type=standard-webhooks",
					`debezium.sink.http.authentication.webhook.secret=${secret}`,
				]
			: []),
		"# json or cloudevents",
		"debezium.format.value=json",
		"debezium.format.value.schemas.enable=false",
		"",
		"# The database; for others than PostgreSQL see the page of the connector.",
		"debezium.source.connector.class=io.debezium.connector.postgresql.PostgresConnector",
		"debezium.source.plugin.name=pgoutput",
		`debezium.source.topic.prefix=${slot}`,
		`debezium.source.slot.name=${slot}`,
		`debezium.source.publication.name=${slot}`,
		"debezium.source.publication.autocreate.mode=filtered",
		"debezium.source.table.include.list=public.documents",
		"debezium.source.tombstones.on.delete=false",
		"debezium.source.database.hostname=localhost",
		"debezium.source.database.port=5432",
		"debezium.source.database.user=postgres",
		"debezium.source.database.password=<DATABASE PASSWORD>",
		"debezium.source.database.dbname=postgres",
		"debezium.source.offset.storage.file.filename=data/offsets.dat",
		"debezium.source.offset.flush.interval.ms=0",
	].join("\n");
	return {
		name: "debezium-server",
		title: "Debezium Server: no Kafka needed",
		steps: [
			{ title: "Write config/application.properties", language: "properties", code },
			{ title: "Start it", language: "shell", code: "./run.sh" },
		],
		remove: removeSlot(slot),
	};
}

function removeSlot(slot: string): SetupStep {
	const code = [
		`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${slot}';`,
		`drop publication if exists ${slot};`,
	].join("\n");
	return { title: "Stop Debezium, then free what it holds in the database", language: "sql", code };
}

/** https://github.com/Aiven-Open/http-connector-for-apache-kafka, docs/sink-connector-config-options.rst. */
function kafkaConnect({ source, url }: SetupTarget, headers: Readonly<Record<string, string>>): SetupVariant {
	const { Authorization: authorization, ...others } = headers;
	const name = `sluice-${source.name}`;
	const config = {
		"connector.class": "io.aiven.kafka.connect.http.HttpSinkConnector",
		"topics.regex": `${slotName(source.name)}\\..*`,
		"http.url": url,
		"http.authorization.type": authorization === undefined ? "none" : "static",
		...(authorization !== undefined && { "http.headers.authorization": authorization }),
		...(Object.keys(others).length > 0 && {
			"http.headers.additional": Object.entries(others)
				.map(([header, value]) => `${header}:${value}`)
				.join(","),
		}),
		"http.headers.content.type": "application/json",
		"max.retries": "86400",
		"retry.backoff.ms": "1000",
		"key.converter": "org.apache.kafka.connect.storage.StringConverter",
		"value.converter": "org.apache.kafka.connect.storage.StringConverter",
		// The sink ends at a record without a value, and Debezium writes one behind every delete.
		transforms: "noTombstones",
		"transforms.noTombstones.type": "org.apache.kafka.connect.transforms.Filter",
		"transforms.noTombstones.predicate": "isTombstone",
		predicates: "isTombstone",
		"predicates.isTombstone.type": "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
	};
	const connector = `http://localhost:8083/connectors/${name}`;
	const create = [
		`curl -X PUT '${connector}/config' -H 'content-type: application/json' --data-binary @- <<'JSON'`,
		JSON.stringify(config, null, 2),
		"JSON",
	].join("\n");
	return {
		name: "kafka-connect",
		title: "Debezium in Kafka Connect, with Aiven's HTTP sink behind it",
		steps: [{ title: "Make the sink; the topics are those of Debezium", language: "shell", code: create }],
		remove: { title: "Delete the sink", language: "shell", code: `curl -X DELETE '${connector}'` },
	};
}

/** PostgreSQL, "Querying and manipulating replication slots": lower-case letters, digits, underscores; 63 bytes. */
function slotName(sourceName: string): string {
	return `sluice_${sourceName.toLowerCase().replaceAll(/[^a-z0-9]/g, "_")}`.slice(0, 63);
}
