-- 0009: the ledger goes by roles: its functions belong to one that nobody logs in as, the application has no right here, and a call is refused unless it makes sense. Breaks reading balances by code before it.
--
-- The guards asked the call stack which function was writing. The stack quotes statements, so a comment could name the function. Now they ask
-- who writes: `partita_ledger`, whom only the functions that it owns become. Whoever takes the role itself (`set role`) is refused as well.

-- SQLSTATE LG003: what was sent is nothing that the ledger's door sends. Nothing has been written.

-- Recorded time never runs backwards, so one call from a time far ahead would leave its book there for ever.
create function ledger.check_time(p_now timestamptz) returns void language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_latest timestamptz := (select clock_timestamp() + offset_ms * interval '1 millisecond' + ahead_max from platform.bank_clock);
begin
  if (p_now between timestamptz '1970-01-01 00:00:00Z' and v_latest) is not true then
    raise exception 'the ledger records at the bank''s time: % is not, its latest is %', p_now, v_latest using errcode = 'LG003';
  end if;
end $$;

-- As 0001 has it under the name `ensure_partition`, for the ledger's own functions.
create function ledger.make_partition(p_at timestamptz) returns void language plpgsql security definer
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
  execute format('grant select on ledger.%I to partita_system, partita_ledger', v_name);
  execute format('alter table ledger.transfer attach partition ledger.%I for values from (%L) to (%L)', v_name,
                 v_month at time zone 'UTC', (v_month + interval '1 month') at time zone 'UTC');
end $$;

-- For a long transaction, before it begins: as 0006 says, at the bank's time.
create or replace function ledger.ensure_partition(p_at timestamptz) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform ledger.check_time(p_at);
  perform ledger.make_partition(p_at);
end $$;

create or replace function ledger.open_book(p_code text, p_now timestamptz) returns integer language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_id integer;
begin
  perform ledger.check_time(p_now);
  select id into v_id from ledger.book where code = p_code;
  if v_id is not null then return v_id; end if;
  insert into ledger.book (code, opened_at) values (p_code, p_now) on conflict (code) do nothing returning id into v_id;
  if v_id is null then select id into v_id from ledger.book where code = p_code; end if;
  return v_id;
end $$;

