import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { readIban } from '../../src/formats/payments/iban.ts'
import { verifyLedger } from '../../src/modules/ledger/index.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { seedCompanies, seedDemo } from '../../src/seed.ts'
import { createTestDatabase } from '../support/database.ts'
import { testWorld } from '../support/demo.ts'
import { startTestBank, type TestBank } from './support.ts'

let bank: TestBank
beforeAll(async () => {
  bank = await startTestBank()
})
afterAll(() => bank.close())

const transactionsOf = async (iban: string) =>
  (await bank.get(`/v2/transactions?iban=${iban}&sort_by=settled_at:asc`)).json().transactions as {
    side: string
    amount_cents: number
    settled_balance_cents: number
  }[]

test('the demo company is lively, and its books are true', async () => {
  const ledger = await verifyLedger(bank.db.database)
  expect(ledger.checks.filter((check) => check.violations > 0)).toEqual([])
  let seen = 0
  for (const account of (await bank.get('/v2/organization')).json().organization.bank_accounts) {
    expect(readIban(account.iban)).toEqual({ ok: true, value: account.iban })
    let balance = 0
    for (const transaction of await transactionsOf(account.iban)) {
      balance += transaction.side === 'credit' ? transaction.amount_cents : -transaction.amount_cents
      expect(transaction.settled_balance_cents).toBe(balance)
      seen++
    }
    expect(account.balance_cents).toBe(balance)
    const pending = (await bank.get(`/v2/transactions?iban=${account.iban}&status=pending`)).json().transactions
    const held = pending.reduce((sum: number, transaction: { amount_cents: number }) => sum + transaction.amount_cents, 0)
    expect(account.authorized_balance_cents).toBe(balance - held)
  }
  expect(seen).toBeGreaterThanOrEqual(50)
  expect((await bank.get('/v2/memberships')).json().meta.total_count).toBe(5)
  expect((await bank.get(`/v2/transactions?iban=${bank.demo.accounts[0]?.iban}&status=declined`)).json().meta.total_count).toBe(1)
})

test('the demo company’s feed has one of everything that a client must cope with', async () => {
  const feed = (await bank.get(`/v2/transactions?iban=${bank.demo.accounts[0]?.iban}&status=pending,declined,completed`)).json()
    .transactions as {
    status: string
    subject_type: string
    operation_type: string
    vat_rate: number | null
    label_ids: string[]
  }[]
  const kinds = (of: (transaction: (typeof feed)[0]) => unknown) => new Set(feed.map(of))
  expect(kinds((t) => t.status)).toEqual(new Set(['pending', 'declined', 'completed']))
  expect(kinds((t) => t.subject_type)).toEqual(new Set(['Transfer', 'Income', 'DirectDebit', 'WalletToWallet']))
  expect(kinds((t) => t.operation_type)).toEqual(new Set(['transfer', 'income', 'direct_debit']))
  expect(kinds((t) => t.vat_rate)).toEqual(new Set([null, 20]))
  expect(kinds((t) => t.label_ids.length)).toEqual(new Set([0, 1]))
})

const rowsOf = async <Row>(sql: string): Promise<Row[]> => (await bank.db.admin.query(sql)).rows

test('every payment of the demo company has its row, its feed its subject, and its entries the codes of real payments', async () => {
  const kinds = await rowsOf<{ kind: string; feed: number; payments: number }>(`
    with payment (kind, id) as (
      select 'credit_transfer', id from payments.credit_transfer union all select 'incoming_transfer', id from payments.incoming_transfer
       union all select 'internal_transfer', id from payments.internal_transfer)
    select subject_kind as kind, count(distinct t.subject_id)::int as feed, count(distinct p.id)::int as payments
      from feed.transaction t left join payment p on p.kind = t.subject_kind and p.id = t.subject_id group by 1 order by 1`)
  const withRows = kinds.filter(({ kind }) => kind !== 'demo_movement')
  expect(withRows.map(({ kind }) => kind)).toEqual(['credit_transfer', 'incoming_transfer', 'internal_transfer'])
  for (const { feed, payments } of withRows) expect(payments).toBe(feed)
  // No module collects direct debits yet: theirs alone are marked as the demo's.
  const debits = await rowsOf("select 1 from feed.transaction where operation_type = 'direct_debit'")
  expect(kinds.find(({ kind }) => kind === 'demo_movement')).toMatchObject({ feed: debits.length, payments: 0 })
  expect(
    (await rowsOf<{ code: string }>('select distinct code from ledger.transfer order by 1')).map(({ code }) => code),
  ).toEqual(['demo.direct_debit', 'internal_transfer', 'sct.in', 'sct.in.settlement', 'sct.out', 'sct.out.settlement'])
  const statuses = await rowsOf<{ status: string }>('select distinct status from payments.credit_transfer order by 1')
  expect(statuses.map(({ status }) => status)).toEqual(['pending', 'rejected', 'settled'])
})

