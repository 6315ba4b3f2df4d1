-- Sends every change of a table to Sluice, signed as Standard Webhooks asks. Needs pg_net and pgcrypto.
-- Replace the URL and the secret (what follows "whsec_") by those of your source.
create function sluice_notify() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  key       bytea := decode('SECRET_WITHOUT_WHSEC', 'base64');
  message   text  := 'msg_' || gen_random_uuid();
  sent_at   text  := floor(extract(epoch from clock_timestamp()))::bigint;
  body      jsonb := jsonb_build_object(
    'type', tg_op,
    'schema', tg_table_schema,
    'table', tg_table_name,
    'record', case when tg_op <> 'DELETE' then to_jsonb(new) end,
    'old_record', case when tg_op <> 'INSERT' then to_jsonb(old) end);
  -- pg_net sends the text of the jsonb value, so the text is what is signed.
  signature bytea := hmac(convert_to(message || '.' || sent_at || '.' || body::text, 'UTF8'), key, 'sha256');
begin
  perform net.http_post(
    url := 'INGEST_URL',
    body := body,
    headers := jsonb_build_object(
      'Content-Type', 'application/json',
      'webhook-id', message,
      'webhook-timestamp', sent_at,
      'webhook-signature', 'v1,' || encode(signature, 'base64')));
  return null;
end $$;

create trigger sluice after insert or update or delete on documents
  for each row execute function sluice_notify();
