-- 0010: an organization reads the balances of its own accounts, and of no others. Not breaking.

-- The ledger knows no organizations, so the application has no right there: this is its door. It runs as partita_system, which row-level security
-- binds to whatever organizations the bank's own work has named; a member gets his organization's accounts, whatever he asks for.
create function accounts.own_balances(p_organization uuid) returns table (ledger_account_id uuid, balance bigint, held bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
  if current_setting('role') <> 'partita_system' and p_organization is distinct from nullif(current_setting('app.organization_id', true), '')::uuid then
    return;
  end if;
  return query select * from ledger.balances(array(select a.ledger_account_id from accounts.bank_account a where a.organization_id = p_organization));
end $$;

revoke all on all functions in schema accounts from public;
grant execute on function accounts.own_balances to partita_app, partita_system;
grant execute on function accounts.ledger_accounts to partita_system;
revoke all on sequence accounts.account_number from partita_app;

grant create on schema accounts to partita_system;
set local role none;
alter function accounts.own_balances owner to partita_system;
set local role partita_owner;
revoke create on schema accounts from partita_system;
