import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { paymentPasses } from '../../src/modules/payments/index.ts'
import { operatorActor } from '../../src/platform/actor.ts'
import { fixedClock } from '../../src/platform/clock.ts'
import { newId } from '../../src/platform/ids.ts'
import { takeUpCases, workerStatus } from '../../src/platform/passes/cases.ts'
import { runPass } from '../../src/platform/passes/run-pass.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { testBank } from '../support/company.ts'
import type { TestDatabase } from '../support/database.ts'
import { BEFORE_FEED_SPLIT, databaseOfRelease } from '../support/earlier-release.ts'
import { creditTransfer, scriptedRail } from '../support/scripted-rail.ts'

/** Messages of the rail and to it, as the release before passes kept them. */
let db: TestDatabase
const transferId = newId<'credit_transfer'>()
const clock = fixedClock('2026-03-02T09:00:00Z')
const received = (id: string, sequence: number, outcome: string, xml = '<x/>') =>
  db.admin.query('insert into payments.incoming_message values ($1, $2, $3, $4, $5, $6)', [
    id,
    sequence,
    'pacs.008.001.08',
    xml,
    clock.now(),
    outcome,
  ])

beforeAll(async () => {
  db = await databaseOfRelease(BEFORE_FEED_SPLIT)
  await db.admin.query(
    `insert into payments.credit_transfer (id, organization_id, debtor_account_id, book_id, ledger_account_id, debtor_name, debtor_iban, creditor_name,
       creditor_iban, amount_minor, currency, end_to_end_id, transaction_id, uetr, requested_execution_date, status, feed_transaction_id, created_at, updated_at)
     values ($1, gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(), 'A', 'FR76', 'B', 'DE89', 1, 'EUR', 'E', 'TX-1', gen_random_uuid(), '2026-03-02',
       'settled', gen_random_uuid(), now(), now())`,
    [transferId],
  )
  for (const name of ['pacs.008.001.08', 'pacs.028.001.03'])
    await db.admin.query(
      `insert into payments.outgoing_message (id, message_id, message_name, transfer_id, xml, created_at)
       values (gen_random_uuid(), $1, $1, $2, '<x/>', now())`,
      [name, transferId],
    )
  await received('R-1', 1, 'credited duplicate')
  const unknown = creditTransfer({ txId: 'IN-2', amount: '5.00', creditorIban: 'FR7630006000011234567890189' })
  await received('R-2', 2, 'failed: a bug of then', unknown)
  await received('R-3', 3, 'unreadable: no XML')
  await db.admin.query('update payments.rail_cursor set sequence = 3')
  await migrate(db.adminUrl, partita.migrations())
})
afterAll(() => db.drop())

test('what our messages are about stands in pairs', async () => {
  const { rows } = await db.admin.query(
    `select m.message_name, c.transfer_id from payments.outgoing_message m
       join payments.outgoing_message_transfer c on c.message_id = m.id order by 1`,
  )
  expect(rows).toEqual([
    { message_name: 'pacs.008.001.08', transfer_id: transferId },
    { message_name: 'pacs.028.001.03', transfer_id: transferId },
  ])
})

test('a message whose effect had failed is a case, and is read and applied when it is taken up; the others stay as they were', async () => {
  const desk = { actor: operatorActor('Ada', 'test'), database: db.database, machine: clock }
  const passes = paymentPasses({ database: db.database, clock, rail: scriptedRail(), bank: testBank })
  const work = async () => {
    for (let hasMore = true; hasMore; ) {
      hasMore = false
      for (const pass of passes) hasMore = (await runPass({ ...desk, clock }, pass)).hasMore || hasMore
    }
  }
  await work()
  expect((await workerStatus(desk, 10)).cases).toMatchObject([
    { pass: 'payments.read', item: 'R-2', state: 'stuck', reason: 'failed: a bug of then', since: clock.now() },
  ])
  await takeUpCases(desk, { pass: 'payments.read' })
  await work()
  const { rows } = await db.admin.query(
    `select m.rail_message_id as id, m.outcome, p.outcome as part
       from payments.incoming_message m left join payments.incoming_message_part p using (rail_message_id) order by 1`,
  )
  expect(rows).toEqual([
    { id: 'R-1', outcome: 'credited duplicate', part: null },
    { id: 'R-2', outcome: null, part: 'suspended' },
    { id: 'R-3', outcome: 'unreadable: no XML', part: null },
  ])
  expect((await workerStatus(desk, 10)).cases).toEqual([])
})
