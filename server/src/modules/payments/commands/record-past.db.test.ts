import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { PayingBank } from '../../../../test/support/paying-bank.ts'
import * as rail from '../../../../test/support/scripted-rail.ts'
import { systemActor } from '../../../platform/actor.ts'
import { newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import { MoneyLane } from '../../ledger/index.ts'
import { type PastPayment, recordPast } from './record-past.ts'
import { transferInternally } from './transfer-internally.ts'

const REFERENCE = 'Invoice 204'
const OTHER = { name: 'Muster GmbH', iban: 'DE89370400440532013000', bic: 'COBADEFFXXX' }
const LAST_WEEK = new Date('2026-02-23T10:00:00Z')

let bank: PayingBank
const scripted = rail.scriptedRail()
/** Whose past is told; the bank's own company lives through the same. */
let told: TestCompany
beforeAll(async () => {
  bank = await PayingBank.open(() => scripted)
  told = await makeCompany(bank.db.database, bank.clock.now(), { fundedMinor: 1_000_000_00n })
})
afterAll(() => bank.close())

const tell = (...payments: PastPayment[]) => {
  const actor = systemActor('test.history')
  return bank.db.database.transaction(actor, (tx) => recordPast({ actor, now: bank.clock.now() }, tx, payments))
}

const shared = () => ({
  at: LAST_WEEK,
  amount: money(EUR, 120_00n),
  reference: REFERENCE,
  category: 'pending' as const,
  initiatorId: null,
  feedId: newId<'transaction'>(),
})

const outgoing = (rejected?: string): Extract<PastPayment, { kind: 'credit_transfer' }> => ({
  ...shared(),
  kind: 'credit_transfer',
  id: newId<'credit_transfer'>(),
  debtor: told.accounts[0],
  creditor: OTHER,
  rejected,
})

/**
 * Everything that is written of a payment, without what can only differ: ids, references made of them, times and balances. Kinds of time are
 * there as whether they are set.
 */
async function tracesOf(id: string): Promise<unknown> {
  const rows = async (sql: string, values: unknown[] = [id]) => (await bank.db.admin.query(sql, values)).rows.map(plain)
  return {
    entries: await rows(
      `select t.code, t.amount::text, t.forced, t."group" is not null as grouped, t.hold is not null as held,
              regexp_replace(d.code, '[A-Z]{2}[0-9]{2}[0-9A-Z]{6,}', 'IBAN') as debit, regexp_replace(c.code, '[A-Z]{2}[0-9]{2}[0-9A-Z]{6,}', 'IBAN') as credit
         from ledger.transfer t join ledger.account d on d.number = t.debit join ledger.account c on c.number = t.credit
        where t.reference = $1 order by t.seq`,
    ),
    rows: await rows(
      `select to_jsonb(t) as row from payments.credit_transfer t where id = $1
        union all select to_jsonb(t) from payments.incoming_transfer t where id = $1
        union all select to_jsonb(t) from payments.internal_transfer t where id = $1`,
    ),
    feed: await rows('select to_jsonb(t) as row from feed.transaction t where subject_id = $1 order by side desc'),
    events: await rows('select type, payload from platform.outbox where aggregate_id = $1 order by id'),
  }
}

const VARYING = /(^|_)(id|key|number|slug|iban|msg_id|uetr|agent|date|version|message_id|information_id|label|name)$|balance/
const TIMES = /_at$/

function plain(row: Record<string, unknown>): unknown {
  const kept = (value: unknown): unknown =>
    value === null || typeof value !== 'object' || Array.isArray(value)
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .filter(([name]) => !VARYING.test(name))
            .map(([name, one]) => [name, TIMES.test(name) ? one !== null : kept(one)]),
        )
  return kept(row)
}

