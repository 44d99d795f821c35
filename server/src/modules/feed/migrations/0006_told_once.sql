-- 0006: what a movement says of money is written once; the application reads the feed, and the bank’s own work writes it. Not breaking.

-- Subjects are named by a migration of payments that comes after this one, and takes the right to it with it.
revoke update on feed.transaction from partita_system;
grant update (status, settled_at, settled_balance_minor, ledger_key, updated_at, subject_kind, note, category, attachment_ids, attachment_lost,
              attachment_required, vat_amount_minor, vat_rate, vat_items) on feed.transaction to partita_system;
revoke insert, update on feed.transaction, feed.feed_count from partita_app;
revoke update (status, settled_balance_minor, settled_at, updated_at, ledger_key) on feed.transaction from partita_app;
revoke all on sequence feed.transaction_number from partita_app;

-- What a movement says once it has ended stays as well. A connected account's balances alone are reckoned anew, when an older statement comes.
create function feed.refuse_second_end() returns trigger language plpgsql as $$
begin
  raise exception 'transaction % is %, and stays what it was told to be', old.id, old.status using errcode = 'FD001';
end $$;
create trigger ends_once before update of status, ledger_key, settled_at, settled_balance_minor on feed.transaction
  for each row when (
    old.status <> 'pending' and current_user = 'partita_system'
    and (new.status <> old.status or new.ledger_key is distinct from old.ledger_key or new.settled_at is distinct from old.settled_at
         or not old.is_external and new.settled_balance_minor is distinct from old.settled_balance_minor))
  execute function feed.refuse_second_end();

revoke all on all functions in schema feed from public;
grant execute on function feed.name_payments to partita_system;
