/**
 * The SQL that makes a PostgreSQL database (13 or newer) send row changes: a schema with the URL, the secret and a
 * trigger function. row-trigger-transports.ts sends the requests, row-trigger-watch.ts watches tables.
 */
import type { SetupVariant } from "../kind.ts";
import type { Transport } from "./row-trigger-transports.ts";
import { WATCH_SQL } from "./row-trigger-watch.ts";
import { sqlLiteral } from "./sql-literal.ts";
import type { StaticProof } from "./static-proof.ts";

/** How requests authenticate: a Standard Webhooks signature, a fixed header, or not at all (null). */
export type RowProof =
	| { kind: "signature"; secret: string }
	| { kind: "header"; name: string; value: string };

export interface RowTrigger {
	url: string;
	proof: RowProof | null;
	/** Whether messages contain an id, transaction and time; otherwise they have the format of Supabase's webhooks. */
	isIdentified: boolean;
}

/** Returns the fixed header of a static proof, or null if there is none. */
export function fixedHeader({ headers }: StaticProof): RowProof | null {
	const [header] = Object.entries(headers);
	return header === undefined ? null : { kind: "header", name: header[0], value: header[1] };
}

/** Returns the variant. Each step may be run again at any time; another URL or secret replaces the former one. */
export function rowTriggerVariant(trigger: RowTrigger, transport: Transport): SetupVariant {
	const { name, extension, watching } = transport;
	const turnOn = `create extension if not exists ${extension};`;
	return {
		name,
		title: titleOf(trigger, transport),
		steps: [
			{ title: `Turn on ${extension}`, language: "sql", code: turnOn },
			{ title: "Create the trigger function", language: "sql", code: installSql(trigger, transport) },
			{
				title: "Watch a table; repeat for each one",
				language: "sql",
				code: "select sluice.watch('public.documents');",
			},
			{ title: "No rows? Look here", language: "sql", code: noRowsSql(transport) },
			...(watching === undefined ? [] : [watching]),
		],
		remove: {
			title: "Remove everything, including the triggers",
			language: "sql",
			code: "drop schema if exists sluice cascade;",
		},
	};
}

/** Troubleshooting, in order of likely failure: the extension, the URL, the triggers, and the sent requests. */
function noRowsSql({ extension, stuck }: Transport): string {
	const missing = `missing: create extension ${extension};`;
	return [
		`select 'extension ${extension}' as what, coalesce((
    select 'version ' || extversion from pg_extension where extname = ${sqlLiteral(extension)}), ${sqlLiteral(missing)}) as found`,
		`select 'sends to', coalesce((select url from sluice.target), 'nowhere: run the SQL again')`,
		`select 'watches', coalesce((
    select string_agg(format('%s (%s)', tgrelid::regclass, case tgenabled
        when 'D' then 'disabled: alter table ... enable trigger sluice;'
        when 'R' then 'in replicas only: alter table ... enable trigger sluice;' else 'enabled' end), ', ')
      from pg_trigger where tgname = 'sluice' and tgparentid = 0),
    'no table: select sluice.watch(''public.documents'');')`,
		`select 'triggers in this session', case current_setting('session_replication_role')
    when 'replica' then 'off: session_replication_role is replica' else 'on' end`,
		...(stuck === undefined ? [] : [stuck]),
	]
		.join("\nunion all ")
		.concat(";");
}

function titleOf({ url, proof }: RowTrigger, { title, exposed }: Transport): string {
	if (exposed === undefined) return title;
	const isSecretSent = proof?.kind === "header" || new URL(url).search !== "";
	return `${title}. ${exposed(isSecretSent ? "the rows and the secret" : "the rows")}`;
}

function installSql(trigger: RowTrigger, transport: Transport): string {
	const isSigned = trigger.proof?.kind === "signature";
	const searched = [
		...(isSigned ? ["pgcrypto"] : []),
		...(transport.isSearched ? [transport.extension] : []),
	];
	return [
		"begin;",
		...(transport.check === undefined ? [] : [transport.check]),
		...(isSigned ? ["create extension if not exists pgcrypto;"] : []),
		targetSql(trigger),
		...(transport.helper === undefined ? [] : [transport.helper]),
		notifySql(trigger, transport),
		...(searched.length === 0 ? [] : [searchPathSql(searched)]),
		WATCH_SQL,
		"commit;",
	].join("\n\n");
}

function targetSql({ url, proof }: RowTrigger): string {
	const secret = proof?.kind === "signature" ? proof.secret : (proof?.value ?? "");
	return `create schema if not exists sluice;
revoke all on schema sluice from public;

-- Where to send, and the secret: whoever reads it can send in the name of this source.
create table if not exists sluice.target (
  singleton boolean primary key default true check (singleton),
  url text not null,
  secret text not null,
  constraint put_the_secret_in check (url || secret not like '%<' || 'SECRET>%')
);
revoke all on sluice.target from public;
insert into sluice.target (url, secret) values (${sqlLiteral(url)}, ${sqlLiteral(secret)})
  on conflict (singleton) do update set url = excluded.url, secret = excluded.secret;`;
}

function notifySql({ proof, isIdentified }: RowTrigger, { send, isSearched }: Transport): string {
	return `create or replace function sluice.notify() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  -- A row reads the same whatever the session that writes it prefers.
  set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'postgres'
  set bytea_output = 'hex' set extra_float_digits = 1
as $notify$
declare
  target sluice.target;${isSearched ? "\n  answer record;" : ""}
  id text := gen_random_uuid();
  sent_at timestamptz := clock_timestamp();
  headers jsonb;
  body jsonb := jsonb_build_object(
    'type', tg_op,
    'record', case when tg_op <> 'DELETE' then to_jsonb(new) end,
    'old_record', case when tg_op <> 'INSERT' then to_jsonb(old) end${isIdentified ? IDENTITY : ""});
begin
  select * into strict target from sluice.target;
  -- A row in a partition is a row of the table that is partitioned.
  select body || jsonb_build_object('schema', nspname, 'table', relname) into strict body
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = coalesce(pg_partition_root(tg_relid), tg_relid);
${headersSql(proof)}
${send}
  return null;
end
$notify$;`;
}

const IDENTITY = `,
    'id', id,
    'txid', pg_current_xact_id()::text,
    'at', sent_at`;

/** The function's text, which everyone can read, must not contain the secret. */
function headersSql(proof: RowProof | null): string {
	if (proof === null) return "  headers := '{}';";
	if (proof.kind === "header")
		return `  headers := jsonb_build_object(${sqlLiteral(proof.name)}, target.secret);`;
	return `  -- Standard Webhooks 1.0: the key is the base64 behind "whsec_", signed is the text that is sent.
  headers := jsonb_build_object(
    'webhook-id', id,
    'webhook-timestamp', floor(extract(epoch from sent_at))::bigint::text);
  headers := headers || jsonb_build_object('webhook-signature', 'v1,' || encode(
    hmac(
      convert_to(concat_ws('.', id, headers ->> 'webhook-timestamp', body::text), 'UTF8'),
      decode(substr(target.secret, 7), 'base64'),
      'sha256'),
    'base64'));`;
}

/** The schema of an extension depends on its installation: "public" or "extensions". */
function searchPathSql(extensions: readonly string[]): string {
	return `do $path$
begin
  execute format('alter function sluice.notify() set search_path = pg_catalog, %s, pg_temp', (
    select string_agg(distinct quote_ident(nspname), ', ')
    from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
    where extname in (${extensions.map(sqlLiteral).join(", ")})));
end
$path$;`;
}
