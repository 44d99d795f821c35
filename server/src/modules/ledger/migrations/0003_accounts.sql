-- 0003: books, accounts, periods and expiring holds: everything but posting. Not breaking.
create function ledger.open_book(p_code text, p_now timestamptz) returns integer language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_id integer;
begin
  select id into v_id from ledger.book where code = p_code;
  if v_id is not null then return v_id; end if;
  insert into ledger.book (code, opened_at) values (p_code, p_now) on conflict (code) do nothing returning id into v_id;
  if v_id is null then select id into v_id from ledger.book where code = p_code; end if;
  return v_id;
end $$;

-- Null: opened, or there already with the same content. Otherwise the refusal; the caller's transaction must then not keep what was inserted,
-- so nothing is inserted before all is known.
create function ledger.open_accounts(
  p_book integer, p_ids uuid[], p_codes text[], p_currencies text[], p_debit_normals boolean[], p_floors bigint[], p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  v_wanted bigint;
  v_present bigint;
  v_inserted bigint;
begin
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

-- Under the book's lock: a batch in flight comes before or after, never in between.
create function ledger.close_account(p_account uuid, p_now timestamptz) returns text language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_account record;
begin
  perform pg_advisory_xact_lock(1818518373, a.book) from ledger.account a where a.id = p_account;
  select a.closed, a.balance, a.held into v_account from ledger.account a where a.id = p_account for update;
  if not found then return 'account_not_found'; end if;
  if v_account.closed then return null; end if;
  if v_account.balance <> 0 then return 'balance_not_zero'; end if;
  if v_account.held <> 0 then return 'holds_pending'; end if;
  update ledger.account set closed = true, closed_at = p_now where id = p_account;
  return null;
end $$;

-- Days end in Central European time, as banking days do. @returns the day through which the book is closed now; null: the day is not over.
create function ledger.close_period(p_book integer, p_through date, p_now timestamptz) returns date language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare
  v_until timestamptz := (p_through + 1)::timestamp at time zone 'Europe/Paris';
begin
  perform pg_advisory_xact_lock(1818518373, p_book);
  if v_until > p_now then return null; end if;
  update ledger.book set closed_until = v_until where id = p_book and closed_until < v_until;
  if found then
    insert into ledger.period (book, through, closed_seq, closed_at) select id, p_through, seq, p_now from ledger.book where id = p_book;
  end if;
  return (select max(through) from ledger.period where book = p_book);
end $$;

create function ledger.expire_holds(p_book integer, p_now timestamptz, p_limit integer) returns setof ledger.hold language plpgsql security definer
  set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  v_ids uuid[];
begin
  perform pg_advisory_xact_lock(1818518373, p_book);
  v_ids := array(select id from ledger.hold where book = p_book and status = 'pending' and expires_at <= p_now order by expires_at, id limit p_limit);
  if cardinality(v_ids) = 0 then return; end if;
  update ledger.hold set status = 'expired', ended_at = p_now where book = p_book and id = any(v_ids) and status = 'pending';
  update ledger.account b set overdrawn = greatest(0, b.floor - (b.balance - b.held))
   where b.number in (select account from ledger.hold where book = p_book and id = any(v_ids)) and b.overdrawn > 0;
  return query select * from ledger.hold where book = p_book and id = any(v_ids) order by expires_at, id;
end $$;

-- The last version of an account recorded at or before an instant: a binary search over the versions, because recorded time never runs
-- backwards with them. Flat in the number of entries.
create function ledger.version_recorded(p_account integer, p_at timestamptz) returns bigint language plpgsql stable
  set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  v_low bigint := 0;
  v_high bigint := (select version from ledger.account where number = p_account);
  v_middle bigint;
begin
  while v_low < v_high loop
    v_middle := v_high - (v_high - v_low) / 2;
    if (select recorded_at from ledger.entry where account = p_account and version = v_middle) <= p_at then v_low := v_middle; else v_high := v_middle - 1; end if;
  end loop;
  return v_low;
end $$;

revoke all on all functions in schema ledger from public;
grant execute on function ledger.sum_int8, ledger.post_batch, ledger.open_book, ledger.open_accounts, ledger.close_account, ledger.close_period, ledger.expire_holds,
  ledger.version_recorded to partita_app, partita_system;
