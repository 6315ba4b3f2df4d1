/**
 * The SQL functions that start and stop watching a table. PostgreSQL copies a row trigger of a partitioned table to
 * each partition under the same name, and a copy can be neither replaced nor dropped. A partition has its own trigger or
 * the copy, but never both, or each change would be sent twice.
 */

export const WATCH_SQL = `create or replace function sluice.unwatch(watched regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $unwatch$
declare
  holder regclass;
begin
  select tgrelid into holder from pg_trigger
    where tgname = 'sluice' and tgparentid = 0 and tgrelid <> watched
      and tgrelid in (select relid from pg_partition_ancestors(watched));
  if holder is not null then
    raise exception '% is watched as a part of %', watched, holder
      using hint = format('Stop watching the whole: select sluice.unwatch(%L);', holder);
  end if;
  -- The table, and those of its partitions that are watched by themselves.
  for holder in
    select tgrelid from pg_trigger
    where tgname = 'sluice' and tgparentid = 0
      and (tgrelid = watched or tgrelid in (select relid from pg_partition_tree(watched)))
  loop
    execute format('drop trigger sluice on %s', holder);
  end loop;
end
$unwatch$;

create or replace function sluice.watch(watched regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $watch$
begin
  -- A partition of a table that is watched is watched already.
  if exists (
    select from pg_trigger
    where tgrelid = watched and tgparentid <> 0 and tgfoid = 'sluice.notify()'::regprocedure)
  then
    return;
  end if;
  perform sluice.unwatch(watched);
  execute format(
    'create trigger sluice after insert or update or delete on %s for each row execute function sluice.notify()',
    watched);
end
$watch$;`;
