import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { balancesOf, verifyLedger } from '../../src/modules/ledger/index.ts'
import {
  type CreditTransferInstruction,
  httpRail,
  httpRailSandbox,
  initiateCreditTransfers,
  openHomeBook,
  paymentPasses,
  settlementAccounts,
  verifyPayments,
} from '../../src/modules/payments/index.ts'
import { fixedClock, localDateOf } from '../../src/platform/clock.ts'
import { newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { makeCompany, type TestCompany, testBank } from '../support/company.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type RunningSimulator, startRailsSimulator } from '../support/rails-simulator.ts'
import { describeWithStandards } from '../support/standards.ts'
import { xsdProblems } from '../support/xsd.ts'

const clock = fixedClock('2026-03-02T09:00:00Z')
let test_: TestDatabase
let simulator: RunningSimulator
let company: TestCompany
let passes: ReturnType<typeof paymentPasses>

beforeAll(async () => {
  test_ = await createTestDatabase()
  simulator = await startRailsSimulator('journeys')
  const homeBook = await openHomeBook(test_.database, clock.now())
  passes = paymentPasses({ database: test_.database, clock, homeBook, rail: httpRail(simulator.url, clock), bank: testBank })
  company = await makeCompany(test_.database, clock.now(), { fundedMinor: 1_000_000_00n })
})

afterAll(async () => {
  const payments = await test_.database.read('system', verifyPayments)
  expect(payments.filter((check) => !check.isWarning && check.violations > 0)).toEqual([])
  expect((await verifyLedger(test_.database)).ok).toBe(true)
  await simulator.stop()
  await test_.drop()
})

/** Everything the worker does, until nothing is left to do at this moment. */
async function settleDown(): Promise<void> {
  for (let done = 1; done > 0; ) {
    done = 0
    for (const pass of Object.values(passes)) done += await pass()
  }
}

async function passTime(seconds: number): Promise<void> {
  clock.advance(seconds * 1_000)
  await settleDown()
}

async function send(creditorName: string, minor: bigint, over: Partial<CreditTransferInstruction> = {}) {
  const instruction: CreditTransferInstruction = {
    id: newId<'credit_transfer'>(),
    creditorName,
    creditorIban: 'DE89370400440532013000',
    creditorBic: 'COBADEFFXXX',
    amount: money(EUR, minor),
    endToEndId: 'INV-204',
    instructionId: null,
    remittanceInformation: 'Invoice 204',
    creditorReference: null,
    purpose: null,
    requestedExecutionDate: localDateOf(clock.now()),
    paymentInformationId: null,
    ...over,
  }
  const order = { debtor: company.accounts[0], instructions: [instruction], paymentFileId: null, now: clock.now() }
  const [answer] = await test_.database.transaction('system', (tx) => initiateCreditTransfers(tx, order))
  if (!answer?.ok) throw new Error(`refused: ${answer?.refusal}`)
  return answer.value
}

async function money_() {
  const { nostro, clearingOut, clearingIn, suspense } = settlementAccounts(company.accounts[0].bookId)
  const ids = [company.accounts[0].ledgerAccountId, nostro, clearingOut, clearingIn, suspense]
  const accounts = await test_.database.read('system', (tx) => balancesOf(tx, ids))
  const [customer, n, out, in_, s] = accounts
  return {
    booked: customer?.balance ?? 0n,
    available: customer?.available ?? 0n,
    nostro: n?.balance,
    out: out?.balance,
    in: in_?.balance,
    suspense: s?.balance,
  }
}

const statusOf = async (id: string) =>
  (await test_.admin.query('select status, status_reason_code as reason from payments.credit_transfer where id = $1', [id]))
    .rows[0]

const feedOf = async (transferFeedId: string) =>
  (
    await test_.admin.query('select status, settled_balance_minor::text as balance from accounts.transaction where id = $1', [
      transferFeedId,
    ])
  ).rows[0]

const lastFeedRow = async () =>
  (
    await test_.admin.query(
      `select side, amount_minor::text as amount, label, reference, status from accounts.transaction where bank_account_id = $1 order by number desc limit 1`,
      [company.accounts[0].id],
    )
  ).rows[0]

describe('a SEPA credit transfer out', () => {
  test('is held when accepted, leaves when the rail accepts, and settles over the nostro', async () => {
    const before = await money_()
    const transfer = await send('Muster GmbH', 120_00n)
    expect(await money_()).toMatchObject({ booked: before.booked, available: before.available - 120_00n })
    expect(await feedOf(transfer.feedTransactionId)).toMatchObject({ status: 'pending' })
    await settleDown()
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'submitted' })
    await passTime(0.6)
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'accepted' })
    expect(await money_()).toMatchObject({ booked: before.booked - 120_00n, available: before.available - 120_00n, out: 120_00n })
    await passTime(5)
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'settled' })
    expect(await money_()).toMatchObject({ out: 0n, nostro: (before.nostro ?? 0n) + 120_00n })
    expect(await feedOf(transfer.feedTransactionId)).toEqual({ status: 'completed', balance: String(before.booked - 120_00n) })
  })

  test('that the rail rejects gives the money back with the reason', async () => {
    const before = await money_()
    const transfer = await send('Nobody SIM REJECT AC04', 50_00n)
    await passTime(1)
    await passTime(5)
    expect(await statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AC04' })
    expect(await feedOf(transfer.feedTransactionId)).toMatchObject({ status: 'declined' })
    expect(await money_()).toEqual(before)
  })

  test('rejected after it was accepted comes back as a new movement', async () => {
    const before = await money_()
    const transfer = await send('Nobody SIM REJECT AFTER ACCEPT MS03', 51_00n)
    await passTime(1)
    await passTime(10)
    expect(await statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'MS03' })
    expect(await money_()).toEqual(before)
    expect(await lastFeedRow()).toMatchObject({ side: 'credit', amount: '5100', status: 'completed' })
  })

  test.each(['SIM LOST ANSWER', 'SIM DROP REPLY', 'SIM LATE 1H'])(
    'with a lost or late answer (%s) becomes unknown, is asked about, and is executed once',
    async (sentinel) => {
      const transfer = await send(`Quiet ${sentinel}`, 10_00n)
      await settleDown()
      await passTime(90)
      for (let minutes = 0; minutes < 6 && (await statusOf(transfer.id)).status !== 'settled'; minutes++) await passTime(20 * 60)
      expect(await statusOf(transfer.id)).toMatchObject({ status: 'settled' })
      expect(await simulator.transaction(transfer.transactionId)).toMatchObject({ received: 1, executions: 1 })
      const { rows } = await test_.admin.query(
        `select message_name, count(*)::int as count from payments.outgoing_message where transfer_id = $1 group by 1 order by 1`,
        [transfer.id],
      )
      expect(rows[0]).toEqual({ message_name: 'pacs.008.001.08', count: 1 })
      if (sentinel !== 'SIM LATE 1H') expect(rows[1]?.message_name).toBe('pacs.028.001.03')
    },
  )

  test('that the rail never got is rejected once the rail says so, and never sent again', async () => {
    const before = await money_()
    const transfer = await send('Gone SIM LOST MESSAGE', 11_00n)
    await settleDown()
    await passTime(30)
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'submitted' })
    await passTime(60)
    await passTime(5)
    expect(await statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AG09' })
    expect(await money_()).toEqual(before)
    expect(await simulator.transaction(transfer.transactionId)).toMatchObject({ received: 1, executions: 0 })
  })

  test('of which nobody ever says anything stays unknown, with its money held', async () => {
    const before = await money_()
    const transfer = await send('Mute SIM SILENT', 12_00n)
    await settleDown()
    for (let hours = 0; hours < 3; hours++) await passTime(3_600)
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'unknown' })
    expect(await money_()).toMatchObject({ booked: before.booked, available: before.available - 12_00n })
    expect(await simulator.transaction(transfer.transactionId)).toMatchObject({ received: 1, executions: 1 })
  })

  test.each(['SIM DUPLICATE ANSWER', 'SIM OUT OF ORDER', 'SIM GARBAGE ANSWER', 'SIM CONTRADICT MS03', 'SIM GROUP ANSWER'])(
    'keeps its books right under %s',
    async (sentinel) => {
      const before = await money_()
      const transfer = await send(`Odd ${sentinel}`, 13_00n)
      for (let n = 0; n < 4; n++) await passTime(10)
      expect(await statusOf(transfer.id)).toMatchObject({ status: 'settled' })
      expect(await money_()).toMatchObject({
        booked: before.booked - 13_00n,
        out: before.out,
        nostro: (before.nostro ?? 0n) + 13_00n,
      })
    },
  )

  test.each(['SIM RETURN AC04', 'SIM DUPLICATE RETURN AC04', 'SIM EARLY RETURN AC04'])(
    'returned by the other bank (%s) comes back once',
    async (sentinel) => {
      const before = await money_()
      const transfer = await send(`Closed ${sentinel}`, 14_00n)
      for (let n = 0; n < 4; n++) await passTime(10)
      expect(await statusOf(transfer.id)).toEqual({ status: 'returned', reason: 'AC04' })
      expect(await money_()).toEqual(before)
      expect(await lastFeedRow()).toMatchObject({ side: 'credit', amount: '1400', reference: 'Returned (AC04): Invoice 204' })
    },
  )

  test('for a later day waits for that day', async () => {
    const transfer = await send('Later', 15_00n, { requestedExecutionDate: '2026-03-20' })
    await settleDown()
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'pending' })
    clock.set('2026-03-20T07:00:00Z')
    await settleDown()
    await passTime(10)
    expect(await statusOf(transfer.id)).toMatchObject({ status: 'settled' })
  })

  test('above the balance is refused, and nothing is held or sent', async () => {
    const before = await money_()
    await expect(send('Dream', 9_000_000_00n)).rejects.toThrow('available_balance_insufficient')
    await settleDown()
    expect(await money_()).toEqual(before)
  })
})

