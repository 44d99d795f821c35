import { type CompiledQuery, DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Tx } from './database.ts'
import type { DB } from './schema-types.ts'

/**
 * Builds queries whose conditions depend on the request (optional filters, sort orders), typed by the migrated schema.
 * It only compiles: what it makes runs on our own `Tx` through `rowsOf`.
 */
export const build = new Kysely<DB>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

/** Runs a query made with `build` and gives its rows. */
export const rowsOf = <Row>(tx: Tx, query: { compile(): CompiledQuery<Row> }): Promise<Row[]> => {
  const { sql, parameters } = query.compile()
  return tx.query<Row>(sql, parameters)
}
