import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { type BookId, type Operation, openAccounts, openBook, post } from '../../src/modules/ledger/index.ts'
import { acceptKeyOf, holdKeyOf, receiptKeyOf } from '../../src/modules/payments/postings.ts'
import { derivedId, type Id, newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { testActor } from '../support/actors.ts'
import type { TestDatabase } from '../support/database.ts'
import { BEFORE_FEED_SPLIT, databaseOfRelease } from '../support/earlier-release.ts'

/**
 * In the release before, `ledger_reference` was the entry's key in some rows and the payment's id in receipts and in money that came back.
 * Afterwards every row names its entry, and what it is about.
 */
const NOW = new Date('2026-03-02T09:00:00Z')
const organizationId = newId<'organization'>()
const ledgerAccount = newId<'ledger_account'>()
const otherLedgerAccount = newId<'ledger_account'>()
const clearing = newId<'ledger_account'>()
const account = newId<'bank_account'>()
const otherAccount = newId<'bank_account'>()

let db: TestDatabase
let bookId: BookId
let number = 0

type Former = { label: string; account?: Id<'bank_account'>; side: 'credit' | 'debit'; minor: bigint; reference: string | null }
const former: (Former & { id: string; balance: bigint | null; status: string })[] = []

beforeAll(async () => {
  db = await databaseOfRelease(BEFORE_FEED_SPLIT)
  await openTheBank()
  await writeHistory()
  await insertFeed()
  await migrate(db.adminUrl, partita.migrations())
})
afterAll(() => db.drop())

const keyOf = (id: string, step: string): Operation['key'] => derivedId('ledger_operation', id, step)
const IDS = {
  internal: newId<'internal_transfer'>(),
  waiting: newId<'credit_transfer'>(),
  refused: newId<'credit_transfer'>(),
  twiceReturned: newId<'credit_transfer'>(),
  inHouse: newId<'credit_transfer'>(),
  receipt: newId<'incoming_transfer'>(),
  inHouseReceipt: newId<'incoming_transfer'>(),
}
const bookingKey = newId<'ledger_operation'>()
const demoKey = newId<'ledger_operation'>()

test('every row names the entry that left its balance, or the hold while it waits, and what it is about', async () => {
  const { rows } = await db.admin.query(
    'select label, ledger_key, subject_kind, subject_id, id from feed.transaction order by number',
  )
  const idOf = (label: string) => rows.find((row) => row.label === label)?.id
  expect(rows.map(({ label, ledger_key, subject_kind, subject_id }) => [label, ledger_key, subject_kind, subject_id])).toEqual([
    // A receipt into an empty account leaves the clearing account at the same balance one entry before.
    ['receipt', receiptKeyOf(IDS.receipt), 'incoming_transfer', IDS.receipt],
    ['internal out', IDS.internal, 'internal_transfer', IDS.internal],
    ['internal in', IDS.internal, 'internal_transfer', IDS.internal],
    ['waiting', holdKeyOf(IDS.waiting), 'credit_transfer', IDS.waiting],
    ['refused', holdKeyOf(IDS.refused), 'credit_transfer', IDS.refused],
    ['sent', acceptKeyOf(IDS.twiceReturned), 'credit_transfer', IDS.twiceReturned],
    ['returned in part', keyOf(IDS.twiceReturned, 'return.apply'), 'credit_transfer', IDS.twiceReturned],
    ['returned again', keyOf(IDS.twiceReturned, 'return.2.apply'), 'credit_transfer', IDS.twiceReturned],
    ['in house', acceptKeyOf(IDS.inHouse), 'credit_transfer', IDS.inHouse],
    ['in house, received', acceptKeyOf(IDS.inHouse), 'incoming_transfer', IDS.inHouseReceipt],
    ['told', bookingKey, 'statement_entry', bookingKey],
    ['demo', demoKey, 'demo_movement', idOf('demo')],
    ['demo, declined', null, 'demo_movement', idOf('demo, declined')],
    // Nothing in the ledger left this balance: who wrote it is known, which entry is not.
    ['without its entry', null, 'incoming_transfer', IDS.receipt],
  ])
})

test('everything else of a row is as it was, and so are the counts', async () => {
  const { rows } = await db.admin.query(
    'select id, side, status, amount_minor::bigint as minor from feed.transaction order by number',
  )
  expect(rows.map((row) => [row.id, row.side, row.status, BigInt(row.minor)])).toEqual(
    former.map((row) => [row.id, row.side, row.status, row.minor]),
  )
  const { rows: counts } = await db.admin.query(
    `select coalesce(sum(count), 0)::int as counted, (select count(*)::int from feed.transaction) as there from feed.feed_count`,
  )
  expect(counts[0].counted).toBe(counts[0].there)
})

test('an entry cannot stand twice in one feed', async () => {
  const again = db.admin.query(`update feed.transaction set ledger_key = $1 where label = 'demo, declined'`, [
    receiptKeyOf(IDS.receipt),
  ])
  await expect(again).rejects.toThrow('transaction_by_ledger_key')
})

async function openTheBank(): Promise<void> {
  await db.database.transaction(testActor, async (tx) => {
    bookId = await openBook(tx, { code: 'main', now: NOW })
    const common = { currency: EUR, normalSide: 'credit', floor: null } as const
    const opened = await openAccounts(
      tx,
      bookId,
      [ledgerAccount, otherLedgerAccount, clearing].map((id) => ({ ...common, id, code: `T:${id}` })),
      NOW,
    )
    expect(opened.ok).toBe(true)
  })
  await db.admin.query(
    `insert into accounts.bank_account (id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, country, iban,
       bic, currency, is_external, book_id, ledger_account_id, created_at, updated_at)
     values ($1, $3, 1, 'o-1', 'o-1', 'One', 'O', 'active', true, 'FR', 'FR1', 'PARTFRPP', 'EUR', false, $4, $5, now(), now()),
            ($2, $3, 2, 'o-2', 'o-2', 'Two', 'O', 'active', false, 'FR', 'FR2', 'PARTFRPP', 'EUR', false, $4, $6, now(), now())`,
    [account, otherAccount, organizationId, bookId, ledgerAccount, otherLedgerAccount],
  )
}

/** Posts as the release before did. @returns the balances after the last of them. */
async function book(...operations: readonly Operation[]) {
  const outcomes = await db.database.transaction(testActor, (tx) => post(tx, bookId, operations, NOW))
  const last = outcomes.at(-1)
  if (!last?.ok) throw new Error(`refused: ${last?.refusal}`)
  return last.value
}

const amount = (minor: bigint) => money(EUR, minor)
const transfer = (
  key: Operation['key'],
  debit: typeof clearing,
  credit: typeof clearing,
  minor: bigint,
  reference?: string,
): Operation => ({
  kind: 'transfer',
  key,
  code: 'test',
  debit,
  credit,
  amount: amount(minor),
  ...(reference && { reference: reference as Id<'reference'> }),
})

function see(row: Former, balance: bigint | null, status = 'completed'): void {
  former.push({ ...row, id: newId(), balance, status })
}

async function hold(id: Id<'credit_transfer'>, minor: bigint): Promise<void> {
  await book({ kind: 'hold', key: holdKeyOf(id), code: 'sct.out', account: ledgerAccount, amount: amount(minor), reference: id })
}

const accept = (id: Id<'credit_transfer'>, credit = clearing) =>
  book({ kind: 'post_hold', key: acceptKeyOf(id), hold: holdKeyOf(id), credit, code: 'sct.out', reference: id })

async function writeHistory(): Promise<void> {
  const { receipt, internal, waiting, refused, twiceReturned, inHouse, inHouseReceipt } = IDS
  let posted = await book(
    transfer(keyOf(receipt, 'receive'), otherLedgerAccount, clearing, 100_00n, receipt),
    transfer(receiptKeyOf(receipt), clearing, ledgerAccount, 100_00n, receipt),
  )
  see({ label: 'receipt', side: 'credit', minor: 100_00n, reference: receipt }, posted.creditBalance)

  posted = await book(transfer(internal as string as Operation['key'], ledgerAccount, otherLedgerAccount, 5_00n, internal))
  see({ label: 'internal out', side: 'debit', minor: 5_00n, reference: internal }, posted.debitBalance)
  see({ label: 'internal in', account: otherAccount, side: 'credit', minor: 5_00n, reference: internal }, posted.creditBalance)

  await hold(waiting, 1_00n)
  see({ label: 'waiting', side: 'debit', minor: 1_00n, reference: holdKeyOf(waiting) }, null, 'pending')
  await hold(refused, 2_00n)
  await book({ kind: 'void_hold', key: keyOf(refused, 'void'), hold: holdKeyOf(refused) })
  see({ label: 'refused', side: 'debit', minor: 2_00n, reference: holdKeyOf(refused) }, null, 'declined')

  await hold(twiceReturned, 10_00n)
  posted = await accept(twiceReturned)
  see({ label: 'sent', side: 'debit', minor: 10_00n, reference: acceptKeyOf(twiceReturned) }, posted.debitBalance)
  posted = await book(transfer(keyOf(twiceReturned, 'return.apply'), clearing, ledgerAccount, 4_00n, twiceReturned))
  see({ label: 'returned in part', side: 'credit', minor: 4_00n, reference: twiceReturned }, posted.creditBalance)
  posted = await book(transfer(keyOf(twiceReturned, 'return.2.apply'), clearing, ledgerAccount, 4_00n, twiceReturned))
  see({ label: 'returned again', side: 'credit', minor: 4_00n, reference: twiceReturned }, posted.creditBalance)

  await hold(inHouse, 7_00n)
  posted = await accept(inHouse, otherLedgerAccount)
  see({ label: 'in house', side: 'debit', minor: 7_00n, reference: acceptKeyOf(inHouse) }, posted.debitBalance)
  see(
    { label: 'in house, received', account: otherAccount, side: 'credit', minor: 7_00n, reference: inHouseReceipt },
    posted.creditBalance,
  )

  posted = await book(transfer(bookingKey, clearing, ledgerAccount, 3_00n))
  see({ label: 'told', side: 'credit', minor: 3_00n, reference: bookingKey }, posted.creditBalance)
  posted = await book(transfer(demoKey, ledgerAccount, clearing, 3_00n))
  see({ label: 'demo', side: 'debit', minor: 3_00n, reference: demoKey }, posted.debitBalance)
  see({ label: 'demo, declined', side: 'debit', minor: 8_00n, reference: null }, null, 'declined')
  see({ label: 'without its entry', side: 'credit', minor: 9_00n, reference: receipt }, 12_345n)
}

async function insertFeed(): Promise<void> {
  for (const row of former) {
    await db.admin.query(
      `insert into accounts.transaction (id, number, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency,
         local_amount_minor, local_currency, settled_balance_minor, label, category, subject_type, is_external, ledger_reference, emitted_at, settled_at,
         created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, 'transfer', $7, 'EUR', $7, 'EUR', $8, $9, 'sales', 'Other', $10, $11, now(),
               case when $5 = 'completed' then now() end, now(), now())`,
      [
        row.id,
        ++number,
        organizationId,
        row.account ?? account,
        row.status,
        row.side,
        row.minor,
        row.balance,
        row.label,
        row.label === 'told',
        row.reference,
      ],
    )
  }
  await db.admin.query(`insert into payments.internal_transfer values ($1, $2, $3, $4, 500, 'EUR', '', now())`, [
    IDS.internal,
    organizationId,
    account,
    otherAccount,
  ])
  for (const id of [IDS.waiting, IDS.refused, IDS.twiceReturned, IDS.inHouse]) {
    await db.admin.query(
      `insert into payments.credit_transfer (id, organization_id, debtor_account_id, book_id, ledger_account_id, debtor_name, debtor_iban, creditor_name,
         creditor_iban, amount_minor, currency, end_to_end_id, transaction_id, uetr, requested_execution_date, status, feed_transaction_id, created_at, updated_at)
       values ($1, $2, $3, $4, $5, 'D', 'FR1', 'C', 'DE1', 100, 'EUR', 'E', gen_random_uuid()::text, gen_random_uuid(), now(), 'settled', gen_random_uuid(), now(), now())`,
      [id, organizationId, account, bookId, ledgerAccount],
    )
  }
  for (const id of [IDS.receipt, IDS.inHouseReceipt]) {
    await db.admin.query(
      `insert into payments.incoming_transfer (id, organization_id, creditor_account_id, instructing_agent, transaction_id, end_to_end_id,
         original_message_id, debtor_name, debtor_iban, creditor_name, creditor_iban, amount_minor, currency, settlement_date, status, received_at)
       values ($1, $2, $3, 'A', gen_random_uuid()::text, 'E', 'M', 'D', 'DE1', 'C', 'FR1', 100, 'EUR', now(), 'credited', now())`,
      [id, organizationId, account],
    )
  }
}
