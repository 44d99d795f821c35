import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { Database } from '../../src/platform/postgres/database.ts'

/** Set by global-setup.ts: a cluster with a migrated database `partita_template`. */
const CLUSTER_URL = 'PARTITA_TEST_CLUSTER_URL'

export type TestDatabase = {
  readonly name: string
  /** URL of a login that may do what the application may. */
  readonly url: string
  /** URL of the cluster's superuser, on this database. */
  readonly adminUrl: string
  readonly database: Database
  /** Superuser connection pool: row-level security does not apply to it. */
  readonly admin: pg.Pool
  /** Lets go of it. */
  close(): Promise<void>
  drop(): Promise<void>
}

/** A clone of the migrated template, for one test file: real PostgreSQL, nothing shared with other files. Takes about 50 ms. */
export async function createTestDatabase(options: { poolSize?: number; template?: string } = {}): Promise<TestDatabase> {
  const cluster = clusterUrl()
  const name = `test_${randomBytes(6).toString('hex')}`
  await onCluster(cluster, `create database ${name} template ${options.template ?? 'partita_template'}`)
  const adminUrl = withDatabaseName(cluster, name)
  const url = withLogin(adminUrl, 'partita')
  const database = new Database({ url, applicationName: name, poolSize: options.poolSize ?? 10, acquireTimeoutMs: 10_000 })
  const admin = new pg.Pool({ connectionString: adminUrl, max: 4 })
  // `drop` may end a connection that is still saying goodbye; nobody else would hear it then.
  admin.on('error', () => {}).on('connect', (client) => client.on('error', () => {}))
  const close = async () => {
    await Promise.all([database.close(), admin.end()])
  }
  const drop = async () => {
    await close()
    await onCluster(cluster, `drop database ${name} with (force)`)
  }
  return { name, url, adminUrl, database, admin, close, drop }
}

/** The superuser's way to the cluster of this run. */
export function clusterUrl(): string {
  const url = process.env[CLUSTER_URL]
  if (url) return url
  throw new Error(`${CLUSTER_URL} is not set: run this test through vitest, whose global setup starts PostgreSQL`)
}

/** The cluster's login `partita` has the superuser's password: see `migrate`'s option in global-setup.ts. */
function withLogin(url: string, user: string): string {
  const changed = new URL(url)
  changed.username = user
  return changed.toString()
}

function withDatabaseName(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.toString()
}

async function onCluster(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
