import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { derivedId } from '../../src/platform/ids.ts'
import { randomFrom } from '../../src/platform/random.ts'
import { TODAY } from '../support/demo.ts'
import { startTestBank, type TestBank } from './support.ts'

/** A second, plain implementation of the list: filter an array, sort it, cut a page out of it. The two must always agree. */
type Row = {
  id: string
  status: string
  side: string
  operation_type: string
  updated_at: number
  emitted_at: number
  settled_at: number | undefined
  created_at: number
  attachments: boolean
}

const HOUR = 3_600_000
const STATUSES = ['pending', 'declined', 'completed'] as const
const SIDES = ['credit', 'debit'] as const
const TYPES = ['income', 'transfer', 'card', 'direct_debit', 'qonto_fee'] as const
const TIMES = ['updated_at', 'emitted_at', 'settled_at', 'created_at'] as const

let bank: TestBank
let account: string
let rows: Row[]

beforeAll(async () => {
  bank = await startTestBank()
  const empty = bank.demo.accounts[1]?.id ?? ''
  account = empty
  await bank.db.admin.query(
    'delete from feed.transaction_label where transaction_id in (select id from feed.transaction where bank_account_id = $1)',
    [account],
  )
  await bank.db.admin.query('delete from feed.transaction where bank_account_id = $1', [account])
  rows = await insertRows(randomFrom(7), 260)
})
afterAll(() => bank.close())

/** Times fall on whole hours of a few days, so that many rows share one and the order by id is seen. */
async function insertRows(random: ReturnType<typeof randomFrom>, count: number): Promise<Row[]> {
  const organizationId = (await bank.get('/v2/organization')).json().organization.id
  const at = () => TODAY.getTime() - random.integer(0, 60) * HOUR
  const made = Array.from({ length: count }, (_, index): Row => {
    const status = random.pick(STATUSES)
    return {
      id: derivedId('transaction', 'model', index),
      status,
      side: random.pick(SIDES),
      operation_type: random.pick(TYPES),
      updated_at: at(),
      emitted_at: at(),
      settled_at: status === 'completed' ? at() : undefined,
      created_at: at(),
      attachments: random.chance(20),
    }
  })
  // More kinds than anybody writes yet, so not through the feed's door.
  await bank.db.admin.query(
    `insert into feed.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, local_amount_minor,
       local_currency, label, category, subject_type, subject_kind, subject_id, attachment_ids, emitted_at, settled_at, created_at, updated_at)
     select id, $2, $3, status, side, operation_type, 100, 'EUR', 100, 'EUR', 'x', 'fallback', 'Other', 'test', id,
            case when attachments then array[id] else '{}' end, emitted_at, settled_at, created_at, updated_at
       from jsonb_to_recordset($1) as r(id uuid, status text, side text, operation_type text, attachments boolean, emitted_at timestamptz,
              settled_at timestamptz, created_at timestamptz, updated_at timestamptz)`,
    [JSON.stringify(made.map(withInstants)), organizationId, account],
  )
  return made
}

const withInstants = (row: Row) => ({ ...row, ...Object.fromEntries(TIMES.map((name) => [name, instantOf(row[name])])) })
const instantOf = (time: number | undefined): string | null => (time === undefined ? null : new Date(time).toISOString())

type Query = {
  status?: readonly string[] | undefined
  side?: string | undefined
  operation_type?: readonly string[] | undefined
  with_attachments?: boolean | undefined
  sort?: { by: 'updated_at' | 'settled_at' | 'emitted_at'; direction: 'asc' | 'desc' } | undefined
  ranges: readonly { name: (typeof TIMES)[number]; edge: 'from' | 'to'; hoursAgo: number }[]
  page: number
  per_page: number
  spelling: 'plain' | 'brackets' | 'commas'
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const queries: fc.Arbitrary<Query> = fc.record({
  status: optional(fc.subarray([...STATUSES], { minLength: 1 })),
  side: optional(fc.constantFrom(...SIDES)),
  operation_type: optional(fc.subarray([...TYPES, 'unheard_of'], { minLength: 1 })),
  with_attachments: optional(fc.boolean()),
  sort: optional(
    fc.record({ by: fc.constantFrom('updated_at', 'settled_at', 'emitted_at'), direction: fc.constantFrom('asc', 'desc') }),
  ),
  ranges: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...TIMES),
      edge: fc.constantFrom('from', 'to'),
      hoursAgo: fc.integer({ min: 0, max: 60 }),
    }),
    { maxLength: 2, selector: ({ name, edge }) => `${name} ${edge}` },
  ),
  page: fc.integer({ min: 1, max: 12 }),
  per_page: fc.constantFrom(1, 3, 10, 25, 50, 100),
  spelling: fc.constantFrom('plain', 'brackets', 'commas'),
})

