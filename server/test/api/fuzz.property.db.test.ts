import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DemoObjects, demoObjects } from './examples.ts'
import { disagreements, operationsOf } from './operations.ts'
import { startTestBank, type TestBank } from './support.ts'

/** Whatever is sent, the answer is one that the description declares, and never our fault. */
let bank: TestBank
let objects: DemoObjects
beforeAll(async () => {
  bank = await startTestBank()
  objects = await demoObjects(bank)
})
afterAll(() => bank.close())

const NAMES = [
  'bank_account_id', 'iban', 'includes', 'includes[]', 'status', 'status[]', 'updated_at_from', 'updated_at_to', 'emitted_at_from', 'settled_at_to',
  'created_at_from', 'side', 'operation_type', 'operation_type[]', 'with_attachments', 'sort_by', 'page', 'per_page', 'include_external_accounts',
  '__proto__', 'constructor', 'filter[status]', 'page[]', 'status[0]', 'status[99999]', '[]', '',
] // biome-ignore format: a list

const nasty = fc.constantFrom(
  '', '0', '-1', '1e3', 'NaN', 'Infinity', '99999999999999999999', '1.5', '%00', '%', '%zz', '%ff%fe', "'", "';drop table feed.transaction--", '\u0000', '🦄', '٣',
  'true', 'false', 'null', 'undefined', '[]', '{}', 'a,b,,c', ',', 'completed,', 'settled_at:desc', 'settled_at:', ':asc', 'constructor', '__proto__', '2026-02-30',
  '9999-12-31T23:59:59.999Z', '0001-01-01', '2026-01-01T00:00:00+23:59', '-000001-01-01', '00000000-0000-0000-0000-000000000000', 'FR76', '../../etc/passwd', 'x'.repeat(5_000),
) // biome-ignore format: a list

const value = fc.oneof({ weight: 3, arbitrary: nasty }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) })
const encoded = fc
  .tuple(value, fc.boolean())
  .map(([text, isEscaped]) => (isEscaped ? safeEncode(text) : text.replace(/[^\x21-\x7e]/g, '?').replace(/[#&]/g, '_')))
const pairs = fc.array(fc.tuple(fc.constantFrom(...NAMES), encoded), { maxLength: 6 })

/** `encodeURIComponent`, but lone surrogates do not throw. */
const safeEncode = (text: string): string => encodeURIComponent(text.toWellFormed())

const PATHS = [
  '/v2/organization', '/v2/organizations/{any}', '/v1/organizations/{any}', '/v2/bank_accounts', '/v2/bank_accounts/{any}', '/v2/transactions', '/v2/transactions/{any}',
  '/v2/labels', '/v2/labels/{any}', '/v2/memberships', '/simulation/clock',
] // biome-ignore format: a list

const operationAt = (path: string) =>
  operationsOf(bank).find((o) => o.method === 'GET' && o.path.replace('{slug}', '{id}') === path.replace('{any}', '{id}'))

describe.each(PATHS)('GET %s', (path) => {
  test('answers every query string and id as declared', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, encoded, fc.boolean(), async (parameters, id, named) => {
        const query = [...(named ? [['bank_account_id', objects.account] as const] : []), ...parameters]
          .map(([k, v]) => `${k}=${v}`)
          .join('&')
        const url = `${path.replace('{any}', safeEncode(decodeOr(id)).slice(0, 90) || 'x')}?${query}`
        const answer = await bank.get(url)
        expect(answer.statusCode, url).toBeLessThan(500)
        const operation = operationAt(path)
        if (operation && answer.statusCode !== 400)
          expect(disagreements(operation, answer.statusCode, answer.json()), url).toEqual([])
        expect(answer.headers['content-type']).toContain('application/json')
      }),
      { numRuns: 200 },
    )
  })
})

const decodeOr = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

describe('POST /v2/internal_transfers', () => {
  const good = () => ({
    debit_iban: objects.iban,
    credit_iban: objects.otherIban,
    reference: 'fuzz',
    amount: '0.01',
    currency: 'EUR',
  })
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    nasty,
    fc.constantFrom('\ud800', 'a\udc00'),
    fc.double(),
    fc.bigInt().map(String),
  )

  test('one field replaced by anything is refused or harmless, never our fault', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('debit_iban', 'credit_iban', 'reference', 'amount', 'currency'),
        anything,
        async (field, replacement) => {
          const body = { internal_transfer: { ...good(), [field]: replacement } }
          const answer = await bank.request('POST', '/v2/internal_transfers', { body })
          expect([200, 400, 422]).toContain(answer.statusCode)
          const operation = operationsOf(bank).find(({ id }) => id === 'createInternalTransfer')
          expect(operation && disagreements(operation, answer.statusCode, answer.json())).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each<[string, () => unknown, number, string]>([
    ['an amount that is a number', () => ({ ...good(), amount: 12.5 }), 400, 'not_a_string'],
    ['an amount with an exponent', () => ({ ...good(), amount: '1e3' }), 422, 'invalid_format'],
    ['an amount of nothing', () => ({ ...good(), amount: '0.00' }), 422, 'invalid'],
    ['a negative amount', () => ({ ...good(), amount: '-1.00' }), 422, 'invalid_format'],
    ['three decimals', () => ({ ...good(), amount: '1.005' }), 422, 'invalid_format'],
    ['an array for a scalar', () => ({ ...good(), debit_iban: [objects.iban] }), 400, 'not_a_string'],
    ['a reference of nothing but space', () => ({ ...good(), reference: ' \t' }), 422, 'blank'],
    ['another currency', () => ({ ...good(), currency: 'USD' }), 422, 'not_in_list'],
    ['a missing field', () => ({ ...good(), amount: undefined }), 422, 'missing_key'],
    ['a reference of 100 characters', () => ({ ...good(), reference: 'x'.repeat(100) }), 422, 'above_max_size'],
  ])('%s is refused', async (_, transfer, status, code) => {
    const answer = await bank.request('POST', '/v2/internal_transfers', { body: { internal_transfer: transfer() } })
    expect(answer.statusCode).toBe(status)
    expect(answer.json().errors[0]).toMatchObject({ code, source: { pointer: expect.stringMatching(/^\/internal_transfer\//) } })
  })
})
