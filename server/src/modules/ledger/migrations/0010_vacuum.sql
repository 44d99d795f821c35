-- 0010: transfers and keys are vacuumed often, a little at a time, and slowly. Not breaking.
-- Both only grow, so a vacuum is there to freeze rows and to mark pages as visible to all, for index-only reads. By the defaults it comes when
-- a fifth of the table is new: rarely, over millions of rows, at 40 MB of dirtied pages a second, beside which posting fell by 40 % for
-- 15 to 20 s. From 100,000 new rows on it comes with each round of autovacuum (a minute) and finds some 2,000 pages of transfers per
-- 100,000; no row is dead, so no index is scanned. 100 units of cost (five dirtied pages of 20) each 5 ms are 1,000 pages or 8 MB a second:
-- three times what 20,000 transfers a second write, so that it keeps up, in steps that nobody notices.
create function ledger.vacuum_as_it_grows(p_table regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s set (autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 5, autovacuum_analyze_scale_factor = 0.05)', p_table);
end $$;
revoke execute on function ledger.vacuum_as_it_grows(regclass) from public;

create or replace function ledger.make_partition(p_at timestamptz) returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_month timestamp := date_trunc('month', p_at at time zone 'UTC');
  v_name text := 'transfer_' || to_char(v_month, 'YYYY_MM');
begin
  if to_regclass('ledger.' || v_name) is not null then return; end if;
  perform pg_advisory_xact_lock(1818518373, 0); -- one maker at a time; 1818518373 is the ledger's class of advisory locks, books are above 0
  if to_regclass('ledger.' || v_name) is not null then return; end if;
  execute format('create table ledger.%I (like ledger.transfer including constraints)', v_name);
  perform ledger.vacuum_as_it_grows(format('ledger.%I', v_name)::regclass);
  execute format('create unique index on ledger.%I (debit, debit_version)', v_name);
  execute format('create unique index on ledger.%I (credit, credit_version)', v_name);
  execute format('create unique index on ledger.%I (book, seq)', v_name);
  -- Statement triggers of the parent do not fire for a partition named directly: nobody writes here but through the parent.
  execute format('create trigger refuse_write before insert or update or delete or truncate on ledger.%I for each statement execute function ledger.refuse_write()', v_name);
  execute format('grant select on ledger.%I to partita_system, partita_ledger', v_name);
  execute format('alter table ledger.transfer attach partition ledger.%I for values from (%L) to (%L)', v_name,
                 v_month at time zone 'UTC', (v_month + interval '1 month') at time zone 'UTC');
end $$;

select ledger.vacuum_as_it_grows('ledger.key');
select ledger.vacuum_as_it_grows(inhrelid::regclass) from pg_inherits where inhparent = 'ledger.transfer'::regclass;
