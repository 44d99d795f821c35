import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { partita } from '../../../server/src/bank.ts'
import { BankClock } from '../../../server/src/platform/clock.ts'
import { silentLogger } from '../../../server/src/platform/logging.ts'
import { createMetrics } from '../../../server/src/platform/metrics.ts'
import type { World } from '../../../server/src/platform/module.ts'
import { type Database, openDatabase } from '../../../server/src/platform/postgres/database.ts'
import { seedDemo } from '../../../server/src/seed.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { serverEnvironment } from './server-environment.ts'
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
  const secretKey = keptSecret(dataDirectory)
  const demo = await seedDemo(await worldOf(database, url), { secretKey })
  if (demo.created) onNote('the demo company was made')
  const liveKey = demo.secretKey ?? secretKey
  // A secret that was revoked never becomes a key again: the company then has a new one, which is kept from now on.
  if (liveKey !== secretKey) keepSecret(dataDirectory, liveKey)
  return { organization_slug: demo.organizationSlug, secret_key: liveKey, accounts: demo.accounts }
}

/** What the bank stands on here, configured as the server will be. @throws Refusal with every problem of the configuration. */
export async function worldOf(database: Database, url: string): Promise<World> {
  const loaded = partita.configure({ ...serverEnvironment(), DATABASE_URL: url })
  if (!loaded.ok) throw refusalOf('the configuration cannot be used', loaded.problems)
  const clock = new BankClock(database)
  await clock.refresh()
  return { config: loaded.config, database, clock, logger: silentLogger, metrics: createMetrics({ process: false }) }
}

function keepSecret(dataDirectory: string, secret: string): void {
  const file = join(dataDirectory, 'demo-secret')
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const SECRET_FORM = /^[0-9a-f]{64}$/

/**
 * The database keeps a hash of the demo's secret only; the secret itself is kept here, readable by the owner alone. Two first commands
 * at once agree on one: a link is made whole or not at all.
 */
function keptSecret(dataDirectory: string): string {
  const file = join(dataDirectory, 'demo-secret')
  if (!existsSync(file)) {
    const made = `${file}.${process.pid}`
    writeFileSync(made, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
    try {
      linkSync(made, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(made, { force: true })
    }
  }
  const kept = readFileSync(file, 'utf8').trim()
  if (!SECRET_FORM.test(kept)) throw new Refusal(`${file} does not hold a key: remove it, and the demo company gets a new one`)
  return kept
}
