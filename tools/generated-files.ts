import { join } from 'node:path'
import { MODULES } from '../server/src/modules.ts'

const ROOT = join(import.meta.dirname, '..')

/** The schema that all migrations together make. */
export const SCHEMA_FILE = join(ROOT, 'server/schema.sql')

/** What the bank publishes, for whoever listens. */
export const EVENTS_FILE = join(ROOT, 'docs/events.md')

/** One recorded event of every kind, `<type>.json`. */
export const EVENT_EXAMPLES_FOLDER = join(ROOT, 'api/events')

/** Kysely's types of the tables: each schema's where its own code reads them, and nobody else's. */
export const SCHEMA_TYPES: readonly { readonly schema: string; readonly file: string }[] = [
  { schema: 'platform', file: join(ROOT, 'server/src/platform/postgres/schema-types.ts') },
  ...MODULES.map(({ name }) => ({ schema: name, file: join(ROOT, `server/src/modules/${name}/schema-types.ts`) })),
]

/** What kysely-codegen is told for one of them. */
export const codegenOptions = (url: string, { schema, file }: (typeof SCHEMA_TYPES)[number]): string[] => [
  ...['--dialect', 'postgres', '--url', url, '--include-pattern', `${schema}.*`, '--out-file', file, '--log-level', 'error'],
]
