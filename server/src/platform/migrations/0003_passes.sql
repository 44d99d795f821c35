-- 0003: what moves by itself tells how it goes: items that failed, cases for a person, the runs of each process. Not breaking.

-- An item of a pass that failed, until it is done. The life of a row: waiting (`retry_at` says until when) → stuck, which makes it a case that
-- waits for a person → taken up again (waiting once more) or closed (never tried again) → done. Times are the machine's: the bank's clock may
-- stand still or jump, and a rail that is away comes back in real minutes.
create table platform.failed_item (
  number bigint generated always as identity primary key, -- what a person calls the case
  pass text not null,
  item text not null,
  subject_kind text,
  subject_id uuid,
  attempts integer not null check (attempts >= 0), -- since the first failure, or since it was taken up again
  reason text not null,
  first_failed_at timestamptz not null,
  last_failed_at timestamptz not null,
  retry_at timestamptz,
  stuck_at timestamptz,
  taken_up_at timestamptz,
  taken_up_by text,
  closed_at timestamptz,
  closed_by text,
  closed_because text,
  done_at timestamptz,
  unique (pass, item),
  check ((subject_kind is null) = (subject_id is null)),
  check (retry_at is not null or stuck_at is not null),
  check ((closed_at is null) = (closed_by is null))
);
create index failed_item_open on platform.failed_item (pass, retry_at) where done_at is null;

-- What each process says of each of its passes, rewritten every few seconds: for people and graphs, nothing depends on it.
create table platform.pass_run (
  pass text not null,
  process text not null,
  describe text not null,
  every_ms integer not null,
  runs bigint not null,
  failures bigint not null,
  done bigint not null,
  last_run_at timestamptz,
  last_success_at timestamptz,
  duration_ms integer not null,
  last_error text,
  failing_since timestamptz,
  reported_at timestamptz not null,
  primary key (pass, process)
);

grant select, insert, update, delete on platform.failed_item, platform.pass_run to partita_system;

-- The door for the stores of modules: the items of a pass that must not be taken now. Used as `not in (select platform.held(…))`, which
-- PostgreSQL answers from one hash table, however many are held and whatever it believed when it planned the statement.
create function platform.held(of_pass text, at timestamptz) returns setof text language sql stable rows 1000 as $$
  select item from platform.failed_item where pass = of_pass and done_at is null and (retry_at is null or retry_at > at)
$$;

-- The door for migrations of modules: makes a case of what an earlier release gave up without one.
create function platform.open_case(of_pass text, of_item text, kind text, id uuid, why text, since timestamptz) returns void language sql as $$
  insert into platform.failed_item (pass, item, subject_kind, subject_id, attempts, reason, first_failed_at, last_failed_at, stuck_at)
  values (of_pass, of_item, kind, id, 1, why, since, since, since) on conflict (pass, item) do nothing
$$;
