-- 0009: which account of the ledger stands behind each bank account, for modules that keep records of them. Not breaking.
create function accounts.ledger_accounts() returns table (bank_account_id uuid, ledger_account_id uuid) language sql stable as $$
  select id, ledger_account_id from accounts.bank_account where ledger_account_id is not null
$$;
