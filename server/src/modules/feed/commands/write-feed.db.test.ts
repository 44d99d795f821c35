import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { sqlStateOf } from '../../../platform/errors.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import { ref } from '../../../platform/subject.ts'
import type { CompletedMovement, PendingMovement } from '../domain/movement.ts'
import { parseVatRate, type VatRate } from '../domain/vat-rate.ts'
import { findTransaction } from '../queries/find-transaction.ts'
import { transactionToWire } from '../wire.ts'
import { assignVat } from './assign-vat.ts'
import { createLabel, linkLabels } from './labels.ts'
import { complete, completed, decline, pending } from './write-feed.ts'

const NOW = new Date('2026-03-02T09:00:00Z')
const LATER = new Date('2026-03-03T09:00:00Z')
let db: TestDatabase
let company: TestCompany
beforeAll(async () => {
  db = await createTestDatabase()
  company = await makeCompany(db.database, NOW)
})
afterAll(() => db.drop())

const keyOf = () => newId<'ledger_operation'>()
const movement = (minor = 12_30n) => ({
  id: newId<'transaction'>(),
  subject: ref('credit_transfer', newId<'credit_transfer'>()),
  account: company.accounts[0],
  kind: 'transfer' as const,
  amount: money(EUR, minor),
  counterparty: { name: 'Müller & Söhne' },
})
const waiting = (): PendingMovement => ({ ...movement(), ledgerKey: keyOf() })
const settled = (): CompletedMovement => ({ ...movement(), ledgerKey: keyOf(), balanceMinor: 5_00n })

const run = <T>(work: (tx: Parameters<typeof pending>[1]) => Promise<T>) => db.database.transaction(testActor, work)
const rowOf = async (id: Id<'transaction'> | undefined) =>
  (await db.admin.query('select *, amount_minor::text as amount from feed.transaction where id = $1', [id])).rows[0]

