-- 0001: bank accounts, the transaction feed and labels. Not breaking.
create schema accounts;
grant usage on schema accounts to partita_app, partita_system;

-- Account numbers inside our IBANs, and the last part of a transaction's slug. Gaps are harmless: both only have to be unique.
create sequence accounts.account_number;
create sequence accounts.transaction_number;
grant usage on sequence accounts.account_number, accounts.transaction_number to partita_app, partita_system;

-- Which book of the ledger an organization lives in. One book serves all until an organization is moved.
create table accounts.book_route (
  organization_id uuid primary key,
  book_id integer not null
);

-- An account with us has a ledger account, which owns its balance. A connected account at another bank (`is_external`) may have none;
-- then `stated_balance_minor` is what that bank last told.
create table accounts.bank_account (
  id uuid primary key,
  organization_id uuid not null,
  number integer not null check (number > 0),
  slug text not null unique,
  transaction_slug_prefix text not null,
  name text not null,
  holder_name text not null,
  status text not null check (status in ('active', 'closed')),
  main boolean not null,
  country char(2),
  iban text,
  bic text,
  account_number text,
  currency char(3) not null,
  is_external boolean not null default false,
  book_id integer,
  ledger_account_id uuid unique,
  stated_balance_minor bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (organization_id, number),
  check (is_external or (iban is not null and bic is not null and book_id is not null and ledger_account_id is not null)),
  check ((book_id is null) = (ledger_account_id is null)),
  check (not (main and is_external))
);
-- Our own IBANs are unique in the bank. The same account elsewhere may be connected by several organizations, once by each.
create unique index bank_account_own_iban on accounts.bank_account (iban) where not is_external;
create unique index bank_account_external_iban on accounts.bank_account (organization_id, iban) where is_external and iban is not null;
create unique index bank_account_main on accounts.bank_account (organization_id) where main;

-- The feed: one row per movement as its account's owner sees it. Money is kept by the ledger, which `ledger_reference` points to; a row
-- here is written in the same commit. There is no foreign key to bank_account: the lanes that insert hundreds of rows a second have read
-- the account in the same transaction, and accounts are never deleted.
create table accounts.transaction (
  id uuid primary key,
  number bigint not null default nextval('accounts.transaction_number'),
  organization_id uuid not null,
  bank_account_id uuid not null,
  status text not null check (status in ('pending', 'declined', 'completed')),
  side text not null check (side in ('credit', 'debit')),
  operation_type text not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  local_amount_minor bigint not null,
  local_currency char(3) not null,
  settled_balance_minor bigint,
  label text not null,
  clean_counterparty_name text,
  reference text,
  note text,
  category text not null,
  initiator_id uuid,
  subject_type text not null,
  counterparty_account_number text,
  counterparty_account_number_format text,
  counterparty_bank_identifier text,
  counterparty_bank_identifier_format text,
  subject_details jsonb,
  vat_amount_minor bigint,
  vat_rate numeric(6, 3),
  vat_items jsonb,
  attachment_ids uuid[] not null default '{}' check (cardinality(attachment_ids) <= 5),
  attachment_lost boolean not null default false,
  attachment_required boolean not null default false,
  card_last_digits text,
  is_external boolean not null default false,
  ledger_reference uuid,
  emitted_at timestamptz not null,
  settled_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((status = 'completed') = (settled_at is not null))
);
-- The default list and its count read this index alone; `organization_id` is there because row-level security asks for it.
create index transaction_by_settlement on accounts.transaction (bank_account_id, settled_at desc, id desc)
  include (organization_id, status, side, operation_type);
create index transaction_by_update on accounts.transaction (bank_account_id, updated_at desc, id desc) include (organization_id, status);
create index transaction_by_emission on accounts.transaction (bank_account_id, emitted_at desc, id desc) include (organization_id, status);
-- A feed grows at one end: vacuum early, so that lists keep being answered from the index.
alter table accounts.transaction set (autovacuum_vacuum_insert_scale_factor = 0.05, fillfactor = 90);

create table accounts.label (
  id uuid primary key,
  organization_id uuid not null,
  name text not null,
  parent_id uuid references accounts.label,
  created_at timestamptz not null
);
create index label_listed on accounts.label (organization_id, created_at, id);

create table accounts.transaction_label (
  transaction_id uuid not null references accounts.transaction on delete cascade,
  label_id uuid not null references accounts.label,
  organization_id uuid not null,
  primary key (transaction_id, label_id)
);

do $$
declare name text;
begin
  foreach name in array array['book_route', 'bank_account', 'transaction', 'label', 'transaction_label'] loop
    execute format('alter table accounts.%I enable row level security', name);
    execute format('alter table accounts.%I force row level security', name);
    execute format($p$create policy by_organization on accounts.%I to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)$p$, name);
    execute format('create policy by_system on accounts.%I to partita_system using (true)', name);
  end loop;
end $$;

grant select on accounts.book_route, accounts.bank_account, accounts.transaction, accounts.label, accounts.transaction_label to partita_app;
grant insert on accounts.transaction to partita_app;
grant update (status, settled_at, settled_balance_minor, updated_at, ledger_reference) on accounts.transaction to partita_app;
grant select, insert, update on accounts.book_route, accounts.bank_account, accounts.transaction, accounts.label to partita_system;
grant select, insert, delete on accounts.transaction_label to partita_system;
