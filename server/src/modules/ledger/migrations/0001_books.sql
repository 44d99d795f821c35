-- 0001: books, accounts, transfers, keys, holds and periods, and who may write them. Not breaking.
--
-- The rule of this schema: money moves only by `ledger.post_batch`, and an account's sums change only because rows were added to
-- `transfer` or `hold`: their triggers change the account, nothing else may. The guards below stop everybody else, the owner and
-- superusers included; whoever wants around them must first disable triggers, which is not an accident.
create schema ledger;
grant usage on schema ledger to partita_app, partita_system;

-- A shard of the ledger. `seq` is the last place given; `recorded_at` the latest recorded time, which never runs backwards.
create table ledger.book (
  id integer generated always as identity primary key,
  code text not null unique check (length(code) between 1 and 64),
  seq bigint not null default 0,
  recorded_at timestamptz not null default '-infinity',
  closed_until timestamptz not null default '-infinity',
  -- The widest gaps seen between effective and recorded time: they bound how far a balance by effective time must look.
  backdated_max interval not null default '0',
  postdated_max interval not null default '0',
  opened_at timestamptz not null
) with (fillfactor = 50);

-- Domains are checked where a value is made, not again whenever the row changes: a regular expression per update costs more than the update.
create domain ledger.currency_code as text check (value ~ '^[A-Z]{3}$');
create domain ledger.account_code as text check (length(value) between 1 and 128);

-- `number` stands for the account in transfers: 4 bytes instead of 16 in a row and its index, twice per transfer.
-- No index on a column that changes, and half of each page free: updates stay on their page (HOT). Columns of fixed width that are
-- never null come first, where PostgreSQL finds them without walking the row.
create table ledger.account (
  number integer generated always as identity unique,
  book integer not null references ledger.book,
  debits bigint not null default 0,
  credits bigint not null default 0,
  balance bigint not null default 0,
  held bigint not null default 0,
  version bigint not null default 0,
  -- How far forced transfers have taken balance - held under the floor; only they may.
  overdrawn bigint not null default 0,
  opened_at timestamptz not null,
  id uuid primary key,
  closed boolean not null default false,
  debit_normal boolean not null,
  currency ledger.currency_code not null,
  code ledger.account_code not null,
  floor bigint, -- null: may be overdrawn without limit
  closed_at timestamptz,
  unique (book, code),
  constraint balance_is_credits_minus_debits check (balance = credits - debits and debits >= 0 and credits >= 0),
  constraint available_not_under_floor check (balance - held >= floor - overdrawn and overdrawn >= 0 and held >= 0),
  constraint closed_is_empty check (not closed or (balance = 0 and held = 0))
) with (fillfactor = 50);

-- One row per transfer, both legs. Partitioned by month of recorded time; the indexes are made per partition (`ensure_partition`),
-- unique inside it. Across partitions the book's lock and the version guard of `apply_transfers` keep versions and seq unique.
create table ledger.transfer (
  seq bigint not null,
  amount bigint not null check (amount > 0),
  debit_version bigint not null,
  credit_version bigint not null,
  debit_balance bigint not null,
  credit_balance bigint not null,
  recorded_at timestamptz not null,
  effective_at timestamptz not null,
  book integer not null,
  debit integer not null,
  credit integer not null check (credit <> debit),
  forced boolean not null,
  code text not null check (length(code) between 1 and 64),
  "group" uuid,
  reference uuid,
  hold uuid
) partition by range (recorded_at);

-- What has been done under which key. The hash is over the operation's whole content.
create table ledger.key (
  seq bigint not null,
  request_hash bigint not null,
  key uuid not null,
  book integer not null,
  primary key (book, key)
);

--            post_hold
--   pending ───────────▶ posted      Ended once, never again. What is not posted is released.
--      │ └── void_hold ─▶ voided
--      └── expire_holds ▶ expired
create table ledger.hold (
  id uuid not null,
  book integer not null,
  account integer not null references ledger.account (number),
  amount bigint not null check (amount > 0),
  posted bigint not null default 0,
  status text not null check (status in ('pending', 'posted', 'voided', 'expired')),
  code text not null check (length(code) between 1 and 64),
  "group" uuid,
  reference uuid,
  placed_seq bigint not null,
  placed_at timestamptz not null,
  expires_at timestamptz,
  ended_seq bigint,
  ended_at timestamptz,
  primary key (book, id),
  constraint posted_within_hold check (posted between 0 and amount and (posted > 0) = (status = 'posted')),
  constraint ended_or_pending check ((status = 'pending') = (ended_at is null))
) with (fillfactor = 70);
create index hold_due on ledger.hold (book, expires_at) where status = 'pending' and expires_at is not null;

