import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Migration = { readonly name: string; readonly sql: string }

/** A folder of migrations, and the name that they are known by for ever: `ledger/0001_books.sql`. */
export type MigrationFolder = { readonly name: string; readonly folder: string }

export const PLATFORM_MIGRATIONS: MigrationFolder = { name: 'platform', folder: join(import.meta.dirname, '../migrations') }

/** The migrations of one folder, in the order they are applied. */
export function migrationsIn({ name, folder }: MigrationFolder): Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({ name: `${name}/${file}`, sql: readFileSync(join(folder, file), 'utf8') }))
}

const FIRST_LINE =
  /^-- (?<number>\d{4}): .+[^.]\. (?<effect>Not breaking|Breaks [^.]+)(?:(?:, but|:) [^.]+)?\.(?: Holds [^.]+\.)?$/

/**
 * Whether code that does not know a migration may go on when it has been applied, as the migration's first line says:
 * `-- 0007: what is now true. Not breaking.`, `… Not breaking, but it holds the feed while it counts.`, `… Not breaking: old rows have none.` or `… Breaks importing by code before it.`
 * @returns undefined when the first line says neither.
 */
export function breaks({ name, sql }: Migration): boolean | undefined {
  const { number, effect } = FIRST_LINE.exec(sql.slice(0, sql.indexOf('\n')))?.groups ?? {}
  return number === undefined || number !== /\/(\d{4})_/.exec(name)?.[1] ? undefined : effect !== 'Not breaking'
}
