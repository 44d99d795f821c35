import pg from 'pg'
import { Failure, sqlStateOf } from '../errors.ts'
import { breaks, type Migration } from './migrations.ts'
import { newerThanCode, SchemaUnfit } from './schema-check.ts'
import { versionProblem } from './version.ts'

export type MigrateOptions = {
  /** Password of the login role `partita`, which is made when the URL's role may make roles. Without it the role is left alone. */
  readonly loginPassword?: string
  readonly onProgress?: (applied: string) => void
  /** Told the names of migrations that the database has had and that are none of ours: a newer release's, and none that breaks us. */
  readonly onUnknown?: (names: readonly string[]) => void
}

/**
 * Brings the database at `adminUrl` to the schema that `migrations` make, in their order; safe to run by several processes at once and when nothing is to do.
 *
 * Migrations are forward-only and each runs in a transaction of its own as `partita_owner`, waiting at most 300 ms for any lock, so
 * that a long reader never makes the whole bank queue behind a migration; a migration that cannot get its lock is tried again.
 * @throws Failure naming the migration that failed, or that a migration applied earlier has since been edited; SchemaUnfit when the database
 *   has had one that we do not know and that breaks code before it.
 */
export async function migrate(
  adminUrl: string,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'partita migrate' })
  await client.connect()
  try {
    const unfit = await versionProblem(client)
    if (unfit) throw new Failure(unfit, { retryable: false })
    await client.query(`select pg_advisory_lock(hashtext('partita migrate'))`)
    await prepareRoles(client, options.loginPassword)
    await client.query('set role partita_owner')
    const applied = await readApplied(client, migrations)
    reportUnknown(applied, migrations, options)
    const done: string[] = []
    for (const migration of migrations) {
      if (await isApplied(client, migration, applied)) continue
      await applyWithRetry(client, migration)
      done.push(migration.name)
      options.onProgress?.(migration.name)
    }
    return done
  } finally {
    await client.end()
  }
}

type Applied = { readonly name: string; readonly sql_md5: string; readonly breaks: boolean }

async function readApplied(client: pg.Client, migrations: readonly Migration[]): Promise<ReadonlyMap<string, Applied>> {
  await client.query(`
    create schema if not exists migration;
    create table if not exists migration.applied (
      name text primary key, sql_md5 text not null, applied_at timestamptz not null default now(), breaks boolean not null default true)`)
  const { rowCount: isRecorded } = await client.query(
    `select from pg_attribute where attrelid = 'migration.applied'::regclass and attname = 'breaks'`,
  )
  if (!isRecorded) {
    await client.query('alter table migration.applied add column breaks boolean not null default true')
    await client.query('update migration.applied set breaks = false where name = any($1)', [
      migrations.filter((migration) => breaks(migration) === false).map((migration) => migration.name),
    ])
  }
  // Every process looks whether the schema is the one that it knows.
  await client.query('grant usage on schema migration to partita_app, partita_system')
  await client.query('grant select on migration.applied to partita_app, partita_system')
  const { rows } = await client.query<Applied>('select name, sql_md5, breaks from migration.applied order by applied_at, name')
  return new Map(rows.map((row) => [row.name, row]))
}

function reportUnknown(applied: ReadonlyMap<string, Applied>, migrations: readonly Migration[], options: MigrateOptions): void {
  const known = new Set(migrations.map((migration) => migration.name))
  const unknown = [...applied.values()].filter(({ name }) => !known.has(name))
  const breaking = unknown.filter((migration) => migration.breaks)
  if (breaking.length > 0) throw new SchemaUnfit(newerThanCode(breaking.map(({ name }) => name)))
  if (unknown.length > 0) options.onUnknown?.(unknown.map(({ name }) => name))
}

async function isApplied(client: pg.Client, migration: Migration, applied: ReadonlyMap<string, Applied>): Promise<boolean> {
  const before = applied.get(migration.name)?.sql_md5
  if (before === undefined) return false
  const { rows } = await client.query<{ md5: string }>('select md5($1) as md5', [migration.sql])
  if (rows[0]?.md5 !== before) {
    throw new Failure(
      `migration ${migration.name} was edited after it was applied to this database: write a new migration, or start on an empty data folder`,
      { retryable: false },
    )
  }
  return true
}