-- As 0004 has it, and its columns must agree.
create or replace function ledger.open_accounts(
  p_book integer, p_ids uuid[], p_codes text[], p_currencies text[], p_debit_normals boolean[], p_floors bigint[], p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  v_wanted bigint;
  v_present bigint;
  v_inserted bigint;
begin
  perform ledger.check_time(p_now);
  if num_nulls(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) > 0
     or array_dims(p_codes) is distinct from array_dims(p_ids) or array_dims(p_currencies) is distinct from array_dims(p_ids)
     or array_dims(p_debit_normals) is distinct from array_dims(p_ids) or array_dims(p_floors) is distinct from array_dims(p_ids)
     or num_nulls(variadic p_ids) + num_nulls(variadic p_codes) + num_nulls(variadic p_currencies) + num_nulls(variadic p_debit_normals) > 0
     or exists (select from unnest(p_floors) floor where floor not between -4611686018427387904 and 0) then
    raise exception 'accounts are opened by columns of one length, with floors of at most zero' using errcode = 'LG003';
  end if;
  if not exists (select from ledger.book where id = p_book) then raise exception 'there is no book %', p_book using errcode = '22023'; end if;
  perform pg_advisory_xact_lock(1818518374, p_book); -- openers of one book take turns; posting goes on
  select count(distinct (id, code, currency, debit_normal, floor)) into v_wanted
    from unnest(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) w(id, code, currency, debit_normal, floor);
  if v_wanted <> (select count(distinct w) from unnest(p_ids) w) then return 'account_id_reused_with_other_content'; end if;
  if v_wanted <> (select count(distinct w) from unnest(p_codes) w) then return 'account_code_taken'; end if;

  select count(*) into v_present from ledger.account a where a.id = any(p_ids);
  if v_present > 0 and v_present <> (
    select count(distinct a.id) from ledger.account a
      join unnest(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) w(id, code, currency, debit_normal, floor)
        on a.id = w.id and a.book = p_book and a.code = w.code and a.currency = w.currency and a.debit_normal = w.debit_normal and a.floor is not distinct from w.floor
     where a.id = any(p_ids)
  ) then return 'account_id_reused_with_other_content'; end if;
  if exists (select from ledger.account a where a.book = p_book and a.code = any(p_codes) and a.id <> all(p_ids)) then return 'account_code_taken'; end if;

  insert into ledger.account (id, book, code, currency, debit_normal, floor, opened_at)
  select distinct on (id) id, p_book, code, currency, debit_normal, floor, p_now
    from unnest(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) w(id, code, currency, debit_normal, floor)
   where not exists (select from ledger.account a where a.id = w.id);
  get diagnostics v_inserted = row_count;
  if v_inserted + v_present <> v_wanted then raise exception 'accounts opened and wanted disagree' using errcode = '40001'; end if;
  return null;
end $$;

create or replace function ledger.close_account(p_account uuid, p_now timestamptz) returns text language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_account record;
begin
  perform ledger.check_time(p_now);
  perform pg_advisory_xact_lock(1818518373, a.book) from ledger.account a where a.id = p_account;
  select a.closed, a.balance, a.held into v_account from ledger.account a where a.id = p_account for update;
  if not found then return 'account_not_found'; end if;
  if v_account.closed then return null; end if;
  if v_account.balance <> 0 then return 'balance_not_zero'; end if;
  if v_account.held <> 0 then return 'holds_pending'; end if;
  update ledger.account set closed = true, closed_at = p_now where id = p_account;
  return null;
end $$;

create or replace function ledger.close_period(p_book integer, p_through date, p_now timestamptz) returns date language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_until timestamptz := (p_through + 1)::timestamp at time zone 'Europe/Paris';
begin
  perform ledger.check_time(p_now);
  perform pg_advisory_xact_lock(1818518373, p_book);
  if v_until > p_now then return null; end if;
  update ledger.book set closed_until = v_until where id = p_book and closed_until < v_until;
  if found then
    insert into ledger.period (book, through, closed_seq, closed_at) select id, p_through, seq, p_now from ledger.book where id = p_book;
  end if;
  return (select max(through) from ledger.period where book = p_book);
end $$;

create or replace function ledger.expire_holds(p_book integer, p_now timestamptz, p_limit integer) returns setof ledger.hold language plpgsql security definer
  set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  v_ids uuid[];
begin
  perform ledger.check_time(p_now);
  if (p_limit between 1 and 10000) is not true then raise exception 'holds are released by 1 to 10000, not %', p_limit using errcode = 'LG003'; end if;
  perform pg_advisory_xact_lock(1818518373, p_book);
  v_ids := array(select id from ledger.hold where book = p_book and status = 'pending' and expires_at <= p_now order by expires_at, id limit p_limit);
  if cardinality(v_ids) = 0 then return; end if;
  update ledger.hold set status = 'expired', ended_at = p_now where book = p_book and id = any(v_ids) and status = 'pending';
  update ledger.account b set overdrawn = greatest(0, b.floor - (b.balance - b.held))
   where b.number in (select account from ledger.hold where book = p_book and id = any(v_ids)) and b.overdrawn > 0;
  return query select * from ledger.hold where book = p_book and id = any(v_ids) order by expires_at, id;
end $$;

-- As 0004 says, and what is sent must make sense: each kind has what it needs and nothing that it would ignore.
create or replace function ledger.post_batch(
  p_book integer, p_now timestamptz, p_accounts uuid[], p_kind smallint[], p_key uuid[], p_debit integer[], p_credit integer[],
  p_amount bigint[], p_currency text[], p_code text[], p_effective timestamptz[], p_reference uuid[], p_group uuid[], p_hold uuid[],
  p_expires timestamptz[], p_force boolean[],
  out o_status smallint[], out o_seq bigint[], out o_debit_balance bigint[], out o_debit_version bigint[],
  out o_credit_balance bigint[], out o_credit_version bigint[]
) language plpgsql security definer
  set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_nestloop = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
  c_amount_max constant bigint := 1000000000000000;
  c_total_max constant bigint := 4611686018427387904;
  c_held_max constant bigint := 2305843009213693952;
  c_no_floor constant bigint := -9223372036854775807;
  c_first constant timestamptz := '1970-01-01 00:00:00Z';
  c_first_effective constant timestamptz := '1900-01-01 00:00:00Z';
  c_ahead_max constant interval := '200 years';
  n constant integer := coalesce(cardinality(p_key), 0);
  m integer := coalesce(cardinality(p_accounts), 0);
  v_dims constant text := '[1:' || n || ']';
  v_none constant integer := case when p_kind is null then 1 else 0 end; -- every transfer has both
  v_seq_before bigint; v_seq bigint; v_now timestamptz; v_closed_until timestamptz;
  -- per account: those that the caller names, then those of stored holds. Credits are balance + debits; least is floor + held.
  v_accounts uuid[] := p_accounts; v_number integer[]; v_place tid[]; v_balance bigint[]; v_debits bigint[]; v_held bigint[]; v_least bigint[]; v_version bigint[]; v_before bigint[];
  v_closed boolean[]; v_currency text[];
  v_in_order boolean; v_fit boolean; v_overdrawn boolean; v_more record;
  v_room constant bigint := c_held_max - n * c_amount_max; -- a total up to here takes a whole batch
  -- per operation, made only when needed
  v_debit integer[] := p_debit; v_amount bigint[] := p_amount;
  v_hash bigint[]; v_stored_seq bigint[]; v_stored_hash bigint[]; v_first integer[]; v_done integer[]; v_slot integer[];
  -- holds: stored ones first, then one slot per operation of the batch
  v_holds integer := 0; h_id uuid[]; h_account integer[]; h_amount bigint[]; h_status smallint[]; h_expires timestamptz[]; h_posted bigint[]; h_ended bigint[];
  v_simple boolean; v_quick boolean; v_plain boolean; v_keys boolean; v_kinds boolean := p_kind is not null;
  v_group_from integer := 0; v_group_to integer := 0; v_group_seq bigint; v_group_broken boolean := false;
  v_groups integer := 0; v_movements integer := 0; v_refused integer := 0; v_placed integer := 0; v_ended integer := 0;
  i integer; j integer; d integer; c integer; a bigint; x bigint; k smallint; r smallint; s integer; v_cur text; v_terms bigint; v_rows bigint; v_moved bigint; v_debited bigint; v_credited bigint; v_legs bigint; v_stored record;
begin
  if n = 0 or n > 4000 then raise exception 'a batch has 1 to 4000 operations, not %', n using errcode = '22023'; end if;
  if p_now is null or not isfinite(p_now) then raise exception 'a batch needs its time' using errcode = '22023'; end if;
  if p_now > clock_timestamp() or p_now < c_first then perform ledger.check_time(p_now); end if;
  -- Looks at the heads of arrays alone. What a batch seldom has is looked at apart: to prepare an expression costs more than to run it.
  v_fit := array_dims(p_key) = v_dims and array_dims(p_debit) = v_dims and array_dims(p_credit) = v_dims and array_dims(p_amount) = v_dims
    and array_dims(p_currency) in ('[1:1]', v_dims) and array_dims(p_code) in ('[1:1]', v_dims)
    and num_nulls(variadic p_key) = 0 and num_nulls(variadic p_debit) = 0 and num_nulls(variadic p_credit) = 0
    and num_nulls(variadic p_currency) = 0 and num_nulls(variadic p_code) = 0
    and (m = 0 or m <= 2 * n and array_dims(p_accounts) = '[1:' || m || ']' and num_nulls(variadic p_accounts) = 0);
  if v_fit and num_nonnulls(p_kind, p_effective, p_reference, p_group, p_hold, p_expires, p_force) > 0 then
    v_fit := (p_kind is null or array_dims(p_kind) = v_dims and num_nulls(variadic p_kind) = 0)
      and (p_force is null or array_dims(p_force) = v_dims and num_nulls(variadic p_force) = 0)
      and (p_effective is null or array_dims(p_effective) = v_dims) and (p_reference is null or array_dims(p_reference) = v_dims)
      and (p_group is null or array_dims(p_group) = v_dims) and (p_expires is null or array_dims(p_expires) = v_dims)
      and (p_hold is null or p_kind is not null and array_dims(p_hold) = v_dims);
  end if;
  if v_fit is not true then
    raise exception 'the columns of a batch are of one length, and have a value in each place where there must be one' using errcode = 'LG003';
  end if;
  -- Places of accounts, where 0 is none: one far beyond them would make room for itself.
  v_fit := v_none <= all (p_debit) and v_none <= all (p_credit) and m >= all (p_debit) and m >= all (p_credit);
  if v_fit and p_kind is not null then
    v_fit := not exists (
      select from unnest(p_kind, p_debit, p_credit, p_hold) as o(kind, debit, credit, hold)
       where case kind when 1 then debit = 0 or credit = 0 or hold is not null
                       when 2 then debit = 0 or credit > 0 or hold is not null
                       when 3 then debit > 0 or credit = 0 or hold is null
                       when 4 then debit > 0 or credit > 0 or hold is null
                       else true end);
  end if;
  if not v_fit then
    raise exception 'a transfer has two accounts, a hold one, the end of a hold that hold, by their places among the accounts of the batch' using errcode = 'LG003';
  end if;
  v_fit := length(p_code[1]) between 1 and 64;
  if v_fit and cardinality(p_code) > 1 then v_fit := not exists (select from unnest(p_code) code where length(code) not between 1 and 64); end if;
  if not v_fit then
    raise exception 'a code has 1 to 64 characters' using errcode = 'LG003';
  end if;
  if (p_effective is not null or p_expires is not null or p_force is not null) and exists (
    select from unnest(p_kind, p_effective, p_expires, p_force) as o(kind, effective, expires, force)
     where effective is not null and (coalesce(kind, 1) not in (1, 3) or effective not between c_first_effective and p_now + c_ahead_max)
        or expires is not null and (coalesce(kind, 1) <> 2 or expires not between c_first and p_now + c_ahead_max)
        or force and coalesce(kind, 1) <> 1
  ) then
    raise exception 'an effective time is a movement''s, an end a hold''s, force a transfer''s, and no time is out of this world' using errcode = 'LG003';
  end if;

  perform pg_advisory_xact_lock(1818518373, p_book); -- the only lock; everything below sees what the batch before it committed
  select b.seq, greatest(p_now, b.recorded_at), b.closed_until into v_seq_before, v_now, v_closed_until from ledger.book b where b.id = p_book;
  if v_seq_before is null then raise exception 'there is no book %', p_book using errcode = '22023'; end if;
  v_seq := v_seq_before;

  -- Read in the order of the primary key, which is the caller's: nothing is joined and nothing sorted. The book is looked at afterwards: planned on an
  -- empty table, its own index looks as good as the key, and then reads the whole book for ever.
  select array_agg(b.ctid), array_agg(b.number), array_agg(b.balance), array_agg(b.debits), array_agg(b.held), array_agg(b.version), array_agg(coalesce(b.floor + b.held, c_no_floor)),
         coalesce(array_agg(b.id), '{}') = p_accounts,
         bool_and(b.book = p_book and not b.closed and b.currency = p_currency[1] and b.debits <= v_room and b.credits <= v_room and b.held <= v_room),
         max(b.overdrawn) > 0
    into v_place, v_number, v_balance, v_debits, v_held, v_version, v_least, v_in_order, v_fit, v_overdrawn
    from (select ctid, * from ledger.account where id = any(p_accounts) order by id) b;

  if v_in_order is not true and m <> (select count(distinct account) from unnest(p_accounts) account) then
    raise exception 'a batch names each account once' using errcode = 'LG003';
  end if;

  -- Stored holds that the batch ends, with those of their accounts that the caller does not name.
  if v_kinds and p_hold is not null then
    select array_agg(h.id order by h.id), array_agg(h.amount order by h.id), array_agg(h.expires_at order by h.id),
           array_agg((case h.status when 'pending' then 1 else 2 end)::smallint order by h.id), array_agg(h.account order by h.id),
           count(*), array_agg(0::bigint)
      into h_id, h_amount, h_expires, h_status, h_account, v_holds, h_posted
      from ledger.hold h where h.book = p_book and h.id = any(p_hold);
    h_ended := h_posted;
    select array_agg(b.id) as ids, array_agg(b.number) as numbers, array_agg(b.balance) as balances, array_agg(b.debits) as debits, array_agg(b.held) as held,
           array_agg(b.version) as versions, array_agg(coalesce(b.floor + b.held, c_no_floor)) as least, max(b.overdrawn) > 0 as overdrawn,
           bool_and(not b.closed and b.currency = p_currency[1] and b.debits <= v_room and b.credits <= v_room and b.held <= v_room) as fit
      into v_more
      from (select * from ledger.account
             where number = any(array(select account from unnest(h_account) account where array_position(v_number, account) is null)) order by number) b;
    if v_more.ids is not null then
      v_accounts := v_accounts || v_more.ids; v_number := v_number || v_more.numbers; v_balance := v_balance || v_more.balances;
      v_debits := v_debits || v_more.debits; v_held := v_held || v_more.held; v_version := v_version || v_more.versions; v_least := v_least || v_more.least;
      v_fit := coalesce(v_fit, true) and v_more.fit; v_overdrawn := coalesce(v_overdrawn, false) or v_more.overdrawn; m := cardinality(v_accounts);
    end if;
  end if;

  v_keys := exists (select from ledger.key q where q.book = p_book and q.key = any(p_key))
            or (select count(*) from (select from generate_series(1, n) i group by p_key[i]) named) < n;
  -- Simple: all accounts are there, open and of the batch's one currency, no total is near its end, and everything counts when it is recorded.
  v_simple := coalesce(v_in_order and v_fit and cardinality(p_currency) = 1 and p_effective is null and v_now >= v_closed_until, false);
  -- Quick: a transfer on its own in such a batch can only be refused for its amount, for its sides or for want of money.
  v_quick := v_simple and not v_keys and p_force is null;
  v_plain := v_quick and not v_kinds and p_group is null;

  if not v_simple then
    -- `offset 0` keeps the book's index out of this one.
    select array_agg(b.number order by i), array_agg(b.balance order by i), array_agg(b.debits order by i), array_agg(b.held order by i),
           array_agg(b.version order by i), array_agg(coalesce(b.floor + b.held, c_no_floor) order by i),
           array_agg(b.closed order by i), array_agg(b.currency::text order by i)
      into v_number, v_balance, v_debits, v_held, v_version, v_least, v_closed, v_currency
      from (select i, v_accounts[i] as id from generate_series(1, m) i) named
      left join (select * from ledger.account where id = any(v_accounts) offset 0) b on b.id = named.id and b.book = p_book;
  end if;
  v_before := v_version;
  if v_holds > 0 then h_account := array(select array_position(v_number, h_account[s]) from generate_series(1, v_holds) s order by s); end if;

  if not v_plain then
    if v_kinds and not v_keys then
      v_first := array(select i from generate_series(1, n) i);
    end if;
    if v_keys then
      -- First place in the batch of each key.
      v_first := array(select min(i) over (partition by p_key[i]) from generate_series(1, n) i order by i);
      v_done := array_fill(0, array[n]);
      select array_agg(h.fresh order by h.i), array_agg(h.seq order by h.i),
             array_agg(case when h.request_hash = h.former then h.fresh else h.request_hash end order by h.i)
        into v_hash, v_stored_seq, v_stored_hash
        from (select i, q.seq, q.request_hash,
                     ledger.content_hash(v_number[p_debit[i]], v_number[p_credit[i]], p_amount[i], ledger.terms_hash(coalesce(p_kind[i], 1::smallint), p_amount[i],
                       coalesce(p_currency[i], p_currency[1]), coalesce(p_code[i], p_code[1]), p_effective[i], p_reference[i], p_group[i], p_hold[i],
                       p_expires[i], coalesce(p_force[i], false))) as fresh,
                     ledger.operation_hash(coalesce(p_kind[i], 1::smallint), p_accounts[p_debit[i]], p_accounts[p_credit[i]], p_amount[i],
                       coalesce(p_currency[i], p_currency[1]), coalesce(p_code[i], p_code[1]), p_effective[i], p_reference[i], p_group[i], p_hold[i],
                       p_expires[i], coalesce(p_force[i], false)) as former
                from (select i, p_key[i] as key from generate_series(1, n) i) named
                left join (select * from ledger.key where book = p_book and key = any(p_key)) q using (key)) h;
    end if;
    if v_kinds then
      -- A hold named by an operation is a stored one, or the slot of the first operation with its key.
      v_slot := array(select coalesce(h.s, v_holds + k.first) from generate_series(1, n) i
                        left join (select s, h_id[s] as id from generate_series(1, v_holds) s) h on h.id = p_hold[i]
                        left join (select v_first[j] as first, p_key[j] as key from generate_series(1, n) j where v_first[j] = j) k on k.key = p_hold[i]
                       order by i);
      h_account := coalesce(h_account, '{}') || array_fill(0, array[n]);
      h_amount := coalesce(h_amount, '{}') || array_fill(0::bigint, array[n]);
      h_status := coalesce(h_status, '{}') || array_fill(0::smallint, array[n]);
      h_expires := coalesce(h_expires, '{}') || array_fill(null::timestamptz, array[n]);
      h_posted := coalesce(h_posted, '{}') || array_fill(0::bigint, array[n]);
      h_ended := coalesce(h_ended, '{}') || array_fill(0::bigint, array[n]);
    end if;
  end if;

  o_status := array_fill(0::smallint, array[n]);
  o_seq := array_fill(0::bigint, array[n]);
  o_debit_balance := o_seq; o_debit_version := o_seq; o_credit_balance := o_seq; o_credit_version := o_seq;

  if v_plain then
    -- The general loop below without what cannot happen here: each statement less is 1,000 instructions less per transfer.
    for i in 1..n loop
      d := p_debit[i]; c := p_credit[i]; a := p_amount[i];
      if (case when a between 1 and c_amount_max then d <> c and v_balance[d] - a >= v_least[d] else false end) then
        v_debits[d] := v_debits[d] + a;
        v_balance[d] := v_balance[d] - a; o_debit_balance[i] := v_balance[d];
        v_version[d] := v_version[d] + 1; o_debit_version[i] := v_version[d];
        v_balance[c] := v_balance[c] + a; o_credit_balance[i] := v_balance[c];
        v_version[c] := v_version[c] + 1; o_credit_version[i] := v_version[c];
      else
        o_status[i] := case when (a between 1 and c_amount_max) is not true then 2 when d = c then 6 else 13 end;
        v_refused := v_refused + 1;
      end if;
    end loop;
    if v_refused = 0 then
      o_seq := array(select v_seq + i from generate_series(1, n) i);
    else
      o_seq := array(select case when o_status[i] = 0 then v_seq + count(*) filter (where o_status[i] = 0) over (rows unbounded preceding) else 0 end
                       from generate_series(1, n) i);
    end if;
    v_movements := n - v_refused;
    v_seq := v_seq + v_movements;
  else
    for i in 1..n loop
      d := p_debit[i]; c := p_credit[i]; a := p_amount[i];
      if v_quick and p_group[i] is null and coalesce(p_kind[i] = 1, true) then
        x := case when a between 1 and c_amount_max then v_balance[d] - a end;
        if (x >= v_least[d] and d <> c) is not true then
          o_status[i] := case when (a between 1 and c_amount_max) is not true then 2 when d = c then 6 else 13 end;
          continue;
        end if;
        v_seq := v_seq + 1; o_seq[i] := v_seq;
      else
        k := coalesce(p_kind[i], 1); r := 0;
        if p_group is not null and i > v_group_to then
          v_group_from := 0; v_group_broken := false;
          if p_group[i] is not null then
            v_group_from := i; v_group_to := i; v_group_seq := v_seq; v_groups := v_groups + 1;
            while v_group_to < n and p_group[v_group_to + 1] = p_group[i] loop v_group_to := v_group_to + 1; end loop;
            if v_keys then
              -- A group that is here already in part can never come whole: its new legs fall.
              for j in v_group_from..v_group_to loop
                s := v_done[v_first[j]];
                if v_stored_hash[j] = v_hash[j] or (s > 0 and v_hash[greatest(s, 1)] = v_hash[j]) then v_group_broken := true; end if;
              end loop;
            end if;
          end if;
        end if;

        if v_keys then
          s := v_done[v_first[i]];
          if v_stored_seq[i] is not null then
            if v_stored_hash[i] = v_hash[i] then o_status[i] := -1; o_seq[i] := v_stored_seq[i]; continue; end if;
            r := 1;
          elsif s > 0 then
            if v_hash[s] = v_hash[i] and (v_group_from = 0 or s < v_group_from) then
              o_status[i] := -1; o_seq[i] := o_seq[s];
              o_debit_balance[i] := o_debit_balance[s]; o_debit_version[i] := o_debit_version[s];
              o_credit_balance[i] := o_credit_balance[s]; o_credit_version[i] := o_credit_version[s];
              continue;
            end if;
            r := 1;
          end if;
        end if;

        if r = 0 then
          s := case when k in (3, 4) then v_slot[i] when k = 2 then v_holds + v_first[i] end;
          if k in (3, 4) and coalesce(h_status[s], 0) > 0 then
            d := h_account[s]; v_debit[i] := d;
            if k = 4 or a is null then a := h_amount[s]; v_amount[i] := a; end if;
          end if;
          v_cur := coalesce(p_currency[i], p_currency[1]);
          if v_group_from > 0 and v_group_broken then r := 15;
          elsif k in (1, 2) and (a between 1 and c_amount_max) is not true or k = 3 and p_amount[i] not between 1 and c_amount_max then r := 2;
          elsif k in (3, 4) and coalesce(h_status[s], 0) = 0 then r := 3;
          elsif k in (1, 2) and v_number[d] is null then r := 4;
          elsif k in (1, 3) and v_number[c] is null then r := 5;
          elsif k in (1, 3) and d = c then r := 6;
          elsif not v_simple and ((k in (1, 2) or k = 3 and p_amount[i] is not null) and v_currency[d] is distinct from v_cur or k in (1, 3) and v_currency[c] <> v_currency[d]) then r := 7;
          elsif k <> 4 and v_closed[d] then r := 8;
          elsif k in (1, 3) and v_closed[c] then r := 9;
          elsif k in (1, 3) and coalesce(p_effective[i], v_now) < v_closed_until then r := 10;
          elsif k in (3, 4) and (h_status[s] <> 1 or h_expires[s] <= v_now) then r := 11;
          elsif k = 3 and a > h_amount[s] then r := 12;
          elsif (k = 2 or k = 1 and not coalesce(p_force[i], false)) and v_balance[d] - a < v_least[d] then r := 13;
          elsif k in (1, 3) and (v_debits[d] > c_total_max - a or v_balance[c] + v_debits[c] > c_total_max - a) or k = 2 and v_held[d] > c_held_max - a then r := 14;
          end if;
        end if;

        if r <> 0 then
          o_status[i] := r;
          if v_group_from > 0 and not v_group_broken then
            -- One leg falls, so all do: undo those before it, last first.
            v_group_broken := true; v_seq := v_group_seq;
            for j in reverse i - 1 .. v_group_from loop
              if o_status[j] = 0 then
                k := coalesce(p_kind[j], 1); d := v_debit[j]; c := p_credit[j]; a := v_amount[j];
                if k in (3, 4) then
                  s := v_slot[j]; h_status[s] := 1; h_posted[s] := 0; h_ended[s] := 0; v_held[d] := v_held[d] + h_amount[s];
                  if v_least[d] > c_no_floor then v_least[d] := v_least[d] + h_amount[s]; end if;
                  v_ended := v_ended - 1;
                elsif k = 2 then
                  h_status[v_holds + v_first[j]] := 0; v_held[d] := v_held[d] - a; v_placed := v_placed - 1;
                  if v_least[d] > c_no_floor then v_least[d] := v_least[d] - a; end if;
                end if;
                if k in (1, 3) then
                  v_balance[d] := v_balance[d] + a; v_version[d] := v_version[d] - 1; v_debits[d] := v_debits[d] - a;
                  v_balance[c] := v_balance[c] - a; v_version[c] := v_version[c] - 1;
                  o_debit_balance[j] := 0; o_debit_version[j] := 0; o_credit_balance[j] := 0; o_credit_version[j] := 0;
                  v_movements := v_movements - 1;
                end if;
                o_status[j] := 15; o_seq[j] := 0;
                if v_keys then v_done[v_first[j]] := 0; end if;
              end if;
            end loop;
          end if;
          continue;
        end if;

        v_seq := v_seq + 1; o_seq[i] := v_seq;
        if v_keys then v_done[v_first[i]] := i; end if;
        if k = 2 then
          h_account[s] := d; h_amount[s] := a; h_status[s] := 1; h_expires[s] := p_expires[i]; h_posted[s] := 0; h_ended[s] := 0;
          v_held[d] := v_held[d] + a; v_placed := v_placed + 1;
          if v_least[d] > c_no_floor then v_least[d] := v_least[d] + a; end if;
          continue;
        elsif k in (3, 4) then
          h_status[s] := case k when 3 then 2 else 3 end; h_posted[s] := case k when 3 then a else 0 end; h_ended[s] := v_seq;
          v_held[d] := v_held[d] - h_amount[s]; v_ended := v_ended + 1;
          if v_least[d] > c_no_floor then v_least[d] := v_least[d] - h_amount[s]; end if;
          if k = 4 then continue; end if;
        end if;
        x := v_balance[d] - a;
      end if;

      v_movements := v_movements + 1; v_debits[d] := v_debits[d] + a;
      v_balance[d] := x; o_debit_balance[i] := x;
      x := v_version[d] + 1; v_version[d] := x; o_debit_version[i] := x;
      x := v_balance[c] + a; v_balance[c] := x; o_credit_balance[i] := x;
      x := v_version[c] + 1; v_version[c] := x; o_credit_version[i] := x;
    end loop;
  end if;

  if v_groups > 1 and v_groups <> (select count(distinct one) from unnest(p_group) one) then
    raise exception 'the legs of a group are neighbours' using errcode = 'LG003';
  end if;

  if v_seq > v_seq_before then
    if to_regclass('ledger.transfer_' || to_char(v_now at time zone 'UTC', 'YYYY_MM')) is null then perform ledger.make_partition(v_now); end if;

    update ledger.book set seq = v_seq, recorded_at = v_now where id = p_book and seq = v_seq_before;
    get diagnostics v_rows = row_count;
    if v_rows <> 1 then raise exception 'the book moved under its lock' using errcode = '40001'; end if;
    if p_effective is not null then
      update ledger.book b set backdated_max = greatest(b.backdated_max, e.backdated), postdated_max = greatest(b.postdated_max, e.postdated)
        from (select max(v_now - p_effective[i]) as backdated, max(p_effective[i] - v_now) as postdated
                from generate_series(1, n) i where o_status[i] = 0) e
       where b.id = p_book and (e.backdated > b.backdated_max or e.postdated > b.postdated_max);
    end if;

    if v_plain and p_reference is null and cardinality(p_code) = 1 then
      v_terms := ledger.terms_hash(1::smallint, 1, p_currency[1], p_code[1], null, null, null, null, null, false); -- the same for all
    end if;
    insert into ledger.key (seq, request_hash, key, book)
    select o_seq[i],
           ledger.content_hash(v_number[p_debit[i]], v_number[p_credit[i]], p_amount[i], coalesce(v_terms, ledger.terms_hash(coalesce(p_kind[i], 1::smallint), p_amount[i],
             coalesce(p_currency[i], p_currency[1]), coalesce(p_code[i], p_code[1]), p_effective[i], p_reference[i], p_group[i], p_hold[i],
             p_expires[i], coalesce(p_force[i], false)))),
           p_key[i], p_book
      from generate_series(1, n) i where o_status[i] = 0;
    get diagnostics v_rows = row_count;
    if v_rows <> v_seq - v_seq_before then raise exception 'keys and seq disagree' using errcode = '40001'; end if;

    -- Forced transfers may pass the floor: room is made first and taken back at the end, so that the account's check holds at every step.
    if p_force is not null then
      update ledger.account b set overdrawn = b.overdrawn + f.amount
        from (select v_number[v_debit[i]] as account, ledger.sum_int8(v_amount[i]) as amount
                from generate_series(1, n) i where o_status[i] = 0 and o_debit_version[i] > 0 and p_force[i] group by 1) f
       where b.number = any(v_number) and b.number = f.account and b.floor is not null;
    end if;

    -- Releases, then movements, then new holds: in this order no account is under its floor in between when it isn't at the end.
    if v_ended > 0 and v_holds > 0 then
      update ledger.hold h set status = case h_status[s] when 2 then 'posted' else 'voided' end, posted = h_posted[s], ended_seq = h_ended[s], ended_at = v_now
        from generate_series(1, v_holds) s
       where h.book = p_book and h.id = any(h_id) and h.id = h_id[s] and h_ended[s] > 0;
    end if;
    if v_movements > 0 then
      with written as (
        insert into ledger.transfer (seq, amount, debit_version, credit_version, debit_balance, credit_balance, recorded_at, effective_at, book, debit, credit,
                                     forced, code, "group", reference, hold)
        select o_seq[i], v_amount[i], o_debit_version[i], o_credit_version[i], o_debit_balance[i], o_credit_balance[i], v_now, coalesce(p_effective[i], v_now),
               p_book, v_number[v_debit[i]], v_number[p_credit[i]], coalesce(p_force[i], false), coalesce(p_code[i], p_code[1]), p_group[i], p_reference[i], p_hold[i]
          from generate_series(1, n) i where o_debit_version[i] > 0 and o_status[i] = 0
        returning amount
      )
      select count(*), ledger.sum_int8(amount) into v_rows, v_moved from written;
      if v_rows <> v_movements then raise exception 'movements and outcomes disagree' using errcode = '40001'; end if;

      -- Where the rows were read they still are, unless this batch has changed them already or they were not read in order.
      if not v_in_order or m > cardinality(p_accounts) or v_ended > 0 or p_force is not null then
        v_place := array(select b.ctid from generate_series(1, m) i
                           left join (select number, ctid from ledger.account where number = any(v_number)) b on b.number = v_number[i] order by i);
      end if;
      -- The one statement that a loop serves best: each row by its place.
      perform set_config('enable_nestloop', 'on', true), set_config('enable_hashjoin', 'off', true);
      with changed as (
        update ledger.account b set debits = v_debits[i], credits = v_balance[i] + v_debits[i], balance = v_balance[i], version = v_version[i]
          from generate_series(1, m) i
         where b.ctid = v_place[i] and b.version = v_before[i] and v_version[i] > v_before[i]
        returning new.debits - old.debits as debited, new.credits - old.credits as credited, new.version - old.version as legs
      )
      select ledger.sum_int8(debited), ledger.sum_int8(credited), ledger.sum_int8(legs) into v_debited, v_credited, v_legs from changed;
      perform set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true);
      if v_legs <> 2 * v_movements then raise exception 'accounts changed under the book''s lock' using errcode = '40001'; end if;
      if v_debited <> v_moved or v_credited <> v_moved then
        raise exception 'the batch does not balance: % moved, % debited, % credited', v_moved, v_debited, v_credited using errcode = 'LG002';
      end if;
    end if;
    if v_placed > 0 then
      insert into ledger.hold (id, book, account, amount, posted, status, code, "group", reference, placed_seq, placed_at, expires_at, ended_seq, ended_at)
      select p_key[i], p_book, v_number[p_debit[i]], p_amount[i], h_posted[s.at],
             case h_status[s.at] when 1 then 'pending' when 2 then 'posted' else 'voided' end,
             coalesce(p_code[i], p_code[1]), p_group[i], p_reference[i], o_seq[i], v_now, p_expires[i],
             nullif(h_ended[s.at], 0), case when h_ended[s.at] > 0 then v_now end
        from generate_series(1, n) i, lateral (select v_holds + v_first[i] as at) s where o_status[i] = 0 and p_kind[i] = 2;
      get diagnostics v_rows = row_count;
      if v_rows <> v_placed then raise exception 'holds and outcomes disagree' using errcode = '40001'; end if;
    end if;

    if p_force is not null or v_overdrawn then
      update ledger.account b set overdrawn = greatest(0, b.floor - (b.balance - b.held))
       where b.number = any(v_number) and b.floor is not null and b.overdrawn <> greatest(0, b.floor - (b.balance - b.held));
    end if;
  end if;

  if v_keys then
    -- The stored answer of a movement is in its row.
    for v_stored in
      select i as place, t.debit_balance, t.debit_version, t.credit_balance, t.credit_version
        from (select i, o_seq[i] as seq from generate_series(1, n) i where o_status[i] = -1 and o_debit_version[i] = 0) named
        join (select * from ledger.transfer where book = p_book and seq = any(o_seq)) t using (seq)
    loop
      i := v_stored.place;
      o_debit_balance[i] := v_stored.debit_balance; o_debit_version[i] := v_stored.debit_version;
      o_credit_balance[i] := v_stored.credit_balance; o_credit_version[i] := v_stored.credit_version;
    end loop;
  end if;

  if v_plain and v_refused = 0 then o_status := null; o_seq := o_seq[1:1]; end if; -- every operation is posted, one place after the other