describe('a feed', () => {
  test('shows a movement that waits, and completes it by its subject', async () => {
    const first = waiting()
    const other = waiting()
    await run((tx) => pending({ now: NOW }, tx, [first, other]))
    expect(await rowOf(first.id)).toMatchObject({
      status: 'pending',
      side: 'debit',
      operation_type: 'transfer',
      category: 'pending',
      attachment_required: true,
      subject_kind: 'credit_transfer',
      subject_id: first.subject.id,
      ledger_key: first.ledgerKey,
      settled_at: null,
      created_at: NOW,
    })
    const ledgerKey = keyOf()
    await run((tx) => complete({ now: LATER }, tx, [{ subject: first.subject, ledgerKey, balanceMinor: 7_00n }]))
    expect(await rowOf(first.id)).toMatchObject({
      status: 'completed',
      ledger_key: ledgerKey,
      settled_balance_minor: '700',
      settled_at: LATER,
      updated_at: LATER,
      created_at: NOW,
    })
    expect(await rowOf(other.id)).toMatchObject({ status: 'pending' })
  })

  test('declines a movement by its subject, and keeps what had held its money', async () => {
    const refused = waiting()
    await run((tx) => pending({ now: NOW }, tx, [refused]))
    await run((tx) => decline({ now: LATER }, tx, [refused.subject]))
    expect(await rowOf(refused.id)).toMatchObject({ status: 'declined', settled_at: null, ledger_key: refused.ledgerKey })
  })

  test('neither completes nor declines what does not wait', async () => {
    const done = settled()
    await run((tx) => completed({ now: NOW }, tx, [done]))
    const again = { subject: done.subject, ledgerKey: keyOf(), balanceMinor: 0n }
    await expect(run((tx) => complete({ now: LATER }, tx, [again]))).rejects.toThrow('without a pending transaction')
    await expect(run((tx) => decline({ now: LATER }, tx, [done.subject]))).rejects.toThrow('without a pending transaction')
    const unknown = ref('credit_transfer', newId<'credit_transfer'>())
    await expect(run((tx) => decline({ now: LATER }, tx, [unknown]))).rejects.toThrow('without a pending transaction')
    expect(await rowOf(done.id)).toMatchObject({ status: 'completed', settled_at: NOW })
  })

  test('a kind of subject is not another that has the same id', async () => {
    const wait = waiting()
    await run((tx) => pending({ now: NOW }, tx, [wait]))
    const other = ref('internal_transfer', wait.subject.id as string as Id<'internal_transfer'>)
    await expect(run((tx) => decline({ now: LATER }, tx, [other]))).rejects.toThrow('without a pending transaction')
  })

  test('shows an entry once, however often it is told', async () => {
    const told = settled()
    await run((tx) => completed({ now: NOW }, tx, [told]))
    await run((tx) => completed({ now: LATER }, tx, [{ ...told, id: newId<'transaction'>() }, told]))
    const { rows } = await db.admin.query('select created_at from feed.transaction where ledger_key = $1', [told.ledgerKey])
    expect(rows).toEqual([{ created_at: NOW }])
  })

  test('of a new entry looks for nothing, and what is told of it twice is an error', async () => {
    const told = { ...settled(), isNew: true }
    await run((tx) => completed({ now: NOW }, tx, [told]))
    expect(await rowOf(told.id)).toMatchObject({ status: 'completed', ledger_key: told.ledgerKey })
    const again = run((tx) => completed({ now: LATER }, tx, [{ ...told, id: newId<'transaction'>() }]))
    await expect(again).rejects.toThrow('transaction_by_ledger_key')
    await run((tx) =>
      completed({ now: LATER }, tx, [
        { ...told, isNew: false },
        { ...settled(), isNew: true },
      ]),
    )
    expect(await rowOf(told.id)).toMatchObject({ created_at: NOW })
  })

  test('finds what waits by an index of what waits alone, however its statement is planned', async () => {
    const plan = await db.admin.query(`
      set plan_cache_mode = force_generic_plan; set enable_seqscan = off;
      prepare complete(uuid, text[]) as update feed.transaction t set status = 'completed'
        where t.subject_id = $1 and t.subject_kind = 'x' and t.status = any($2) and t.status = 'pending';
      explain execute complete('${newId()}', '{pending}');
      deallocate complete; reset plan_cache_mode; reset enable_seqscan`)
    const shown = (plan as unknown as { rows: { 'QUERY PLAN': string }[] }[])[3]?.rows.map((row) => row['QUERY PLAN']).join(' ')
    expect(shown).toContain('transaction_pending_of_subject')
  })

  test('shows both sides of one entry, each in its own account', async () => {
    const [own, other] = company.accounts
    const told = settled()
    await run((tx) =>
      completed({ now: NOW }, tx, [told, { ...told, id: newId<'transaction'>(), account: other, kind: 'income' }]),
    )
    const { rows } = await db.admin.query(
      'select bank_account_id, side from feed.transaction where ledger_key = $1 order by side',
      [told.ledgerKey],
    )
    expect(rows).toEqual([
      { bank_account_id: other.id, side: 'credit' },
      { bank_account_id: own.id, side: 'debit' },
    ])
  })

  test('without movements it is not asked', async () => {
    const nobody = undefined as never
    await pending({ now: NOW }, nobody, [])
    await completed({ now: NOW }, nobody, [])
    await complete({ now: NOW }, nobody, [])
    await decline({ now: NOW }, nobody, [])
  })
})