describe('a payment of the past leaves the traces of a real one', () => {
  test('that was settled', async () => {
    const real = await bank.send(OTHER.name, 120_00n, { endToEndId: 'NOTPROVIDED', remittanceInformation: REFERENCE })
    await bank.settleDown()
    for (const status of ['ACSP', 'ACSC']) scripted.say(rail.statusReport({ txId: real.transactionId, status }))
    await bank.settleDown()
    const past = outgoing()
    await tell(past)
    expect(await tracesOf(past.id)).toEqual(await tracesOf(real.id))
  })

  test('that was rejected', async () => {
    const real = await bank.send(OTHER.name, 120_00n, { endToEndId: 'NOTPROVIDED', remittanceInformation: REFERENCE })
    await bank.settleDown()
    scripted.say(rail.statusReport({ txId: real.transactionId, status: 'RJCT', reason: 'AC04' }))
    await bank.settleDown()
    const past = outgoing('AC04')
    await tell(past)
    expect(await tracesOf(past.id)).toEqual(await tracesOf(real.id))
  })

  test('that came in', async () => {
    const [account] = bank.company.accounts
    scripted.say(rail.creditTransfer({ txId: 'IN-1', amount: '120.00', creditorIban: account.iban }))
    await bank.settleDown()
    const { id: real } = await bank.row<{ id: string }>("select id from payments.incoming_transfer where transaction_id = 'IN-1'")
    const id = newId<'incoming_transfer'>()
    const past = {
      ...shared(),
      category: 'other_income',
      kind: 'incoming_transfer',
      id,
      debtor: OTHER,
      creditor: told.accounts[0],
    } as const
    await tell(past)
    const without = (traces: unknown) => JSON.parse(JSON.stringify(traces).replaceAll(`"${REFERENCE}"`, 'null'))
    expect(without(await tracesOf(id))).toEqual(without(await tracesOf(real)))
  })

  test('between two accounts of one company', async () => {
    const [debtor, creditor] = bank.company.accounts
    const id = newId<'internal_transfer'>()
    const instruction = {
      id,
      organizationId: bank.company.id,
      debtorIban: debtor.iban,
      creditorIban: creditor.iban,
      amount: money(EUR, 120_00n),
      remittanceInformation: REFERENCE,
      initiatorId: null,
      orderedAt: bank.clock.now(),
    }
    const act = { claim: undefined, recorder: undefined, recordOf: () => expect.unreachable() }
    const ctx = { actor: systemActor('test.order'), now: bank.clock.now(), moneyLane: new MoneyLane(bank.db.database) }
    expect((await transferInternally({ ...ctx, act }, instruction)).ok).toBe(true)
    const past = {
      ...shared(),
      category: 'treasury_and_interco',
      kind: 'internal_transfer',
      id: newId<'internal_transfer'>(),
      debtor: told.accounts[0],
      creditor: told.accounts[1],
      creditFeedId: newId<'transaction'>(),
    } as const
    await tell(past)
    expect(await tracesOf(past.id)).toEqual(await tracesOf(id))
  })
})

test('each row in the feed says what its payment left on the account, on its day', async () => {
  const company = await makeCompany(bank.db.database, bank.clock.now(), { fundedMinor: 200_00n })
  const debtor = company.accounts[0]
  const payments = [1, 2].map((day) => ({
    ...outgoing(),
    debtor,
    amount: money(EUR, 50_00n),
    at: new Date(`2026-02-0${day}T10:00:00Z`),
  }))
  await tell(...payments, { ...outgoing('AC04'), debtor, amount: money(EUR, 50_00n) })
  const { rows } = await bank.db.admin.query(
    'select status, settled_balance_minor::text as balance, settled_at from feed.transaction where bank_account_id = $1 order by number',
    [debtor.id],
  )
  expect(rows).toEqual([
    { status: 'completed', balance: '15000', settled_at: new Date('2026-02-01T10:00:00Z') },
    { status: 'completed', balance: '10000', settled_at: new Date('2026-02-02T10:00:00Z') },
    { status: 'declined', balance: null, settled_at: null },
  ])
})

describe('a past that cannot have been may not be told', () => {
  test('beyond what there was', async () => {
    const poor = await makeCompany(bank.db.database, bank.clock.now())
    await expect(tell({ ...outgoing(), debtor: poor.accounts[0] })).rejects.toThrow('a payment of the past was refused')
  })

  test('twice', async () => {
    const past = outgoing()
    await tell(past)
    await expect(tell({ ...past, feedId: newId<'transaction'>() })).rejects.toThrow()
  })

  test('and of nothing nothing is told', async () => {
    const before = await bank.money()
    await tell()
    expect(await bank.money()).toEqual(before)
  })
})
