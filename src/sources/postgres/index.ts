/** PostgreSQL with the trigger function of our own set-up: signed, with an id, a transaction and a time. */
import { refuse } from "../../http/refusal.ts";
import type { SourceAuth } from "../../store/records.ts";
import { sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { idAt, readJsonRequest, valueAt } from "../reading/json-body.ts";
import {
	type ParseInput,
	type Parsed,
	type Sample,
	type Setup,
	type SetupTarget,
	defineKind,
} from "../kind.ts";
import {
	readRowChange,
	TRIGGER_LAYOUT,
	type TriggerSettings,
	triggerSettings,
} from "../reading/row-change.ts";
import { fixedHeader, type RowProof, rowTriggerVariant } from "../setup/row-trigger-sql.ts";
import { pgNet, pgsqlHttp, plPython } from "../setup/row-trigger-transports.ts";
import { signedVariant } from "../setup/row-trigger-signed.ts";
import { sendsSecret, setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

export const postgres = defineKind({
	defaultAuth: { type: "standard_webhooks" },
	settings: triggerSettings,
	maxAgeSeconds: (settings) => settings.signature_max_age_seconds,
	parse,
	setup,
	sample,
});

async function parse({ source, settings, headers, body, now }: ParseInput<TriggerSettings>): Promise<Parsed> {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const id = idAt(json, "id");
	if (id === undefined) return refuse(400, "invalid_payload", '"id" must be the id of the message.', "id");
	const change = readRowChange(json, TRIGGER_LAYOUT, settings.primary_key);
	if (!change.ok) return change;
	const attributes = {
		id,
		source: sourcePath("pg", source.name, change.schema),
		type: change.type,
		subject: change.subject,
		time: timeFrom(valueAt(json, "at")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

function setup(target: SetupTarget): Setup {
	const proof = rowProof(target.source.auth, target.secret);
	if (proof === undefined) return setupAfterAuthChange(target, { auth: { type: "bearer" } });
	const trigger = { url: target.url, proof, isIdentified: true };
	const variants = [pgNet, pgsqlHttp, plPython].map((transport) => rowTriggerVariant(trigger, transport));
	return {
		variants: sendsSecret(target.source.auth) ? [signedVariant(target, true), ...variants] : variants,
	};
}

/** undefined if the source accepts neither the signature that the SQL can make nor a fixed header. */
function rowProof(auth: SourceAuth, secret: string): RowProof | null | undefined {
	if (auth.type === "standard_webhooks") return { kind: "signature", secret };
	const fixed = staticProof(auth, secret);
	if (fixed === null) return undefined;
	return fixedHeader(fixed);
}

function sample(now: number): Sample {
	const at = new Date(now).toISOString().replace("Z", "000+00:00");
	const record = `{"id": 9007199254740993, "title": "How sluice gates work", "path": "scans/1.png", "size": 48213, "created_at": "${at}"}`;
	const change = `"type": "INSERT", "table": "documents", "record": ${record}, "schema": "public", "old_record": null`;
	return {
		headers: { "content-type": "application/json", "user-agent": "pg_net/0.19.5" },
		body: `{"at": "${at}", "id": "${crypto.randomUUID()}", "txid": "753", ${change}}`,
	};
}
