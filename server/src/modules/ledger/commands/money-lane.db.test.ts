import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { type Gatherer, gatherer, need } from '../../../platform/gather.ts'
import { findAnswers, type KeyClaim, pruneIdempotency, requestHash, storeAnswers } from '../../../platform/idempotency.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, refuse } from '../../../platform/result.ts'
import { type Writer, write, writer } from '../../../platform/write.ts'
import { balancesOf, MoneyLane, type MoneyOrder, verifyLedger } from '../index.ts'
import { NOON, openTestBook, postNow, type TestBook, transfer } from '../test-ledger.ts'

let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase({ poolSize: 16 })
  await db.admin.query('create table public.note (text text unique); grant all on public.note to partita_system')
})
afterAll(async () => {
  expect((await verifyLedger(db.database)).ok).toBe(true)
  await db.drop()
})

const notes = writer(
  'test.note',
  (_, tx, rows: readonly string[]) => tx.run`insert into public.note select unnest(${rows}::text[])`,
)

/** A company: its id and a book in which alice has `minor`. */
async function company(minor: bigint): Promise<{ id: Id<'organization'>; book: TestBook }> {
  const book = await openTestBook(db.database)
  if (minor > 0n) await postNow(db.database, book, [transfer(book.nostro, book.alice, minor)])
  return { id: newId<'organization'>(), book }
}
type Company = Awaited<ReturnType<typeof company>>

type Refusal = 'too_poor' | 'not_wanted'
type Payment = MoneyOrder<string, Refusal>

const claim = (organizationId: string, key: string, content = key): KeyClaim<string> => ({
  organizationId,
  operation: 'POST /test',
  key,
  requestHash: requestHash(content),
  answer: (value) => ({ status: 200, body: { value } }),
})

/** Alice pays bob, and a note says so. */
function payment({ id, book }: Company, minor: bigint, text: string, over: Partial<Payment> = {}, code = 'test'): Payment {
  const operation = transfer(book.alice, book.bob, minor, { code })
  return {
    organizationId: id,
    orderedAt: NOON,
    needs: [],
    decide: () =>
      ok({
        bookId: book.bookId,
        operations: [operation],
        effects: ([outcome]) =>
          outcome?.ok ? ok({ writes: [write(notes, [text])], events: [], answer: text }) : refuse('too_poor'),
      }),
    ...over,
  }
}

const words = (answers: readonly Awaited<ReturnType<MoneyLane['submit']>>[]) =>
  answers.map((a) => (a.ok ? (a.value.replay ? `replayed ${JSON.stringify(a.value.replay.body)}` : a.value.value) : a.refusal))

const bobHas = async ({ book }: Company) =>
  (await db.database.read(testActor, (tx) => balancesOf(tx, [book.bob])))[0]?.balance ?? 0n

const noted = async (prefix: string): Promise<string[]> =>
  (await db.admin.query('select text from public.note where text like $1 order by text', [`${prefix}%`])).rows.map((r) => r.text)

const answersOf = ({ id }: Company, ...keys: string[]) =>
  db.database.read(testActor, (tx) =>
    findAnswers(
      tx,
      keys.map((key) => claim(id, key)),
      NOON,
    ),
  )

/** Counts how often it is asked, and in whose transaction. */
function counted(): { kind: Gatherer<string>; scopes: string[] } {
  const scopes: string[] = []
  const kind = gatherer('test.scope', async (tx, keys) => {
    const { scope } = await tx.one<{ scope: string }>`select current_setting('app.organization_ids', true) as scope`
    scopes.push(scope)
    return new Map(keys.map((key) => [key, key]))
  })
  return { kind, scopes }
}

