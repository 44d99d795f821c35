import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import { ref } from '../../../platform/subject.ts'
import { post } from '../../ledger/index.ts'
import { completed, ownTransfer } from '../index.ts'
import { verifyFeed } from './verify-feed.ts'

const NOW = new Date('2026-03-02T09:00:00Z')
const MOVEMENTS = 12
let db: TestDatabase
let company: TestCompany
beforeAll(async () => {
  db = await createTestDatabase()
  company = await makeCompany(db.database, NOW, { fundedMinor: 1_000_00n, countries: ['FR', 'DE', 'ES'] })
  for (let movement = 0; movement < MOVEMENTS; movement++) await move(5_00n)
})
afterAll(() => db.drop())

/** A movement between the company's accounts, as the feed and the ledger should tell it. */
const move = (minor: bigint) =>
  db.database.transaction(testActor, async (tx) => {
    const [debtor, creditor] = company.accounts
    const ledgerKey = newId<'ledger_operation'>()
    const amount = money(EUR, minor)
    const sides = { debit: debtor.ledgerAccountId, credit: creditor.ledgerAccountId }
    const [outcome] = await post(tx, debtor.bookId, [{ kind: 'transfer', key: ledgerKey, code: 'test', ...sides, amount }], NOW)
    if (!outcome?.ok) throw new Error('refused')
    const movements = ownTransfer(
      { subject: ref('test', newId<'test'>()), amount, ledgerKey },
      { account: debtor, balanceMinor: outcome.value.debitBalance },
      { account: creditor, balanceMinor: outcome.value.creditBalance },
    )
    await completed({ now: NOW }, tx, movements)
  })

const unshown = async () => {
  const proofs = await db.database.read(testActor, verifyFeed)
  const found = proofs.find(({ name }) => name === 'feeds_show_entries_of_the_ledger')
  return found && { violations: found.violations, examples: found.examples }
}

test('a feed whose movements are entries of the ledger is proven', async () => {
  expect(await unshown()).toEqual({ violations: 0, examples: [] })
})

test.each([
  ['an entry that is not there', 'ledger_key = gen_random_uuid()'],
  ['another amount', 'amount_minor = amount_minor + 1'],
  ['the other side', `side = 'credit'`],
  ['another account', 'bank_account_id = (select id from accounts.bank_account where number = 3)'],
])('a movement with %s is found', async (_, change) => {
  const before = 'select * from feed.transaction'
  await db.admin.query(`create table public.kept as ${before}`)
  await db.admin.query(
    `update feed.transaction set ${change} where id = (select id from feed.transaction where side = 'debit' order by ledger_key limit 1)`,
  )
  const found = await unshown()
  expect(found?.violations).toBe(1)
  expect(found?.examples[0]).toMatch(/no entry [0-9a-f-]{36} is a (debit|credit) of 50[01] on its account/)
  await db.admin.query(
    'delete from feed.transaction; insert into feed.transaction select * from public.kept; drop table public.kept',
  )
  expect(await unshown()).toEqual({ violations: 0, examples: [] })
})

test('a movement of which nobody knows the entry is not looked for', async () => {
  await db.admin.query(`update feed.transaction set ledger_key = null where side = 'debit'`)
  expect(await unshown()).toEqual({ violations: 0, examples: [] })
})
