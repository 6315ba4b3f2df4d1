-- Stands in for Supabase's extension pg_net, which Debian does not package: the same schema, names and signature.
-- A request waits in the queue until its transaction has committed; pg-net-worker.ts sends it then.
create schema net;

-- What pg_net's library defines when the server has loaded it; here it is there in the sessions that follow.
do $$
begin
  perform set_config('pg_net.ttl', '6 hours', false), set_config('pg_net.database_name', current_database(), false);
  execute format('alter database %I set pg_net.ttl from current', current_database());
  execute format('alter database %I set pg_net.database_name from current', current_database());
end $$;

create unlogged table net.http_request_queue (
  id bigserial,
  method text not null,
  url text not null,
  headers jsonb not null,
  body bytea not null,
  timeout_milliseconds int not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content text,
  timed_out bool,
  error_msg text,
  created timestamptz not null default now()
);

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds int default 5000
) returns bigint language plpgsql as $$
declare
  content_type text := (select value from jsonb_each_text(headers) where lower(key) = 'content-type' limit 1);
  request_id bigint;
begin
  if params <> '{}' then
    raise exception 'this stand-in for pg_net sends no params';
  end if;
  if content_type is null then
    headers := headers || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;

  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values ('POST', url, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds)
  returning id into request_id;
  -- The worker hears it once the transaction has committed, and never if it does not.
  notify pg_net;
  return request_id;
end $$;

-- As pg_net does: whoever can log in may read and change what waits.
grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