-- Closed periods, newest through date last. The book carries the boundary that posting looks at.
create table ledger.period (
  book integer not null references ledger.book,
  through date not null,
  closed_seq bigint not null, -- the book's seq then: nothing later may count before the period's end
  closed_at timestamptz not null,
  primary key (book, through)
);

-- Both legs of every transfer, as their accounts see them.
create view ledger.entry as
  select t.debit as account, t.debit_version as version, 'debit' as side, t.amount, t.debit_balance as balance_after, t.credit as counter_account,
         t.book, t.seq, t.code, t."group", t.reference, t.hold, t.forced, t.effective_at, t.recorded_at
    from ledger.transfer t
  union all
  select t.credit, t.credit_version, 'credit', t.amount, t.credit_balance, t.debit,
         t.book, t.seq, t.code, t."group", t.reference, t.hold, t.forced, t.effective_at, t.recorded_at
    from ledger.transfer t;

grant select on all tables in schema ledger to partita_app, partita_system;

-- Guards ------------------------------------------------------------------------------------------------------------------------
-- SQLSTATE LG001: a write that is not the ledger's own.

-- Refuses the statement, whoever runs it.
create function ledger.refuse_write() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the ledger refuses % on %.%: what is recorded stays; correct it with a new transfer', tg_op, tg_table_schema, tg_table_name
    using errcode = 'LG001';
end $$;

-- Refuses the statement unless one of the functions named as arguments is on the call stack. The stack names functions with their
-- schema because they are compiled with a search_path that does not contain it; a quoted look-alike would show its quotes.
create function ledger.only_through() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_stack text;
  v_function text;
begin
  get diagnostics v_stack = pg_context;
  foreach v_function in array tg_argv loop
    if position(' ledger.' || v_function || '(' in v_stack) > 0 then return null; end if;
  end loop;
  raise exception 'the ledger refuses % on %.%: only its own functions write here', tg_op, tg_table_schema, tg_table_name
    using errcode = 'LG001';
end $$;

create trigger refuse_change before update or delete or truncate on ledger.transfer for each statement execute function ledger.refuse_write();
create trigger guard_insert before insert on ledger.transfer for each statement execute function ledger.only_through('post_batch');

create trigger refuse_change before update or delete or truncate on ledger.key for each statement execute function ledger.refuse_write();
create trigger guard_insert before insert on ledger.key for each statement execute function ledger.only_through('post_batch');

create trigger refuse_change before delete or truncate on ledger.hold for each statement execute function ledger.refuse_write();
create trigger guard_insert before insert on ledger.hold for each statement execute function ledger.only_through('post_batch');
create trigger guard_end before update on ledger.hold for each statement execute function ledger.only_through('post_batch', 'expire_holds');
create trigger refuse_rewriting before update of id, book, account, amount, code, "group", reference, placed_seq, placed_at, expires_at on ledger.hold
  for each statement execute function ledger.refuse_write();

create trigger refuse_change before delete or truncate on ledger.account for each statement execute function ledger.refuse_write();
create trigger guard_insert before insert on ledger.account for each statement execute function ledger.only_through('open_accounts');
create trigger guard_sums before update of debits, credits, balance, version on ledger.account
  for each statement execute function ledger.only_through('apply_transfers');
create trigger guard_held before update of held on ledger.account
  for each statement execute function ledger.only_through('apply_new_holds', 'apply_ended_holds');
create trigger guard_overdrawn before update of overdrawn on ledger.account for each statement execute function ledger.only_through('post_batch', 'expire_holds');
create trigger guard_status before update of closed, closed_at on ledger.account for each statement execute function ledger.only_through('close_account');
create trigger refuse_rewriting before update of id, number, book, code, currency, debit_normal, floor, opened_at on ledger.account
  for each statement execute function ledger.refuse_write();

create trigger refuse_change before delete or truncate on ledger.book for each statement execute function ledger.refuse_write();
create trigger guard_insert before insert on ledger.book for each statement execute function ledger.only_through('open_book');
create trigger guard_update before update on ledger.book for each statement execute function ledger.only_through('post_batch', 'close_period');
create trigger refuse_change before update or delete or truncate on ledger.period for each statement execute function ledger.refuse_write();
create trigger guard_insert before insert on ledger.period for each statement execute function ledger.only_through('close_period');

