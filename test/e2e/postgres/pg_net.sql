-- Stands in for Supabase's extension pg_net, which Debian does not package: the same schema, name and signature,
-- and the same bytes on the wire. Two differences: it sends inside the transaction and not after it, and a
-- refusal by the receiver fails the statement, so that a test sees it.
create schema net;
create sequence net.request_id;

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds int default 5000
) returns bigint language plpgsql as $$
declare
  command text;
  header record;
begin
  if params <> '{}' then
    raise exception 'this stand-in for pg_net sends no params';
  end if;
  if headers ->> 'Content-Type' is distinct from 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;

  -- COPY's text and CSV formats escape; its binary format does not: after 25 bytes of framing comes the value.
  command := format(
    'tail -c +26 | head -c %s | curl --silent --show-error --fail-with-body --max-time %s --data-binary @-',
    octet_length(convert_to(body::text, 'UTF8')), ceil(timeout_milliseconds / 1000.0));
  for header in select * from jsonb_each_text(headers) loop
    command := command || ' --header ' || net.shell_quote(header.key || ': ' || header.value);
  end loop;
  command := command || ' ' || net.shell_quote(url) || ' >&2';

  execute format(
    'copy (select %L::text) to program %L with (format binary, encoding ''UTF8'')', body::text, command);
  return nextval('net.request_id');
end $$;

create function net.shell_quote(word text) returns text language sql immutable as $$
  select '''' || replace(word, '''', '''\''''') || ''''
$$;
