-- 0002: labels, their parents and the transactions that carry them are of one organization, and so is a feed with its account. Not breaking, but it holds the feed's counts while it indexes them.
alter table feed.label
  add constraint label_of_organization unique (organization_id, id),
  drop constraint label_parent_id_fkey,
  add constraint parent_is_of_the_same_organization foreign key (organization_id, parent_id) references feed.label (organization_id, id);
alter table feed.transaction_label
  drop constraint transaction_label_label_id_fkey,
  add constraint label_is_of_the_same_organization foreign key (organization_id, label_id) references feed.label (organization_id, id);
create index transaction_label_of_label on feed.transaction_label (organization_id, label_id);

-- The same for the transaction would need a unique index over the whole feed, which every transfer would pay for. Labels are put on rarely.
create function feed.check_labelled() returns trigger language plpgsql as $$
declare stranger uuid;
begin
  select a.transaction_id into stranger from added a
   where not exists (select from feed.transaction t where t.id = a.transaction_id and t.organization_id = a.organization_id) limit 1;
  if found then
    raise foreign_key_violation using
      message = format('a label cannot be put on transaction %s, which is not of its organization', stranger), constraint = 'transaction_is_of_the_same_organization';
  end if;
  return null;
end $$;
create trigger transaction_is_of_the_same_organization after insert on feed.transaction_label
  referencing new table as added for each statement execute function feed.check_labelled();

-- Links that stand are held to it as well. Row-level security binds the owner, who migrates: without this it would see none.
alter table feed.transaction no force row level security;
alter table feed.transaction_label no force row level security;
do $$
declare strangers bigint;
begin
  select count(*) into strangers from feed.transaction_label l join feed.transaction t on t.id = l.transaction_id
   where t.organization_id <> l.organization_id;
  if strangers > 0 then raise '% labels are put on transactions of another organization: remove them from feed.transaction_label', strangers; end if;
end $$;
alter table feed.transaction force row level security;
alter table feed.transaction_label force row level security;

-- A transaction is of its account's organization: its first of a kind makes a count, which says so, and every later one finds that count by
-- its organization. A foreign key on each transaction would cost a transfer 20 µs.
alter table feed.feed_count
  drop constraint feed_count_pkey,
  add primary key (organization_id, bank_account_id, status, side, operation_type),
  add constraint account_is_of_the_same_organization
    foreign key (organization_id, bank_account_id) references accounts.bank_account (organization_id, id);
create or replace function feed.count_feed() returns trigger language plpgsql as $$
begin
  insert into feed.feed_count as c (bank_account_id, organization_id, status, side, operation_type, count)
  select bank_account_id, organization_id, status, side, operation_type, count(*) * tg_argv[0]::integer
    from changed
   group by bank_account_id, organization_id, status, side, operation_type
   order by bank_account_id, organization_id, status, side, operation_type
  on conflict (organization_id, bank_account_id, status, side, operation_type) do update set count = c.count + excluded.count;
  return null;
end $$;
