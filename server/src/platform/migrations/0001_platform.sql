-- 0001: what every module stands on: the outbox, idempotency records, the bank's clock. Not breaking.
create schema platform;
grant usage on schema platform to partita_app, partita_system;

-- The bank's clock as an offset to the machine's: one row, moved by the sandbox only.
create table platform.bank_clock (
  only_row boolean primary key default true check (only_row),
  offset_ms bigint not null default 0
);
insert into platform.bank_clock default values;
grant select on platform.bank_clock to partita_app, partita_system;
grant update on platform.bank_clock to partita_system;

-- Facts waiting to leave, written in the transaction that made them true. `position` orders the facts of one aggregate: whoever
-- changes an aggregate holds its row, so the order of its positions is the order of its commits. Across aggregates it is not, which
-- is why the relay never reads "position > last seen" (a later position may commit first) but what is still unpublished.
create table platform.outbox (
  position bigint generated always as identity primary key,
  id uuid not null unique,
  topic text not null,
  type text not null,
  aggregate_id uuid not null,
  organization_id uuid,
  payload jsonb not null,
  occurred_at timestamptz not null,
  attempts integer not null default 0,
  published_at timestamptz,
  parked_reason text
);
create index outbox_waiting on platform.outbox (aggregate_id, position) where published_at is null;
create index outbox_next on platform.outbox (position) where published_at is null and parked_reason is null;
alter table platform.outbox enable row level security;
alter table platform.outbox force row level security;
create policy by_organization on platform.outbox to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy by_system on platform.outbox to partita_system using (true);
grant insert on platform.outbox to partita_app;
grant select, insert, update, delete on platform.outbox to partita_system;

-- What each consumer has handled: delivery is at least once, effect is once.
create table platform.handled_event (
  consumer text not null,
  event_id uuid not null,
  handled_at timestamptz not null,
  primary key (consumer, event_id)
);
grant select, insert, delete on platform.handled_event to partita_system;

-- The successful answer of a request that carried an idempotency key. Written with the effect, kept 30 minutes.
create table platform.idempotency_record (
  organization_id uuid not null,
  operation text not null,
  key text not null,
  request_hash bytea not null,
  status smallint not null,
  body json not null,
  created_at timestamptz not null,
  primary key (organization_id, operation, key)
);
create index idempotency_record_age on platform.idempotency_record (created_at);
alter table platform.idempotency_record enable row level security;
alter table platform.idempotency_record force row level security;
create policy by_organization on platform.idempotency_record to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy by_system on platform.idempotency_record to partita_system using (true);
grant select, insert, update, delete on platform.idempotency_record to partita_app, partita_system;
