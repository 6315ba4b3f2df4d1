/** Hasura event triggers (https://hasura.io/docs/2.0/event-triggers/payload/). Retries have the same id. */
import { contentHash } from "../reading/content-hash.ts";
import { sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { idAt, readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
import {
	type ParseInput,
	type Parsed,
	type Sample,
	type Setup,
	type SetupTarget,
	defineKind,
} from "../kind.ts";
import { type RowLayout, type RowSettings, readRowChange, rowSettings } from "../reading/row-change.ts";
import { setupAfterAuthChange, type StaticProof, staticProof } from "../setup/static-proof.ts";

const LAYOUT: RowLayout = {
	operation: ["event", "op"],
	operations: { INSERT: "insert", UPDATE: "update", DELETE: "delete", MANUAL: "manual" },
	schema: ["table", "schema"],
	table: ["table", "name"],
	rows: [
		["event", "data", "new"],
		["event", "data", "old"],
	],
};

const TRIGGER_NAME = "sluice_documents";

export const hasura = defineKind({
	defaultAuth: { type: "bearer" },
	settings: rowSettings,
	parse,
	setup,
	sample,
});

async function parse({ source, settings, headers, body, now }: ParseInput<RowSettings>): Promise<Parsed> {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const change = readRowChange(json, LAYOUT, settings.primary_key);
	if (!change.ok) return change;
	const trigger = textAt(json, "trigger", "name");
	const attributes = {
		id: idAt(json, "id") ?? contentHash(json.text),
		source: sourcePath("hasura", source.name, ...(trigger === undefined ? [] : [trigger])),
		type: change.type,
		subject: change.subject,
		time: createdAt(valueAt(json, "created_at")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

/** Most versions omit the time zone of their `timestamp` column, which holds UTC. */
function createdAt(text: unknown): string | undefined {
	return timeFrom(text) ?? timeFrom(`${String(text)}Z`);
}

function setup(target: SetupTarget): Setup {
	const proof = staticProof(target.source.auth, target.secret);
	if (proof === null) return setupAfterAuthChange(target, { auth: { type: "bearer" } });
	const deletion = { type: "pg_delete_event_trigger", args: { name: TRIGGER_NAME, source: "default" } };
	return {
		variants: [
			{
				name: "metadata-api",
				title: "The metadata API, for a table public.documents in the source default",
				steps: [{ title: "Create the event trigger", language: "shell", code: create(target.url, proof) }],
				remove: {
					title: "Delete the event trigger",
					language: "shell",
					code: post(JSON.stringify(deletion)),
				},
			},
			{
				name: "cli",
				title: "Metadata files, with the Hasura CLI",
				steps: [
					{
						title: "Add the trigger to metadata/databases/default/tables/public_documents.yaml",
						language: "text",
						code: yaml(target.url, proof),
					},
					{ title: "Apply it", language: "shell", code: "hasura metadata apply" },
				],
				remove: {
					title: "Remove event_triggers from the file, then",
					language: "shell",
					code: "hasura metadata apply",
				},
			},
		],
	};
}

/** `replace` requires that the trigger exists, and without it that it does not. So both are tried. */
function create(url: string, { headers }: StaticProof): string {
	const args = {
		name: TRIGGER_NAME,
		source: "default",
		table: { schema: "public", name: "documents" },
		webhook: url,
		insert: { columns: "*" },
		update: { columns: "*" },
		delete: { columns: "*" },
		enable_manual: true,
		headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
		retry_conf: { num_retries: 10, interval_sec: 30, timeout_sec: 30 },
		replace: "$replace",
	};
	const document = JSON.stringify({ type: "pg_create_event_trigger", args }, null, 2);
	const command = post(document.replace('"$replace"', `'"$1"'`)).replaceAll("\n", "\n  ");
	return `register() {
  ${command}
}
register true || register false`;
}

function post(command: string): string {
	return `curl --fail-with-body "$HASURA_URL/v1/metadata" \\
  -H "x-hasura-admin-secret: $HASURA_ADMIN_SECRET" -H 'content-type: application/json' \\
  -d '${command}'`;
}

function yaml(url: string, { headers }: StaticProof): string {
	const entries = Object.entries(headers).map(
		([name, value]) => `\n      - name: ${name}\n        value: "${value}"`,
	);
	const headersYaml = entries.length === 0 ? "" : `\n    headers:${entries.join("")}`;
	return `event_triggers:
  - name: ${TRIGGER_NAME}
    definition:
      enable_manual: true
      insert:
        columns: '*'
      update:
        columns: '*'
      delete:
        columns: '*'
    retry_conf:
      num_retries: 10
      interval_sec: 30
      timeout_sec: 30
    webhook: ${url}${headersYaml}`;
}

function sample(now: number): Sample {
	const createdAt = new Date(now).toISOString().replace("Z", "000");
	const row = `{"id":9007199254740993,"path":"scans/1.png","size":48213}`;
	const event = `{"session_variables":{"x-hasura-role":"admin"},"op":"INSERT","data":{"old":null,"new":${row}},"trace_context":null}`;
	return {
		headers: { "content-type": "application/json", "user-agent": "hasura-graphql-engine/v2.48.6" },
		body: `{"event":${event},"created_at":"${createdAt}","id":"${crypto.randomUUID()}","delivery_info":{"max_retries":10,"current_retry":0},"trigger":{"name":"${TRIGGER_NAME}"},"table":{"schema":"public","name":"documents"}}`,
	};
}
