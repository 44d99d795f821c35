import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyBank } from '../../src/verify.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const warnings = async () => {
  const { ok, warnings: told } = await verifyBank(db.database)
  expect(ok).toBe(true)
  return told
}

test('the proof of the books names the work that waits for a person, and not what will be tried again or is closed', async () => {
  expect(await warnings()).toEqual([])
  await db.admin.query(`
    insert into platform.failed_item (pass, item, attempts, reason, first_failed_at, last_failed_at, retry_at, stuck_at)
    values ('test.pass', 'one', 8, 'error: a bug of ours', now(), now(), null, now()),
           ('test.pass', 'two', 1, 'error: passing', now(), now(), now() + interval '1 minute', null)`)
  const [warning, ...others] = await warnings()
  expect(others).toEqual([])
  expect(warning).toMatchObject({ name: 'no_work_waits_for_a_person', violations: 1 })
  expect(warning?.examples).toEqual([expect.stringMatching(/^case \d+: test.pass one: error: a bug of ours$/)])
  await db.admin.query(`update platform.failed_item set done_at = now() where item = 'one'`)
  expect(await warnings()).toEqual([])
})
