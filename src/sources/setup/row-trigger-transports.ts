/** The ways in which a PostgreSQL server can send a request by itself, and what each costs its writers. */
import type { SetupVariant } from "../kind.ts";

/** plpgsql that posts `body` (jsonb) with `headers` (jsonb) to `target.url`, and what it needs. */
export interface Transport extends Pick<SetupVariant, "name" | "title"> {
	extension: string;
	/** Whether the extension's names are found by the search path, and not in a schema of its own. */
	isSearched: boolean;
	/** A function that `send` calls. */
	helper?: string;
	/** The statements, indented as in the body of a function. */
	send: string;
}

/** https://supabase.github.io/pg_net: requests wait in an unlogged table for a background worker. */
export const pgNet: Transport = {
	name: "pg_net",
	title:
		"Sends after the commit and never holds up a writer; not sent twice, so what a crash or an outage interrupts is lost",
	extension: "pg_net",
	isSearched: false,
	send: `  perform net.http_post(
    url := target.url,
    body := body,
    headers := headers || jsonb_build_object('Content-Type', 'application/json'),
    timeout_milliseconds := 5000);`,
};

/** https://github.com/pramsey/pgsql-http: libcurl within the statement, 5 seconds at most. */
export const pgsqlHttp: Transport = {
	name: "pgsql-http",
	title:
		"Blocks the writer until it is answered, fails the write when refused, and has sent what is rolled back later; only where pg_net is missing",
	extension: "http",
	isSearched: true,
	send: `  select status, content into answer from http((
    'POST',
    target.url,
    array(select http_header(key, value) from jsonb_each_text(headers)),
    'application/json',
    body::text)::http_request);
  if answer.status not between 200 and 299 then
    raise exception 'Sluice answered %', answer.status using detail = coalesce(answer.content, '');
  end if;`,
};

/** Needs a superuser. A name of its own, because many firewalls turn Python's away. */
export const plPython: Transport = {
	name: "plpython3u",
	title:
		"Blocks the writer until it is answered, fails the write when refused, and has sent what is rolled back later; only on servers of your own without pg_net and pgsql-http",
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
    plpy.error(f"Sluice answered {error.code}", detail=error.read(1000).decode(errors="replace"))
except OSError as error:
    plpy.error(f"Sluice was not reached: {error}")
$python$;`,
	send: "  perform sluice.post(target.url, headers, body::text);",
};
