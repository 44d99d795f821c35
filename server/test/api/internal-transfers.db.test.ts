import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestBank, type TestBank } from './support.ts'

let bank: TestBank
let from: string
let to: string
let key = 0
beforeAll(async () => {
  bank = await startTestBank()
  from = bank.demo.accounts[0]?.iban ?? ''
  to = bank.demo.accounts[1]?.iban ?? ''
})
afterAll(() => bank.close())
beforeEach(() => {
  key++
})

const transfer = (fields: Record<string, unknown> = {}) => ({
  internal_transfer: { debit_iban: from, credit_iban: to, reference: 'TVA', amount: '1.50', currency: 'EUR', ...fields },
})
const post = (body: unknown, idempotencyKey: string | undefined = `key ${key}`) =>
  bank.request('POST', '/v2/internal_transfers', { body, headers: { 'x-qonto-idempotency-key': idempotencyKey } })
const balance = async (): Promise<number> =>
  (await bank.get(`/v2/bank_accounts/${bank.demo.accounts[0]?.id}`)).json().bank_account.balance_cents

describe('a repeated key', () => {
  test('gets the first answer again, and moves nothing', async () => {
    const before = await balance()
    const [first, second] = [await post(transfer()), await post(transfer())]
    expect(first.statusCode).toBe(200)
    expect(second.json()).toEqual(first.json())
    expect(second.headers).not.toHaveProperty('x-partita-idempotency-mismatch')
    expect(await balance()).toBe(before - 150)
  })

  test.each<[string, () => unknown]>([
    ['another amount', () => transfer({ amount: '2.00' })],
    ['more than there is', () => transfer({ amount: '999999999.00' })],
    ['an account that is not there', () => transfer({ debit_iban: 'FR76' })],
    ['an amount that is none', () => transfer({ amount: 'much' })],
    ['an amount that is a number', () => transfer({ amount: 2 })],
    ['an amount of nothing', () => transfer({ amount: '0' })],
    ['no transfer at all', () => ({})],
  ])('gets it whatever the body says: %s', async (_, body) => {
    const first = await post(transfer())
    const before = await balance()
    const again = await post(body())
    expect(again.statusCode).toBe(200)
    expect(again.json()).toEqual(first.json())
    expect(again.headers['x-partita-idempotency-mismatch']).toBe('true')
    expect(await balance()).toBe(before)
  })

  test('sent many times at once acts once', async () => {
    const before = await balance()
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(transfer())))
    expect(new Set(answers.map((answer) => answer.statusCode))).toEqual(new Set([200]))
    expect(new Set(answers.map((answer) => answer.body)).size).toBe(1)
    expect(await balance()).toBe(before - 150)
  })

  test('of a failure is free: the mended request acts', async () => {
    expect((await post(transfer({ amount: '999999999.00' }))).json().errors[0].code).toBe('insufficient_funds')
    expect((await post(transfer({ amount: 'much' }))).statusCode).toBe(422)
    expect((await post(transfer())).statusCode).toBe(200)
  })
})

test('without a key, equal requests are two transfers', async () => {
  const before = await balance()
  const [first, second] = [await post(transfer(), ''), await post(transfer(), '')]
  expect(second.json().internal_transfer.id).not.toBe(first.json().internal_transfer.id)
  expect(await balance()).toBe(before - 300)
})

test('a key of more than 255 characters is refused by the name of its header', async () => {
  const refused = await post(transfer(), 'k'.repeat(256))
  expect(refused.statusCode).toBe(422)
  expect(refused.json().errors[0]).toMatchObject({
    code: 'above_max_size',
    source: { header: 'X-Qonto-Idempotency-Key' },
  })
  expect((await post(transfer(), 'k'.repeat(255))).statusCode).toBe(200)
})

test('fields that this version of the contract does not have are no mistake', async () => {
  const answer = await post({ ...transfer({ note: 'x', 'a/b': 1 }), client: 'erp' })
  expect(answer.statusCode).toBe(200)
  expect(answer.json().internal_transfer).not.toHaveProperty('note')
})

test('a field that we do not know may be as deep as it likes', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const body = JSON.stringify(transfer()).replace(/}$/, `,"deep":${deep}}`)
  const answer = await bank.server.app.inject({
    method: 'POST',
    url: '/v2/internal_transfers',
    headers: { authorization: `${bank.demo.organizationSlug}:${bank.demo.secretKey}`, 'content-type': 'application/json' },
    payload: body,
  })
  expect(answer.statusCode).toBe(200)
})

test('money stands in the answer as numbers, in both spellings of its currency', async () => {
  expect((await post(transfer({ amount: '.50', reference: 'Été 🦄' }))).json().internal_transfer).toMatchObject({
    amount: 0.5,
    amount_cents: 50,
    currency: 'EUR',
    amount_currency: 'EUR',
    reference: 'Été 🦄',
    status: 'pending',
  })
})
