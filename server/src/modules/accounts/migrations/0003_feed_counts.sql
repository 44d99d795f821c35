-- 0003: how many transactions each feed has, so that a list need not count them. Not breaking, but it holds the feed while it counts it once.

-- Kept by triggers: whoever writes the feed, the counts are written in the same commit. One row per account, status, side and operation
-- type; the lists' filters on these add up a few rows. Whoever writes a feed holds its book's lock in the ledger, so these rows never wait.
create table accounts.feed_count (
  bank_account_id uuid not null,
  organization_id uuid not null,
  status text not null,
  side text not null,
  operation_type text not null,
  count bigint not null,
  primary key (bank_account_id, status, side, operation_type)
) with (fillfactor = 50);

create function accounts.count_feed() returns trigger language plpgsql as $$
begin
  insert into accounts.feed_count as c (bank_account_id, organization_id, status, side, operation_type, count)
  select bank_account_id, organization_id, status, side, operation_type, count(*) * tg_argv[0]::integer
    from changed
   group by bank_account_id, organization_id, status, side, operation_type
   order by bank_account_id, status, side, operation_type
  on conflict (bank_account_id, status, side, operation_type) do update set count = c.count + excluded.count;
  return null;
end $$;

-- Row-level security binds the owner as well, who migrates: without this it would see, and count, no row.
alter table accounts.transaction no force row level security;
insert into accounts.feed_count
select bank_account_id, organization_id, status, side, operation_type, count(*)
  from accounts.transaction
 group by bank_account_id, organization_id, status, side, operation_type;
alter table accounts.transaction force row level security;

create trigger feed_grows after insert on accounts.transaction
  referencing new table as changed for each statement execute function accounts.count_feed('1');
create trigger feed_shrinks after delete on accounts.transaction
  referencing old table as changed for each statement execute function accounts.count_feed('-1');
create trigger feed_loses_former after update on accounts.transaction
  referencing old table as changed for each statement execute function accounts.count_feed('-1');
create trigger feed_gains_present after update on accounts.transaction
  referencing new table as changed for each statement execute function accounts.count_feed('1');

alter table accounts.feed_count enable row level security;
alter table accounts.feed_count force row level security;
create policy by_organization on accounts.feed_count to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy by_system on accounts.feed_count to partita_system using (true);
grant select, insert, update on accounts.feed_count to partita_app, partita_system;
