import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { partita } from '../../bank.ts'
import { migrate } from './migrate.ts'

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

/** An empty database beside the test's own, and a login of somebody who may do nothing special. */
async function stranger(): Promise<{ url: string; name: string; onDatabase(sql: string): Promise<void>; drop(): Promise<void> }> {
  const name = `stranger_${randomBytes(6).toString('hex')}`
  await test_.admin.query(`create role ${name} login password '${name}'`)
  await test_.admin.query(`create database ${name}`)
  const adminUrl = new URL(test_.adminUrl)
  adminUrl.pathname = `/${name}`
  const url = new URL(adminUrl)
  url.username = name
  url.password = name
  const onDatabase = async (sql: string) => {
    const client = new pg.Client({ connectionString: adminUrl.href })
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  const drop = async () => {
    await test_.admin.query(`drop database ${name} with (force)`)
    await test_.admin.query(`drop role ${name}`)
  }
  return { url: url.href, name, onDatabase, drop }
}

describe('migrating', () => {
  test('a login without the rights is told the statements that give them, and they are enough', async () => {
    const { url, onDatabase, drop } = await stranger()
    try {
      const refused = await migrate(url, partita.migrations()).catch((error: Error) => error.message)
      const statements = /Ask its administrator to run, connected to it: (.*)$/.exec(String(refused))?.[1]
      expect(statements).toMatch(/grant partita_owner, .*grant create on database/)
      await onDatabase(statements ?? '')
      expect(await migrate(url, partita.migrations())).toEqual(partita.migrations().map((migration) => migration.name))
      expect(await migrate(url, partita.migrations())).toEqual([])
    } finally {
      await drop()
    }
  })

  test('a migration that was edited after it was applied is refused by name', async () => {
    const { rows } = await test_.admin.query('select name, sql_md5 from migration.applied order by name limit 1')
    const [{ name, sql_md5 }] = rows
    await test_.admin.query('update migration.applied set sql_md5 = $2 where name = $1', [name, 'x'])
    await expect(migrate(test_.adminUrl, partita.migrations())).rejects.toThrow(
      `migration ${name} was edited after it was applied`,
    )
    await test_.admin.query('update migration.applied set sql_md5 = $2 where name = $1', [name, sql_md5])
    expect(await migrate(test_.adminUrl, partita.migrations())).toEqual([])
  })

  test('a migration that waits for a long reader lets others read meanwhile, and is tried again', async () => {
    const reader = await test_.admin.connect()
    await reader.query('begin; select 1 from platform.bank_clock')
    const sql = '-- 9001: planted. Not breaking.\nalter table platform.bank_clock add column planted integer'
    let isDone = false
    const migrating = migrate(test_.adminUrl, [...partita.migrations(), { name: 'platform/9001_planted.sql', sql }]).then(
      (applied) => {
        isDone = true
        return applied
      },
    )
    await untilSomebodyWaits()
    await test_.admin.query('select 1 from platform.bank_clock') // queues behind the migration, which gives up its place
    expect(isDone).toBe(false)
    await reader.query('commit')
    reader.release()
    expect(await migrating).toEqual(['platform/9001_planted.sql'])
  })

  test('a migration that fails leaves nothing, and says which it was', async () => {
    const sql = 'create table platform.half (id integer); select 1 / 0'
    await expect(migrate(test_.adminUrl, [...partita.migrations(), { name: 'platform/9002_half.sql', sql }])).rejects.toThrow(
      'migration platform/9002_half.sql failed: division by zero',
    )
    const { rows } = await test_.admin.query(`select to_regclass('platform.half') as half`)
    expect(rows).toEqual([{ half: null }])
  })
})

async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const { rows } = await test_.admin.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (rows.length > 0) return
  }
}
