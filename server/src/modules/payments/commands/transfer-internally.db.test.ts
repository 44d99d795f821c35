import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import type { Act } from '../../../platform/act.ts'
import { type MemberActor, systemActor } from '../../../platform/actor.ts'
import { fixedClock } from '../../../platform/clock.ts'
import { requestHash } from '../../../platform/idempotency.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import { balancesOf, MoneyLane, verifyLedger } from '../../ledger/index.ts'
import type { InternalTransferInstruction } from '../domain/internal-transfer.ts'
import { transferInternally } from './transfer-internally.ts'

const clock = fixedClock('2026-03-02T09:00:00Z')
let test_: TestDatabase
let lane: ReturnType<typeof openLane>

beforeAll(async () => {
  test_ = await createTestDatabase()
  lane = openLane()
})
afterAll(async () => {
  expect((await verifyLedger(test_.database)).ok).toBe(true)
  await test_.drop()
})

type Ordered = { readonly instruction: InternalTransferInstruction; readonly act: Act }

/** What one process has. */
function openLane() {
  const moneyLane = new MoneyLane(test_.database)
  const ctx = { actor: systemActor('test.order'), now: clock.now(), moneyLane }
  return { submit: ({ instruction, act }: Ordered) => transferInternally({ ...ctx, act }, instruction) }
}

function order(company: TestCompany, minor: bigint, over: Partial<InternalTransferInstruction> & { key?: string } = {}): Ordered {
  const { key, ...changes } = over
  const instruction = {
    id: newId<'internal_transfer'>(),
    organizationId: company.id,
    debtorIban: company.accounts[0].iban,
    creditorIban: company.accounts[1].iban,
    amount: money(EUR, minor),
    remittanceInformation: 'Savings',
    initiatorId: null,
    orderedAt: clock.now(),
    ...changes,
  }
  const claim = {
    organizationId: company.id,
    operation: 'POST /v2/internal_transfers',
    key: key ?? instruction.id,
    requestHash: requestHash(String(minor)),
    answer: (value: unknown) => bodyOf(value as { id: string }),
  }
  return { instruction, act: { claim, recorder: undefined, recordOf: neverRecorded } }
}

const neverRecorded = () => {
  throw new Error('nobody keeps records here')
}

const bodyOf = ({ id }: { id: string }) => ({ status: 200, body: { internal_transfer: { id } } })

const balances = async (company: TestCompany) => {
  const accounts = await test_.database.read(testActor, (tx) =>
    balancesOf(
      tx,
      company.accounts.map((a) => a.ledgerAccountId),
    ),
  )
  return accounts.map((a) => a.balance)
}

const MEMBER: Omit<MemberActor, 'organizationId'> = {
  kind: 'member',
  membershipId: newId<'membership'>(),
  role: 'owner',
  permissions: new Set(['transfers.order']),
  credential: { kind: 'api_key', id: newId(), label: 'test' },
  scopes: 'all',
  accounts: 'all',
  sca: undefined,
  requestId: undefined,
  address: undefined,
}

const feedOf = async (company: TestCompany) => {
  const { rows } = await test_.admin.query(
    `select side, amount_minor::text as amount, settled_balance_minor::text as balance, status from feed.transaction where organization_id = $1 order by number`,
    [company.id],
  )
  return rows
}

