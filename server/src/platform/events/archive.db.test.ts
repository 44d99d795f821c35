import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asMember, testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { bankClock, event, numbersOf, relayOf, settle } from '../../../test/support/events.ts'
import { resetEvents } from '../../../test/support/reset-events.ts'
import { type Id, newId } from '../ids.ts'
import { eventAt, eventsSince, headOf, positionAt } from './archive.ts'
import { publish } from './outbox.ts'

let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())
beforeEach(() => resetEvents(test_.admin))

async function archived(count: number, organizationId: Id<'organization'> | null = null): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => event(newId(), n, organizationId))
  await test_.database.transaction(testActor, (tx) => publish(tx, events))
  await settle(relayOf(test_.database))
}
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'permitted',
    (error) => error.code,
  )

describe('the archive', () => {
  test('gives each organization a cursor over all of its own, in order and page by page', async () => {
    const [acme, other] = [newId<'organization'>(), newId<'organization'>()]
    await archived(3, acme)
    await archived(2, other)
    await archived(2, acme)
    const read = (position: bigint, limit: number) =>
      test_.database.read(asMember(acme), (tx) => eventsSince(tx, acme, position, limit))
    const first = await read(0n, 4)
    expect(numbersOf(first.events)).toEqual([0, 1, 2, 0])
    const second = await read(first.position, 4)
    expect(numbersOf(second.events)).toEqual([1])
    expect(await read(second.position, 4)).toEqual({ events: [], position: second.position, completeFrom: undefined })
  })

  test('shows an organization nothing of another, whatever it asks for', async () => {
    const [acme, other] = [newId<'organization'>(), newId<'organization'>()]
    await archived(2, other)
    const page = await test_.database.read(asMember(acme), (tx) => eventsSince(tx, other, 0n))
    expect(page.events).toEqual([])
  })

  test('says where it begins for an organization that is older', async () => {
    const acme = newId<'organization'>()
    await archived(2, acme)
    await test_.admin.query('select platform.declare_event_gap(array[$1::uuid])', [acme])
    await archived(1, acme)
    const page = await test_.database.read(asMember(acme), (tx) => eventsSince(tx, acme, 0n))
    expect(page).toMatchObject({ completeFrom: { position: 3n, time: expect.any(Date) } })
    expect(page.events).toHaveLength(3)
  })

  test('finds the first position of a moment', async () => {
    const start = bankClock.now()
    try {
      for (const minute of [0, 10, 20]) {
        bankClock.set(new Date(start.getTime() + minute * 60_000))
        await archived(3)
      }
      const at = (minute: number) =>
        test_.database.read(testActor, (tx) => positionAt(tx, new Date(start.getTime() + minute * 60_000)))
      expect(await Promise.all([at(-5), at(0), at(1), at(10), at(15), at(20), at(21)])).toEqual([1n, 1n, 4n, 4n, 7n, 7n, 10n])
      bankClock.set(start) // a machine whose clock lags behind
      await archived(1)
      const last = await test_.database.read(testActor, (tx) => eventAt(tx, 10n))
      expect(last?.archivedAt).toEqual(new Date(start.getTime() + 20 * 60_000))
    } finally {
      bankClock.set(start)
    }
  })

  test('goes on over the edge of a partition, which is made when it is needed', async () => {
    await test_.admin.query('update platform.event_head set position = 19999997')
    await archived(5)
    const { rows } = await test_.admin.query(
      'select tableoid::regclass::text as part, position from platform.event order by position',
    )
    expect(rows.map((row) => [row.part, Number(row.position)])).toEqual([
      ['platform.event_1', 19_999_998],
      ['platform.event_1', 19_999_999],
      ['platform.event_2', 20_000_000],
      ['platform.event_2', 20_000_001],
      ['platform.event_2', 20_000_002],
    ])
  })

  test('is asked for a page by one index range, behind which no partition is looked at', async () => {
    await archived(1)
    await test_.admin.query('update platform.event_head set position = 19999999')
    await archived(1)
    const { rows } = await test_.admin.query(
      `explain select * from platform.event where organization_id = '${newId()}' and position > 20000000 order by position limit 100`,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('event_2')
    expect(plan).not.toContain('event_0')
  })

  test('cannot be changed by anybody', async () => {
    await archived(2)
    const changes = [
      'update platform.event set type = type',
      'delete from platform.event',
      'truncate platform.event',
      'update platform.event_0 set type = type',
      'delete from platform.event_0',
      'truncate platform.event_0',
    ]
    for (const change of changes) {
      expect(await refusal(test_.admin.query(change)), `superuser: ${change}`).toBe('PT001')
      for (const role of ['partita_app', 'partita_system'])
        expect(await refusal(test_.admin.query(`set role ${role}; ${change}`)), `${role}: ${change}`).toBe('42501')
      await test_.admin.query('reset role')
    }
    expect(await test_.database.read(testActor, headOf)).toBe(2n)
  })

  test('is written by the worker alone, and a partition by nobody directly', async () => {
    await archived(1)
    const insert = (table: string) =>
      `insert into ${table} select position + 1, gen_random_uuid(), topic, type, aggregate_id, organization_id, payload, occurred_at, archived_at from platform.event`
    const as = (role: string, sql: string) => refusal(test_.admin.query(`begin; set local role ${role}; ${sql}; rollback`))
    expect(await as('partita_app', insert('platform.event'))).toBe('42501')
    await test_.admin.query('rollback')
    expect(await as('partita_system', insert('platform.event_0'))).toBe('42501')
    await test_.admin.query('rollback')
    expect(await as('partita_system', insert('platform.event'))).toBe('permitted')
  })
})
