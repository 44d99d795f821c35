import { assert } from '../assert.ts'
import type { Move } from '../moves.ts'
import type { Tx } from './database.ts'
import { type AnyColumns, type Column, fixed, sqlName, type Table, type ValuesOf } from './table.ts'

const statements = new Map<string, TemplateStringsArray>()

/**
 * Makes a move with these rows of a table, and writes what goes with it; what is `undefined` stays as it was.
 * @throws Bug when one of them is not, or no longer, in a state that the move leaves: whoever decides on a row holds its lock.
 */
export async function transition<Columns extends AnyColumns, Written extends AnyColumns>(
  tx: Tx,
  table: Table<Columns, Written>,
  ids: readonly string[],
  move: Move,
  change: { readonly [Name in keyof (Columns & Written)]?: ValuesOf<Columns & Written>[Name] | undefined },
): Promise<void> {
  if (ids.length === 0) return
  const columns: Readonly<Record<string, Column<never>>> = { ...table.columns, ...table.written }
  const set = Object.entries(change).filter(([, value]) => value !== undefined)
  const key = `${table.name} ${set.map(([name]) => name).join()}`
  let statement = statements.get(key)
  if (!statement) {
    const assignments = set.map(([name]) => `, ${sqlName(name)} = `)
    statement = fixed([
      `update ${table.name} set status = `,
      ...assignments,
      ' where id = any(',
      '::uuid[]) and status = any(',
      '::text[])',
    ])
    statements.set(key, statement)
  }
  const values = set.map(([name, value]) => {
    const column = columns[name]
    assert(column, `${table.name} has no ${name}`)
    return column.send(value as never)
  })
  const moved = await tx.run(statement, move.to, ...values, ids, move.from)
  assert(
    moved === new Set(ids).size,
    `${move.name} moved ${moved} of ${ids.length} rows of ${table.name}, where it leaves ${move.from}`,
  )
}
