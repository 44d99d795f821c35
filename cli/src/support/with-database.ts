import { createHash } from 'node:crypto'
import { partita } from '../../../server/src/bank.ts'
import { type Database, isConnectionLoss, openDatabase } from '../../../server/src/platform/postgres/database.ts'
import type { EmbeddedServer } from '../../../server/src/platform/postgres/embedded.ts'
import { migrate } from '../../../server/src/platform/postgres/migrate.ts'
import { dataFolder } from './data-folder.ts'
import { leaseDatabase } from './database-lease.ts'
import { endWhenInterrupted } from './interruption.ts'
import { Refusal } from './refusal.ts'

export type WithDatabaseOptions = {
  /** `--data` as given, see `dataFolder`. */
  readonly data?: string | undefined
  /** Shown in `pg_stat_activity`: `partita verify`. */
  readonly applicationName: string
  /** Connections per role, default 10. */
  readonly poolSize?: number
  /** Longest single statement; default 0, no limit: commands prove and import whole books. */
  readonly statementTimeoutMs?: number
  /** What is being waited for: print it on stderr. */
  readonly onProgress?: (message: string) => void
}

/** A migrated database, ready for use. */
export type OpenDatabase = {
  readonly database: Database
  /** Login of the application, which may become `partita_app` and `partita_system`: what the server is given as DATABASE_URL. */
  readonly url: string
  /** Login that owns the database: migrations, statistics. With DATABASE_URL set it is that same URL. */
  readonly adminUrl: string
  readonly dataDirectory: string
}

/**
 * Runs `work` on the bank's database: DATABASE_URL when it is set, else the PostgreSQL of the data folder, which is joined where it
 * runs already and otherwise started, and stopped by whoever leaves last. Migrates first.
 * @throws Refusal or Failure whose message says what to do.
 */
export async function withDatabase<T>(options: WithDatabaseOptions, work: (opened: OpenDatabase) => Promise<T>): Promise<T> {
  const dataDirectory = dataFolder(options.data)
  const opening = openUrls(dataDirectory, options.onProgress ?? (() => {}))
  const interruption = endWhenInterrupted(() => opening.then((opened) => opened.release()))
  try {
    const opened = await opening
    const database = openDatabase({
      url: opened.url,
      applicationName: options.applicationName,
      poolSize: options.poolSize ?? 10,
      acquireTimeoutMs: 30_000,
      statementTimeoutMs: options.statementTimeoutMs ?? 0,
    })
    try {
      return await work({ database, url: opened.url, adminUrl: opened.adminUrl, dataDirectory })
    } finally {
      await database.close()
      await opened.release()
    }
  } finally {
    await interruption.isOver()
  }
}

export type DatabaseUrls = {
  readonly url: string
  readonly adminUrl: string
  /** Undefined with DATABASE_URL: then the server is none of ours. */
  readonly server?: EmbeddedServer
  release(): Promise<void>
}

/** The same without a pool: for `partita start`, which gives the URL to other processes. */
export async function openUrls(dataDirectory: string, onProgress: (message: string) => void): Promise<DatabaseUrls> {
  const given = process.env.DATABASE_URL
  if (given) {
    requireForm(given)
    await migrate(given, partita.migrations(), telling(onProgress)).catch(explainConnection)
    return { url: given, adminUrl: given, release: async () => {} }
  }
  const lease = await leaseDatabase(dataDirectory, onProgress)
  try {
    const { adminUrl } = lease.server
    const url = loginUrl(adminUrl)
    await migrate(adminUrl, partita.migrations(), { loginPassword: url.password, ...telling(onProgress) })
    return { url: url.href, adminUrl, server: lease.server, release: lease.release }
  } catch (error) {
    await lease.release()
    throw error
  }
}

const telling = (onProgress: (message: string) => void) => ({
  onProgress: (name: string) => onProgress(`migrating: ${name}`),
  onUnknown: (names: readonly string[]) => onProgress(`the database has had migrations of a newer release: ${names.join(', ')}`),
})

function requireForm(url: string): void {
  if (!/^postgres(ql)?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
    throw new Refusal('DATABASE_URL is not a URL that starts with postgres: or postgresql:')
}

/** Says whose fault a refused connection is. The URL holds a password, so it is not repeated. */
function explainConnection(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  if (!isConnectionLoss(error) && !LOGIN_REFUSED.has(code ?? '')) throw error
  throw new Refusal(`the database of DATABASE_URL cannot be used (${message || code}): is it running, and is the URL right?`)
}

// Wrong password, no such role, no such database; and a host name that nobody knows.
const LOGIN_REFUSED = new Set(['28P01', '28000', '3D000', 'ENOTFOUND', 'EAI_AGAIN'])

/** The application's login has a password of its own, from which the superuser's cannot be found. */
function loginUrl(adminUrl: string): URL {
  const url = new URL(adminUrl)
  url.username = 'partita'
  url.password = createHash('sha256').update(`partita login ${url.password}`).digest('base64url')
  return url
}