describe('orders of one moment', () => {
  test('share one transaction, in which each kind of fact and row is seen once, and which sees their organizations only', async () => {
    const [a, b] = [await company(100n), await company(100n)]
    const { kind, scopes } = counted()
    const calls: number[] = []
    const rows: Writer<string> = writer('test.counted', async (_ctx, _tx, some) => calls.push(some.length))
    const order = (who: Company, text: string): Payment => {
      const plain = payment(who, 1n, text)
      return {
        ...plain,
        needs: [need(kind, [text])],
        decide: (facts) => {
          expect(facts.of(kind).get(text)).toBe(text)
          const decision = plain.decide(facts)
          return decision.ok
            ? ok({
                ...decision.value,
                effects: () => ok({ writes: [write(rows, [text]), write(rows, [text])], events: [], answer: text }),
              })
            : decision
        },
      }
    }
    const lane = new MoneyLane(db.database)
    const answers = await Promise.all([order(a, 's1'), order(b, 's2'), order(a, 's3')].map((one) => lane.submit(one)))
    expect(words(answers)).toEqual(['s1', 's2', 's3'])
    expect(scopes).toEqual([`{${a.id},${b.id}}`])
    expect(calls).toEqual([6])
    expect([await bobHas(a), await bobHas(b)]).toEqual([2n, 1n])
  })

  test('are each decided on what the ones before left', async () => {
    const who = await company(25n)
    const lane = new MoneyLane(db.database)
    const answers = await Promise.all(['f1', 'f2', 'f3'].map((text) => lane.submit(payment(who, 10n, text))))
    expect(words(answers)).toEqual(['f1', 'f2', 'too_poor'])
    expect(await noted('f')).toEqual(['f1', 'f2'])
  })

  test('of many books, from two processes, crosswise, neither deadlock nor mix', async () => {
    const companies = await Promise.all(Array.from({ length: 4 }, () => company(1_000n)))
    const lanes = [new MoneyLane(db.database), new MoneyLane(db.database)]
    await Promise.all(
      lanes.flatMap((lane, n) =>
        Array.from({ length: 5 }, () =>
          (n === 0 ? companies : companies.toReversed()).map((who) => lane.submit(payment(who, 1n, newId<'note'>()))),
        ).flat(),
      ),
    )
    for (const who of companies) expect(await bobHas(who)).toBe(10n)
  })
})

describe('an order', () => {
  test('that makes the database raise, in the ledger or in its rows, fails alone', async () => {
    const who = await company(1_000n)
    await db.admin.query(`insert into public.note values ('taken')`)
    const lane = new MoneyLane(db.database)
    const { kind, scopes: attempts } = counted()
    const needs = [need(kind, ['an attempt'])]
    const orders = Array.from({ length: 60 }, (_, n) => {
      if (n === 13) return payment(who, 1n, 'r13', { needs }, '') // the transfer table refuses an empty code
      return payment(who, 1n, n === 41 ? 'taken' : `r${n}`, { needs })
    })
    const settled = await Promise.allSettled(orders.map((one) => lane.submit(one)))
    expect(settled.flatMap((one, n) => (one.status === 'rejected' ? [n] : []))).toEqual([13, 41])
    expect(await bobHas(who)).toBe(58n)
    expect(await noted('r')).toHaveLength(58)
    expect(attempts.length).toBeLessThanOrEqual(1 + 2 * 2 * 6) // one by one it would be 61
  })

  test('that is refused after its money moved is our bug: it fails alone, and nothing has moved', async () => {
    const who = await company(10n)
    const honest = payment(who, 1n, 'b1')
    const decide: Payment['decide'] = (facts) => {
      const decision = payment(who, 2n, 'b2').decide(facts)
      return decision.ok ? ok({ ...decision.value, effects: () => refuse('not_wanted' as const) }) : decision
    }
    const lane = new MoneyLane(db.database)
    const settled = await Promise.allSettled([lane.submit(honest), lane.submit({ ...honest, decide })])
    expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'rejected'])
    expect(await bobHas(who)).toBe(1n)
  })

  test('of more operations than the ledger takes at once is posted whole', async () => {
    const who = await company(100_000n)
    const { book } = who
    const operations = Array.from({ length: 9_001 }, () => transfer(book.alice, book.bob, 1n))
    const lane = new MoneyLane(db.database)
    const answer = await lane.submit<number, never>({
      organizationId: who.id,
      orderedAt: NOON,
      weight: operations.length,
      needs: [],
      decide: () =>
        ok({
          bookId: book.bookId,
          operations,
          effects: (outcomes) => ok({ writes: [], events: [], answer: outcomes.filter((one) => one.ok).length }),
        }),
    })
    expect(answer).toEqual({ ok: true, value: { value: 9_001 } })
    expect(await bobHas(who)).toBe(9_001n)
  })

  test('is answered after what was submitted has been drained', async () => {
    const who = await company(10n)
    const lane = new MoneyLane(db.database)
    const answer = lane.submit(payment(who, 1n, 'd1', { claim: claim(who.id, 'd1') }))
    await lane.drain()
    expect(await bobHas(who)).toBe(1n)
    expect(words([await answer])).toEqual(['d1'])
  })
})

