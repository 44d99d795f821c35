import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { operatorActor } from '../actor.ts'
import { assert } from '../assert.ts'
import { fixedClock } from '../clock.ts'
import { Failure } from '../errors.ts'
import type { Id } from '../ids.ts'
import type { Tx } from '../postgres/database.ts'
import { endCase, takeUpCases, workerStatus } from './cases.ts'
import { type Held, outsidePass, type Pass, pass } from './pass.ts'
import { runPass } from './run-pass.ts'

type Letter = { id: Id<'letter'>; place: number }

let db: TestDatabase
const clock = fixedClock('2030-01-01T00:00:00Z')
const machine = fixedClock('2026-03-02T09:00:00Z')
/** What the writing of a letter does besides; tests replace it. */
let mishap: (letter: Letter, tx: Tx) => Promise<void> | void

beforeAll(async () => {
  db = await createTestDatabase()
  await db.admin.query(`
    create schema post;
    create table post.letter (id uuid primary key default uuidv7(), place integer not null unique, written integer not null default 0, sealed integer unique deferrable initially deferred);
    create index letter_waiting on post.letter (place) where written = 0;
    grant usage on schema post to partita_system; grant select, update on post.letter to partita_system`)
})
afterAll(() => db.drop())
beforeEach(async () => {
  mishap = () => {}
  await db.admin.query('truncate post.letter; truncate platform.failed_item restart identity')
})

const letters = (count: number) =>
  db.admin.query('insert into post.letter (place) select * from generate_series(1, $1::int)', [count])

const takeLetters = (tx: Tx, held: Held, limit: number) => tx.rows<Letter>`
  select id, place from post.letter
   where written = 0 and id::text not in (select platform.held(${held.pass}, ${held.at}))
   order by place limit ${limit} for update skip locked`

const write = async (tx: Tx, ids: readonly string[]) =>
  tx.run`update post.letter set written = written + 1 where id = any(${ids}::uuid[])`

const writing = (batch = 10): Pass =>
  pass<Letter>({
    name: 'post.write_letters',
    describe: 'Writes letters',
    everyMs: 1_000,
    batch,
    take: (tx, { held, limit }) => takeLetters(tx, held, limit),
    key: (letter) => letter.id,
    subject: (letter) => ({ kind: 'letter', id: letter.id }),
    one: async (_, tx, letter) => {
      await write(tx, [letter.id])
      await mishap(letter, tx)
    },
  })

const run = (one = writing()) => runPass({ database: db.database, clock, machine }, one)
const written = async () => (await db.admin.query('select place, written from post.letter where written > 0 order by place')).rows
const places = async () => (await written()).map((row) => row.place)
const desk = { actor: operatorActor('Ada', 'test'), get database() { return db.database }, machine } // biome-ignore format: one thought
const status = () => workerStatus(desk, 50)

/** Runs it until nothing is left that may be taken now. */
async function runAll(one = writing()) {
  while ((await run(one)).hasMore);
}

/** Runs it each time that something is due again, until what fails is stuck. */
async function runUntilStuck(): Promise<void> {
  for (let n = 0; n < 20; n++) {
    await runAll()
    machine.advance(15 * 60_000)
  }
}

