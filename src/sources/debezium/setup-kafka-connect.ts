/** The set-up of a Kafka Connect sink that sends Debezium's records from Kafka to the router. */
import type { SetupTarget, SetupVariant } from "../kind.ts";
import { slotName } from "./slot-name.ts";

/** https://github.com/Aiven-Open/http-connector-for-apache-kafka, docs/sink-connector-config-options.rst. */
export function kafkaConnect(
	{ source, url }: SetupTarget,
	headers: Readonly<Record<string, string>>,
): SetupVariant {
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
		// The sink stops at a record without a value, and Debezium writes one after every delete.
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
		title: "Debezium in Kafka Connect, followed by Aiven's HTTP sink",
		steps: [
			{
				title: "Create the sink. Replace the topics with those of your Debezium connector",
				language: "shell",
				code: create,
			},
		],
		remove: { title: "Delete the sink", language: "shell", code: `curl -X DELETE '${connector}'` },
	};
}