-- Sums --------------------------------------------------------------------------------------------------------------------------

-- sum(bigint) works in numeric; this one stays in 64 bits and raises on overflow.
create aggregate ledger.sum_int8(bigint) (sfunc = int8pl, stype = bigint, initcond = '0', combinefunc = int8pl, parallel = safe);

-- The only writer of debits, credits, balance and version: adds what the statement's transfers say, all of it, per account, and only if
-- their versions continue the account's. 40001: another writer was faster than the book's lock (a bug, or a stale snapshot): retry.
create function ledger.apply_transfers() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off set jit = off as $$
declare
  v_touched integer[] := array(select debit from fresh union select credit from fresh);
  v_updated bigint;
begin
  update ledger.account a
     set debits = a.debits + t.debits, credits = a.credits + t.credits, balance = a.balance - t.debits + t.credits, version = a.version + t.legs
    from (
      select leg.account, ledger.sum_int8(leg.debit) as debits, ledger.sum_int8(leg.credit) as credits, count(*) as legs,
             min(leg.version) as first, max(leg.version) as last
        from (
          select debit as account, amount as debit, 0::bigint as credit, debit_version as version from fresh
          union all
          select credit, 0, amount, credit_version from fresh
        ) leg
       group by leg.account
    ) t
   where a.number = any(v_touched) and a.number = t.account and t.first = a.version + 1 and t.last = a.version + t.legs;
  get diagnostics v_updated = row_count;
  if v_updated <> cardinality(v_touched) then
    raise exception 'accounts changed under the book''s lock (% of %)', v_updated, cardinality(v_touched) using errcode = '40001';
  end if;
  return null;
end $$;

create trigger apply_transfers after insert on ledger.transfer referencing new table as fresh
  for each statement execute function ledger.apply_transfers();

-- The only writers of held.
create function ledger.apply_new_holds() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off set jit = off as $$
begin
  update ledger.account a set held = a.held + h.amount
    from (select account, ledger.sum_int8(amount) as amount from fresh where status = 'pending' group by account) h
   where a.number = any(array(select account from fresh where status = 'pending')) and a.number = h.account;
  return null;
end $$;

create trigger apply_new_holds after insert on ledger.hold referencing new table as fresh
  for each statement execute function ledger.apply_new_holds();

create function ledger.apply_ended_holds() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off set jit = off as $$
begin
  if exists (select from stale where status <> 'pending') or exists (select from fresh where status = 'pending') then
    raise exception 'a hold ends once' using errcode = 'LG001';
  end if;
  update ledger.account a set held = a.held - h.amount
    from (select account, ledger.sum_int8(amount) as amount from stale group by account) h
   where a.number = any(array(select account from stale)) and a.number = h.account;
  return null;
end $$;

create trigger apply_ended_holds after update on ledger.hold referencing old table as stale new table as fresh
  for each statement execute function ledger.apply_ended_holds();

-- Partitions --------------------------------------------------------------------------------------------------------------------

-- Makes the partition of a month, if it is missing. Attached, not created in place: readers and writers of other months go on meanwhile.
create function ledger.ensure_partition(p_at timestamptz) returns void language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_month timestamp := date_trunc('month', p_at at time zone 'UTC');
  v_name text := 'transfer_' || to_char(v_month, 'YYYY_MM');
begin
  if to_regclass('ledger.' || v_name) is not null then return; end if;
  perform pg_advisory_xact_lock(1818518373, 0); -- one maker at a time; 1818518373 is the ledger's class of advisory locks, books are above 0
  if to_regclass('ledger.' || v_name) is not null then return; end if;
  execute format('create table ledger.%I (like ledger.transfer including constraints)', v_name);
  execute format('create unique index on ledger.%I (debit, debit_version)', v_name);
  execute format('create unique index on ledger.%I (credit, credit_version)', v_name);
  execute format('create unique index on ledger.%I (book, seq)', v_name);
  -- Statement triggers of the parent do not fire for a partition named directly: nobody writes here but through the parent.
  execute format('create trigger refuse_write before insert or update or delete or truncate on ledger.%I for each statement execute function ledger.refuse_write()', v_name);
  execute format('grant select on ledger.%I to partita_app, partita_system', v_name);
  execute format('alter table ledger.transfer attach partition ledger.%I for values from (%L) to (%L)', v_name,
                 v_month at time zone 'UTC', (v_month + interval '1 month') at time zone 'UTC');
end $$;
