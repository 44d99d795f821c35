import pg from 'pg'
import { partita } from '../../src/bank.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { startTestCluster } from './cluster.ts'

/**
 * One PostgreSQL for the whole run, holding the migrated database `partita_template` that `createTestDatabase` clones.
 * The login `partita` gets the superuser's password, so that one URL names both.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const cluster = await startTestCluster()
  const template = new URL(cluster.adminUrl)
  template.pathname = '/partita_template'
  const client = new pg.Client({ connectionString: cluster.adminUrl })
  await client.connect()
  await client.query('create database partita_template')
  await client.end()
  await migrate(template.href, partita.migrations(), { loginPassword: template.password })
  await liveAtAnyTime(template.href)
  process.env.PARTITA_TEST_CLUSTER_URL = cluster.adminUrl
  return cluster.remove
}

/** Tests bring their own time, which the database's clock knows nothing of. How far ahead one may be is for a test to set. */
async function liveAtAnyTime(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`update platform.bank_clock set ahead_max = '1000 years'`)
  await client.end()
}
