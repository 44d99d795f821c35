import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readIban } from '../../src/formats/payments/iban.ts'
import { bankSettings } from '../../src/modules/accounts/index.ts'
import { verifyLedger } from '../../src/modules/ledger/index.ts'
import { seedCompanies, seedDemo } from '../../src/seed.ts'
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

test('seeding again changes nothing and knows no key', async () => {
  const { database, clock, config } = bank.dependencies
  const again = await seedDemo(database, clock, { bank: config.of(bankSettings) })
  expect(again).toEqual({ ...bank.demo, secretKey: undefined, created: false })
  expect((await bank.get('/v2/organization')).statusCode).toBe(200)
})

test('a caller that kept the key gets it back; one that lost it puts a new one in its place', async () => {
  const { database, clock, config } = bank.dependencies
  const kept = await seedDemo(database, clock, { bank: config.of(bankSettings), secretKey: bank.demo.secretKey })
  expect(kept.secretKey).toBe(bank.demo.secretKey)
  expect((await bank.get('/v2/organization')).statusCode).toBe(200)

  const secretKey = randomBytes(32).toString('hex')
  expect((await seedDemo(database, clock, { bank: config.of(bankSettings), secretKey })).secretKey).toBe(secretKey)
  expect((await bank.get('/v2/organization')).statusCode).toBe(401)
  const authorization = `${bank.demo.organizationSlug}:${secretKey}`
  expect((await bank.get('/v2/organization', { authorization })).statusCode).toBe(200)

  const revoked = await seedDemo(database, clock, { bank: config.of(bankSettings), secretKey: bank.demo.secretKey })
  expect(revoked.secretKey).toMatch(/^[0-9a-f]{64}$/)
  expect(revoked.secretKey).not.toBe(bank.demo.secretKey)
  const newest = `${bank.demo.organizationSlug}:${revoked.secretKey}`
  expect((await bank.get('/v2/organization', { authorization: newest })).statusCode).toBe(200)
})

test('two processes that seed at once make one company', async () => {
  const { database, clock, config } = bank.dependencies
  const both = await Promise.all([1, 2].map(() => seedDemo(database, clock, { bank: config.of(bankSettings) })))
  expect(both.map((company) => company.created)).toEqual([false, false])
})

test('companies for load have funded accounts and true books', async () => {
  const { database, clock, config } = bank.dependencies
  const companies = await seedCompanies(database, clock, {
    count: 2,
    transactionsEach: 150,
    bank: config.of(bankSettings),
    seed: 9,
  })
  const [first] = companies
  const authorization = `${first?.organizationSlug}:${first?.secretKey}`
  const page = await bank.get(`/v2/transactions?bank_account_id=${first?.accounts[0]?.id}`, { authorization })
  expect(page.json().meta).toMatchObject({ total_count: 150, total_pages: 2 })
  expect((await verifyLedger(database)).ok).toBe(true)
})

test('companies for load that are there already stay as they are, and keep the key that the caller keeps', async () => {
  const { database, clock, config } = bank.dependencies
  const secretOf = (slug: string) => createHash('sha256').update(slug).digest('hex')
  const seeding = { transactionsEach: 3, bank: config.of(bankSettings), seed: 10, secretOf }
  const [first] = await seedCompanies(database, clock, { ...seeding, count: 1 })
  const [again, second] = await seedCompanies(database, clock, { ...seeding, count: 2 })
  expect(again).toEqual({ ...first, created: false })
  expect(second).toMatchObject({ organizationSlug: 'load-10-2', created: true })
  const authorization = `${again?.organizationSlug}:${secretOf('load-10-1')}`
  const feed = await bank.get(`/v2/transactions?bank_account_id=${again?.accounts[0]?.id}`, { authorization })
  expect(feed.json().meta).toMatchObject({ total_count: 3 })
})