describe('an internal transfer', () => {
  test('moves the money at once, and both accounts see it with the balance after it', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 100_00n })
    const moved = order(company, 40_00n)
    expect(await lane.submit(moved)).toEqual({ ok: true, value: { value: moved.instruction } })
    expect(await balances(company)).toEqual([60_00n, 40_00n])
    expect(await feedOf(company)).toEqual([
      { side: 'debit', amount: '4000', balance: '6000', status: 'completed' },
      { side: 'credit', amount: '4000', balance: '4000', status: 'completed' },
    ])
    const { rows } = await test_.admin.query(`select type from platform.outbox where organization_id = $1`, [company.id])
    expect(rows.map((row) => row.type)).toEqual([
      'payments.internal_transfer_completed.v1',
      'feed.transaction_completed.v1',
      'feed.transaction_completed.v1',
    ])
  })

  test('is refused with the first reason that applies, and leaves no trace', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 10_00n })
    const stranger = await makeCompany(test_.database, clock.now(), { fundedMinor: 10_00n })
    const [own] = company.accounts
    const foreign = stranger.accounts[0].iban
    const refusal = async (o: Ordered) => {
      const answer = await lane.submit(o)
      return answer.ok ? 'accepted' : answer.refusal
    }
    expect(await refusal(order(company, 1n, { debtorIban: foreign, creditorIban: 'FR00' }))).toBe('debtor_account_not_found')
    expect(await refusal(order(company, 1n, { creditorIban: foreign }))).toBe('creditor_account_not_found')
    expect(await refusal(order(company, 1n, { creditorIban: own.iban }))).toBe('same_account_on_both_sides')
    expect(await refusal(order(company, 10_01n))).toBe('available_balance_insufficient')
    expect(await balances(company)).toEqual([10_00n, 0n])
    expect(await feedOf(company)).toEqual([])
    expect(await balances(stranger)).toEqual([10_00n, 0n])
  })

  test('whose key was used gets the first answer again, also when it comes fifty times at once', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 100_00n })
    const answers = await Promise.all(Array.from({ length: 50 }, () => lane.submit(order(company, 30_00n, { key: 'same' }))))
    const fresh = answers.filter((a) => a.ok && a.value.replay === undefined)
    expect(fresh).toHaveLength(1)
    const bodies = new Set(answers.flatMap((a) => (a.ok && a.value.replay ? [JSON.stringify(a.value.replay.body)] : [])))
    expect(bodies.size).toBe(1)
    const later = await lane.submit(order(company, 99_00n, { key: 'same' }))
    expect(later.ok && later.value.replay?.requestHash.equals(requestHash('3000'))).toBe(true)
    expect(await balances(company)).toEqual([70_00n, 30_00n])
  })

  test('that was refused may come again under the same key once the money is there', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 10_00n })
    expect((await lane.submit(order(company, 50_00n, { key: 'retry' }))).ok).toBe(false)
    expect((await lane.submit(order(company, 5_00n, { key: 'retry' }))).ok).toBe(true)
    expect(await balances(company)).toEqual([5_00n, 5_00n])
  })

  test('that says something else under the key of one that is being refused is decided by itself', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 10_00n })
    const answers = await Promise.all([
      lane.submit(order(company, 50_00n, { key: 'leader' })),
      lane.submit(order(company, 50_00n, { key: 'leader' })),
      lane.submit(order(company, 4_00n, { key: 'leader' })),
      lane.submit(order(company, 3_00n, { key: 'leader' })),
    ])
    expect(answers.map((a) => (a.ok ? (a.value.replay ? 'replayed' : 'done') : a.refusal))).toEqual([
      'available_balance_insufficient',
      'available_balance_insufficient',
      'done',
      'replayed',
    ])
    expect(await balances(company)).toEqual([6_00n, 4_00n])
  })

  test('is not ordered by a member of another organization', async () => {
    const [company, stranger] = [await makeCompany(test_.database, clock.now(), { fundedMinor: 10_00n }), newId<'organization'>()]
    const { instruction, act } = order(company, 1_00n)
    const ordered = (organizationId: Id<'organization'>) =>
      transferInternally(
        { actor: { ...MEMBER, organizationId }, now: clock.now(), moneyLane: new MoneyLane(test_.database), act },
        instruction,
      )
    await expect(ordered(stranger)).rejects.toThrow('a member orders for his own organization')
    expect(await balances(company)).toEqual([10_00n, 0n])
    expect((await ordered(company.id)).ok).toBe(true)
  })

  test('never overspends: of 64 at once from two processes exactly as many win as the balance covers', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 100_00n })
    const lanes = [lane, openLane()] as const
    const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => (lanes[n % 2] ?? lane).submit(order(company, 9_00n))))
    expect(answers.filter((a) => a.ok)).toHaveLength(11)
    expect(answers.filter((a) => !a.ok && a.refusal === 'available_balance_insufficient')).toHaveLength(53)
    expect(await balances(company)).toEqual([1_00n, 99_00n])
  })

  test('asked again with the same id after a lost connection has one effect', async () => {
    const company = await makeCompany(test_.database, clock.now(), { fundedMinor: 100_00n })
    const repeated = order(company, 20_00n)
    await lane.submit(repeated)
    const again = await openLane().submit(repeated)
    expect(again.ok && again.value.replay?.body).toEqual(bodyOf(repeated.instruction).body)
    expect(await balances(company)).toEqual([80_00n, 20_00n])
  })

  test('of several organizations and accounts share one batch without mixing', async () => {
    const companies = await Promise.all([1, 2, 3].map(() => makeCompany(test_.database, clock.now(), { fundedMinor: 100_00n })))
    const answers = await Promise.all(
      companies.flatMap((company) => [order(company, 10_00n), order(company, 1_00n)]).map((o) => lane.submit(o)),
    )
    expect(answers.every((a) => a.ok)).toBe(true)
    for (const company of companies) expect(await balances(company)).toEqual([89_00n, 11_00n])
  })
})
