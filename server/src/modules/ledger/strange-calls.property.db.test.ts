import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { sqlStateOf } from '../../platform/errors.ts'
import { newId } from '../../platform/ids.ts'
import { verifyLedger } from './index.ts'
import { NOON, newKey, openTestBook, postNow, type TestBook, transfer } from './test-ledger.ts'

/** Whoever may call the ledger's functions calls them with anything. A failure prints the seed: `SEED=… LEDGER_STRANGE_CALLS=…` makes the same calls again. */
const CALLS = Number(process.env.LEDGER_STRANGE_CALLS ?? '2000')
const SEED = process.env.SEED ? Number.parseInt(process.env.SEED, 10) : randomInt(2 ** 31)

let db: TestDatabase
let book: TestBook
let other: TestBook
let caller: pg.Client
const holds: string[] = []

beforeAll(async () => {
  db = await createTestDatabase()
  book = await openTestBook(db.database)
  other = await openTestBook(db.database)
  for (const one of [book, other]) {
    await postNow(db.database, one, [transfer(one.nostro, one.alice, 1_000_00n), transfer(one.nostro, one.bob, 1_000_00n)])
    for (const account of [one.alice, one.bob]) {
      const hold = newKey()
      holds.push(hold)
      const amount = transfer(one.alice, one.bob, 10_00n)
      await postNow(db.database, one, [{ ...amount, kind: 'hold', key: hold, account } as never])
    }
  }
  await db.admin.query(`update platform.bank_clock set ahead_max = '1 day'`)
  await db.admin.query(`create role ${db.name}_caller login in role partita_system`)
  caller = new pg.Client({ connectionString: db.adminUrl })
  await caller.connect()
  await caller.query(`set session authorization ${db.name}_caller`)
})
afterAll(async () => {
  await caller.end()
  await db.admin.query(`drop role ${db.name}_caller`)
  await db.drop()
})

type Call = { readonly name: string; readonly types: readonly string[]; readonly values: readonly unknown[] }

async function attempt({ name, types, values }: Call): Promise<string> {
  const parameters = types.map((type, index) => `$${index + 1}::${type}`)
  try {
    await caller.query(`select * from ledger.${name}(${parameters.join()})`, [...values])
    return 'done'
  } catch (error) {
    return sqlStateOf(error) ?? String(error)
  }
}

const BATCH = {
  accounts: 'uuid[]',
  kinds: 'smallint[]',
  keys: 'uuid[]',
  debits: 'integer[]',
  credits: 'integer[]',
  amounts: 'bigint[]',
  currencies: 'text[]',
  codes: 'text[]',
  effectives: 'timestamptz[]',
  references: 'uuid[]',
  groups: 'uuid[]',
  holds: 'uuid[]',
  expiries: 'timestamptz[]',
  forces: 'boolean[]',
} as const
type Columns = { [Name in keyof typeof BATCH]: unknown }

const batchCall = (columns: Partial<Columns>, now: unknown = NOON, bookId: unknown = book.bookId): Call => ({
  name: 'post_batch',
  types: ['integer', 'timestamptz', ...Object.values(BATCH)],
  values: [bookId, now, ...Object.keys(BATCH).map((name) => columns[name as keyof Columns] ?? null)],
})

/** A transfer of 5 from Alice to Bob, as the ledger's door sends it. */
const plain = (): Columns => {
  const accounts = [book.alice, book.bob].toSorted()
  const place = (id: string) => accounts.indexOf(id as never) + 1
  const none = { kinds: null, effectives: null, references: null, groups: null, holds: null, expiries: null, forces: null }
  const columns = { keys: [newKey()], debits: [place(book.alice)], credits: [place(book.bob)], amounts: [5n] }
  return { ...none, ...columns, accounts, currencies: ['EUR'], codes: ['test'] }
}
const twice = (): Columns => {
  const one = plain()
  const both = (name: 'debits' | 'credits' | 'amounts') => [...(one[name] as unknown[]), ...(one[name] as unknown[])]
  return { ...one, keys: [newKey(), newKey()], debits: both('debits'), credits: both('credits'), amounts: both('amounts') }
}

const written = async (): Promise<unknown> =>
  (
    await db.admin.query(
      'select (select jsonb_agg(a order by number) from ledger.account a), (select jsonb_agg(b order by id) from ledger.book b), (select count(*) from ledger.key), (select count(*) from ledger.transfer)',
    )
  ).rows[0]

const FAR = '2999-01-01T00:00:00Z'

