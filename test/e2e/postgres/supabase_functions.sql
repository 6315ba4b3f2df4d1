-- Stands in for what Supabase installs when database webhooks are turned on: the same name, arguments and payload.
create schema supabase_functions;

create function supabase_functions.http_request() returns trigger
  language plpgsql security definer set search_path = supabase_functions as $$
begin
  if tg_argv[1] <> 'POST' then
    raise exception 'this stand-in only posts';
  end if;
  perform net.http_post(
    tg_argv[0],
    jsonb_build_object(
      'old_record', old, 'record', new, 'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema),
    tg_argv[3]::jsonb,
    tg_argv[2]::jsonb,
    tg_argv[4]::integer);
  return new;
end $$;
