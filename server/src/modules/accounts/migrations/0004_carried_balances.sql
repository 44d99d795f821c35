-- 0004: every balance that statements carry into the books of a connected account, and what had to be posted for it. Breaks importing by code before it.

-- The balance before the first booking of a day, as a statement told it. The ledger is held to it: `carried_minor` is what was posted on
-- the evening before. For the earliest day that is the opening of the whole history; for a later one it is a gap: bookings that no
-- statement has told yet, or a statement that did not add up. It goes back to zero when they come.
create table accounts.carried_balance (
  bank_account_id uuid not null references accounts.bank_account,
  organization_id uuid not null,
  day date not null,
  balance_minor bigint not null,
  carried_minor bigint not null,
  primary key (bank_account_id, day)
);
-- Row-level security binds the owner as well, who migrates: without this it would see no row.
alter table accounts.external_history no force row level security;
insert into accounts.carried_balance (bank_account_id, organization_id, day, balance_minor, carried_minor)
select bank_account_id, organization_id, opening_date, opening_minor, opening_minor
  from accounts.external_history
 where opening_minor is not null and opening_date is not null;
alter table accounts.external_history force row level security;
alter table accounts.carried_balance enable row level security;
alter table accounts.carried_balance force row level security;
create policy by_organization on accounts.carried_balance to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy by_system on accounts.carried_balance to partita_system using (true);
grant select on accounts.carried_balance to partita_app;
grant select, insert, update on accounts.carried_balance to partita_system;

-- Where the known history ends: what the last statement's opening and bookings came to. The next one goes on from there.
alter table accounts.external_history drop column opening_minor, drop column opening_date;
alter table accounts.external_history rename column closing_minor to reached_minor;