describe('a batch that the ledger’s door would not send is refused by a state of its own, and nothing is written:', () => {
  test.each<[string, () => Call]>([
    ['a transfer that names a hold', () => batchCall({ ...plain(), kinds: [1], holds: [newId()] })],
    ['a transfer that names a hold, without kinds', () => batchCall({ ...plain(), holds: [newId()] })],
    ['a transfer that names a hold beside the end of another', () =>
      batchCall({ ...twice(), kinds: [1, 4], debits: [1, 0], credits: [2, 0], amounts: [5n, null], holds: [newId(), holds[0]] })],
    ['a hold that names a hold', () => batchCall({ ...plain(), kinds: [2], credits: [0], holds: [newId()] })],
    ['an end of no hold', () => batchCall({ ...plain(), kinds: [4], debits: [0], credits: [0], amounts: [null], holds: [null] })],
    ['a kind that there is not', () => batchCall({ ...plain(), kinds: [5] })],
    ['a kind below all', () => batchCall({ ...plain(), kinds: [0] })],
    ['no kind', () => batchCall({ ...plain(), kinds: [null] })],
    ['more keys than amounts', () => batchCall({ ...plain(), keys: [newKey(), newKey()] })],
    ['fewer debits than keys', () => batchCall({ ...twice(), debits: [1] })],
    ['more currencies than operations', () => batchCall({ ...plain(), currencies: ['EUR', 'EUR'] })],
    ['fewer effective times than operations', () => batchCall({ ...twice(), effectives: [NOON] })],
    ['no codes', () => batchCall({ ...plain(), codes: [] })],
    ['no key in a place', () => batchCall({ ...twice(), keys: [newKey(), null] })],
    ['no debit in a place', () => batchCall({ ...plain(), debits: [null] })],
    ['no credit in a place', () => batchCall({ ...plain(), credits: [null] })],
    ['no currency', () => batchCall({ ...plain(), currencies: [null] })],
    ['an array that begins elsewhere', () => batchCall({ ...plain(), amounts: '[0:0]={5}' })],
    ['an array of arrays', () => batchCall({ ...plain(), keys: [[newKey()]] })],
    ['an account twice', () => batchCall({ ...plain(), accounts: [book.alice, book.alice], debits: [1], credits: [2] })],
    ['no account in a place', () => batchCall({ ...plain(), accounts: [book.alice, null] })],
    ['a debit place beyond the accounts', () => batchCall({ ...plain(), debits: [3] })],
    ['a credit place beyond the accounts', () => batchCall({ ...plain(), credits: [3] })],
    ['a credit place below the accounts', () => batchCall({ ...plain(), credits: [-1] })],
    ['a place beyond the accounts, among others', () => batchCall({ ...plain(), kinds: [1], currencies: ['USD'], debits: [3] })],
    ['the place of an account that only a hold has named', () =>
      batchCall({ ...twice(), accounts: [book.alice], kinds: [4, 1], debits: [0, 2], credits: [0, 1], amounts: [null, 5n], holds: [holds[1], null] })],
    ['a code too long', () => batchCall({ ...plain(), codes: ['x'.repeat(65)] })],
    ['an empty code', () => batchCall({ ...plain(), codes: [''] })],
    ['an effective time without end', () => batchCall({ ...plain(), effectives: ['infinity'] })],
    ['an effective time out of this world', () => batchCall({ ...plain(), effectives: ['4713-01-01 BC'] })],
    ['a transfer that ends', () => batchCall({ ...plain(), kinds: [1], expiries: [FAR] })],
    ['a hold by force', () => batchCall({ ...plain(), kinds: [2], credits: [0], forces: [true] })],
    ['the legs of a group apart', () => {
      const [group, between] = [newId(), newId()]
      const one = twice()
      const three = { keys: [newKey(), newKey(), newKey()], debits: [1, 1, 1], credits: [2, 2, 2], amounts: [1n, 1n, 1n] }
      return batchCall({ ...one, ...three, groups: [group, between, group] })
    }],
    ['a time far ahead', () => batchCall(plain(), FAR)],
    ['a time before all', () => batchCall(plain(), '0044-03-15 BC')],
  ])('%s', async (_, call) => {
    const before = await written()
    expect(await attempt(call())).toBe('LG003')
    expect(await written()).toEqual(before)
  }) // biome-ignore format: one call per line

  test.each<[string, () => Call]>([
    ['no operation', () => batchCall({})],
    ['no time', () => batchCall({ keys: [newId()] }, null)],
    ['a time without end', () => batchCall({ keys: [newId()] }, 'infinity')],
  ])('%s, as before', async (_, call) => expect(await attempt(call())).toBe('22023'))

  test('and one that it would send is done', async () => {
    expect(await attempt(batchCall(plain()))).toBe('done')
    expect(
      await attempt(batchCall({ ...twice(), groups: [null, newId()], references: [newId(), null], effectives: [NOON, null] })),
    ).toBe('done')
  })
})

