import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpRail, httpRailSandbox } from '../../src/modules/payments/index.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { PayingBank } from '../support/paying-bank.ts'
import { type RunningSimulator, startRailsSimulator } from '../support/rails-simulator.ts'
import { describeWithStandards } from '../support/standards.ts'
import { xsdProblems } from '../support/xsd.ts'

let simulator: RunningSimulator
let bank: PayingBank

beforeAll(async () => {
  simulator = await startRailsSimulator('journeys')
  bank = await PayingBank.open((clock) => httpRail(simulator.url, clock))
})

afterAll(async () => {
  await bank.close()
  await simulator.stop()
})

describe('a SEPA credit transfer out', () => {
  test('is held when accepted, leaves when the rail accepts, and settles over the nostro', async () => {
    const before = await bank.money()
    const transfer = await bank.send('Muster GmbH', 120_00n)
    expect(await bank.money()).toMatchObject({ booked: before.booked, available: before.available - 120_00n })
    expect(await bank.feedRow(transfer.feedTransactionId)).toMatchObject({ status: 'pending' })
    await bank.settleDown()
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'submitted' })
    await bank.passTime(0.6)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'accepted' })
    expect(await bank.money()).toMatchObject({
      booked: before.booked - 120_00n,
      available: before.available - 120_00n,
      out: 120_00n,
    })
    await bank.passTime(5)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
    expect(await bank.money()).toMatchObject({ out: 0n, nostro: before.nostro + 120_00n })
    expect(await bank.feedRow(transfer.feedTransactionId)).toEqual({
      status: 'completed',
      balance: String(before.booked - 120_00n),
    })
  })

  test('that the rail rejects gives the money back with the reason', async () => {
    const before = await bank.money()
    const transfer = await bank.send('Nobody SIM REJECT AC04', 50_00n)
    await bank.passTime(1)
    await bank.passTime(5)
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AC04' })
    expect(await bank.feedRow(transfer.feedTransactionId)).toMatchObject({ status: 'declined' })
    expect(await bank.money()).toEqual(before)
  })

  test('rejected after it was accepted comes back as a new movement', async () => {
    const before = await bank.money()
    const transfer = await bank.send('Nobody SIM REJECT AFTER ACCEPT MS03', 51_00n)
    await bank.passTime(1)
    await bank.passTime(10)
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'MS03' })
    expect(await bank.money()).toEqual(before)
    expect(await bank.lastFeedRow()).toMatchObject({ side: 'credit', amount: '5100', status: 'completed' })
  })

  test.each(['SIM LOST ANSWER', 'SIM DROP REPLY', 'SIM LATE 1H'])(
    'with a lost or late answer (%s) becomes unknown, is asked about, and is executed once',
    async (sentinel) => {
      const transfer = await bank.send(`Quiet ${sentinel}`, 10_00n)
      await bank.settleDown()
      await bank.passTime(90)
      for (let minutes = 0; minutes < 6 && (await bank.statusOf(transfer.id)).status !== 'settled'; minutes++)
        await bank.passTime(20 * 60)
      expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
      expect(await simulator.transaction(transfer.transactionId)).toMatchObject({ received: 1, executions: 1 })
      const { rows } = await bank.db.admin.query(
        `select message_name, count(*)::int as count
           from payments.outgoing_message m join payments.outgoing_message_transfer c on c.message_id = m.id
          where c.transfer_id = $1 group by 1 order by 1`,
        [transfer.id],
      )
      expect(rows[0]).toEqual({ message_name: 'pacs.008.001.08', count: 1 })
      if (sentinel !== 'SIM LATE 1H') expect(rows[1]?.message_name).toBe('pacs.028.001.03')
    },
  )

  test('that the rail never got is rejected once the rail says so, and never sent again', async () => {
    const before = await bank.money()
    const transfer = await bank.send('Gone SIM LOST MESSAGE', 11_00n)
    await bank.settleDown()
    await bank.passTime(30)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'submitted' })
    await bank.passTime(60)
    await bank.passTime(5)
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AG09' })
    expect(await bank.money()).toEqual(before)
    expect(await simulator.transaction(transfer.transactionId)).toMatchObject({ received: 1, executions: 0 })
  })

  test('of which nobody ever says anything stays unknown, with its money held', async () => {
    const before = await bank.money()
    const transfer = await bank.send('Mute SIM SILENT', 12_00n)
    await bank.settleDown()
    for (let hours = 0; hours < 3; hours++) await bank.passTime(3_600)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'unknown' })
    expect(await bank.money()).toMatchObject({ booked: before.booked, available: before.available - 12_00n })
    expect(await simulator.transaction(transfer.transactionId)).toMatchObject({ received: 1, executions: 1 })
  })

  test.each(['SIM DUPLICATE ANSWER', 'SIM OUT OF ORDER', 'SIM GARBAGE ANSWER', 'SIM CONTRADICT MS03', 'SIM GROUP ANSWER'])(
    'keeps its books right under %s',
    async (sentinel) => {
      const before = await bank.money()
      const transfer = await bank.send(`Odd ${sentinel}`, 13_00n)
      for (let n = 0; n < 4; n++) await bank.passTime(10)
      expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
      expect(await bank.money()).toMatchObject({
        booked: before.booked - 13_00n,
        out: before.out,
        nostro: before.nostro + 13_00n,
      })
    },
  )

  test.each(['SIM RETURN AC04', 'SIM DUPLICATE RETURN AC04', 'SIM EARLY RETURN AC04'])(
    'returned by the other bank (%s) comes back once',
    async (sentinel) => {
      const before = await bank.money()
      const transfer = await bank.send(`Closed ${sentinel}`, 14_00n)
      for (let n = 0; n < 4; n++) await bank.passTime(10)
      expect(await bank.statusOf(transfer.id)).toEqual({ status: 'returned', reason: 'AC04' })
      expect(await bank.money()).toEqual(before)
      expect(await bank.lastFeedRow()).toMatchObject({
        side: 'credit',
        amount: '1400',
        reference: 'Returned (AC04): Invoice 204',
      })
    },
  )

  test('for a later day waits for that day', async () => {
    const transfer = await bank.send('Later', 15_00n, { requestedExecutionDate: '2026-03-20' })
    await bank.settleDown()
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'pending' })
    bank.clock.set('2026-03-20T07:00:00Z')
    await bank.settleDown()
    await bank.passTime(10)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
  })

  test('above the balance is refused, and nothing is held or sent', async () => {
    const before = await bank.money()
    await expect(bank.send('Dream', 9_000_000_00n)).rejects.toThrow('available_balance_insufficient')
    await bank.settleDown()
    expect(await bank.money()).toEqual(before)
  })
})

