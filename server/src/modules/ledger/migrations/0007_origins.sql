-- 0007: the entries and holds of accounts with their keys and what they were posted for, for modules that keep records beside them. Not breaking.
-- Read whole, for migrations of such records: neither `reference` nor a transfer's key has an index of its own.
create function ledger.entries_of(p_accounts uuid[])
  returns table (account_id uuid, key uuid, side text, amount bigint, balance_after bigint, seq bigint, reference uuid)
  language sql stable as $$
  select a.id, k.key, e.side, e.amount, e.balance_after, e.seq, e.reference
    from ledger.account a
    join ledger.entry e on e.account = a.number
    join ledger.key k on k.book = e.book and k.seq = e.seq
   where a.id = any(p_accounts)
$$;

create function ledger.holds_of(p_accounts uuid[]) returns table (account_id uuid, key uuid, reference uuid) language sql stable as $$
  select a.id, h.id, h.reference from ledger.account a join ledger.hold h on h.account = a.number where a.id = any(p_accounts)
$$;
