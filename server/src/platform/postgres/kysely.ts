import { type CompiledQuery, DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Tx } from './database.ts'

/**
 * Builds queries whose conditions depend on the request (optional filters, sort orders), typed by the tables of one schema: a module
 * gives its own generated `DB`, so that reading another module's table does not compile. It only compiles: what it makes runs on our own
 * `Tx` through `rowsOf`.
 */
export const queryBuilder = <Tables>(): Kysely<Tables> =>
  new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })

/** Runs a query made with a `queryBuilder` and gives its rows. */
export const rowsOf = <Row>(tx: Tx, query: { compile(): CompiledQuery<Row> }): Promise<Row[]> => {
  const { sql, parameters } = query.compile()
  return tx.query<Row>(sql, parameters)
}

/** Runs fixed text around such a query, which stands in its place. */
export const rowsAround = <Row>(tx: Tx, query: { compile(): CompiledQuery }, around: (sql: string) => string): Promise<Row[]> => {
  const { sql, parameters } = query.compile()
  return tx.query<Row>(around(sql), parameters)
}
