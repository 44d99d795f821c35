import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { eventsSince } from '../../src/platform/events/archive.ts'
import { EventRelay } from '../../src/platform/events/relay.ts'
import { type Id, newId } from '../../src/platform/ids.ts'
import { Database } from '../../src/platform/postgres/database.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { asMember } from '../support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { bankClock, settle } from '../support/events.ts'

/** An empty database beside the test's own. */
let test_: TestDatabase
let adminUrl: string
let admin: pg.Client
let database: Database
beforeAll(async () => {
  test_ = await createTestDatabase()
  const name = `upgrade_${randomBytes(6).toString('hex')}`
  await test_.admin.query(`create database ${name}`)
  const named = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  adminUrl = named(test_.adminUrl)
  admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  database = new Database({ url: named(test_.url), applicationName: name })
})
afterAll(async () => {
  await Promise.all([admin.end(), database.close()])
  await test_.drop()
})

const organization = newId<'organization'>()
const insertOld = (thing: string, n: number, publishedAt: string | null) =>
  admin.query(
    `insert into platform.outbox (id, topic, type, aggregate_id, organization_id, payload, occurred_at, published_at)
     values ($1, 'test', 'test.happened.v1', $2, $3, $4, '2026-03-01T08:00:00Z', $5)`,
    [newId(), thing, organization, { n }, publishedAt],
  )
const foundOrganization = (id: Id<'organization'>) =>
  admin.query('insert into team.organization (id, slug, name, created_at) values ($1, $2, $2, now())', [
    id,
    `org-${id.slice(-8)}`,
  ])

describe('the outbox of the release before', () => {
  test('goes into the archive in its order, waits where it had not left, and what is missing is declared', async () => {
    // The archive's own, and what names it.
    const ofTheArchive = ['platform/0004_events.sql', 'platform/0007_vacuum.sql', 'team/0004_event_gaps.sql']
    await migrate(
      adminUrl,
      partita.migrations().filter(({ name }) => !ofTheArchive.includes(name)),
    )
    await foundOrganization(organization)
    const [one, two] = [newId(), newId()]
    await insertOld(one, 1, '2026-03-01T09:00:00Z')
    await insertOld(two, 2, '2026-03-01T10:00:00Z')
    await insertOld(one, 3, '2026-03-01T09:30:00Z') // another relay, whose clock was behind
    await insertOld(one, 4, null)
    await admin.query(`insert into platform.handled_event values ('old', $1, now())`, [newId()])

    expect(await migrate(adminUrl, partita.migrations())).toEqual(ofTheArchive)

    const read = () => database.read(asMember(organization), (tx) => eventsSince(tx, organization, 0n))
    const before = await read()
    expect(before.events.map((e) => [e.position, e.payload.n, e.archivedAt.toISOString()])).toEqual([
      [1n, 1, '2026-03-01T09:00:00.000Z'],
      [2n, 2, '2026-03-01T10:00:00.000Z'],
      [3n, 3, '2026-03-01T10:00:00.000Z'],
    ])
    expect(before.completeFrom).toMatchObject({ position: 4n })

    await settle(new EventRelay({ database, clock: bankClock }))
    expect((await read()).events.map((e) => e.payload.n)).toEqual([1, 2, 3, 4])
  })

  test('leaves no gap for organizations that come after it', async () => {
    const late = newId<'organization'>()
    await foundOrganization(late)
    const page = await database.read(asMember(late), (tx) => eventsSince(tx, late, 0n))
    expect(page.completeFrom).toBeUndefined()
  })
})