describe('a bad item', () => {
  test('is found among many, and fails alone: the others are done once, and it waits with its reason', async () => {
    await letters(25)
    mishap = ({ place }) => assert(place !== 7, 'a letter that nobody can write')
    await runAll()
    expect(await written()).toEqual(Array.from({ length: 25 }, (_, n) => ({ place: n + 1, written: 1 })).filter((row) => row.place !== 7)) // biome-ignore format: one thought
    const { cases, open } = await status()
    expect(open).toEqual([{ pass: 'post.write_letters', waiting: 1, stuck: 0 }])
    expect(cases).toMatchObject([{ state: 'waiting', attempts: 1, reason: 'Bug: a letter that nobody can write', subjectKind: 'letter' }]) // biome-ignore format: one thought
    expect(cases[0]?.retryAt).toEqual(new Date(machine.now().getTime() + 1_000))
  })

  test('is not taken before its time by the machine’s clock, and done when it passes', async () => {
    await letters(2)
    mishap = ({ place }) => assert(place !== 1)
    await runAll()
    mishap = () => {}
    clock.advance(365 * 24 * 3_600_000)
    machine.advance(999)
    expect(await run()).toMatchObject({ done: 0 })
    machine.advance(1)
    expect(await run()).toMatchObject({ done: 1, solved: [] })
    expect((await status()).cases).toEqual([])
  })

  test('becomes a case after its attempts; a person takes it up when it is mended', async () => {
    await letters(2)
    mishap = ({ place }) => assert(place !== 1, 'not yet')
    await runUntilStuck()
    const [stuck] = (await status()).cases
    expect(stuck).toMatchObject({ state: 'stuck', attempts: 3, retryAt: null, reason: 'Bug: not yet' })
    expect(await run()).toMatchObject({ done: 0, troubles: [] })
    const number = stuck?.number as bigint
    expect(await takeUpCases(desk, { number })).toMatchObject([{ number, pass: 'post.write_letters' }])
    expect((await run()).troubles).toMatchObject([{ number, verdict: { attempts: 1 } }])
    expect((await status()).cases).toMatchObject([{ state: 'waiting', takenUpBy: 'Ada' }])
    mishap = () => {}
    await takeUpCases(desk, { pass: 'post.write_letters' })
    expect(await run()).toMatchObject({ done: 1, solved: [number] })
    expect((await status()).cases).toEqual([])
    expect(await takeUpCases(desk, { number })).toEqual([])
  })

  test('whose case is closed is never tried again, unless its case is opened again', async () => {
    await letters(1)
    mishap = () => assert(false)
    await runUntilStuck()
    expect(await endCase(desk, 1n, 'written by hand')).toMatchObject({ number: 1n })
    expect(await endCase(desk, 1n, 'twice')).toBeUndefined()
    mishap = () => {}
    machine.advance(24 * 3_600_000)
    expect(await run()).toMatchObject({ done: 0 })
    expect((await status()).cases).toEqual([])
    expect(await takeUpCases(desk, { pass: 'post.write_letters' })).toEqual([])
    expect(await takeUpCases(desk, { number: 1n })).toHaveLength(1)
    expect(await run()).toMatchObject({ done: 1 })
  })

  test('is found also when PostgreSQL would refuse it only at the commit', async () => {
    await letters(4)
    mishap = async ({ place }, tx) =>
      void (await tx.run`update post.letter set sealed = ${place === 3 ? 1 : place} where place = ${place}`)
    expect(await run()).toMatchObject({ done: 3 })
    expect(await places()).toEqual([1, 2, 4])
    expect((await status()).cases[0]?.reason).toMatch(/duplicate key/)
  })

  test('and another one fail together and are two cases; a failure of many is one each', async () => {
    await letters(9)
    mishap = ({ place }) => assert(place % 3 !== 0, `${place} is bad`)
    await runUntilStuck()
    expect(await places()).toEqual([1, 2, 4, 5, 7, 8])
    expect((await status()).cases.map((one) => one.reason).sort()).toEqual(['Bug: 3 is bad', 'Bug: 6 is bad', 'Bug: 9 is bad'])
  })
})

describe('what passes by itself', () => {
  test.each([
    ['the rail is away', () => new Failure('the rail cannot be reached', { retryable: true })],
    ['a deadlock', () => Object.assign(new Error('deadlock detected'), { code: '40P01' })],
    ['the disk is full', () => Object.assign(new Error('could not extend file'), { code: '53100' })],
    ['an operator cancelled it', () => Object.assign(new Error('canceling statement'), { code: '57014' })],
    ['the connection broke', () => new Error('Connection terminated unexpectedly')],
  ])('(%s) is no item’s fault: nothing is done, nothing counted', async (_, error) => {
    await letters(5)
    mishap = ({ place }) => {
      if (place === 4) throw error()
    }
    await expect(run()).rejects.toThrow()
    expect(await places()).toEqual([])
    expect((await status()).cases).toEqual([])
    mishap = () => {}
    expect(await run()).toMatchObject({ done: 5 })
  })

  test('but a failure that nobody can retry is the item’s', async () => {
    await letters(2)
    mishap = ({ place }) => {
      if (place === 2) throw new Failure('for ever', { retryable: false })
    }
    expect(await run()).toMatchObject({ done: 1 })
    expect((await status()).cases).toHaveLength(1)
  })
})

test('two workers take different items, and neither waits for the other', async () => {
  await letters(20)
  let arrived = 0
  let bothAreHere: () => void = () => {}
  const together = new Promise<void>((resolve) => {
    bothAreHere = resolve
  })
  mishap = async ({ place }) => {
    if (place !== 1 && place !== 11) return
    if (++arrived === 2) bothAreHere()
    await together
  }
  const runs = await Promise.all([run(), run()])
  expect(runs.map((one) => one.done)).toEqual([10, 10])
  expect((await written()).every((row) => row.written === 1)).toBe(true)
})

