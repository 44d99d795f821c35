-- 0007: outbox, archive and idempotency keys are vacuumed often, a little at a time, and slowly. Not breaking.
-- The archive only grows: as the ledger's transfers, from 100,000 new rows on, at 8 MB of dirtied pages a second (100 units of cost each 5 ms, a
-- dirtied page is 20). Rows of the outbox live for milliseconds, and what is dead lies between the relay and what waits: from 5,000 on,
-- whatever its size, at 40 MB a second, for it is small and must stay so. Keys live for half an hour and are deleted by age: from 20,000 dead
-- ones and a twentieth of what is left, at 8 MB a second.
create function platform.vacuum_as_it_grows(p_table regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s set (autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 5, autovacuum_analyze_scale_factor = 0.05)', p_table);
end $$;
revoke execute on function platform.vacuum_as_it_grows(regclass) from public;

create or replace function platform.prepare_event_partition(p_position bigint) returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  c_size constant bigint := 10000000;
  v_number bigint := p_position / c_size;
  v_name text := 'event_' || v_number;
begin
  if to_regclass('platform.' || v_name) is not null then return; end if;
  execute format('create table platform.%I (like platform.event including constraints)', v_name);
  perform platform.vacuum_as_it_grows(format('platform.%I', v_name)::regclass);
  perform platform.tenant_table(format('platform.%I', v_name)::regclass);
  execute format('create trigger refuse_change before update or delete or truncate on platform.%I for each statement execute function platform.refuse_change_of_event()', v_name);
  execute format('alter table platform.event attach partition platform.%I for values from (%L) to (%L)', v_name, v_number * c_size, (v_number + 1) * c_size);
end $$;

select platform.vacuum_as_it_grows(inhrelid::regclass) from pg_inherits where inhparent = 'platform.event'::regclass;
select platform.vacuum_as_it_grows('platform.idempotency_record');
alter table platform.idempotency_record set (autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_scale_factor = 0.05);
alter table platform.outbox set (
  autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_cost_limit = 200, autovacuum_vacuum_cost_delay = 2);