describe('a key', () => {
  test('has one effect and one answer, however many ask at once, from however many processes', async () => {
    const who = await company(1_000n)
    const lanes = [new MoneyLane(db.database), new MoneyLane(db.database), new MoneyLane(db.database)]
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          lanes[n % 3]?.submit(payment(who, 1n, `k${round}-${n}`, { claim: claim(who.id, `k${round}`) })),
        ),
      )
      const said = words(answers.flatMap((answer) => answer ?? []))
      const [acted] = said.filter((word) => !String(word).startsWith('replayed'))
      expect(said.filter((word) => word === acted)).toHaveLength(1)
      expect(said.filter((word) => word === `replayed {"value":"${acted}"}`)).toHaveLength(11)
    }
    expect(await bobHas(who)).toBe(20n)
    expect(await noted('k')).toHaveLength(20)
  })

  test('of a refused order is not written at all, and neither by whom the ledger refuses', async () => {
    await db.admin.query(`
      create table public.key_written (key text);
      grant all on public.key_written to partita_system;
      create function public.note_key() returns trigger language plpgsql as $$ begin insert into public.key_written values (new.key); return new; end $$;
      create trigger note_key before insert on platform.idempotency_record for each row execute function public.note_key()`)
    const who = await company(5n)
    const lane = new MoneyLane(db.database)
    const unwanted: Payment = { ...payment(who, 1n, 'x'), decide: () => refuse('not_wanted') }
    const answers = await Promise.all([
      lane.submit({ ...unwanted, claim: claim(who.id, 'unwanted') }),
      lane.submit(payment(who, 6n, 'n1', { claim: claim(who.id, 'poor') })),
      lane.submit(payment(who, 5n, 'n2', { claim: claim(who.id, 'kept') })),
    ])
    expect(words(answers)).toEqual(['not_wanted', 'too_poor', 'n2'])
    expect((await db.admin.query('select key from public.key_written')).rows).toEqual([{ key: 'kept' }])
    await db.admin.query('drop trigger note_key on platform.idempotency_record')
  })

  test('that another process stores between our look and our writing is answered as stored there, and our money has not moved', async () => {
    const who = await company(10n)
    const between = interruption((tx) => storeAnswers(tx, [{ ...claim(who.id, 'raced'), status: 200, body: 'theirs' }], NOON))
    const lane = new MoneyLane(db.database)
    const order = payment(who, 1n, 'o1', { claim: claim(who.id, 'raced'), needs: [need(between, ['now'])] })
    expect(words([await lane.submit(order)])).toEqual(['replayed "theirs"'])
    expect(await bobHas(who)).toBe(0n)
  })

  test('whose record comes and vanishes under us, by a clock that is ahead, is kept with what we did under it', async () => {
    const who = await company(10n)
    const ahead = new Date(NOON.getTime() + 31 * 60_000)
    const between = interruption(async (tx) => {
      await storeAnswers(tx, [{ ...claim(who.id, 'vanished'), status: 200, body: 'theirs' }], NOON)
      await pruneIdempotency(tx, ahead)
    })
    const lane = new MoneyLane(db.database)
    const order = payment(who, 1n, 'v1', { claim: claim(who.id, 'vanished'), needs: [need(between, ['now'])] })
    expect(words([await lane.submit(order)])).toEqual(['v1'])
    expect((await answersOf(who, 'vanished'))[0]?.body).toEqual({ value: 'v1' })
    expect(words([await lane.submit(payment(who, 1n, 'v2', { claim: claim(who.id, 'vanished') }))])).toEqual([
      'replayed {"value":"v1"}',
    ])
  })

  test('names one order to one organization only', async () => {
    const [a, b] = [await company(10n), await company(10n)]
    const lane = new MoneyLane(db.database)
    const answers = await Promise.all(
      [a, b].map((who, n) => lane.submit(payment(who, 1n, `m${n}`, { claim: claim(who.id, 'mine') }))),
    )
    expect(words(answers)).toEqual(['m0', 'm1'])
  })
})

/** A fact whose gathering is the moment at which another process does something. */
const interruption = (meanwhile: (tx: Tx) => Promise<unknown>): Gatherer<true> =>
  gatherer('test.meanwhile', async () => {
    await db.database.transaction(testActor, meanwhile)
    return new Map()
  })