test('a worker that dies in the middle leaves everything to the next one, once', async () => {
  await letters(5)
  mishap = async ({ place }, tx) => {
    if (place !== 3) return
    const { pid } = await tx.one<{ pid: number }>`select pg_backend_pid() as pid`
    await db.admin.query('select pg_terminate_backend($1)', [pid])
  }
  await expect(run()).rejects.toThrow()
  mishap = () => {}
  expect(await run()).toMatchObject({ done: 5 })
  expect((await written()).every((row) => row.written === 1)).toBe(true)
})

test('a mistake in taking, not in an item, is the pass’s own failure', async () => {
  await letters(1)
  const broken: Pass = { ...writing(), take: async () => assert(false, 'wrong question') } as unknown as Pass
  await expect(run(broken)).rejects.toThrow('wrong question')
  expect((await status()).cases).toEqual([])
})

describe('work outside', () => {
  const sent: number[] = []
  let answer: (letter: Letter) => string = () => 'taken'
  const posting = outsidePass<Letter, string>({
    name: 'post.post_letters',
    describe: 'Posts letters',
    everyMs: 1_000,
    batch: 10,
    take: async (tx, { held, limit }) => {
      const taken = await takeLetters(tx, held, limit)
      await write(tx, taken.map((letter) => letter.id)) // biome-ignore format: one thought
      return taken
    },
    key: (letter) => letter.id,
    subject: () => null,
    outside: async (_, letter) => {
      // Whoever looks now sees that it is being tried: it is committed.
      const { rows } = await db.admin.query('select written from post.letter where id = $1', [letter.id])
      expect(rows).toEqual([{ written: 1 }])
      sent.push(letter.place)
      return answer(letter)
    },
    record: async (_, tx, done) => {
      for (const { item, outcome } of done) {
        assert(outcome !== 'nonsense', 'an answer that nobody understands')
        if (outcome !== 'closed') await write(tx, [item.id])
        else await tx.run`update post.letter set written = 0 where id = ${item.id}`
      }
    },
    remainsDue: ({ outcome }) => outcome === 'closed',
  })

  test('is marked as tried before anybody hears of it, and what came of it is written item by item', async () => {
    await letters(4)
    answer = ({ place }) => (place === 2 ? 'nonsense' : 'taken')
    expect(await run(posting)).toMatchObject({ done: 3 })
    expect(sent.sort()).toEqual([1, 2, 3, 4])
    expect(await written()).toEqual([1, 2, 1, 1].map((_, n) => ({ place: n + 1, written: n === 1 ? 1 : 2 })))
    // Nobody tries again outside what may have happened: it is a case at once.
    expect((await status()).cases).toMatchObject([{ state: 'stuck', reason: 'Bug: an answer that nobody understands' }])
  })

  test('that nobody takes sets the pass back: it stays due, and the others are done', async () => {
    await letters(3)
    answer = ({ place }) => (place === 2 ? 'closed' : 'taken')
    expect(await run(posting)).toMatchObject({ done: 2, hasMore: false, setback: { retryable: true } })
    expect((await status()).cases).toEqual([])
    answer = () => 'taken'
    const again = await run(posting)
    expect(again).toMatchObject({ done: 1 })
    expect(again.setback).toBeUndefined()
  })
})

test('with 10,000 stuck items in front, taking stays one pass over them, whatever was planned before', async () => {
  await letters(10_050)
  // Planned while nothing was held: the plan is kept for the connection, and must do for 10,000.
  for (let n = 0; n < 8; n++) expect((await run(writing(1))).done).toBe(1)
  await db.admin.query(`
    insert into platform.failed_item (pass, item, attempts, reason, first_failed_at, last_failed_at, stuck_at)
    select 'post.write_letters', id::text, 3, 'bad', now(), now(), now() from post.letter where place <= 10000`)
  const plan = await db.database.read(testActor, async (tx) => {
    await tx.query('set local plan_cache_mode = force_generic_plan')
    await tx.query(`prepare taking (text, timestamptz, int) as select id, place from post.letter
      where written = 0 and id::text not in (select platform.held($1, $2)) order by place limit $3`)
    const rows = await tx.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, buffers off, timing off, summary off) execute taking ('post.write_letters', '2026-03-02', 10)`,
    )
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  })
  expect(plan).toMatch(/hashed SubPlan/)
  expect(plan).toMatch(/letter_waiting/)
  expect(plan).not.toMatch(/loops=\d{3,}/)
  expect((await run()).done).toBe(10)
  expect((await places()).slice(-10)).toEqual([...Array(10)].map((_, n) => 10_001 + n))
})
