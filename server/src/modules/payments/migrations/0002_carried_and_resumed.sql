-- 0002: transfers keep all that their order said; an interrupted payment file is taken up again; what comes back and what we send back is followed to its end. Not breaking.

-- `details`: parties, category purpose and the like, as the customer wrote them (domain/instruction.ts). `suspended_minor`: how much came
-- back for an account that was closed by then, and waits in suspense for an operator.
alter table payments.credit_transfer
  add column details jsonb not null default '{}',
  add column file_position integer,
  add column suspended_minor bigint not null default 0;

-- The file itself is told apart from another one under the same MsgId by its content.
alter table payments.payment_file add column content_sha256 bytea;

-- Transfers of an accepted file that the account refused. With `credit_transfer.file_position` they are the file's whole outcome.
create table payments.payment_file_refusal (
  payment_file_id uuid not null references payments.payment_file,
  organization_id uuid not null,
  file_position integer not null,
  status_reason_code text not null,
  primary key (payment_file_id, file_position)
);

-- A file whose sender has his answer. One without was interrupted: sent again, it is not a duplicate but the wish to hear the rest.
create table payments.payment_file_answer (
  payment_file_id uuid primary key references payments.payment_file,
  organization_id uuid not null,
  answered_at timestamptz not null
);

-- A receipt is sent back in two steps, as it was received in two: `returning` until the rail has settled our pacs.004.
alter table payments.incoming_transfer
  add column book_id integer,
  add column answer_due_at timestamptz,
  drop constraint incoming_transfer_status_check,
  add constraint incoming_transfer_status_check
    check (status in ('credited', 'suspended', 'returning', 'returned', 'return_refused'));
create index incoming_transfer_returning on payments.incoming_transfer (answer_due_at) where status = 'returning';

alter table payments.outgoing_message add column incoming_transfer_id uuid;

-- Returns (pacs.004) of transfers that we sent. (returning agent, RtrId) is the scheme's key: a second copy changes nothing.
create table payments.transfer_return (
  returning_agent text not null,
  return_id text not null,
  credit_transfer_id uuid not null references payments.credit_transfer,
  organization_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  status_reason_code text not null,
  received_at timestamptz not null,
  primary key (returning_agent, return_id)
);
create index transfer_return_of on payments.transfer_return (credit_transfer_id);

do $$
declare name text;
begin
  foreach name in array array['payment_file_refusal', 'payment_file_answer', 'transfer_return'] loop
    execute format('alter table payments.%I enable row level security', name);
    execute format('alter table payments.%I force row level security', name);
    execute format($p$create policy by_organization on payments.%I to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)$p$, name);
    execute format('create policy by_system on payments.%I to partita_system using (true)', name);
    execute format('grant select on payments.%I to partita_app', name);
    execute format('grant select, insert on payments.%I to partita_system', name);
  end loop;
end $$;