end $$;

-- What the accounts of these ids have, for modules that show balances to those whose they are.
create function ledger.balances(p_accounts uuid[]) returns table (account_id uuid, balance bigint, held bigint) language sql stable as $$
  select id, balance, held from ledger.account where id = any(p_accounts)
$$;

-- Guards ------------------------------------------------------------------------------------------------------------------------

create function ledger.refuse_stranger() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the ledger refuses % on %.%: only its own functions write here', tg_op, tg_table_schema, tg_table_name using errcode = 'LG001';
end $$;

-- Inside a function of its owner's rights `current_user` is the owner, while `role` and `session_user` stay the caller's.
do $$
declare
  guard record;
begin
  for guard in
    select g.table_name, g.name, g.event
      from (values
        ('transfer', 'guard_insert', 'insert'), ('key', 'guard_insert', 'insert'), ('hold', 'guard_insert', 'insert'), ('hold', 'guard_end', 'update'),
        ('account', 'guard_insert', 'insert'), ('account', 'guard_sums', 'update of debits, credits, balance, version'),
        ('account', 'guard_held', 'update of held'), ('account', 'guard_overdrawn', 'update of overdrawn'),
        ('account', 'guard_status', 'update of closed, closed_at'), ('book', 'guard_insert', 'insert'), ('book', 'guard_update', 'update'),
        ('period', 'guard_insert', 'insert')) as g(table_name, name, event)
  loop
    execute format('drop trigger %I on ledger.%I', guard.name, guard.table_name);
    execute format($trigger$create trigger %I before %s on ledger.%I for each statement
      when (current_user <> 'partita_ledger' or current_setting('role') = 'partita_ledger' or session_user = 'partita_ledger')
      execute function ledger.refuse_stranger()$trigger$, guard.name, guard.event, guard.table_name);
  end loop;
