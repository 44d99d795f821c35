-- 0002: accounts at other banks get a history from their statement files. Not breaking.

-- One account may be kept in several currencies under one number.
drop index accounts.bank_account_external_iban;
create unique index bank_account_external_iban on accounts.bank_account (organization_id, iban, currency) where is_external and iban is not null;
create unique index bank_account_external_number on accounts.bank_account (organization_id, account_number, currency)
  where is_external and iban is null and account_number is not null;

-- Where the known history of an external account begins and ends. `opening_minor` is null until a statement has told it.
create table accounts.external_history (
  bank_account_id uuid primary key references accounts.bank_account,
  organization_id uuid not null,
  opening_minor bigint,
  opening_date date,
  closing_minor bigint,
  closing_date date
);

create table accounts.imported_file (
  id uuid primary key,
  organization_id uuid not null,
  name text not null,
  format text not null,
  problems jsonb not null,
  imported_at timestamptz not null
);
create index imported_file_listed on accounts.imported_file (organization_id, imported_at, id);

-- A statement as its bank made it, in the bank's own decimals. `break_amount`: what closing differs by from opening and entries.
create table accounts.imported_statement (
  id uuid primary key,
  imported_file_id uuid not null references accounts.imported_file,
  organization_id uuid not null,
  bank_account_id uuid not null references accounts.bank_account,
  identification text,
  sequence_number text,
  from_date date,
  to_date date,
  opening numeric,
  closing numeric,
  credit numeric not null,
  debit numeric not null,
  entries integer not null,
  details integer not null,
  reconciles boolean,
  break_amount numeric,
  -- Entries whose amount the currency cannot hold: kept here exactly, since they could not be booked.
  unbooked jsonb not null
);
create index imported_statement_of_account on accounts.imported_statement (bank_account_id, from_date);
create index imported_statement_of_file on accounts.imported_statement (imported_file_id);

do $$
declare name text;
begin
  foreach name in array array['external_history', 'imported_file', 'imported_statement'] loop
    execute format('alter table accounts.%I enable row level security', name);
    execute format('alter table accounts.%I force row level security', name);
    execute format($p$create policy by_organization on accounts.%I to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)$p$, name);
    execute format('create policy by_system on accounts.%I to partita_system using (true)', name);
  end loop;
end $$;

grant select on accounts.external_history, accounts.imported_file, accounts.imported_statement to partita_app;
grant select, insert, update on accounts.external_history to partita_system;
grant select, insert on accounts.imported_file, accounts.imported_statement to partita_system;
