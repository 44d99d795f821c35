import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CreditTransferInstruction, initiateCreditTransfers, verifyPayments } from '../../src/modules/payments/index.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { localDateOf } from '../../src/platform/clock.ts'
import { newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { testActor } from '../support/actors.ts'
import { PayingBank } from '../support/paying-bank.ts'
import { creditTransfer, type ScriptedRail, scriptedRail, statusReport } from '../support/scripted-rail.ts'

/** What one payment does to its neighbours when we cannot deal with it: nothing. */
let rail: ScriptedRail
let bank: PayingBank

beforeEach(async () => {
  rail = scriptedRail()
  bank = await PayingBank.open(() => rail)
})
afterEach(() => bank.close())

const STRANGER = 'FR7630006000011234567890189'
const own = () => bank.company.accounts[0].iban

/** Rows that no door lets in any more, but that an earlier release, or a person with SQL, may have left. */
const spoil = (sql: string, ...values: unknown[]) => bank.db.admin.query(sql, values)

/** What fails whenever somebody does this to a row like that. */
const aBugOfOurs = (act: string, when: string) =>
  spoil(`
    create function payments.bug() returns trigger language plpgsql as $$ begin raise exception 'a bug of ours'; end $$;
    create trigger bug before ${act} for each row when (${when}) execute function payments.bug()`)
const mendIt = () => spoil('drop function payments.bug cascade')

const statuses = async (table = 'credit_transfer') =>
  Object.fromEntries(
    (await bank.db.admin.query(`select status, count(*)::int as count from payments.${table} group by 1`)).rows.map((row) => [
      row.status,
      row.count,
    ]),
  )

const warnings = async () => {
  const proofs = await bank.db.database.read(testActor, verifyPayments)
  return proofs.filter((proof) => proof.isWarning && proof.violations > 0)
}

/** The troubles so far, which this test has expected. */
const expectTroubles = () => bank.troubles.splice(0)

describe('a transfer that cannot be written', () => {
  const instruction = (n: number): CreditTransferInstruction => ({
    id: newId<'credit_transfer'>(),
    creditorName: `Creditor ${n}`,
    creditorIban: 'DE89370400440532013000',
    creditorBic: null,
    amount: money(EUR, BigInt(n)),
    endToEndId: `INV-${n}`,
    instructionId: null,
    remittanceInformation: null,
    creditorReference: null,
    purpose: null,
    requestedExecutionDate: localDateOf(bank.clock.now()),
    paymentInformationId: null,
  })

  test('among 1,000 good ones: 1,000 leave, and it is a case with its reason, which leaves when it is mended', async () => {
    const instructions = Array.from({ length: 1_001 }, (_, n) => instruction(n + 1))
    const ctx = { actor: systemActor('test.pay'), now: bank.clock.now() }
    const order = { debtor: bank.company.accounts[0], instructions, paymentFileId: null }
    await bank.db.database.transaction(ctx.actor, (tx) => initiateCreditTransfers(ctx, tx, order))
    const bad = instructions[500]?.id
    await spoil(`update payments.credit_transfer set end_to_end_id = 'INV//204' where id = $1`, bad)
    const held = await bank.money()

    await bank.settleDown()
    expect(await statuses()).toEqual({ submitted: 1_000, pending: 1 })
    expect(rail.taken).toHaveLength(1_000)
    expect(new Set(rail.taken).size).toBe(1_000)

    await bank.losePatience()
    const cases = await bank.desk.cases()
    expect(cases).toMatchObject([
      { pass: 'payments.submit', item: bad, subjectKind: 'credit_transfer', subjectId: bad, state: 'stuck', attempts: 3 },
    ])
    expect(cases[0]?.reason).toMatch(/^Bug: .*slash/)
    expect(cases[0]?.about?.title).toMatch(/^SEPA credit transfer of [\d.]+ EUR from Test Company to /)
    expect(await bank.money()).toEqual(held)

    await spoil(`update payments.credit_transfer set end_to_end_id = 'INV-204' where id = $1`, bad)
    await bank.desk.retry('payments.submit')
    await bank.settleDown()
    expect(await statuses()).toEqual({ submitted: 1_001 })
    expect(rail.taken).toHaveLength(1_001)
    expect(await bank.desk.cases()).toEqual([])
    expect(expectTroubles()).toHaveLength(3)
  })

  test('does not keep a transfer to another customer of the bank from being settled in the house', async () => {
    const [first, second] = bank.company.accounts
    const bad = await bank.send('Muster GmbH', 5_00n)
    await spoil(`update payments.credit_transfer set end_to_end_id = '/bad' where id = $1`, bad.id)
    const good = await bank.send('Ourselves', 7_00n, { creditorIban: second.iban })
    await bank.settleDown()
    expect(await bank.statusOf(good.id)).toMatchObject({ status: 'settled' })
    expect(await bank.statusOf(bad.id)).toMatchObject({ status: 'pending' })
    expect(first.iban).not.toBe(second.iban)
    expect(expectTroubles()).toMatchObject([{ item: bad.id }])
  })
})

test('a question that cannot be asked keeps no other from being asked', async () => {
  const transfers = [await bank.send('A', 1_00n), await bank.send('B', 2_00n), await bank.send('C', 3_00n)]
  await bank.settleDown()
  await aBugOfOurs('update on payments.credit_transfer', `new.status = 'unknown' and new.amount_minor = 200`)
  await bank.passTime(90)
  expect(await statuses()).toEqual({ unknown: 2, submitted: 1 })
  expect(rail.taken.filter((xml) => xml.includes('pacs.028'))).toHaveLength(2)
  await mendIt()
  bank.machine.advance(1_000)
  await bank.settleDown()
  expect(await statuses()).toEqual({ unknown: 3 })
  expect(expectTroubles()).toMatchObject([{ item: transfers[1]?.id, subject: { kind: 'credit_transfer' } }])
})

test('a return that cannot be made keeps no other from going back', async () => {
  await aBugOfOurs('update on payments.incoming_transfer', `new.transaction_id = 'IN-2'`)
  for (const txId of ['IN-1', 'IN-2', 'IN-3']) rail.say(creditTransfer({ txId, amount: '9.00', creditorIban: STRANGER }))
  await bank.settleDown()
  expect(await statuses('incoming_transfer')).toEqual({ returning: 2, suspended: 1 })
  expect(await bank.money()).toMatchObject({ suspense: 9_00n, out: 18_00n })
  expect(expectTroubles()).toMatchObject([{ subject: { kind: 'incoming_transfer' } }])
})

describe('a message of the rail', () => {
  const breakBooking = () => aBugOfOurs('insert on payments.incoming_transfer', 'new.amount_minor = 666')

  test('whose effect fails is tried again, then a case; after the bug is mended it is applied, once', async () => {
    const before = await bank.money()
    await breakBooking()
    const id = rail.say(creditTransfer({ txId: 'IN-1', amount: '6.66', creditorIban: own() }))
    const next = rail.say(creditTransfer({ txId: 'IN-2', amount: '5.00', creditorIban: own() }))
    await bank.settleDown()
    expect(await bank.outcomeOf(next)).toBe('credited')
    expect(await bank.outcomeOf(id)).toBeUndefined()
    await bank.losePatience()
    expect(await bank.desk.cases()).toMatchObject([
      { pass: 'payments.apply', item: `${id}#0`, state: 'stuck', attempts: 8, reason: 'error: a bug of ours' },
    ])
    expect(await warnings()).toMatchObject([{ name: 'messages of the rail were read and applied', violations: 1 }])

    await mendIt()
    await bank.settleDown()
    expect(await bank.outcomeOf(id)).toBeUndefined() // nobody has taken it up yet
    await bank.desk.retry('payments.apply')
    await bank.settleDown()
    expect(await bank.outcomeOf(id)).toBe('credited')
    expect(await bank.money()).toMatchObject({ booked: before.booked + 11_66n, in: 0n })
    expect(await warnings()).toEqual([])
    rail.say(creditTransfer({ txId: 'IN-1', amount: '6.66', creditorIban: own() }))
    await bank.settleDown()
    expect(await bank.money()).toMatchObject({ booked: before.booked + 11_66n })
    expect(expectTroubles()).toHaveLength(8)
  })

  test('with many transactions: one that fails, and one that cannot be read, take no neighbour with them', async () => {
    const before = await bank.money()
    await breakBooking()
    const id = rail.say(
      creditTransfer(
        { txId: 'IN-1', amount: '1.00', creditorIban: own() },
        { txId: 'IN-2', amount: '6.66', creditorIban: own() },
        { txId: 'IN-3', amount: '2.00', creditorIban: own(), instant: true },
        { txId: 'IN-4', amount: '4.00', creditorIban: own() },
        { txId: 'IN-5', amount: '8.00', creditorIban: STRANGER },
      ),
    )
    await bank.settleDown()
    const outcomes = async () =>
      (await bank.db.admin.query('select outcome from payments.incoming_message_part order by position')).rows.map(
        (row) => row.outcome,
      )
    expect(await outcomes()).toEqual([
      'credited',
      null,
      expect.stringMatching(/^unreadable: an instant/),
      'credited',
      'suspended',
    ])
    expect(await bank.money()).toMatchObject({ booked: before.booked + 5_00n, out: 8_00n, in: 0n })
    await mendIt()
    bank.machine.advance(1_000)
    await bank.settleDown()
    expect(await outcomes()).toMatchObject(['credited', 'credited', /^unreadable/, 'credited', 'suspended'].map((one) => typeof one === 'string' ? one : expect.stringMatching(one))) // biome-ignore format: one thought
    expect(await bank.money()).toMatchObject({ booked: before.booked + 11_66n })
    expect(expectTroubles()).toMatchObject([{ item: `${id}#1` }])
  })

  test('is not held up by two hundred that came before it and failed', async () => {
    await breakBooking()
    for (let n = 0; n < 200; n++) rail.say(creditTransfer({ txId: `BAD-${n}`, amount: '6.66', creditorIban: own() }))
    const transfer = await bank.send('Muster GmbH', 1_00n)
    await bank.settleDown()
    expect(await bank.outcomeOf(rail.say(statusReport({ txId: transfer.transactionId, status: 'ACSC' })))).toBeUndefined()
    await bank.settleDown()
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
    expect(expectTroubles()).toHaveLength(200)
    await mendIt()
    await bank.losePatience()
    expect(await bank.desk.cases()).toEqual([])
  })
})