end $$;
drop function ledger.only_through;

-- Rights ------------------------------------------------------------------------------------------------------------------------

revoke all on all functions in schema ledger from public, partita_app;
revoke all on all tables in schema ledger from partita_app;
revoke usage on schema ledger from partita_app;

-- The bank's own work: it reads, and it calls these.
grant execute on function ledger.post_batch, ledger.open_book, ledger.open_accounts, ledger.close_account, ledger.close_period, ledger.expire_holds,
  ledger.ensure_partition, ledger.version_recorded, ledger.entries_before, ledger.entries_after, ledger.entries_of, ledger.holds_of, ledger.balances,
  ledger.sum_int8 to partita_system;

-- What the ledger's functions do, column by column; nobody may change a transfer, a key or a period.
grant usage, create on schema ledger to partita_ledger;
grant select on all tables in schema ledger to partita_ledger;
grant insert on ledger.book, ledger.account, ledger.transfer, ledger.key, ledger.hold, ledger.period to partita_ledger;
grant update (seq, recorded_at, closed_until, backdated_max, postdated_max) on ledger.book to partita_ledger;
grant update (debits, credits, balance, held, version, overdrawn, closed, closed_at) on ledger.account to partita_ledger;
grant update (status, posted, ended_seq, ended_at) on ledger.hold to partita_ledger;
grant execute on function ledger.make_partition, ledger.check_time, ledger.content_hash, ledger.terms_hash, ledger.operation_hash, ledger.sum_int8
  to partita_ledger;

-- Only whoever may become both roles can give a function away: the login that migrates.
set local role none;
alter function ledger.post_batch owner to partita_ledger;
alter function ledger.open_book owner to partita_ledger;
alter function ledger.open_accounts owner to partita_ledger;
alter function ledger.close_account owner to partita_ledger;
alter function ledger.close_period owner to partita_ledger;
alter function ledger.expire_holds owner to partita_ledger;
alter function ledger.apply_new_holds owner to partita_ledger;
alter function ledger.apply_ended_holds owner to partita_ledger;
set local role partita_owner;
revoke create on schema ledger from partita_ledger;