const LOCK_NOT_AVAILABLE = '55P03'
const LOCK_TRIES = 20

async function applyWithRetry(client: pg.Client, migration: Migration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(`begin; set local lock_timeout = '300ms'`)
      await client.query(migration.sql)
      await client.query('insert into migration.applied (name, sql_md5, breaks) values ($1, md5($2), $3)', [
        migration.name,
        migration.sql,
        breaks(migration) ?? true,
      ])
      await client.query('commit')
      return
    } catch (error) {
      await client.query('rollback')
      if (sqlStateOf(error) === LOCK_NOT_AVAILABLE && attempt < LOCK_TRIES) continue
      throw new Failure(`migration ${migration.name} failed: ${error instanceof Error ? error.message : error}`, {
        cause: error,
        retryable: false,
      })
    }
  }
}

// `partita_ledger` owns the ledger's functions, and no login that serves may become it.
const ROLES = ['partita_owner', 'partita_app', 'partita_system', 'partita_ledger'] as const

/** Roles belong to the whole server, not to one database: they are made here, once, and not in a migration. */
async function prepareRoles(client: pg.Client, loginPassword: string | undefined): Promise<void> {
  const { rows } = await client.query<{ name: string; may_create: boolean }>(
    `select current_user as name, rolcreaterole or rolsuper as may_create from pg_roles where rolname = current_user`,
  )
  const me = rows[0]
  if (!me) throw new Failure('the database does not know who we are', { retryable: false })
  const wanted = await missingRights(client, me.name)
  try {
    // Two servers started together may both see a role missing; the second creation is then no error.
    for (const statement of wanted) await ignoreDuplicate(client.query(statement))
  } catch (error) {
    if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error
    throw new Failure(
      `role ${me.name} may not prepare this database. Ask its administrator to run, connected to it: ${wanted.join(' ')}`,
      { cause: error, retryable: false },
    )
  }
  if (me.may_create && loginPassword !== undefined) await prepareLogin(client, loginPassword)
}

/** What has to be run before `role` can migrate this database; nothing when it can. */
async function missingRights(client: pg.Client, role: string): Promise<string[]> {
  const missing = await missingRoles(client)
  const { rows } = await client.query<{ rolname: string }>(
    `select rolname from pg_roles where rolname = any($1) and pg_has_role(current_user, oid, 'set')`,
    [ROLES],
  )
  const notMine = ROLES.filter((name) => !rows.some((row) => row.rolname === name))
  const statements = missing.map((name) => `create role ${name} nologin nosuperuser nobypassrls;`)
  if (notMine.length > 0)
    statements.push(`grant ${notMine.join(', ')} to ${client.escapeIdentifier(role)} with set true, inherit true;`)
  const { rows: databases } = await client.query<{ name: string; is_ours: boolean }>(
    `select datname as name, coalesce((select has_database_privilege(oid, current_database(), 'create') from pg_roles where rolname = 'partita_owner'), false) as is_ours
       from pg_database where datname = current_database()`,
  )
  const [database] = databases
  if (database && !database.is_ours)
    statements.push(`grant create on database ${client.escapeIdentifier(database.name)} to partita_owner;`)
  return statements
}

async function missingRoles(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [ROLES])
  return ROLES.filter((role) => !rows.some((row) => row.rolname === role))
}

async function prepareLogin(client: pg.Client, password: string): Promise<void> {
  await ignoreDuplicate(client.query('create role partita login nosuperuser nobypassrls'))
  await client.query(`alter role partita password ${client.escapeLiteral(password)}`)
  await client.query('grant partita_app, partita_system to partita with set true, inherit false')
}

const INSUFFICIENT_PRIVILEGE = '42501'
const DUPLICATE_OBJECT = '42710'
const UNIQUE_VIOLATION = '23505'

async function ignoreDuplicate(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (![DUPLICATE_OBJECT, UNIQUE_VIOLATION].includes(sqlStateOf(error) ?? '')) throw error
  }
}