test.each([
  ['open_book', ['text', 'timestamptz'], ['far', FAR]],
  ['close_account', ['uuid', 'timestamptz'], [newId(), FAR]],
  ['close_period', ['integer', 'date', 'timestamptz'], [1, '2998-01-01', FAR]],
  ['expire_holds', ['integer', 'timestamptz', 'integer'], [1, FAR, 10]],
  ['expire_holds', ['integer', 'timestamptz', 'integer'], [1, NOON, -1]],
  ['ensure_partition', ['timestamptz'], [FAR]],
  [
    'open_accounts',
    ['integer', 'uuid[]', 'text[]', 'text[]', 'boolean[]', 'bigint[]', 'timestamptz'],
    [1, [newId()], ['A'], ['EUR'], [false], [0n], FAR],
  ],
  // A floor too few would be an account without one.
  [
    'open_accounts',
    ['integer', 'uuid[]', 'text[]', 'text[]', 'boolean[]', 'bigint[]', 'timestamptz'],
    [1, [newId()], ['A'], ['EUR'], [false], [], NOON],
  ],
])('%s refuses what makes no sense', async (name, types, values) => {
  const before = await written()
  expect(await attempt({ name, types, values })).toBe('LG003')
  expect(await written()).toEqual(before)
})

test('the bank’s time is its clock’s: where that is ahead the ledger follows, and no further', async () => {
  const inTenYears = new Date(Date.now() + 3_653 * 86_400_000)
  const day = 86_400_000
  expect(await attempt(batchCall(plain(), new Date(Date.now() + 2 * day)))).toBe('LG003')
  const fresh = await openTestBook(db.database)
  const funding = {
    ...plain(),
    accounts: [fresh.nostro, fresh.alice].toSorted(),
    debits: [1],
    credits: [2],
    amounts: [1n],
    forces: [true],
  }
  await db.admin.query('update platform.bank_clock set offset_ms = $1', [3_653 * day])
  try {
    expect(await attempt(batchCall(funding, inTenYears, fresh.bookId))).toBe('done')
    expect(await attempt(batchCall({ ...funding, keys: [newKey()] }, FAR, fresh.bookId))).toBe('LG003')
  } finally {
    await db.admin.query('update platform.bank_clock set offset_ms = 0')
  }
})

/** Mostly what makes sense. */
const seldom = <T>(usual: fc.Arbitrary<T>, strange: fc.Arbitrary<unknown>, weight = 12): fc.Arbitrary<unknown> =>
  fc.oneof({ weight, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: strange })

type Random = { pick<T>(values: readonly T[]): T; chance(oneIn: number): boolean }

function randomBatch(random: Random, size: number): Call {
  const own = random.chance(15) ? other : book
  const accounts: unknown[] = [own.nostro, own.alice, own.bob].toSorted()
  if (random.chance(20)) accounts.reverse()
  if (random.chance(20)) accounts.push(random.pick([accounts[0], null, newId(), other.alice, book.bob]))
  const column = (usual: () => unknown, strange: readonly unknown[], missing = 60): unknown => {
    const values: unknown[] = Array.from({ length: size }, () => (random.chance(40) ? random.pick(strange) : usual()))
    if (random.chance(missing)) return random.pick([null, [], values.slice(1), [...values, usual()]])
    return values
  }
  const optional = (oneIn: number, usual: () => unknown, strange: readonly unknown[]) =>
    random.chance(oneIn) ? column(() => (random.chance(2) ? null : usual()), strange) : null
  const withKinds = !random.chance(3)
  const group = newId()
  const kinds = withKinds ? (column(() => random.pick([1, 1, 1, 2, 3, 4]), [0, 5, -1, null, 32_767]) as unknown[] | null) : null
  const kindAt = (index: number) => (Array.isArray(kinds) ? kinds[index] : 1)
  const sidesFit = !random.chance(6)
  const places = (taken: readonly number[]): unknown => {
    const values = column(() => random.pick([1, 2, 3]), [0, 4, -1, null, 2_147_483_647])
    return sidesFit && Array.isArray(values)
      ? values.map((place, i) => (taken.includes(kindAt(i) as number) ? place : 0))
      : values
  }
  const heldBy = (index: number) => (kindAt(index) === 3 || kindAt(index) === 4 ? random.pick([...holds, newId()]) : null)
  const naming =
    withKinds && Array.from({ length: size }, (_, i) => (random.chance(30) ? random.pick([...holds, null]) : heldBy(i)))
  const columns: Columns = {
    accounts,
    kinds,
    keys: column(newKey, [holds[0], null, group]),
    debits: places([1, 2]),
    credits: places([1, 3]),
    amounts: column(() => random.pick([1n, 5n, 70n, null]), [0n, -1n, 10n ** 15n, 10n ** 15n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]),
    currencies: random.chance(8) ? column(() => 'EUR', ['USD', '', null]) : ['EUR'],
    codes: random.chance(8) ? column(() => 'test', ['', 'x'.repeat(65), null]) : ['test'],
    effectives: optional(6, () => NOON, ['infinity', '-infinity', FAR, '1899-12-31', '2026-03-01']),
    references: optional(6, newId, [null]),
    groups: optional(6, () => random.pick([group, group, newId()]), [null]),
    holds: naming || optional(20, () => random.pick(holds), [null]),
    expiries: optional(8, () => new Date(NOON.getTime() + 60_000), ['infinity', '-infinity', FAR]),
    forces: optional(8, () => random.chance(4), [true, null]),
  }
  const now = random.chance(30)
    ? random.pick([null, FAR, 'infinity', '1969-12-31', '4713-01-01 BC'])
    : new Date(NOON.getTime() + (random.chance(2) ? 0 : 90_000))
  return batchCall(columns, now, random.chance(30) ? random.pick([null, 0, -1, 2_147_483_647]) : own.bookId)
}

