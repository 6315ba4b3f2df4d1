/**
 * Sequin's webhook sink: changes captured from PostgreSQL's log, one message per request or `{"data": [...]}`
 * (https://sequinstream.com/docs/reference/messages). A batch is accepted completely or not at all.
 */
import { type CloudEvent, MAX_BATCH_EVENTS } from "../../events/event.ts";
import { elementTexts, memberTexts } from "../../events/json/text.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { refuseStructure } from "../../events/json/structure.ts";
import { idAt, isObject, type JsonObject, readJsonRequest, valueAt } from "../reading/json-body.ts";
import {
	type ParseInput,
	type Parsed,
	type Sample,
	type Setup,
	type SetupTarget,
	defineKind,
} from "../kind.ts";
import { type RowLayout, type RowSettings, readRowChange, rowSettings } from "../reading/row-change.ts";
import { setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

const LAYOUT: RowLayout = {
	operation: ["action"],
	operations: { insert: "insert", update: "update", delete: "delete", read: "read" },
	schema: ["metadata", "table_schema"],
	table: ["metadata", "table_name"],
	rows: [["record"]],
};

export const sequin = defineKind({
	defaultAuth: { type: "bearer" },
	settings: rowSettings,
	parse,
	setup,
	sample,
});

async function parse(input: ParseInput<RowSettings>): Promise<Parsed> {
	const read = readJsonRequest(input);
	if (!read.ok) return read;
	const { json } = read;
	const list = valueAt(json, "data");
	if (Array.isArray(list)) return readBatch(json, list, input);
	const event = readMessage(json, "", input);
	return event.ok ? { ok: true, events: [event.event], batch: false } : event;
}

function readBatch({ text }: JsonObject, values: readonly unknown[], input: ParseInput<RowSettings>): Parsed {
	if (values.length > MAX_BATCH_EVENTS) {
		const message = `A request may contain at most ${MAX_BATCH_EVENTS} events, but has ${values.length}.`;
		return refuse(413, "too_many_events", message);
	}
	const texts = elementTexts(memberTexts(text).get("data") ?? "[]");
	const events: CloudEvent[] = [];
	for (const [index, value] of values.entries()) {
		const path = `data[${index}]`;
		if (!isObject(value)) return refuse(400, "invalid_payload", `"${path}" must be a JSON object.`, path);
		const element = { text: texts[index] ?? "", value };
		const wrong = refuseStructure(element.text);
		if (wrong !== null) return wrong;
		const event = readMessage(element, `${path}.`, input);
		if (!event.ok) return event;
		events.push(event.event);
	}
	return { ok: true, events, batch: true };
}

/** `at` is the prefix of the path in a refusal. */
function readMessage(
	json: JsonObject,
	at: string,
	{ source, settings, now }: ParseInput<RowSettings>,
): { ok: true; event: CloudEvent } | Refusal {
	const change = readRowChange(json, LAYOUT, settings.primary_key, at);
	if (!change.ok) return change;
	const attributes = {
		id: idAt(json, "metadata", "idempotency_key") ?? contentHash(json.text),
		source: sourcePath("sequin", source.name),
		type: change.type,
		subject: change.subject,
		time: timeFrom(valueAt(json, "metadata", "commit_timestamp")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, event: { attributes, data: { kind: "json", text: json.text } } };
}

function setup(target: SetupTarget): Setup {
	const { source, url, secret } = target;
	const proof = staticProof(source.auth, secret);
	if (proof === null) return setupAfterAuthChange(target, { auth: { type: "bearer" } });
	const headers = Object.entries(proof.headers);
	const entries = headers.map(([key, value]) => `\n      - key: "${key}"\n        value: "${value}"`);
	const headerYaml = entries.length === 0 ? "" : `\n    encrypted_headers:${entries.join("")}`;
	const yaml = `http_endpoints:
  - name: "sluice"
    url: "${url}"${headerYaml}

sinks:
  - name: "sluice-documents"
    database: "DATABASE"
    source:
      include_tables:
        - "public.documents"
    batch_size: 100
    destination:
      type: "webhook"
      http_endpoint: "sluice"
      batch: true`;
	const console = [
		"HTTP Endpoints → Create HTTP endpoint",
		`URL:                ${url}`,
		...headers.map(([key, value]) => `Encrypted header:   ${key}: ${value}`),
		"No header content-encoding: requests compressed with gzip are refused.",
		"",
		"Sinks → Create sink → Webhook",
		"Choose the table and the endpoint. Leave transform, routing and enrichment empty.",
	];
	return {
		variants: [
			{
				name: "yaml",
				title: "sequin.yaml and the Sequin CLI; no content-encoding header, because gzip is refused",
				steps: [
					{ title: "Add to sequin.yaml", language: "text", code: yaml },
					{ title: "Apply it", language: "shell", code: "sequin config apply sequin.yaml" },
				],
				remove: {
					title: "Remove both entries from sequin.yaml, and delete them in the console",
					language: "text",
					code: "Sinks → sluice-documents → Delete\nHTTP Endpoints → sluice → Delete",
				},
			},
			{
				name: "console",
				title: "By hand",
				steps: [{ title: "Add an endpoint and a sink", language: "text", code: console.join("\n") }],
			},
		],
	};
}

function sample(now: number): Sample {
	const at = new Date(now).toISOString().replace("Z", "000Z");
	const record = `{"id":9007199254740993,"path":"scans/1.png","size":48213}`;
	const names = `"table_schema":"public","table_name":"documents","database_name":"app"`;
	const place = `"commit_timestamp":"${at}","commit_lsn":${now},"commit_idx":0,"idempotency_key":"${btoa(`${now}:0`)}"`;
	const consumer = `"consumer":{"id":"f47ac10b-58cc-4372-a567-0e02b2c3d479","name":"sluice-documents","annotations":{}}`;
	return {
		headers: { "content-type": "application/json", "user-agent": "sequin/0.14.5" },
		body: `{"data":[{"record":${record},"changes":null,"action":"insert","metadata":{${names},${place},${consumer}}}]}`,
	};
}
