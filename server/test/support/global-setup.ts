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
  process.env.PARTITA_TEST_CLUSTER_URL = cluster.adminUrl
  return cluster.remove
}
