import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asMember, testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { operatorActor, systemActor } from '../actor.ts'
import { Bug } from '../assert.ts'
import { BankClock, fixedClock } from '../clock.ts'
import { presentDeadline, workUntil } from '../deadline.ts'
import { PlatformUnavailable } from '../errors.ts'
import { newId } from '../ids.ts'
import { Database, type Tx } from './database.ts'

let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

describe('a database transaction', () => {
  test('runs as the role of its scope, and its organization does not outlive it', async () => {
    const organizationId = newId<'organization'>()
    const database = new Database({ url: test_.url, applicationName: 'one connection', poolSize: 1 })
    type Seen = { role: string; organization: string | null }
    const look = (scope: Parameters<Database['read']>[0]) =>
      database.read(
        scope,
        (tx) =>
          tx.one<Seen>`select current_user as role, nullif(current_setting('app.organization_id', true), '') as organization`,
      )
    expect(await look(asMember(organizationId))).toEqual({ role: 'partita_app', organization: organizationId })
    expect(await look(testActor)).toEqual({ role: 'partita_system', organization: null })
    const leaked = await database
      .transaction(asMember(organizationId), async () => 'done')
      .then(() => look(asMember(newId<'organization'>())))
    expect(leaked.organization).not.toBe(organizationId)
    await database.close()
  })

  test('is durable once it is said to be done, whatever the database or the login are set to', async () => {
    const name = test_.name
    await test_.admin.query(`alter database ${name} set synchronous_commit = off`)
    await test_.admin.query(`alter role partita in database ${name} set synchronous_commit = local`)
    const database = new Database({ url: test_.url, applicationName: 'durable', poolSize: 1 })
    const setting = (tx: Tx) => tx.one<{ synchronous_commit: string }>`show synchronous_commit`
    try {
      for (const actor of [asMember(newId()), testActor])
        expect(await database.transaction(actor, setting)).toEqual({ synchronous_commit: 'on' })
      expect(await database.read(testActor, setting, { pool: 'credentials' })).toEqual({ synchronous_commit: 'on' })
      expect(await database.autocommit(setting)).toEqual({ synchronous_commit: 'on' })
    } finally {
      await database.close()
      await test_.admin.query(`alter role partita in database ${name} reset synchronous_commit`)
      await test_.admin.query(`alter database ${name} reset synchronous_commit`)
    }
  })

  test('runs for a system or operator actor with the organizations that he names, once each, and only then', async () => {
    const database = new Database({ url: test_.url, applicationName: 'one connection', poolSize: 1 })
    const [one, other] = [newId<'organization'>(), newId<'organization'>()]
    const look = (actor: Parameters<Database['read']>[0]) =>
      database.transaction(
        actor,
        (tx) =>
          tx.one`select current_user as role, nullif(current_setting('app.organization_ids', true), '')::uuid[]::text[] as organizations`,
      )
    const seen = (organizations: string[] | null) => ({ role: 'partita_system', organizations })
    expect(await look(systemActor('test.lane', [one, other, one]))).toEqual(seen([one, other]))
    expect(await look(operatorActor('root', 'partita verify', [other]))).toEqual(seen([other]))
    expect(await look(systemActor('test.pass', []))).toEqual(seen([]))
    expect(await look(systemActor('test.pass'))).toEqual(seen(null))
    const injected = systemActor('test.pass', ["{}'; select 1" as typeof one])
    await expect(look(injected)).rejects.toThrow(Bug)
    await database.close()
  })

  test('for reading sees one moment when it asks for a snapshot, and the newest otherwise', async () => {
    const actor = systemActor('test.reader')
    const offset = async (tx: Tx) => (await tx.one<{ offset_ms: bigint }>`select offset_ms from platform.bank_clock`).offset_ms
    const twice = (snapshot: boolean, by: number) =>
      test_.database.read(
        actor,
        async (tx) => {
          const before = await offset(tx)
          await test_.admin.query('update platform.bank_clock set offset_ms = offset_ms + $1', [by])
          return (await offset(tx)) - before
        },
        { snapshot },
      )
    expect(await twice(true, 7)).toBe(0n)
    expect(await twice(false, -7)).toBe(-7n)
  })

  test('whose work swallowed an error is a bug, never an acknowledged rollback', async () => {
    const actor = systemActor('test.swallower')
    const swallowing = test_.database.transaction(actor, async (tx) => {
      await tx.run`update platform.bank_clock set offset_ms = 9`
      await tx.run`select 1 / 0`.catch(() => {})
    })
    await expect(swallowing).rejects.toThrow(/ROLLBACK: an error inside it was swallowed/)
    await expect(swallowing).rejects.toThrow(Bug)
    const { rows } = await test_.admin.query('select offset_ms from platform.bank_clock')
    expect(rows).toEqual([{ offset_ms: '0' }])
    expect(await test_.database.read(actor, async () => 'the connection is whole')).toBe('the connection is whole')
  })

  test('what a committed transaction wakes has not the deadline of who committed it', async () => {
    const deadlines: number[] = []
    const stop = test_.database.onWake(() => deadlines.push(presentDeadline()))
    await workUntil(performance.now() + 60_000, () => test_.database.transaction(testActor, async (tx) => tx.wake('events')))
    await new Promise((resolve) => setImmediate(resolve))
    stop()
    expect(deadlines).toEqual([Number.POSITIVE_INFINITY])
  })

  test('wakes each channel once, after the commit, and never when it was rolled back', async () => {
    const woken: string[] = []
    const stop = test_.database.onWake((channel) => woken.push(channel))
    const actor = systemActor('test.waker')
    await test_.database.transaction(actor, async (tx) => {
      for (const channel of ['events', 'payments.submit', 'events']) tx.wake(channel)
      expect(woken).toEqual([])
    })
    expect(woken).toEqual(['events', 'payments.submit'])
    const failing = test_.database.transaction(actor, async (tx) => {
      tx.wake('rolled.back')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await test_.database.autocommit(async (tx) => tx.wake('alone'))
    expect(woken).toEqual(['events', 'payments.submit', 'alone'])
    stop()
    await test_.database.transaction(actor, async (tx) => tx.wake('nobody'))
    expect(woken).toHaveLength(3)
  })

  test('for a credential finds a connection when all others are taken', async () => {
    const database = new Database({ url: test_.url, applicationName: 'busy', poolSize: 1, acquireTimeoutMs: 1_000 })
    const actor = systemActor('test.lookup')
    const both = await database.transaction(actor, async () => {
      const refused = database.read(actor, async () => 1)
      const found = await database.read(actor, async () => 'found', { pool: 'credentials' })
      await expect(refused).rejects.toBeInstanceOf(PlatformUnavailable)
      return found
    })
    expect(both).toBe('found')
    await database.close()
  })

  test('is rolled back by an error and leaves a clean connection', async () => {
    await expect(
      test_.database.transaction(testActor, async (tx) => {
        await tx.run`update platform.bank_clock set offset_ms = 5`
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    const row = await test_.database.read(
      testActor,
      (tx) => tx.one<{ offset_ms: bigint }>`select offset_ms from platform.bank_clock`,
    )
    expect(row.offset_ms).toBe(0n)
  })

  test('for reading refuses to write', async () => {
    await expect(test_.database.read(testActor, (tx) => tx.run`update platform.bank_clock set offset_ms = 5`)).rejects.toThrow(
      /read-only/,
    )
  })

  test('a caller that gets no connection in time is told so, and the pool is whole again afterwards', async () => {
    const database = new Database({ url: test_.url, applicationName: 'exhausted', poolSize: 2, acquireTimeoutMs: 1_000 })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let holding = 0
    const holders = [1, 2].map(() =>
      database.read(testActor, () => {
        holding++
        return held
      }),
    )
    const refused = await Promise.allSettled(Array.from({ length: 20 }, () => database.read(testActor, async () => 1)))
    expect(refused.every((r) => r.status === 'rejected' && r.reason instanceof PlatformUnavailable)).toBe(true)
    expect(holding).toBe(2)
    release()
    await Promise.all(holders)
    expect(await Promise.all([1, 2, 3].map((n) => database.read(testActor, async () => n)))).toEqual([1, 2, 3])
    expect(database.occupancy().waiting).toBe(0)
    await database.close()
  })

  test('a database that is not there is a retryable failure, not a crash', async () => {
    const database = new Database({ url: 'postgres://nobody@127.0.0.1:1/none', applicationName: 'away' })
    await expect(database.read(testActor, async () => 1)).rejects.toMatchObject({ retryable: true })
    await database.close()
  })

  test('a deadlock, a collision or a statement that took too long is a retryable failure that says which', async () => {
    await test_.admin.query(
      'create table platform.pair (id integer primary key, n integer not null); insert into platform.pair values (1, 0), (2, 0)',
    )
    await test_.admin.query('grant select, update on platform.pair to partita_system')
    const actor = systemActor('test.collider')
    const met = [1, 2].map(() => Promise.withResolvers<void>())
    const crosswise = (mine: 0 | 1) =>
      test_.database.transaction(actor, async (tx) => {
        await tx.run`update platform.pair set n = n + 1 where id = ${mine + 1}`
        met[mine]?.resolve()
        await met[1 - mine]?.promise
        await tx.run`update platform.pair set n = n + 1 where id = ${2 - mine}`
      })
    const both = await Promise.allSettled([crosswise(0), crosswise(1)])
    const lost = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(lost).toEqual([expect.objectContaining({ name: 'PlatformUnavailable', retryable: true, code: '40P01' })])

    const slow = test_.database.transaction(actor, async (tx) => {
      await tx.query(`set local statement_timeout = '5ms'`)
      await tx.rows`select pg_sleep(10)`
    })
    await expect(slow).rejects.toMatchObject({ name: 'PlatformUnavailable', code: '57014' })

    const late = test_.database.transaction(actor, async (tx) => {
      await tx.query('set transaction isolation level repeatable read')
      await tx.rows`select n from platform.pair`
      await test_.admin.query('update platform.pair set n = n + 1')
      await tx.run`update platform.pair set n = n + 1`
    })
    await expect(late).rejects.toMatchObject({ name: 'PlatformUnavailable', code: '40001' })
    await expect(
      test_.database.autocommit((tx) => tx.query(`do $$ begin raise 'full' using errcode = '53100'; end $$`)),
    ).rejects.toMatchObject({
      name: 'PlatformUnavailable',
      code: '53100',
    })
  })

  test('a statement that is wrong stays wrong: nobody is told to try it again', async () => {
    const actor = systemActor('test.wrong')
    const run = (sql: string) =>
      test_.database.transaction(actor, (tx) => tx.query(sql)).catch((error: Error & { code?: string }) => error)
    for (const [sql, code] of [
      ['select 1 / 0', '22012'],
      ['insert into platform.bank_clock default values', '42501'],
      [`do $$ begin raise 'not yet' using errcode = '55000'; end $$`, '55000'],
    ] as const) {
      const error = await run(sql)
      expect(error).not.toBeInstanceOf(PlatformUnavailable)
      expect(error).toMatchObject({ code })
    }
  })

  test('a connection killed in mid-transaction is a retryable failure, and the next caller gets a new one', async () => {
    const killed = test_.database.transaction(testActor, async (tx) => {
      const { pid } = await tx.one<{ pid: number }>`select pg_backend_pid() as pid`
      await test_.admin.query('select pg_terminate_backend($1)', [pid])
      await tx.rows`select pg_sleep(0.01)`
    })
    await expect(killed).rejects.toBeInstanceOf(PlatformUnavailable)
    expect(await test_.database.read(testActor, async () => 'alive')).toBe('alive')
  })

  test('values come back exact: int8 as bigint, dates as text, arrays of int8', async () => {
    const row = await test_.database.read(
      testActor,
      (tx) =>
        tx.one`select 9223372036854775807::int8 as big, date '2026-02-28' as day, array[1, -9223372036854775808]::int8[] as many, '{}'::int8[] as none`,
    )
    expect(row).toEqual({ big: 9223372036854775807n, day: '2026-02-28', many: [1n, -9223372036854775808n], none: [] })
  })
})

describe("the bank's clock", () => {
  test('is moved forwards for every process, and never backwards', async () => {
    const machine = fixedClock('2026-03-02T09:00:00Z')
    const here = new BankClock(test_.database, machine)
    const elsewhere = new BankClock(test_.database, machine)
    expect(await here.moveTo(new Date('2026-03-05T09:00:00Z'))).toBe(true)
    await elsewhere.refresh()
    expect(elsewhere.now().toISOString()).toBe('2026-03-05T09:00:00.000Z')
    expect(await elsewhere.moveTo(new Date('2026-03-04T09:00:00Z'))).toBe(false)
    expect(here.now().toISOString()).toBe('2026-03-05T09:00:00.000Z')
  })
})