describe('a SEPA credit transfer in', () => {
  const receive = (creditorIban: string, minor: bigint, copies?: number) =>
    httpRailSandbox(simulator.url, bank.clock).sendIncoming({
      amount: money(EUR, minor),
      creditorIban,
      debtorName: 'Client & Söhne',
      debtorIban: 'FR1420041010050500013M02606',
      remittanceInformation: 'Invoice 77',
      endToEndId: undefined,
      copies,
    })

  test('is credited by IBAN, once, however often the rail sends it', async () => {
    const before = await bank.money()
    expect((await receive(bank.company.accounts[0].iban, 800_00n, 3)).ok).toBe(true)
    await bank.passTime(5)
    await bank.passTime(5)
    expect(await bank.money()).toMatchObject({ booked: before.booked + 800_00n, in: 0n, nostro: before.nostro - 800_00n })
    expect(await bank.lastFeedRow()).toMatchObject({ side: 'credit', amount: '80000', reference: 'Invoice 77' })
  })

  test('for an account that we do not have goes to suspense and back to its sender', async () => {
    const before = await bank.money()
    await receive('FR7630006000011234567890189', 33_00n)
    await bank.passTime(5)
    await bank.passTime(5)
    expect(await bank.money()).toEqual(before)
    const { rows } = await bank.db.admin.query(
      `select status, status_reason_code as reason from payments.incoming_transfer where amount_minor = 3300`,
    )
    expect(rows).toEqual([{ status: 'returned', reason: 'AC01' }])
  })
})

describeWithStandards('every message that we sent', () => {
  test('is valid against its schema', async () => {
    const { rows } = await bank.db.admin.query<{ message_name: string; xml: string }>(
      'select message_name, xml from payments.outgoing_message',
    )
    expect(new Set(rows.map((r) => r.message_name))).toEqual(new Set(['pacs.008.001.08', 'pacs.028.001.03', 'pacs.004.001.09']))
    for (const row of rows) expect(xsdProblems(row.message_name, row.xml)).toEqual([])
  })
})
