import { partita } from '../../src/bank.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** A release by the last migration that it had of each module; a module that it did not have is left out. */
export type Release = Readonly<Record<string, number>>

/** The last release in which accounts, feed and connections were one module. */
export const BEFORE_FEED_SPLIT: Release = { platform: 1, ledger: 5, identity: 1, team: 1, accounts: 6, payments: 3 }

/** A database as an earlier release made it, empty; `migrate` brings it to the present. */
export async function databaseOfRelease(release: Release): Promise<TestDatabase> {
  const database = await createTestDatabase({ template: 'template1' })
  await migrate(
    database.adminUrl,
    partita.migrations().filter(({ name }) => isIn(release, name)),
  )
  return database
}

function isIn(release: Release, migration: string): boolean {
  const [module = '', file = ''] = migration.split('/')
  return Number.parseInt(file, 10) <= (release[module] ?? 0)
}