describe('a SEPA credit transfer in', () => {
  const receive = (creditorIban: string, minor: bigint, copies?: number) =>
    httpRailSandbox(simulator.url, clock).sendIncoming({
      amount: money(EUR, minor),
      creditorIban,
      debtorName: 'Client & Söhne',
      debtorIban: 'FR1420041010050500013M02606',
      remittanceInformation: 'Invoice 77',
      endToEndId: undefined,
      copies,
    })

  test('is credited by IBAN, once, however often the rail sends it', async () => {
    const before = await money_()
    expect((await receive(company.accounts[0].iban, 800_00n, 3)).ok).toBe(true)
    await passTime(5)
    await passTime(5)
    expect(await money_()).toMatchObject({ booked: before.booked + 800_00n, in: 0n, nostro: (before.nostro ?? 0n) - 800_00n })
    expect(await lastFeedRow()).toMatchObject({ side: 'credit', amount: '80000', reference: 'Invoice 77' })
  })

  test('for an account that we do not have goes to suspense and back to its sender', async () => {
    const before = await money_()
    await receive('FR7630006000011234567890189', 33_00n)
    await passTime(5)
    await passTime(5)
    expect(await money_()).toEqual(before)
    const { rows } = await test_.admin.query(
      `select status, status_reason_code as reason from payments.incoming_transfer where amount_minor = 3300`,
    )
    expect(rows).toEqual([{ status: 'returned', reason: 'AC01' }])
  })
})

describeWithStandards('every message that we sent', () => {
  test('is valid against its schema', async () => {
    const { rows } = await test_.admin.query<{ message_name: string; xml: string }>(
      'select message_name, xml from payments.outgoing_message',
    )
    expect(new Set(rows.map((r) => r.message_name))).toEqual(new Set(['pacs.008.001.08', 'pacs.028.001.03', 'pacs.004.001.09']))
    for (const row of rows) expect(xsdProblems(row.message_name, row.xml)).toEqual([])
  })
})
