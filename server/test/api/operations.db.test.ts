import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OPENAPI_FILE, renderOpenApi } from '../../../tools/openapi.ts'
import { anonymous, type DemoObjects, demoObjects, type ExampleRequest, fill, recorded } from './examples.ts'
import { disagreements, operationsOf } from './operations.ts'
import { startTestBank, type TestBank } from './support.ts'

/** Requests whose answers are recorded in api/examples: one per operation at least, named `{operationId}` or `{operationId}.{case}`. */
const EXAMPLES: Readonly<Record<string, ExampleRequest>> = {
  getOrganization: { method: 'GET', path: '/v2/organization' },
  getOrganizationBySlug: { method: 'GET', path: '/v2/organizations/atelier-lumen-4821' },
  listBankAccounts: { method: 'GET', path: '/v2/bank_accounts' },
  getBankAccount: { method: 'GET', path: '/v2/bank_accounts/{account}' },
  'getBankAccount.unknown': { method: 'GET', path: '/v2/bank_accounts/00000000-0000-4000-8000-000000000000' },
  listTransactions: { method: 'GET', path: '/v2/transactions?iban={iban}&per_page=3&includes[]=labels' },
  'listTransactions.missing': { method: 'GET', path: '/v2/transactions' },
  getTransaction: { method: 'GET', path: '/v2/transactions/{transaction}?includes[]=vat_details&includes[]=labels' },
  'getTransaction.unknown': { method: 'GET', path: '/v2/transactions/not-an-id' },
  listLabels: { method: 'GET', path: '/v2/labels?per_page=3' },
  getLabel: { method: 'GET', path: '/v2/labels/{label}' },
  listMemberships: { method: 'GET', path: '/v2/memberships' },
  createInternalTransfer: {
    method: 'POST',
    path: '/v2/internal_transfers',
    headers: { 'x-qonto-idempotency-key': '5b0f2f5e-0d0a-4f0e-9d4e-5d8f6f3c1a01' },
    body: {
      internal_transfer: {
        debit_iban: '{iban}',
        credit_iban: '{otherIban}',
        reference: 'TVA mars',
        amount: '12.50',
        currency: 'EUR',
      },
    },
  },
  'createInternalTransfer.insufficient_funds': {
    method: 'POST',
    path: '/v2/internal_transfers',
    body: {
      internal_transfer: {
        debit_iban: '{iban}',
        credit_iban: '{otherIban}',
        reference: 'Too much',
        amount: '9999999.00',
        currency: 'EUR',
      },
    },
  },
  getLiveness: { method: 'GET', path: '/livez' },
  getReadiness: { method: 'GET', path: '/readyz' },
  getClock: { method: 'GET', path: '/simulation/clock' },
  moveClock: { method: 'POST', path: '/simulation/clock', body: { advance_seconds: 86_400 } },
}

/** Operations without a recorded answer, and why. */
const WITHOUT_EXAMPLE: Readonly<Record<string, string>> = {
  simulateIncomingTransfer: 'asks the rails simulator, which is a process of its own: tested in simulation.db.test.ts',
  getMetrics: 'answers in text, and never twice the same',
}

let bank: TestBank
let objects: DemoObjects
beforeAll(async () => {
  bank = await startTestBank({}, { openapi: true })
  objects = await demoObjects(bank)
})
afterAll(() => bank.close())

describe.each(Object.entries(EXAMPLES))('%s', (name, template) => {
  test('answers as recorded, and as its description says', async () => {
    const request = fill(template, objects)
    const answer = await bank.request(request.method, request.path, { headers: { ...request.headers }, body: request.body })
    const seen = { request, response: { status: answer.statusCode, body: answer.json() } }
    const operation = operationsOf(bank).find((candidate) => candidate.id === name.split('.')[0])
    expect(operation && disagreements(bank, operation, seen.response.status, seen.response.body)).toEqual([])
    expect(anonymous(seen)).toEqual(recorded(name, anonymous(seen)))
  })
})

test('every transaction and account of the demo company is as described, with all that can be embedded', async () => {
  const described = (id: string, body: unknown) => {
    const operation = operationsOf(bank).find((candidate) => candidate.id === id)
    return operation && disagreements(bank, operation, 200, body)
  }
  const everything = 'status=pending,declined,completed&includes=labels,attachments,vat_details'
  for (const { id } of bank.demo.accounts) {
    const list = (await bank.get(`/v2/transactions?bank_account_id=${id}&${everything}`)).json()
    expect(described('listTransactions', list)).toEqual([])
    expect(described('getBankAccount', (await bank.get(`/v2/bank_accounts/${id}`)).json())).toEqual([])
  }
  const organization = (await bank.get('/v2/organization?include_external_accounts=true')).json()
  expect(described('getOrganization', organization)).toEqual([])
})

test('every operation has an example, or a reason why not', () => {
  const shown = new Set(Object.keys(EXAMPLES).map((name) => name.split('.')[0]))
  const missing = operationsOf(bank).filter(({ id }) => !shown.has(id) && !(id in WITHOUT_EXAMPLE))
  expect(missing.map(({ id }) => id)).toEqual([])
})

test('api/openapi.json is what the routes say: npm run generate', async () => {
  expect(readFileSync(OPENAPI_FILE, 'utf8')).toBe(await renderOpenApi())
})