const timeOf = (hoursAgo: number): number => TODAY.getTime() - hoursAgo * HOUR

function toQueryString(query: Query): string {
  const parts = new URLSearchParams({ bank_account_id: account, page: String(query.page), per_page: String(query.per_page) })
  for (const name of ['status', 'operation_type'] as const) {
    const values = query[name]
    if (!values) continue
    if (query.spelling === 'commas') parts.append(name, values.join(','))
    else for (const value of values) parts.append(query.spelling === 'brackets' ? `${name}[]` : name, value)
  }
  if (query.side) parts.append('side', query.side)
  if (query.with_attachments !== undefined) parts.append('with_attachments', String(query.with_attachments))
  if (query.sort) parts.append('sort_by', `${query.sort.by}:${query.sort.direction}`)
  for (const { name, edge, hoursAgo } of query.ranges) parts.append(`${name}_${edge}`, new Date(timeOf(hoursAgo)).toISOString())
  return parts.toString()
}

function expected(query: Query): { ids: string[]; total: number } {
  const statuses = query.status ?? ['completed']
  const bounds = new Map(query.ranges.map((range) => [`${range.name} ${range.edge}`, range]))
  const matching = rows.filter(
    (row) =>
      statuses.includes(row.status) &&
      (!query.side || row.side === query.side) &&
      (!query.operation_type || query.operation_type.includes(row.operation_type)) &&
      (query.with_attachments === undefined || row.attachments === query.with_attachments) &&
      [...bounds.values()].every(({ name, edge, hoursAgo }) => {
        const time = row[name]
        return time !== undefined && (edge === 'from' ? time >= timeOf(hoursAgo) : time <= timeOf(hoursAgo))
      }),
  )
  const { by, direction } = query.sort ?? { by: 'settled_at', direction: 'desc' }
  const latestIfNone = (row: Row) => row[by] ?? Number.POSITIVE_INFINITY
  matching.sort((a, b) => {
    const order = latestIfNone(a) === latestIfNone(b) ? (a.id < b.id ? -1 : 1) : latestIfNone(a) - latestIfNone(b)
    return direction === 'asc' ? order : -order
  })
  const start = (query.page - 1) * query.per_page
  return { ids: matching.slice(start, start + query.per_page).map((row) => row.id), total: matching.length }
}

test('every combination of filters, order and page gives the rows that a plain reading of the contract gives', async () => {
  await fc.assert(
    fc.asyncProperty(queries, async (query) => {
      const answer = await bank.get(`/v2/transactions?${toQueryString(query)}`)
      expect(answer.statusCode).toBe(200)
      const body = answer.json()
      const { ids, total } = expected(query)
      expect(body.transactions.map((t: { id: string }) => t.id)).toEqual(ids)
      const pages = Math.ceil(total / query.per_page)
      expect(body.meta).toEqual({
        current_page: query.page,
        next_page: query.page < pages ? query.page + 1 : null,
        prev_page: query.page > 1 ? Math.min(query.page - 1, pages) || null : null,
        total_pages: pages,
        total_count: total,
        per_page: query.per_page,
      })
    }),
    { numRuns: 400 },
  )
})

test('walking all pages gives every row once', async () => {
  const seen: string[] = []
  for (let page: number | null = 1; page !== null; ) {
    const body: { transactions: Row[]; meta: { next_page: number | null } } = (
      await bank.get(`/v2/transactions?bank_account_id=${account}&status=pending,declined,completed&per_page=7&page=${page}`)
    ).json()
    seen.push(...body.transactions.map((t) => t.id))
    page = body.meta.next_page
  }
  expect(seen).toHaveLength(rows.length)
  expect(new Set(seen).size).toBe(rows.length)
})
