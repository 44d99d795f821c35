import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BankClock } from '../../../server/src/platform/clock.ts'
import { loadConfig } from '../../../server/src/platform/config.ts'
import { type Database, openDatabase } from '../../../server/src/platform/postgres/database.ts'
import { type SeedOptions, seedDemo } from '../../../server/src/seed.ts'
import { Refusal } from './refusal.ts'
import type { DatabaseUrls } from './with-database.ts'

/** The demo company as `partita demo --json` prints it, without the address. */
export type DemoCompany = {
  readonly organization_slug: string
  readonly secret_key: string
  readonly accounts: readonly { readonly id: string; readonly iban: string; readonly name: string; readonly main: boolean }[]
}

/** Makes the demo company once, and gives its key and accounts however often it is asked. */
export async function ensureDemo(
  urls: Pick<DatabaseUrls, 'url'>,
  dataDirectory: string,
  onNote: (message: string) => void,
): Promise<DemoCompany> {
  const database = openDatabase({
    url: urls.url,
    applicationName: 'partita demo',
    statementTimeoutMs: 0,
    acquireTimeoutMs: 30_000,
  })
  try {
    return await seededDemo(database, urls.url, dataDirectory, onNote)
  } finally {
    await database.close()
  }
}

/** `ensureDemo` on a database that is open already. */
export async function seededDemo(
  database: Database,
  url: string,
  dataDirectory: string,
  onNote: (message: string) => void,
): Promise<DemoCompany> {
  const clock = new BankClock(database)
  await clock.refresh()
  const secretKey = keptSecret(dataDirectory)
  const demo = await seedDemo(database, clock, { ...seedOptions(url), secretKey })
  if (demo.created) onNote('the demo company was made')
  return { organization_slug: demo.organizationSlug, secret_key: secretKey, accounts: demo.accounts }
}

/** The bank's codes and BIC, as the server will use them. @throws Refusal with every problem of the configuration. */
export function seedOptions(url: string): SeedOptions {
  const loaded = loadConfig({ ...process.env, DATABASE_URL: url })
  if (!loaded.ok) throw new Refusal(`the configuration cannot be used: ${loaded.problems.join('; ')}`)
  return { bank: loaded.config.bank }
}

const SECRET_FORM = /^[0-9a-f]{64}$/

/** The database keeps a hash of the demo's secret only; the secret itself is kept here, readable by the owner alone. */
function keptSecret(dataDirectory: string): string {
  const file = join(dataDirectory, 'demo-secret')
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  if (SECRET_FORM.test(kept)) return kept
  const secret = randomBytes(32).toString('hex')
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secret
}