const instant = seldom(fc.constant(NOON), fc.constantFrom(null, FAR, 'infinity', '-infinity', '1969-12-31'))
const bookId = (random: Random) => random.pick([book.bookId, book.bookId, other.bookId, null, 0, -1])

function otherCall(random: Random, now: unknown): Call {
  const accountId = () => random.pick([book.alice, other.bob, newId(), null])
  const list = <T>(usual: () => T, strange: readonly unknown[]) => {
    const values = Array.from({ length: random.pick([0, 1, 2]) }, () => (random.chance(25) ? random.pick(strange) : usual()))
    return random.chance(30) ? null : values
  }
  return random.pick<() => Call>([
    () => ({
      name: 'open_book',
      types: ['text', 'timestamptz'],
      values: [random.pick(['a', 'b', '', null, 'x'.repeat(65)]), now],
    }),
    () => ({ name: 'close_account', types: ['uuid', 'timestamptz'], values: [accountId(), now] }),
    () => ({
      name: 'close_period',
      types: ['integer', 'date', 'timestamptz'],
      values: [
        bookId(random),
        random.pick(['2026-01-31', '2026-02-28', null, 'infinity', '-infinity', '2999-01-01', '4713-01-01 BC']),
        now,
      ],
    }),
    () => ({
      name: 'expire_holds',
      types: ['integer', 'timestamptz', 'integer'],
      values: [bookId(random), now, random.pick([10, 1, 0, -1, null, 2_147_483_647])],
    }),
    () => ({
      name: 'open_accounts',
      types: ['integer', 'uuid[]', 'text[]', 'text[]', 'boolean[]', 'bigint[]', 'timestamptz'],
      values: [
        bookId(random),
        list(newId, [null, book.alice]),
        list(() => `A:${newId()}`, ['', null, 'x'.repeat(129)]),
        list(() => 'EUR', ['eur', null, '']),
        list(() => false, [true, null]),
        list(() => 0n, [null, -5n, 7n, -(2n ** 63n)]),
        now,
      ],
    }),
    () => ({ name: 'ensure_partition', types: ['timestamptz'], values: [now] }),
    () => ({ name: 'version_recorded', types: ['integer', 'timestamptz'], values: [random.pick([1, 0, null]), now] }),
  ])()
}

/** Own states, and the constraints that say what a code, a currency or a name must be. */
const REFUSALS = new Set(['done', 'LG003', '22023', '23514', '23502'])

test(`whatever ${CALLS} strange calls are made, the books can be proven afterwards`, async () => {
  const states = new Map<string, number>()
  const call = fc.gen().chain((gen) =>
    fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 5 }), instant).map(([, size, now]) => {
      const random: Random = {
        pick: (values) => values[gen(fc.nat, { max: values.length - 1 })] as never,
        chance: (oneIn) => gen(fc.nat, { max: oneIn - 1 }) === 0,
      }
      return random.chance(4) ? otherCall(random, now) : randomBatch(random, size)
    }),
  )
  const calls = fc.sample(call, { numRuns: CALLS, seed: SEED })
  for (const one of calls) {
    const state = await attempt(one)
    states.set(`${one.name} ${state}`, (states.get(`${one.name} ${state}`) ?? 0) + 1)
    expect(
      REFUSALS,
      `SEED=${SEED} ${one.name} ${state} ${JSON.stringify(one.values, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
    ).toContain(state)
  }
  expect(states.get('post_batch done')).toBeGreaterThan(CALLS / 20)
  expect(states.get('post_batch LG003')).toBeGreaterThan(CALLS / 20)
  const report = await verifyLedger(db.database)
  expect(
    report.checks.filter((check) => check.violations > 0),
    `SEED=${SEED}`,
  ).toEqual([])
  const { rowCount } = await db.admin.query(`select from ledger.book where recorded_at > '2900-01-01'`)
  expect(rowCount).toBe(0)
})
