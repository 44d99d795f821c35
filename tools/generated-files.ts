import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** The schema that all migrations together make. */
export const SCHEMA_FILE = join(ROOT, 'server/schema.sql')

/** Kysely's types of the tables. */
export const SCHEMA_TYPES_FILE = join(ROOT, 'server/src/platform/postgres/schema-types.ts')

/** What the bank publishes, for whoever listens. */
export const EVENTS_FILE = join(ROOT, 'docs/events.md')

/** One recorded event of every kind, `<type>.json`. */
export const EVENT_EXAMPLES_FOLDER = join(ROOT, 'api/events')
