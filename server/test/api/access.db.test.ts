import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bankSettings } from '../../src/modules/accounts/index.ts'
import { issueApiKey, revokeApiKey } from '../../src/modules/identity/index.ts'
import { findOrganizationBySlug, ownerOf } from '../../src/modules/team/index.ts'
import type { Id } from '../../src/platform/ids.ts'
import { type SeededCompany, seedCompanies } from '../../src/seed.ts'
import { TODAY } from '../support/demo.ts'
import { type DemoObjects, demoObjects, fill } from './examples.ts'
import { operationsOf } from './operations.ts'
import { startTestBank, type TestBank } from './support.ts'

/** A correct request of each operation by the demo company. `named`: it names an object that another organization must not reach. */
type Request = { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown; readonly named?: true }
const REQUESTS: Readonly<Record<string, Request>> = {
  getOrganization: { method: 'GET', path: '/v2/organization' },
  getOrganizationBySlug: { method: 'GET', path: '/v2/organizations/atelier-lumen-4821', named: true },
  listBankAccounts: { method: 'GET', path: '/v2/bank_accounts' },
  getBankAccount: { method: 'GET', path: '/v2/bank_accounts/{account}', named: true },
  listTransactions: { method: 'GET', path: '/v2/transactions?bank_account_id={account}', named: true },
  getTransaction: { method: 'GET', path: '/v2/transactions/{transaction}', named: true },
  listLabels: { method: 'GET', path: '/v2/labels' },
  getLabel: { method: 'GET', path: '/v2/labels/{label}', named: true },
  listMemberships: { method: 'GET', path: '/v2/memberships' },
  createInternalTransfer: {
    method: 'POST',
    path: '/v2/internal_transfers',
    body: {
      internal_transfer: { debit_iban: '{iban}', credit_iban: '{otherIban}', reference: 'x', amount: '1.00', currency: 'EUR' },
    },
    named: true,
  },
  simulateIncomingTransfer: {
    method: 'POST',
    path: '/simulation/incoming_transfers',
    body: { creditor_iban: '{iban}', amount: '1.00' },
  },
  getClock: { method: 'GET', path: '/simulation/clock' },
  moveClock: { method: 'POST', path: '/simulation/clock', body: { advance_seconds: 1 } },
}

/** Operations that ask for no organization's key, and why. */
const WITHOUT_KEY: Readonly<Record<string, string>> = {
  getLiveness: 'an orchestrator has no key; it tells one word',
  getReadiness: 'the same',
  getMetrics: 'has a token of its own, which production requires: see server.test.ts and config.test.ts',
}

let bank: TestBank
let objects: DemoObjects
let stranger: SeededCompany
beforeAll(async () => {
  bank = await startTestBank({}, { openapi: true })
  objects = await demoObjects(bank)
  const { database, clock, config } = bank.dependencies
  stranger = (
    await seedCompanies(database, clock, { count: 1, transactionsEach: 5, bank: config.of(bankSettings) })
  )[0] as SeededCompany
})
afterAll(() => bank.close())

const requestOf = (name: string) => REQUESTS[name] as Request
const send = (name: string, authorization: string | null) => {
  const { method, path, body } = fill(requestOf(name), objects)
  return bank.request(method, path, { authorization, body })
}
const asStranger = () => `${stranger.organizationSlug}:${stranger.secretKey}`
const withoutTrace = (body: string): unknown => ({ ...JSON.parse(body), trace_id: undefined })

test('every operation stands in the table', () => {
  expect([...Object.keys(REQUESTS), ...Object.keys(WITHOUT_KEY)].sort()).toEqual(
    operationsOf(bank)
      .map(({ id }) => id)
      .sort(),
  )
})

