-- 0001: internal transfers, SEPA credit transfers out and in, the messages exchanged with the rail, payment files. Not breaking.
create schema payments;
grant usage on schema payments to partita_app, partita_system;

create table payments.internal_transfer (
  id uuid primary key,
  organization_id uuid not null,
  debtor_account_id uuid not null,
  creditor_account_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  remittance_information text not null,
  created_at timestamptz not null
);

-- A pain.001 file that a customer sent. MsgId is unique per organization: the same file twice is refused (AM05), not paid twice.
create table payments.payment_file (
  id uuid primary key,
  organization_id uuid not null,
  message_id text not null,
  debtor_account_id uuid not null,
  message_name text not null,
  status text not null check (status in ('accepted', 'partly_accepted', 'rejected')),
  transactions integer not null,
  control_sum_minor bigint not null,
  received_at timestamptz not null,
  unique (organization_id, message_id)
);

-- A SEPA credit transfer that leaves us (EPC125-05). The states and who moves them: domain/credit-transfer.ts.
create table payments.credit_transfer (
  id uuid primary key,
  organization_id uuid not null,
  debtor_account_id uuid not null,
  book_id integer not null,
  ledger_account_id uuid not null,
  debtor_name text not null,
  debtor_iban text not null,
  creditor_name text not null,
  creditor_iban text not null,
  creditor_bic text,
  amount_minor bigint not null check (amount_minor between 1 and 99999999999),
  currency char(3) not null check (currency = 'EUR'),
  end_to_end_id text not null,
  transaction_id text not null unique,
  uetr uuid not null,
  remittance_information text,
  creditor_reference text,
  purpose text,
  requested_execution_date date not null,
  payment_file_id uuid references payments.payment_file,
  payment_information_id text,
  instruction_id text,
  status text not null check (status in ('pending', 'submitted', 'unknown', 'accepted', 'settled', 'rejected', 'returned')),
  status_reason_code text,
  feed_transaction_id uuid not null,
  created_at timestamptz not null,
  submitted_at timestamptz,
  answer_due_at timestamptz,
  investigated_at timestamptz,
  updated_at timestamptz not null
);
create index credit_transfer_due on payments.credit_transfer (requested_execution_date, id) where status = 'pending';
create index credit_transfer_silent on payments.credit_transfer (answer_due_at) where status in ('submitted', 'unknown', 'accepted');
create index credit_transfer_file on payments.credit_transfer (payment_file_id) where payment_file_id is not null;

-- A SEPA credit transfer that came in. (instructing agent, transaction id) is the scheme's key: a second copy changes nothing.
create table payments.incoming_transfer (
  id uuid primary key,
  organization_id uuid,
  creditor_account_id uuid,
  instructing_agent text not null,
  transaction_id text not null,
  end_to_end_id text not null,
  original_message_id text not null,
  debtor_name text not null,
  debtor_iban text not null,
  debtor_bic text,
  creditor_name text not null,
  creditor_iban text not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency char(3) not null,
  remittance_information text,
  settlement_date date not null,
  status text not null check (status in ('credited', 'suspended', 'returned')),
  status_reason_code text,
  received_at timestamptz not null,
  unique (instructing_agent, transaction_id)
);
create index incoming_transfer_suspended on payments.incoming_transfer (received_at, id) where status = 'suspended';

-- What we send, remembered before it is sent. `attempted_at` without `delivered_at` means that nobody knows whether the rail has it:
-- such a message is asked about (pacs.028) and never sent again.
create table payments.outgoing_message (
  id uuid primary key,
  message_id text not null unique,
  message_name text not null,
  transfer_id uuid,
  xml text not null,
  created_at timestamptz not null,
  attempted_at timestamptz,
  delivered_at timestamptz,
  refused_reason text
);
create index outgoing_message_interrupted on payments.outgoing_message (attempted_at) where delivered_at is null and refused_reason is null;
create index outgoing_message_waiting on payments.outgoing_message (created_at, id) where attempted_at is null;

-- What the rail sent us, once per message, with what we made of it.
create table payments.incoming_message (
  rail_message_id text primary key,
  sequence bigint not null,
  message_name text not null,
  xml text not null,
  received_at timestamptz not null,
  outcome text not null
);

-- How far we have read the rail's outbox.
create table payments.rail_cursor (
  only_row boolean primary key default true check (only_row),
  sequence bigint not null default 0
);
insert into payments.rail_cursor default values;

do $$
declare name text;
begin
  foreach name in array array['internal_transfer', 'payment_file', 'credit_transfer', 'incoming_transfer'] loop
    execute format('alter table payments.%I enable row level security', name);
    execute format('alter table payments.%I force row level security', name);
    execute format($p$create policy by_organization on payments.%I to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)$p$, name);
    execute format('create policy by_system on payments.%I to partita_system using (true)', name);
  end loop;
end $$;

grant select, insert on payments.internal_transfer, payments.payment_file, payments.credit_transfer to partita_app;
grant select on payments.incoming_transfer to partita_app;
grant select, insert on payments.internal_transfer, payments.payment_file to partita_system;
grant select, insert, update on payments.credit_transfer, payments.incoming_transfer, payments.outgoing_message to partita_system;
grant select, insert on payments.incoming_message to partita_system;
grant select, update on payments.rail_cursor to partita_system;
