-- 0005: a page of an account's entries is planned once. Not breaking.
--
-- As statements of the caller, pages of large books were planned anew each time: with the limit unknown PostgreSQL reckons with a tenth of all
-- entries, so its general plan looked dearer than planning again. At ten million entries a page took a quarter longer than at one million.
-- As functions that keep their general plan, it costs the same however many entries there are.
create function ledger.entries_before(p_account integer, p_version bigint, p_limit integer) returns setof ledger.entry language plpgsql stable
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off as $$
begin
  return query select * from ledger.entry where account = p_account and version < p_version order by version desc limit p_limit;
end $$;

create function ledger.entries_after(p_account integer, p_version bigint, p_limit integer) returns setof ledger.entry language plpgsql stable
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off as $$
begin
  return query select * from ledger.entry where account = p_account and version > p_version order by version limit p_limit;
end $$;

revoke all on function ledger.entries_before, ledger.entries_after from public;
grant execute on function ledger.entries_before, ledger.entries_after to partita_app, partita_system;