describe.each(Object.keys(REQUESTS))('%s', (name) => {
  test.each<[string, string | null, string]>([
    ['no header', null, 'authorization_header_missing'],
    ['an empty header', '', 'authorization_header_missing'],
    ['a wrong secret', 'atelier-lumen-4821:0123456789abcdef', 'unauthorized'],
    ['no secret', 'atelier-lumen-4821:', 'unauthorized'],
    ['no colon', 'atelier-lumen-4821', 'authorization_token_invalid'],
    ['a bearer token', 'Bearer ory_at_abc', 'authorization_token_invalid'],
    ['a bearer token with a colon', 'Bearer abc:def', 'authorization_token_invalid'],
    ['Basic', 'Basic YWJjOmRlZg==', 'authorization_token_invalid'],
  ])('is refused with %s', async (_, authorization, code) => {
    const answer = await send(name, authorization)
    expect(answer.statusCode).toBe(401)
    expect(answer.json().errors[0].code).toBe(code)
    expect(answer.body).toMatch(/\b(unauthorized|authentication)\b/i)
    expect(answer.json().trace_id).toBe(answer.headers['x-tyk-trace-id'])
  })

  test('is refused with another organization’s login and this one’s secret', async () => {
    expect((await send(name, `${stranger.organizationSlug}:${bank.demo.secretKey}`)).statusCode).toBe(401)
  })

  if (!REQUESTS[name]?.named) return
  test('answers another organization exactly as if the object did not exist', async () => {
    const theirs = await send(name, asStranger())
    expect([404, 422]).toContain(theirs.statusCode)
    const request = fill(requestOf(name), UNKNOWN)
    const unknown = await bank.request(request.method, request.path.replace('atelier-lumen-4821', 'nobody-1'), {
      authorization: asStranger(),
      body: request.body,
    })
    expect(unknown.statusCode).toBe(theirs.statusCode)
    expect(withoutTrace(unknown.body)).toEqual(withoutTrace(theirs.body))
  })
})

const NO_ID = '00000000-0000-7000-8000-000000000000'
const UNKNOWN: DemoObjects = {
  account: NO_ID,
  iban: 'DE89370400440532013000',
  otherIban: 'DE02120300000000202051',
  transaction: NO_ID,
  label: NO_ID,
}

test('a list shows the caller’s organization only', async () => {
  const own = (await bank.get('/v2/organization', { authorization: asStranger() })).json().organization
  expect(own.slug).toBe(stranger.organizationSlug)
  const labels = (await bank.get('/v2/labels', { authorization: asStranger() })).json()
  expect(labels).toMatchObject({ labels: [], meta: { total_count: 0, total_pages: 0, next_page: null, prev_page: null } })
})

test('money cannot be taken from another organization’s account, nor sent to it, under the name of an internal transfer', async () => {
  const transfer = (debit_iban: string, credit_iban: string) =>
    bank.request('POST', '/v2/internal_transfers', {
      authorization: asStranger(),
      body: { internal_transfer: { debit_iban, credit_iban, reference: 'x', amount: '1.00', currency: 'EUR' } },
    })
  const own = stranger.accounts[0]?.iban ?? ''
  expect((await transfer(objects.iban, own)).statusCode).toBe(422)
  expect((await transfer(own, objects.iban)).statusCode).toBe(422)
})

describe('a new key', () => {
  test('works at once, the former no longer; a revoked one never', async () => {
    const { database } = bank.dependencies
    const secrets = await database.transaction('system', async (tx) => {
      const organizationId = (await findOrganizationBySlug(tx, stranger.organizationSlug)) as Id<'organization'>
      const membershipId = (await ownerOf(tx, organizationId)) as Id<'membership'>
      return {
        organizationId,
        secret: await issueApiKey(tx, { organizationId, membershipId, login: stranger.organizationSlug, now: TODAY }),
      }
    })
    const fresh = `${stranger.organizationSlug}:${secrets.secret}`
    for (const name of Object.keys(REQUESTS).filter((each) => !REQUESTS[each]?.named && REQUESTS[each]?.method === 'GET')) {
      expect((await send(name, asStranger())).statusCode, `${name} with the former key`).toBe(401)
      expect((await send(name, fresh)).statusCode, `${name} with the new key`).toBe(200)
    }
    await database.transaction('system', (tx) => revokeApiKey(tx, secrets.organizationId, TODAY))
    for (const name of Object.keys(REQUESTS)) expect((await send(name, fresh)).statusCode, `${name} with a revoked key`).toBe(401)
  })

  test('is nowhere in the database', async () => {
    const { rows } = await bank.db.admin.query<{ row: string }>('select k::text as row from identity.api_key k')
    expect(rows.length).toBeGreaterThan(2)
    for (const { row } of rows) expect(row).not.toContain(bank.demo.secretKey)
  })
})
