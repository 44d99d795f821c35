-- 0004: published events are kept in an archive, where every consumer has its own place. Breaks the relay of code before it.
-- The outbox holds only what has not left and loses the columns that a relay before wrote; handled_event goes.

-- The archive. A position is given when an event leaves the outbox, by one relay at a time, in the order of the commits that archive them:
-- who reads `position > n` loses nothing. Partitioned by position, ten million each: a cursor names a position and never a month, so the
-- partitions behind it are not even looked at, and the primary key is unique over all of them.
create table platform.event (
  position bigint primary key,
  id uuid not null,
  topic text not null,
  type text not null,
  aggregate_id uuid not null,
  organization_id uuid,
  payload jsonb not null,
  occurred_at timestamptz not null,
  archived_at timestamptz not null -- never falls as the position rises
) partition by range (position);
create index event_of_organization on platform.event (organization_id, position);

-- The last position that was given, and to when: whoever moves events locks this row, and so is the only one.
create table platform.event_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null default 0,
  archived_at timestamptz
);
insert into platform.event_head default values;
grant select, update on platform.event_head to partita_system;

create function platform.refuse_change_of_event() returns trigger language plpgsql as $$
begin
  raise exception 'events are kept as they happened' using errcode = 'PT001';
end $$;

-- Makes the partition of a position, if it is missing. Statement triggers of the parent don't fire for a partition that is named directly,
-- so each has its own; nobody has rights on a partition, and none of its rows is seen but through the parent.
create function platform.prepare_event_partition(p_position bigint) returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  c_size constant bigint := 10000000;
  v_number bigint := p_position / c_size;
  v_name text := 'event_' || v_number;
begin
  if to_regclass('platform.' || v_name) is not null then return; end if;
  execute format('create table platform.%I (like platform.event including constraints)', v_name);
  perform platform.tenant_table(format('platform.%I', v_name)::regclass);
  execute format('create trigger refuse_change before update or delete or truncate on platform.%I for each statement execute function platform.refuse_change_of_event()', v_name);
  execute format('alter table platform.event attach partition platform.%I for values from (%L) to (%L)', v_name, v_number * c_size, (v_number + 1) * c_size);
end $$;
revoke execute on function platform.prepare_event_partition(bigint) from public;
grant execute on function platform.prepare_event_partition(bigint) to partita_system;

-- What has left within the last week moves; what has not waits in the outbox for the relay. Nothing has been handed to anybody yet: no
-- release had a consumer.
alter table platform.outbox no force row level security;
select platform.prepare_event_partition(1) where exists (select from platform.outbox where published_at is not null);
insert into platform.event (position, id, topic, type, aggregate_id, organization_id, payload, occurred_at, archived_at)
select row_number() over (order by position), id, topic, type, aggregate_id, organization_id, payload, occurred_at,
       max(published_at) over (order by position)
  from platform.outbox
 where published_at is not null;
update platform.event_head h
   set (position, archived_at) = (select coalesce(max(e.position), 0), max(e.archived_at) from platform.event e);
delete from platform.outbox where published_at is not null;
alter table platform.outbox force row level security;

create trigger refuse_change before update or delete or truncate on platform.event
  for each statement execute function platform.refuse_change_of_event();
select platform.tenant_table('platform.event');
grant select on platform.event to partita_app;
grant select, insert on platform.event to partita_system;

-- Since when an organization's events are all there, where that is not since it was opened. The module that owns organizations says so.
create table platform.event_gap (
  organization_id uuid primary key,
  complete_from_position bigint not null,
  complete_from timestamptz not null
);
select platform.tenant_table('platform.event_gap');
grant select on platform.event_gap to partita_app, partita_system;

-- The door for the migration of that module: what these organizations did before this moment is not all there, what they do from now on is.
create function platform.declare_event_gap(p_organizations uuid[]) returns void language plpgsql as $$
begin
  alter table platform.event_gap no force row level security;
  insert into platform.event_gap (organization_id, complete_from_position, complete_from)
  select o.id, h.position + 1, now() + c.offset_ms * interval '1 millisecond'
    from unnest(p_organizations) o (id), platform.event_head h, platform.bank_clock c;
  alter table platform.event_gap force row level security;
end $$;
revoke all on function platform.declare_event_gap(uuid[]) from public;

-- The outbox: one index, no column that changes. A row is written once and deleted when it moves.
drop index platform.outbox_waiting;
drop index platform.outbox_next;
alter table platform.outbox
  drop constraint outbox_id_key,
  drop column attempts,
  drop column published_at,
  drop column parked_reason;
revoke update on platform.outbox from partita_system;

drop table platform.handled_event;

-- Consumers ---------------------------------------------------------------------------------------------------------------------

-- Times here are the machine's, not the bank's: patience is not a business matter, and the sandbox moves the bank's clock.
create table platform.consumer (
  name text primary key,
  types text[] not null,
  position bigint not null, -- everything up to here was handled or is set aside
  attempts integer not null default 0, -- how often in a row it failed as a whole
  retry_at timestamptz,
  failing_since timestamptz,
  last_error text,
  seen_at timestamptz not null -- when a process last worked for exactly these types
);
grant select, insert, update on platform.consumer to partita_system;

-- What could not be handled, and what waits behind it: later events of the same aggregate. Only the first of an aggregate has a retry time.
create table platform.set_aside_event (
  consumer text not null references platform.consumer on delete cascade,
  position bigint not null,
  event_id uuid not null,
  aggregate_id uuid not null,
  attempts integer not null default 0,
  first_failed_at timestamptz,
  retry_at timestamptz,
  parked_at timestamptz,
  reason text,
  primary key (consumer, position)
);
create index set_aside_event_of_aggregate on platform.set_aside_event (consumer, aggregate_id, position);
create index set_aside_event_due on platform.set_aside_event (consumer, retry_at) where retry_at is not null;
grant select, insert, update, delete on platform.set_aside_event to partita_system;

-- What a person decided never to hand to a consumer, and why.
create table platform.skipped_event (
  consumer text not null,
  position bigint not null,
  event_id uuid not null,
  attempts integer not null,
  failure text,
  reason text not null check (reason <> ''),
  skipped_by text not null,
  skipped_at timestamptz not null,
  primary key (consumer, position, skipped_at)
);
grant select, insert on platform.skipped_event to partita_system;
