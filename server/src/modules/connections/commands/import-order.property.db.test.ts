import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { parseStatementFile } from '../../../formats/statements/index.ts'
import { operatorActor } from '../../../platform/actor.ts'
import { newId } from '../../../platform/ids.ts'
import { allBankAccounts } from '../../accounts/index.ts'
import { statementDocument } from '../../feed/index.ts'
import { verifyLedger } from '../../ledger/index.ts'
import { importStatementFile, toldByBanks } from '../index.ts'
import { balanceBefore, dateOf, fileText, STORY_IBAN, STORY_OPENING, type Story, story, sumOf } from '../test-story.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const NOW = new Date('2026-06-01T09:00:00Z')

const importAll = async (told: Story) => {
  const organizationId = newId<'organization'>()
  for (const file of told.files) {
    const parsed = parseStatementFile(new TextEncoder().encode(fileText(told, file)))
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    const order = { organizationId, organizationSlug: `o-${organizationId}`, fileName: 'x', file: parsed }
    await importStatementFile({ actor: operatorActor('tester', 'partita import'), now: NOW, database: db.database }, order)
  }
  return organizationId
}

test('statements, reports and MT940 of one history, overlapping and in any order, end in the same books', async () => {
  await fc.assert(
    fc.asyncProperty(story(['camt.053', 'camt.053', 'camt.052', 'mt940']), async (told) => {
      const organizationId = await importAll(told)
      const expected = STORY_OPENING + sumOf(told.days.flat())
      const [account] = await db.database.read(testActor, (tx) => allBankAccounts(tx, organizationId, true))
      expect(account?.balanceMinor).toBe(expected)
      const { rows } = await db.admin.query<{ minor: string; balance: string }>(
        `select case side when 'credit' then amount_minor else -amount_minor end as minor, settled_balance_minor as balance
           from feed.transaction where organization_id = $1 order by settled_at, number`,
        [organizationId],
      )
      expect(rows.map((row) => row.minor).sort()).toEqual(
        told.days
          .flat()
          .map((b) => String(b.cents))
          .sort(),
      )
      let running = STORY_OPENING
      for (const row of rows) {
        running += BigInt(row.minor)
        expect(row.balance).toBe(String(running))
      }
      for (let day = 0; day < told.days.length; day++) {
        const wanted = { account: STORY_IBAN, organizationId, from: dateOf(day), to: dateOf(day), now: NOW }
        const statement = await db.database.read(testActor, (tx) => statementDocument(tx, wanted, toldByBanks))
        expect([statement?.opening.minor, statement?.closing.minor]).toEqual([
          balanceBefore(told, day),
          balanceBefore(told, day + 1),
        ])
      }
    }),
    { numRuns: 60 },
  )
}, 120_000)

test('after all of it the ledger is proven', async () => {
  expect(await verifyLedger(db.database)).toMatchObject({ ok: true })
})
