import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { partita } from '../../bank.ts'
import { createLogger } from '../logging.ts'
import { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { breaks, type Migration } from './migrations.ts'
import { SchemaUnfit, SchemaWatch, schemaProblem } from './schema-check.ts'

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

const migrations = partita.migrations()
const later = (number: number, effect: string): Migration => ({
  name: `platform/${number}_later.sql`,
  sql: `-- ${number}: planted. ${effect}\nselect 1`,
})
const harmless = later(9001, 'Not breaking.')
const breaking = later(9002, 'Breaks code before it.')

describe('the first line of a migration', () => {
  test.each(migrations.map((migration) => [migration.name, migration] as const))(
    '%s says whether it breaks code before it',
    (_, m) => {
      expect(breaks(m)).toBeTypeOf('boolean')
    },
  )

  test.each([
    ['-- 0007: a feed of its own. Not breaking.', false],
    ['-- 0007: counts of feeds (domain/feed.ts). Not breaking, but it holds the feed while it counts.', false],
    ['-- 0007: carried balances. Breaks importing by code before it.', true],
    ['-- 0007: subjects. Breaks code before it. Holds the feed while it looks at every row.', true],
    ['-- 0007: subjects. Not breaking. And more.', undefined],
    ['-- 0007: a feed of its own.', undefined],
    ['-- 0007: a feed of its own. Not breaking', undefined],
    ['-- 0007: a feed of its own. Breaks.', undefined],
    ['-- 0007: Not breaking.', undefined],
    ['-- 0008: the number of another. Not breaking.', undefined],
    ['create table feed.row (id uuid); -- 0007: a row. Not breaking.', undefined],
    ['', undefined],
  ])('%s', (line, expected) => {
    expect(breaks({ name: 'feed/0007_what.sql', sql: `${line}\nselect 1` })).toBe(expected)
  })
})

/** Numbers that stand twice in a folder, or are left out: which of two comes first would be told by their words. */
const outOfCount = (names: readonly string[]): string[] => {
  const seen = new Map<string, number>()
  return names.filter((name) => {
    const [folder = '', file = ''] = name.split('/')
    const number = (seen.get(folder) ?? 0) + 1
    seen.set(folder, number)
    return Number(file.slice(0, 4)) !== number
  })
}

describe('the migrations of a folder', () => {
  test('count from 0001 without a gap or a double', () => {
    expect(outOfCount(migrations.map(({ name }) => name))).toEqual([])
  })

  test('that stand twice or leave a number out are found', () => {
    const planted = [
      'feed/0001_rows.sql',
      'team/0001_members.sql',
      'feed/0002_counts.sql',
      'feed/0002_keys.sql',
      'team/0003_teams.sql',
    ]
    expect(outOfCount(planted)).toEqual(['feed/0002_keys.sql', 'team/0003_teams.sql'])
  })
})

describe('code on a schema', () => {
  afterEach(() => test_.admin.query(`delete from migration.applied where name like '%_later.sql'`))
  const problemFor = (known: readonly Migration[]) => schemaProblem(test_.database, known)

  test('that it knows has no problem', async () => {
    expect(await problemFor(migrations)).toBeUndefined()
  })

  test('that lacks a migration is told which, and what to do', async () => {
    expect(await problemFor([...migrations, harmless])).toBe(
      'the database is older than this release and lacks platform/9001_later.sql: run `node server/src/main.ts migrate` first',
    )
    const many = Array.from({ length: 7 }, (_, n) => later(9001 + n, 'Not breaking.'))
    expect(await problemFor([...migrations, ...many])).toMatch(/9005_later.sql and 2 more: /)
  })

  test('that has had a breaking migration which it does not know is told which, also when it would migrate', async () => {
    await migrate(test_.adminUrl, [...migrations, harmless, breaking])
    expect(await problemFor(migrations)).toBe(
      'a newer release has changed the database in a way that this one does not know, by platform/9002_later.sql: run the newer release',
    )
    expect(await problemFor([...migrations, breaking])).toBeUndefined()
    await expect(migrate(test_.adminUrl, migrations)).rejects.toThrow(SchemaUnfit)
  })

  test('that has had others which it does not know goes on, and migrating names them', async () => {
    const unknown: (readonly string[])[] = []
    await migrate(test_.adminUrl, [...migrations, harmless], { onUnknown: (names) => unknown.push(names) })
    expect(unknown).toEqual([])
    expect(await problemFor(migrations)).toBeUndefined()
    expect(await migrate(test_.adminUrl, migrations, { onUnknown: (names) => unknown.push(names) })).toEqual([])
    expect(unknown).toEqual([['platform/9001_later.sql']])
  })

  test('of a release that did not record what breaks is known again when this one has migrated it', async () => {
    await test_.admin.query('alter table migration.applied drop column breaks')
    expect(await problemFor(migrations)).toMatch(/has not been migrated by this release/)
    await migrate(test_.adminUrl, migrations)
    expect(await problemFor(migrations)).toBeUndefined()
    const { rows } = await test_.admin.query<{ name: string }>('select name from migration.applied where breaks order by name')
    expect(rows.map((row) => row.name)).toEqual(
      migrations
        .filter(breaks)
        .map((migration) => migration.name)
        .sort(),
    )
    expect(await problemFor(migrations.filter((migration) => !breaks(migration)))).toMatch(/does not know, by /)
  })

  test('in a database that nobody has migrated is told to migrate it', async () => {
    const name = `empty_${randomBytes(6).toString('hex')}`
    await test_.admin.query(`create database ${name}`)
    const url = new URL(test_.url)
    url.pathname = `/${name}`
    const database = new Database({ url: url.href, applicationName: 'empty', poolSize: 1 })
    expect(await schemaProblem(database, migrations)).toMatch(/has not been migrated by this release: run /)
    await database.close()
    await test_.admin.query(`drop database ${name}`)
  })

  test('is told while it runs, once for each problem, and again when the problem is gone', async () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'info', service: 'test', destination: { write: (line) => lines.push(line) } })
    const watch = new SchemaWatch({ database: test_.database, migrations, logger, everyMs: 3_600_000 })
    try {
      await watch.look()
      expect(watch.problem).toBeUndefined()
      await migrate(test_.adminUrl, [...migrations, breaking])
      for (let look = 0; look < 3; look++) await watch.look()
      expect(watch.problem).toContain(breaking.name)
      await test_.admin.query('delete from migration.applied where name = $1', [breaking.name])
      await watch.look()
      expect(watch.problem).toBeUndefined()
      logger.flush()
      expect(lines.join('').match(/the schema does not fit this release/g)).toHaveLength(1)
      expect(lines.join('')).toContain('the schema fits this release again')
    } finally {
      watch.stop()
    }
  })
})
