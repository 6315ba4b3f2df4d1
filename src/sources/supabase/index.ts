/**
 * Supabase's database webhooks: unsigned, without an id, and not retried by Supabase
 * (https://supabase.com/docs/guides/database/webhooks). If loss or duplicates matter, use kind `postgres`.
 */
import * as z from "zod";
import { memberTexts } from "../../events/json/text.ts";
import { sourcePath } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, readJsonRequest } from "../reading/json-body.ts";
import {
	type ParseInput,
	type Parsed,
	type Sample,
	type Setup,
	type SetupTarget,
	type SetupVariant,
	defineKind,
} from "../kind.ts";
import type { SourceAuth } from "../../store/records.ts";
import { idFromHeader } from "../reading/publisher-id.ts";
import { readRowChange, TRIGGER_LAYOUT, triggerSettings } from "../reading/row-change.ts";
import { signedVariant } from "../setup/row-trigger-signed.ts";
import { fixedHeader, rowTriggerVariant } from "../setup/row-trigger-sql.ts";
import { PG_NET_CHECK, PG_NET_TIMEOUT_MS, pgNet } from "../setup/row-trigger-transports.ts";
import { sqlLiteral } from "../setup/sql-literal.ts";
import { sendsSecret, setupAfterAuthChange, type StaticProof, staticProof } from "../setup/static-proof.ts";

/** The same change within this window is the same event. Later, it may have happened again. */
const DEDUPE_WINDOW_MS = 5 * 60_000;

const supabaseSettings = triggerSettings.extend({
	/**
	 * Whether equal changes within five minutes are one event. Only useful with duplicate triggers: Supabase sends nothing
	 * twice, and a row that changes back and forth produces equal changes.
	 */
	dedupe: z.boolean().default(false),
});

export const supabase = defineKind({
	defaultAuth: { type: "bearer" },
	settings: supabaseSettings,
	maxAgeSeconds: (settings) => settings.signature_max_age_seconds,
	parse,
	setup,
	sample,
});

async function parse(input: ParseInput<z.output<typeof supabaseSettings>>): Promise<Parsed> {
	const { source, settings, headers, body, now, freshId } = input;
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const change = readRowChange(json, TRIGGER_LAYOUT, settings.primary_key);
	if (!change.ok) return change;
	const attributes = {
		id: settings.dedupe ? contentId(json, now) : (signedId(source.auth, headers) ?? freshId),
		source: sourcePath("pg", source.name, change.schema),
		type: change.type,
		subject: change.subject,
		time: new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

/** Returns the id covered by the signature, so that a replayed request is not a new event. */
function signedId({ type }: SourceAuth, headers: Headers): string | undefined {
	return type === "standard_webhooks" ? idFromHeader(headers, "webhook-id") : undefined;
}

const TELLING_MEMBERS = ["schema", "table", "type", "record", "old_record"];

function contentId({ text }: JsonObject, now: number): string {
	const members = memberTexts(text);
	const window = Math.floor(now / DEDUPE_WINDOW_MS);
	return contentHash(String(window), ...TELLING_MEMBERS.map((name) => members.get(name) ?? "null"));
}

function setup(target: SetupTarget): Setup {
	const { url, source, secret } = target;
	const isIdentified = false;
	if (source.auth.type === "standard_webhooks") {
		const proof = { kind: "signature", secret } as const;
		return { variants: [rowTriggerVariant({ url, proof, isIdentified }, pgNet)] };
	}
	const proof = staticProof(source.auth, secret);
	if (proof === null) return setupAfterAuthChange(target, { auth: { type: "bearer" } });
	const ours = rowTriggerVariant({ url, proof: fixedHeader(proof), isIdentified }, pgNet);
	const variants = [ours, databaseWebhook(url, proof)];
	return {
		variants: sendsSecret(source.auth) ? [signedVariant(target, isIdentified), ...variants] : variants,
	};
}

/** The trigger that the dashboard creates. `supabase_functions` exists once webhooks have been enabled there. */
function databaseWebhook(url: string, { headers }: StaticProof): SetupVariant {
	const allHeaders = { "Content-Type": "application/json", ...headers };
	const argument = [url, "POST", JSON.stringify(allHeaders), "{}", String(PG_NET_TIMEOUT_MS)]
		.map(sqlLiteral)
		.join(",\n    ");
	const drop = "drop trigger if exists sluice on public.documents;";
	const create = `create trigger sluice after insert or update or delete on public.documents
  for each row execute function supabase_functions.http_request(
    ${argument});`;
	return {
		name: "database-webhooks",
		title:
			"The webhooks of the dashboard; every role that can log in may read the secret, in the trigger and in net.http_request_queue",
		steps: [
			{
				title: "Turn webhooks on",
				language: "text",
				code: "Dashboard → Integrations → Database Webhooks → Enable",
			},
			{
				title: "Watch a table; repeat for each one",
				language: "sql",
				code: `begin;\n${PG_NET_CHECK}\n${drop}\n${create}\ncommit;`,
			},
		],
		remove: { title: "Stop watching the table", language: "sql", code: drop },
	};
}

function sample(now: number): Sample {
	const at = new Date(now).toISOString().replace("Z", "000+00:00");
	const record = `{"id": 9007199254740993, "path": "scans/1.png", "size": 48213, "created_at": "${at}"}`;
	return {
		headers: { "content-type": "application/json", "user-agent": "pg_net/0.19.5" },
		body: `{"type": "INSERT", "table": "documents", "record": ${record}, "schema": "public", "old_record": null}`,
	};
}
