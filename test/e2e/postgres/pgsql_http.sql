-- Stands in for the extension http (pgsql-http), which Debian does not package: the same types, names and
-- signatures, by curl. Like the real one it answers with the status, and fails only when there is no answer.
create domain http_method as text;
create type http_header as (field varchar, value varchar);
create type http_request as (
  method http_method, uri varchar, headers http_header[], content_type varchar, content varchar);
create type http_response as (status integer, content_type varchar, headers http_header[], content varchar);

create function http_header(field varchar, value varchar) returns http_header language sql as $$
  select $1, $2
$$;

create function http(request http_request) returns http_response language plpgsql as $$
declare
  command text;
  header http_header;
  answer text;
begin
  command := format('printf %%s %s | base64 -d | curl --silent --show-error --max-time 5 --request %s',
    translate(encode(convert_to(request.content, 'UTF8'), 'base64'), e'\n', ''), request.method);
  foreach header in array request.headers || http_header('Content-Type', request.content_type) loop
    command := command || format(' --header %s', quote_literal(header.field || ': ' || header.value));
  end loop;
  command := command || format(' --data-binary @- --write-out %s %s',
    quote_literal(e'\n%{http_code}'), quote_literal(request.uri));

  create temporary table answer_line (number serial, line text);
  execute format('copy answer_line (line) from program %L', command);
  select string_agg(line, e'\n' order by number) into answer from answer_line;
  drop table answer_line;
  -- An empty body is null.
  return (right(answer, 3)::integer, null, null, nullif(left(answer, -4), ''))::http_response;
end $$;
