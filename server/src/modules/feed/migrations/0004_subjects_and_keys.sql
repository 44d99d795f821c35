-- 0004: each row says what it is about, and names its entry of the ledger by its key, whoever wrote it. Breaks code before it. Holds the feed while it looks at every row.
-- Receipts and money that came back held their payment's id where all others held the entry's key. Their entry is the one that left their
-- balance on the account; the id is their subject. A payment's kind is said by the module that keeps it, in a migration of its own.
alter table feed.transaction rename column ledger_reference to ledger_key;
alter table feed.transaction add column subject_kind text, add column subject_id uuid;
alter table feed.transaction disable trigger feed_changes;

set local role partita_system; -- the owner is bound by row-level security as well, and would see no row
with account as materialized (
  select bank_account_id, ledger_account_id from accounts.ledger_accounts()
), entry as materialized (
  select a.bank_account_id, e.key, e.side, e.amount, e.balance_after, e.seq, e.reference
    from ledger.entries_of(array(select ledger_account_id from account)) e join account a on a.ledger_account_id = e.account_id
), hold as materialized (
  select a.bank_account_id, h.key, h.reference
    from ledger.holds_of(array(select ledger_account_id from account)) h join account a on a.ledger_account_id = h.account_id
), known as (
  select t.id, t.ledger_key as key, e.reference from feed.transaction t join entry e on e.bank_account_id = t.bank_account_id and e.key = t.ledger_key
  union all
  select t.id, t.ledger_key, h.reference from feed.transaction t join hold h on h.bank_account_id = t.bank_account_id and h.key = t.ledger_key
), named_by_payment as (
  -- Equal ones of one account in their order: a row and its entry are written in one transaction.
  select t.id, t.ledger_key as payment_id, t.bank_account_id, t.side, t.amount_minor, t.settled_balance_minor,
         row_number() over (partition by t.bank_account_id, t.side, t.amount_minor, t.settled_balance_minor order by t.number) as place
    from feed.transaction t
   where t.ledger_key is not null and not exists (select from known k where k.id = t.id)
), unnamed as (
  select e.bank_account_id, e.side, e.amount, e.balance_after, e.key,
         row_number() over (partition by e.bank_account_id, e.side, e.amount, e.balance_after order by e.seq) as place
    from entry e
   where e.reference is not null
     and not exists (select from feed.transaction t where t.bank_account_id = e.bank_account_id and t.ledger_key = e.key)
), origin as (
  select k.id, k.key,
         case when k.reference is not null then 'payment' when t.is_external then 'statement_entry' else 'demo_movement' end as kind,
         case when k.reference is not null then k.reference when t.is_external then k.key else t.id end as subject_id
    from known k join feed.transaction t using (id)
  union all
  select n.id, u.key, 'payment', n.payment_id
    from named_by_payment n
    left join unnamed u on u.bank_account_id = n.bank_account_id and u.side = n.side and u.amount = n.amount_minor
                       and u.balance_after = n.settled_balance_minor and u.place = n.place
  union all
  select id, null, 'demo_movement', id from feed.transaction where ledger_key is null
)
update feed.transaction t
   set ledger_key = o.key, subject_kind = o.kind, subject_id = o.subject_id
  from origin o
 where o.id = t.id;
set local role partita_owner;

alter table feed.transaction enable trigger feed_changes;
alter table feed.transaction alter column subject_kind set not null, alter column subject_id set not null;
-- An entry touches an account once, so it stands once in a feed.
create unique index transaction_by_ledger_key on feed.transaction (ledger_key, bank_account_id);
-- What becomes of a subject is told by naming it: it has one row that waits.
create unique index transaction_pending_of_subject on feed.transaction (subject_id, subject_kind) where status = 'pending';
create index transaction_by_subject on feed.transaction (subject_id);
-- A summary of 8 pages instead of 32, since the rows are wider and their ranges fall elsewhere: what was created since a moment goes on
-- reading a few hundred rows, for 130 kB of index per half a million.
drop index feed.transaction_by_creation;
create index transaction_by_creation on feed.transaction using brin (created_at) with (pages_per_range = 8, autosummarize = on);

-- Says of which kind payments are. For the migration of the module that keeps them.
create function feed.name_payments(p_kind text, p_ids uuid[]) returns void language sql as $$
  update feed.transaction set subject_kind = p_kind where subject_kind = 'payment' and subject_id = any(p_ids)
$$;
