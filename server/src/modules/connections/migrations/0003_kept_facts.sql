-- 0003: what a bank said of an entry is kept whole, and the file itself with it. Not breaking: entries imported before have no facts until a file tells them again.

-- By the entry's key in the ledger, which the feed's row names as well. What is looked for has a column; the rest is in `more`, and what
-- was not said is in neither. Without a foreign key to the account: a file of 50,000 entries would pay for 50,000 looks at one row, and
-- the entry is written in the statement that also writes its feed row, which is held to the account.
create table connections.statement_entry (
  organization_id uuid not null,
  entry_key uuid not null,
  bank_account_id uuid not null,
  booking_date date not null,
  value_date date,
  bank_reference text,
  end_to_end_id text,
  mandate_id text,
  creditor_id text,
  counterparty_name text,
  counterparty_iban text,
  transaction_code text,
  remittance text,
  additional_information text,
  more jsonb not null,
  primary key (organization_id, entry_key)
);

-- The transactions that one booking stands for. They are no bookings: no balance, count or list has them.
create table connections.statement_entry_detail (
  organization_id uuid not null,
  entry_key uuid not null,
  position integer not null,
  amount numeric,
  currency text,
  end_to_end_id text,
  mandate_id text,
  creditor_id text,
  counterparty_name text,
  counterparty_iban text,
  remittance text,
  more jsonb not null,
  primary key (organization_id, entry_key, position),
  constraint entry_is_of_the_same_organization
    foreign key (organization_id, entry_key) references connections.statement_entry (organization_id, entry_key)
);

-- A file's bytes, as they came, by their digest: the same file again is kept once. In pieces that are compressed one by one, so that a large file needs
-- no more memory than a small one.
create table connections.file_content (
  organization_id uuid not null,
  sha256 bytea not null,
  position integer not null,
  zstd bytea not null,
  primary key (organization_id, sha256, position)
);
alter table connections.file_content alter column zstd set storage external;
alter table connections.imported_file add column size bigint, add column sha256 bytea;

select platform.tenant_table(name) from unnest(array[
  'connections.statement_entry', 'connections.statement_entry_detail', 'connections.file_content']::regclass[]) as name;
grant select on connections.statement_entry, connections.statement_entry_detail, connections.file_content to partita_app;
grant select, insert, update on connections.statement_entry to partita_system;
grant select, insert on connections.statement_entry_detail, connections.file_content to partita_system;
