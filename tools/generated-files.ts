import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** The schema that all migrations together make. */
export const SCHEMA_FILE = join(ROOT, 'server/schema.sql')

/** Kysely's types of the tables. */
export const SCHEMA_TYPES_FILE = join(ROOT, 'server/src/platform/postgres/schema-types.ts')