describe('the counts of a feed', () => {
  /** Which version of each count stands there: a row that is written, even with what it had, gets another. */
  const versions = async () =>
    (
      await db.admin.query(
        'select status, count::int, xmin::text, ctid::text from feed.feed_count order by 1, bank_account_id, side',
      )
    ).rows

  test('are neither written nor waited for by a note, a label, VAT or an attachment', async () => {
    const done = settled()
    const id = done.id as Id<'transaction'>
    await run((tx) => completed({ now: NOW }, tx, [done]))
    const before = await versions()
    const holder = await db.admin.connect()
    await holder.query('begin; select 1 from feed.feed_count for update')
    try {
      await run(async (tx) => {
        await tx.run`set local lock_timeout = '1s'`
        const label = { organizationId: company.id, name: 'Projects', parentId: null, now: LATER }
        await linkLabels(tx, company.id, [{ transactionId: id, labelId: await createLabel(tx, label) }])
        const vat = { transactionId: id, amount: done.amount, rate: parseVatRate('5.5') as VatRate, assignedAt: LATER }
        await assignVat(tx, company.id, [vat])
        await tx.query(
          `update feed.transaction set note = 'paid twice', attachment_ids = array[id], updated_at = $2 where id = $1`,
          [id, LATER],
        )
      })
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    expect(await rowOf(id)).toMatchObject({ note: 'paid twice', vat_rate: '5.500', updated_at: LATER })
    expect(await versions()).toEqual(before)
  })

  test('follow when a status changes, also of some rows among many that are written', async () => {
    const [one, two] = [waiting(), waiting()]
    await run((tx) => pending({ now: NOW }, tx, [one, two]))
    const before = await versions()
    await db.admin.query(
      `update feed.transaction set note = 'looked at', status = case when id = $1 then 'declined' else status end where id = any($2)`,
      [one.id, [one.id, two.id]],
    )
    const countOf = (rows: typeof before, status: string) => rows.find((row) => row.status === status)?.count ?? 0
    const after = await versions()
    expect(countOf(after, 'pending')).toBe(countOf(before, 'pending') - 1)
    expect(countOf(after, 'declined')).toBe(countOf(before, 'declined') + 1)
    expect(after.find((row) => row.status === 'completed')).toEqual(before.find((row) => row.status === 'completed'))
  })
})

describe('a movement, once told', () => {
  const attempt = (change: string, id: Id<'transaction'>) =>
    run((tx) => tx.query(`update feed.transaction set ${change} where id = $1`, [id])).then(
      () => 'written',
      (error) => sqlStateOf(error),
    )

  test.each([
    'amount_minor = amount_minor + 1',
    'local_amount_minor = 1',
    `currency = 'USD'`,
    `side = 'credit'`,
    `label = 'Somebody else'`,
    `reference = 'another'`,
    `counterparty_account_number = 'FR00'`,
    `subject_kind = 'test'`,
    'subject_id = gen_random_uuid()',
    'bank_account_id = gen_random_uuid()',
    `operation_type = 'card'`,
    'number = 1',
    'emitted_at = now()',
    'is_external = true',
  ])('is not changed by the bank’s own roles: %s', async (change) => {
    const [waits, done] = [waiting(), settled()]
    await run((tx) => pending({ now: NOW }, tx, [waits]))
    await run((tx) => completed({ now: NOW }, tx, [done]))
    expect(await attempt(change, waits.id as Id<'transaction'>)).toBe('42501')
    expect(await attempt(change, done.id as Id<'transaction'>)).toBe('42501')
  })

  test.each([
    `status = 'pending'`,
    `status = 'declined'`,
    'ledger_key = null',
    'settled_at = now()',
    'settled_balance_minor = 1',
  ])('that has ended stays so: %s', async (change) => {
    const [waits, done] = [waiting(), settled()]
    await run((tx) => pending({ now: NOW }, tx, [waits]))
    await run((tx) => completed({ now: NOW }, tx, [done]))
    expect(await attempt(change, done.id as Id<'transaction'>)).toBe('FD001')
    expect(await attempt('note = note', done.id as Id<'transaction'>)).toBe('written')
    expect(await attempt(`status = 'declined'`, waits.id as Id<'transaction'>)).toBe('written')
    expect(await attempt(`status = 'pending'`, waits.id as Id<'transaction'>)).toBe('FD001')
  })
})

test('a rate of VAT with decimals stands on the wire as it was given', async () => {
  const done = { ...settled(), amount: money(EUR, 105_50n) }
  await run(async (tx) => {
    await completed({ now: NOW }, tx, [done])
    const rate = parseVatRate('5.5') as VatRate
    await assignVat(tx, company.id, [{ transactionId: done.id as Id<'transaction'>, amount: done.amount, rate, assignedAt: NOW }])
  })
  const found = await run((tx) => findTransaction(tx, company.id, done.id as Id<'transaction'>))
  if (!found) throw new Error('not found')
  const wire = transactionToWire(found, { vatDetails: true, attachments: false, labels: undefined })
  expect(JSON.parse(JSON.stringify(wire))).toMatchObject({
    vat_rate: 5.5,
    vat_amount: 5.5,
    vat_amount_cents: 550,
    vat_details: { items: [{ amount: '5.50', amount_excluding_vat: '100.00', rate: '5.5' }] },
  })
})

describe('whoever writes the feed', () => {
  const told = async (...ids: Id<'transaction'>[]) =>
    (
      await db.admin.query(
        'select type, aggregate_id, organization_id, payload from platform.outbox where aggregate_id = any($1::uuid[]) order by position',
        [ids],
      )
    ).rows
  const typesOf = async (...ids: Id<'transaction'>[]) => (await told(...ids)).map((row) => row.type)

  test('publishes what waits, and what became of it', async () => {
    const [paid, given] = [waiting(), waiting()]
    await run((tx) => pending({ now: NOW }, tx, [paid, given]))
    await run((tx) => complete({ now: LATER }, tx, [{ subject: paid.subject, ledgerKey: keyOf(), balanceMinor: -7_00n }]))
    await run((tx) => decline({ now: LATER }, tx, [given.subject]))
    const [created, completedEvent] = await told(paid.id as Id<'transaction'>)
    expect(created).toEqual({
      type: 'feed.transaction_created.v1',
      aggregate_id: paid.id,
      organization_id: company.id,
      payload: {
        id: paid.id,
        bank_account_id: company.accounts[0].id,
        status: 'pending',
        side: 'debit',
        amount: '12.30',
        currency: 'EUR',
        operation_type: 'transfer',
        label: 'Müller & Söhne',
        reference: null,
        subject_kind: 'credit_transfer',
        subject_id: paid.subject.id,
        emitted_at: NOW.toISOString(),
      },
    })
    expect(completedEvent).toMatchObject({
      type: 'feed.transaction_completed.v1',
      payload: {
        id: paid.id,
        status: 'completed',
        was_pending: true,
        settled_balance: '-7.00',
        settled_at: LATER.toISOString(),
        amount: '12.30',
      },
    })
    expect(await typesOf(given.id as Id<'transaction'>)).toEqual(['feed.transaction_created.v1', 'feed.transaction_declined.v1'])
  })

  test('publishes what was booked at once as completed, each once, however often it is said', async () => {
    const [first, second] = [settled(), settled()]
    await run((tx) => completed({ now: NOW }, tx, [first]))
    await run((tx) => completed({ now: LATER }, tx, [first, second]))
    expect(await typesOf(first.id as Id<'transaction'>, second.id as Id<'transaction'>)).toEqual([
      'feed.transaction_completed.v1',
      'feed.transaction_completed.v1',
    ])
    expect(await told(first.id as Id<'transaction'>)).toMatchObject([
      { payload: { was_pending: false, settled_balance: '5.00' } },
    ])
  })

  test('publishes nothing of what is refused or rolled back', async () => {
    const row = settled()
    const failed = run(async (tx) => {
      await completed({ now: NOW }, tx, [row])
      throw new Error('rolled back')
    })
    await expect(failed).rejects.toThrow('rolled back')
    expect(await typesOf(row.id as Id<'transaction'>)).toEqual([])
  })
})
