-- 0001: the feed and its labels, which the accounts' migrations made, become a module's own. Breaks code before it.
-- Tables keep their rows, indexes, policies and grants; only the function names its table and is made anew.
create schema feed;
grant usage on schema feed to partita_app, partita_system;
alter sequence accounts.transaction_number set schema feed;
alter table accounts.transaction set schema feed;
alter table accounts.feed_count set schema feed;
alter table accounts.label set schema feed;
alter table accounts.transaction_label set schema feed;
alter function accounts.count_feed() set schema feed;

create or replace function feed.count_feed() returns trigger language plpgsql as $$
begin
  insert into feed.feed_count as c (bank_account_id, organization_id, status, side, operation_type, count)
  select bank_account_id, organization_id, status, side, operation_type, count(*) * tg_argv[0]::integer
    from changed
   group by bank_account_id, organization_id, status, side, operation_type
   order by bank_account_id, status, side, operation_type
  on conflict (bank_account_id, status, side, operation_type) do update set count = c.count + excluded.count;
  return null;
end $$;