test('what partita verify proves holds of the demo company', async () => {
  const proofs = []
  for (const check of partita.modules.flatMap(({ checks }) => checks ?? []))
    if ('prove' in check) proofs.push(...(await bank.db.database.read(systemActor('test.verify'), check.prove)))
  expect(proofs.length).toBeGreaterThan(3)
  expect(proofs.filter(({ violations }) => violations > 0)).toEqual([])
})

test('the same seed makes the same history elsewhere, and another seed another', async () => {
  const historyOf = async (seed?: number) => {
    const db = await createTestDatabase()
    await seedDemo(await testWorld(db), seed === undefined ? {} : { seed })
    const { rows } = await db.admin.query(
      "select id, amount_minor::text, label, reference, settled_at, settled_balance_minor::text from feed.transaction where id::text not like '________-____-7%' order by settled_at, side",
    )
    await db.drop()
    return rows
  }
  const [first, again, other] = [await historyOf(), await historyOf(1), await historyOf(2)]
  expect(first.length).toBeGreaterThan(50)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
})

test('seeding again changes nothing and knows no key', async () => {
  const again = await seedDemo(bank.dependencies)
  expect(again).toEqual({ ...bank.demo, secretKey: undefined, created: false })
  expect((await bank.get('/v2/organization')).statusCode).toBe(200)
})

test('a caller that kept the key gets it back; one that lost it puts a new one in its place', async () => {
  const kept = await seedDemo(bank.dependencies, { secretKey: bank.demo.secretKey })
  expect(kept.secretKey).toBe(bank.demo.secretKey)
  expect((await bank.get('/v2/organization')).statusCode).toBe(200)

  const secretKey = randomBytes(32).toString('hex')
  expect((await seedDemo(bank.dependencies, { secretKey })).secretKey).toBe(secretKey)
  expect((await bank.get('/v2/organization')).statusCode).toBe(401)
  const authorization = `${bank.demo.organizationSlug}:${secretKey}`
  expect((await bank.get('/v2/organization', { authorization })).statusCode).toBe(200)

  const revoked = await seedDemo(bank.dependencies, { secretKey: bank.demo.secretKey })
  expect(revoked.secretKey).toMatch(/^[0-9a-f]{64}$/)
  expect(revoked.secretKey).not.toBe(bank.demo.secretKey)
  const newest = `${bank.demo.organizationSlug}:${revoked.secretKey}`
  expect((await bank.get('/v2/organization', { authorization: newest })).statusCode).toBe(200)
})

test('two processes that seed at once make one company', async () => {
  const both = await Promise.all([1, 2].map(() => seedDemo(bank.dependencies)))
  expect(both.map((company) => company.created)).toEqual([false, false])
})

test('companies for load have funded accounts and true books', async () => {
  const companies = await seedCompanies(bank.dependencies, { count: 2, transactionsEach: 150, seed: 9 })
  const [first] = companies
  const authorization = `${first?.organizationSlug}:${first?.secretKey}`
  const page = await bank.get(`/v2/transactions?bank_account_id=${first?.accounts[0]?.id}`, { authorization })
  expect(page.json().meta).toMatchObject({ total_count: 150, total_pages: 2 })
  expect((await verifyLedger(bank.db.database)).ok).toBe(true)
})

test('companies for load that are there already stay as they are, and keep the key that the caller keeps', async () => {
  const secretOf = (slug: string) => createHash('sha256').update(slug).digest('hex')
  const seeding = { transactionsEach: 3, seed: 10, secretOf }
  const [first] = await seedCompanies(bank.dependencies, { ...seeding, count: 1 })
  const [again, second] = await seedCompanies(bank.dependencies, { ...seeding, count: 2 })
  expect(again).toEqual({ ...first, created: false })
  expect(second).toMatchObject({ organizationSlug: 'load-10-2', created: true })
  const authorization = `${again?.organizationSlug}:${secretOf('load-10-1')}`
  const feed = await bank.get(`/v2/transactions?bank_account_id=${again?.accounts[0]?.id}`, { authorization })
  expect(feed.json().meta).toMatchObject({ total_count: 3 })
})
