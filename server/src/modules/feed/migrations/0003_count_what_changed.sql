-- 0003: a feed's counts are touched only by what they count: a change of status, side or operation type. Not breaking.
-- Whoever changes one of these moves money and holds its book's lock in the ledger, so the counts' rows never wait. A note, a label or VAT
-- is written by anybody at any time: it must neither write a count nor wait for one.
create function feed.recount_feed() returns trigger language plpgsql as $$
begin
  insert into feed.feed_count as c (bank_account_id, organization_id, status, side, operation_type, count)
  select bank_account_id, organization_id, status, side, operation_type, sum(change)
    from (
      select f.bank_account_id, f.organization_id, f.status, f.side, f.operation_type, -1 as change
        from former f join present p using (id)
       where (f.bank_account_id, f.organization_id, f.status, f.side, f.operation_type)
          <> (p.bank_account_id, p.organization_id, p.status, p.side, p.operation_type)
      union all
      select p.bank_account_id, p.organization_id, p.status, p.side, p.operation_type, 1
        from former f join present p using (id)
       where (f.bank_account_id, f.organization_id, f.status, f.side, f.operation_type)
          <> (p.bank_account_id, p.organization_id, p.status, p.side, p.operation_type)
    ) changes
   group by bank_account_id, organization_id, status, side, operation_type
  having sum(change) <> 0
   order by bank_account_id, organization_id, status, side, operation_type
  on conflict (organization_id, bank_account_id, status, side, operation_type) do update set count = c.count + excluded.count;
  return null;
end $$;
drop trigger feed_loses_former on feed.transaction;
drop trigger feed_gains_present on feed.transaction;
create trigger feed_changes after update on feed.transaction
  referencing old table as former new table as present for each statement execute function feed.recount_feed();
