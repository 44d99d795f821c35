-- 0002: one definition of whose rows a table shows, and work of the bank bound to the organizations that it names. Not breaking.

-- Puts a table, and its partitions, under row-level security for everybody, the owner included, in place of whatever policies it had:
-- partita_app sees the rows of the organization in `app.organization_id`, and none without; partita_system those in the list
-- `app.organization_ids` (uuid[] as text), and all where no list is set. Both settings end with their transaction. Called by the migration
-- that makes the table, and by whatever makes a partition later. The list is read once per statement and hashed: `= any (list)` would look
-- through it for every row, and a cast in the row's own expression read it anew each time (docs/decisions/0012).
create function platform.tenant_table(tenant_table regclass, organization_column name default 'organization_id') returns void
language plpgsql as $$
declare
  part regclass;
  former name;
begin
  for part in select tenant_table union select relid from pg_partition_tree(tenant_table) loop
    for former in select polname from pg_policy where polrelid = part loop
      execute format('drop policy %I on %s', former, part);
    end loop;
    execute format('alter table %s enable row level security', part);
    execute format('alter table %s force row level security', part);
    execute format(
      $policy$create policy by_organization on %s to partita_app
        using (%I = nullif(current_setting('app.organization_id', true), '')::uuid)$policy$, part, organization_column);
    execute format(
      $policy$create policy by_system on %s to partita_system
        using ((select nullif(current_setting('app.organization_ids', true), '')) is null
               or %I in (select unnest(nullif(current_setting('app.organization_ids', true), '')::uuid[])))$policy$, part, organization_column);
  end loop;
end $$;
revoke all on function platform.tenant_table from public;

select platform.tenant_table('platform.outbox');
select platform.tenant_table('platform.idempotency_record');
