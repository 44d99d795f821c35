import { systemActor } from '../actor.ts'
import { Failure, sqlStateOf } from '../errors.ts'
import type { Logger } from '../logging.ts'
import type { Database } from './database.ts'
import type { Migration } from './migrations.ts'

/** The code and the database's schema do not know each other. Trying again does not help: one of them must be brought to the other's release. */
export class SchemaUnfit extends Failure {
  override name = 'SchemaUnfit'

  constructor(problem: string) {
    super(problem, { retryable: false })
  }
}

// No such table, schema or column, or no right to read it: nobody has migrated this database, or only a release that did not record this.
const NOT_OURS = new Set(['42P01', '3F000', '42703', '42501'])

/**
 * Why code that knows `migrations` must not serve on this database: one of them is missing, or the database has had one that it does not
 * know and that breaks code before it. Others that it does not know are a newer release's, which is about to replace it: it goes on.
 * @returns nothing when it may serve.
 */
export async function schemaProblem(database: Database, migrations: readonly Migration[]): Promise<string | undefined> {
  let applied: { name: string; breaks: boolean }[]
  try {
    applied = await database.read(
      systemActor('platform.schema'),
      (tx) => tx.rows<{ name: string; breaks: boolean }>`select name, breaks from migration.applied order by applied_at, name`,
    )
  } catch (error) {
    if (!NOT_OURS.has(sqlStateOf(error) ?? '')) throw error
    return `the database has not been migrated by this release: ${MIGRATE}`
  }
  const names = new Set(applied.map((row) => row.name))
  const missing = migrations.filter((migration) => !names.has(migration.name)).map((migration) => migration.name)
  if (missing.length > 0) return `the database is older than this release and lacks ${namesOf(missing)}: ${MIGRATE}`
  const known = new Set(migrations.map((migration) => migration.name))
  const breaking = applied.filter((row) => row.breaks && !known.has(row.name)).map((row) => row.name)
  return breaking.length > 0 ? newerThanCode(breaking) : undefined
}

const MIGRATE = 'run `node server/src/main.ts migrate` first'

export const newerThanCode = (breaking: readonly string[]): string =>
  `a newer release has changed the database in a way that this one does not know, by ${namesOf(breaking)}: run the newer release`

const NAMED_MAX = 5

const namesOf = (names: readonly string[]): string =>
  names.length > NAMED_MAX ? `${names.slice(0, NAMED_MAX).join(', ')} and ${names.length - NAMED_MAX} more` : names.join(', ')

export type SchemaWatchOptions = {
  readonly database: Database
  readonly migrations: readonly Migration[]
  readonly logger: Logger
  /** How often it looks, default 5,000 ms: a probe itself asks nothing. */
  readonly everyMs?: number
}

/** Notices when somebody migrates the database under a running process. */
export class SchemaWatch {
  readonly #options: SchemaWatchOptions
  readonly #timer: NodeJS.Timeout
  #problem: string | undefined

  constructor(options: SchemaWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.look().catch(() => {}), options.everyMs ?? 5_000) // that the database is away is said elsewhere
    this.#timer.unref()
  }

  /** Why this process should get no more work; undefined when it may. */
  get problem(): string | undefined {
    return this.#problem
  }

  async look(): Promise<void> {
    const problem = await schemaProblem(this.#options.database, this.#options.migrations)
    if (problem !== undefined && problem !== this.#problem)
      this.#options.logger.error('the schema does not fit this release', new SchemaUnfit(problem))
    if (problem === undefined && this.#problem !== undefined) this.#options.logger.info('the schema fits this release again')
    this.#problem = problem
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
