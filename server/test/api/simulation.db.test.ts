import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TODAY } from '../support/demo.ts'
import { type RunningSimulator, startRailsSimulator } from '../support/rails-simulator.ts'
import { disagreements, operationsOf } from './operations.ts'
import { startTestBank, type TestBank } from './support.ts'

let rails: RunningSimulator
let bank: TestBank
let iban: string
beforeAll(async () => {
  rails = await startRailsSimulator('simulation')
  bank = await startTestBank({ RAILS_URL: rails.url })
  iban = bank.demo.accounts[0]?.iban ?? ''
})
afterAll(async () => {
  await bank.close()
  await rails.stop()
})

const receive = (body: unknown) => bank.request('POST', '/simulation/incoming_transfers', { body })
const moveClock = (body: unknown) => bank.request('POST', '/simulation/clock', { body })
const declared = (id: string) => operationsOf(bank).find((operation) => operation.id === id) as ReturnType<typeof operationsOf>[0]

describe('an incoming transfer', () => {
  test.each<[string, (transfer: Record<string, unknown>) => unknown]>([
    ['flat', (transfer) => transfer],
    ['wrapped in its name', (transfer) => ({ incoming_transfer: transfer })],
  ])('may be asked for %s, in either words', async (_, wrap) => {
    const bodies = [
      { iban, amount: '12.50', reference: 'INV-9', debtor_name: 'Jane' },
      { creditor_iban: iban, amount: '12.50', remittance_information: 'INV-9', end_to_end_id: 'E2E-9', copies: 2 },
    ]
    for (const body of bodies) {
      const answer = await receive(wrap(body))
      expect(answer.statusCode).toBe(202)
      expect(disagreements(declared('simulateIncomingTransfer'), 202, answer.json())).toEqual([])
      expect(answer.json().incoming_transfer.end_to_end_id).toBe('end_to_end_id' in body ? 'E2E-9' : 'NOTPROVIDED')
    }
  })

  test.each<[Record<string, unknown>, string, string]>([
    [{ amount: '1.00' }, 'creditor_iban', 'creditor_iban is missing'],
    [{ iban: 'x', amount: '1.00' }, 'iban', 'iban must have the form of an IBAN'],
    [{ creditor_iban: 'x', amount: '1.00' }, 'creditor_iban', 'creditor_iban must have the form of an IBAN'],
    [{ iban: 'FR76', amount: '999999999999' }, 'amount', 'amount must be a decimal text from 0.01 to 999999999.99'],
    [{ iban: 'FR76', amount: '0.00' }, 'amount', 'amount must be greater than 0'],
    [{ iban: 'FR76', amount: 1 }, 'amount', 'amount must be a string'],
    [{ iban: 'FR76' }, 'amount', 'amount is missing'],
    [{ iban: 'FR76', amount: '1.00', debtor_iban: 'FR7612' }, 'debtor_iban', 'debtor_iban must be an IBAN'],
    [{ iban: 'FR76', amount: '1.00', debtor_name: ' ' }, 'debtor_name', 'debtor_name must be text of 1 to 140 characters'],
    [{ iban: 'FR76', amount: '1.00', reference: 'x'.repeat(141) }, 'reference', 'reference size cannot be greater than 140'],
    [{ iban: 'FR76', amount: '1.00', copies: 11 }, 'copies', 'copies must not be greater than 10'],
    [{ iban: 'FR76', amount: '1.00', 'a/b': 1 }, 'a~1b', 'a/b is not a known field'],
  ])('%j names the field, as it was written', async (body, field, detail) => {
    for (const [sent, pointer] of [
      [body, `/${field}`],
      [{ incoming_transfer: body }, `/incoming_transfer/${field}`],
    ] as const) {
      const answer = await receive(sent)
      expect([400, 422]).toContain(answer.statusCode)
      expect(disagreements(declared('simulateIncomingTransfer'), answer.statusCode, answer.json())).toEqual([])
      expect(answer.json().errors).toContainEqual(expect.objectContaining({ detail, source: { pointer } }))
    }
  })

  test('everything that the rail finds wrong is told at once', async () => {
    const answer = await receive({ iban: 'x', amount: '1.00', debtor_iban: 'y' })
    expect(answer.json().errors.map((error: { source: unknown }) => error.source)).toEqual([
      { pointer: '/debtor_iban' },
      { pointer: '/iban' },
    ])
  })

  test('a rail that fails is our trouble, not the caller’s', async () => {
    const broken = createServer((_, response) => response.writeHead(500).end('{"error":{"message":"amount must be prime"}}'))
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`
    const elsewhere = await startTestBank({ RAILS_URL: url })
    try {
      const answer = await elsewhere.request('POST', '/simulation/incoming_transfers', { body: { iban, amount: '1.00' } })
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toBe('1')
    } finally {
      await elsewhere.close()
      broken.close()
    }
  })
})

describe('the clock', () => {
  test.each<[unknown, string, string]>([
    [{}, '/now', 'now or advance_seconds is missing'],
    [{ now: '2026-04-01', advance_seconds: 1 }, '/advance_seconds', 'advance_seconds must be absent when now is given'],
    [{ now: 'tomorrow' }, '/now', 'now is not a valid date'],
    [{ now: '2020-01-01' }, '/now', `now must not be before ${TODAY.toISOString()}: the clock only moves forward`],
    [{ now: '9999-12-31T23:59:59Z' }, '/now', 'now must not be more than ten years ahead'],
    [{ advance_seconds: 0 }, '/advance_seconds', 'advance_seconds must not be less than 1'],
    [{ advance_seconds: 1e12 }, '/advance_seconds', 'advance_seconds must not be greater than 315360000'],
    [{ advance_seconds: '60' }, '/advance_seconds', 'advance_seconds must be a whole number'],
    [{ seconds: 60 }, '/seconds', 'seconds is not a known field'],
  ])('%j is refused and the field named', async (body, pointer, detail) => {
    const answer = await moveClock(body)
    expect(answer.statusCode).toBe(422)
    expect(answer.json().errors[0]).toMatchObject({ detail, source: { pointer } })
    expect((await bank.get('/simulation/clock')).json().clock.now).toBe(TODAY.toISOString())
  })

  test('moves forward by seconds or to a moment', async () => {
    expect((await moveClock({ advance_seconds: 60 })).json().clock.now).toBe('2026-03-02T10:01:00.000Z')
    expect((await moveClock({ now: '2026-03-05' })).json().clock.now).toBe('2026-03-05T00:00:00.000Z')
    expect((await bank.get('/simulation/clock')).json().clock.now).toBe('2026-03-05T00:00:00.000Z')
  })

  test('moves by exactly what was answered, however many move it at once', async () => {
    const before = Date.parse((await bank.get('/simulation/clock')).json().clock.now)
    const answers = await Promise.all(Array.from({ length: 20 }, () => moveClock({ advance_seconds: 60 })))
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
    const moments = answers.map((answer) => Date.parse(answer.json().clock.now) - before).sort((a, b) => a - b)
    expect(moments).toEqual(Array.from({ length: 20 }, (_, n) => (n + 1) * 60_000))
    expect(Date.parse((await bank.get('/simulation/clock')).json().clock.now) - before).toBe(20 * 60_000)
  })
})
