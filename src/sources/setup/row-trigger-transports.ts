/** The ways for a PostgreSQL server to send requests, and what each costs its writers. */
import type { SetupStep, SetupVariant } from "../kind.ts";

/** plpgsql code that posts `body` (jsonb) with `headers` (jsonb) to `target.url`, and its requirements. */
export interface Transport extends Pick<SetupVariant, "name" | "title"> {
	extension: string;
	/** Whether the extension's names are found by the search path and not in a fixed schema. */
	isSearched: boolean;
	/** A statement that fails with instructions if this transport cannot send from the database. */
	check?: string;
	/** Says who else can read the sent data, `what`. */
	exposed?: (what: string) => string;
	/** How to find requests that did not arrive. */
	watching?: SetupStep;
	/** SQL rows of (what, found) for troubleshooting; for `noRowsSql`. */
	stuck?: string;
	/** A function that `send` calls. */
	helper?: string;
	/** The statements, indented as in the body of a function. */
	send: string;
}

/**
 * pg_net's worker serves one database of the server; requests queued in another wait forever. Versions without a
 * setting for it served "postgres". A role that may not see the loaded libraries finds no row of that name.
 */
export const PG_NET_CHECK = `do $check$
declare
  libraries text := (select setting from pg_settings where name = 'shared_preload_libraries');
  served text := coalesce(current_setting('pg_net.database_name', true), 'postgres');
begin
  if current_setting('pg_net.ttl', true) is null or libraries !~ '\\mpg_net\\M' then
    raise exception 'pg_net does not run in this server, so nothing would be sent'
      using hint = 'Add pg_net to shared_preload_libraries, restart the server, and run this again.';
  end if;
  if served <> current_database() then
    raise exception 'pg_net serves the database "%", so nothing would be sent from "%"', served, current_database()
      using hint = format('It serves one database of a server. If that can be this one: "alter system set '
        'pg_net.database_name = %L", restart the server, and run this again. Else use a variant without pg_net, '
        'or a source of kind debezium or sequin.', current_database());
  end if;
end
$check$;`;

/**
 * Writers do not wait for it. pg_net opens hundreds of requests at once, and their timeouts run while they wait for each
 * other: with a timeout of five seconds it gave up on thousands of requests that had been accepted.
 */
export const PG_NET_TIMEOUT_MS = 60_000;

/** https://supabase.github.io/pg_net: requests wait in an unlogged table for a background worker. */
export const pgNet: Transport = {
	name: "pg_net",
	title:
		"Sends after the commit and never delays a writer; never retries, so changes during a crash or an outage are lost",
	extension: "pg_net",
	isSearched: false,
	check: PG_NET_CHECK,
	exposed: (what) => `Every role that can log in may read ${what} while they wait in net.http_request_queue`,
	watching: {
		title:
			"See which requests were refused, got no response or did not arrive; pg_net keeps them for six hours (pg_net.ttl)",
		language: "sql",
		code: `select created, status_code, timed_out, error_msg, content from net._http_response
  where status_code is null or status_code not between 200 and 299
  order by created desc limit 100;`,
	},
	stuck: `select 'waiting to be sent', count(*)::text from net.http_request_queue
union all select 'last refusals', coalesce(string_agg(
    format('%s: %s', created, coalesce(status_code::text, error_msg, 'timed out')), '; '), 'none that pg_net still knows')
  from (
    select created, status_code, error_msg from net._http_response
    where status_code is null or status_code not between 200 and 299 order by created desc limit 5) last`,
	send: `  perform net.http_post(
    url := target.url,
    body := body,
    headers := headers || jsonb_build_object('Content-Type', 'application/json'),
    timeout_milliseconds := ${PG_NET_TIMEOUT_MS});`,
};

/** https://github.com/pramsey/pgsql-http: libcurl within the statement, up to 5 seconds. */
export const pgsqlHttp: Transport = {
	name: "pgsql-http",
	title:
		"The writer waits for the response, a refusal fails the write, and changes that are rolled back later have been sent; only if pg_net is not available",
	extension: "http",
	isSearched: true,
	send: `  select status, content into answer from http((
    'POST',
    target.url,
    array(select http_header(key, value) from jsonb_each_text(headers)),
    'application/json',
    body::text)::http_request);
  if answer.status not between 200 and 299 then
    raise exception 'Sluice responded with %', answer.status using detail = coalesce(answer.content, '');
  end if;`,
};

/** Needs a superuser. It sets its own user agent, because many firewalls block Python's. */
export const plPython: Transport = {
	name: "plpython3u",
	title:
		"The writer waits for the response, a refusal fails the write, and changes that are rolled back later have been sent; only on your own servers without pg_net and pgsql-http",
	extension: "plpython3u",
	isSearched: false,
	helper: `create or replace function sluice.post(url text, headers jsonb, body text) returns void
  language plpython3u as $python$
import json
import urllib.error
import urllib.request

fixed = {"Content-Type": "application/json", "User-Agent": "sluice-trigger"}
request = urllib.request.Request(url, body.encode(), {**fixed, **json.loads(headers)}, method="POST")
try:
    urllib.request.urlopen(request, timeout=5).close()
except urllib.error.HTTPError as error:
    plpy.error(f"Sluice responded with {error.code}", detail=error.read(1000).decode(errors="replace"))
except OSError as error:
    plpy.error(f"Sluice could not be reached: {error}")
$python$;`,
	send: "  perform sluice.post(target.url, headers, body::text);",
};
