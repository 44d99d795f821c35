import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { operatorActor } from '../actor.ts'
import { fixedClock } from '../clock.ts'
import { silentLogger } from '../logging.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { workerStatus } from './cases.ts'
import { chore } from './pass.ts'
import { PassRunner } from './runner.ts'

let db: TestDatabase
let metrics: Metrics
const runners: PassRunner[] = []
const machine = fixedClock('2026-03-02T09:00:00Z')

beforeAll(async () => {
  db = await createTestDatabase()
})
afterEach(() => Promise.all(runners.splice(0).map((runner) => runner.stop())))
afterAll(() => db.drop())

function startRunner(processName: string): PassRunner {
  metrics = createMetrics({ process: false })
  const world = { database: db.database, clock: machine, machine, logger: silentLogger, metrics, processName }
  const sorting = { name: 'post.sort_letters', describe: 'Sorts letters', everyMs: 1_000, run: async () => 0 } as const
  const runner = new PassRunner({ ...world, wakeups: { on: () => () => {} } }, [chore(sorting)])
  runners.push(runner)
  return runner
}

const status = () => workerStatus({ actor: operatorActor('Ada', 'test'), database: db.database, machine }, 10)
const processes = async () =>
  (await status()).runs.filter((run) => run.pass === 'post.sort_letters').map(({ process, describe }) => [process, describe])

test('every process tells of its passes while it runs, and no longer', async () => {
  const first = startRunner('one')
  startRunner('two')
  await vi.waitFor(async () => expect(await processes()).toEqual([['one', 'Sorts letters'], ['two', 'Sorts letters']]), 10_000) // biome-ignore format: one thought
  await first.stop()
  expect(await processes()).toEqual([['two', 'Sorts letters']])
})

test('a solved case is forgotten after 90 days, a process that was killed after one; what is open stays', async () => {
  await db.admin.query(
    `insert into platform.failed_item (pass, item, attempts, reason, first_failed_at, last_failed_at, stuck_at, done_at)
     select 'post.write', name, 1, 'x', at, at, at, case name when 'open' then null else at end
       from (values ('old', $1::timestamptz - interval '91 days'), ('young', $1 - interval '89 days'), ('open', $1 - interval '400 days')) v(name, at)`,
    [machine.now()],
  )
  await db.admin.query(
    `insert into platform.pass_run (pass, process, describe, every_ms, runs, failures, done, duration_ms, reported_at)
     select 'post.write', name, 'x', 1, 1, 0, 0, 1, $1::timestamptz - ago from (values ('killed', interval '25 hours'), ('silent', interval '23 hours')) v(name, ago)`,
    [machine.now()],
  )
  startRunner('three')
  const left = async () =>
    (await db.admin.query('select item from platform.failed_item order by item')).rows.map((row) => row.item)
  await vi.waitFor(async () => expect(await left()).toEqual(['open', 'young']), 10_000)
  const told = (await status()).runs.filter((run) => run.pass === 'post.write').map((run) => run.process)
  expect(told).toEqual(['silent'])
  const { body } = await metrics.expose()
  expect(body).toContain('partita_pass_items_stuck{pass="post.write"} 1')
  expect(body).toContain('partita_pass_items_stuck{pass="post.sort_letters"} 0')
  expect(body).toContain('partita_pass_items_waiting{pass="post.write"} 0')
})
