import type { CommandContext } from './actor.ts'
import type { NewEvent } from './events/definition.ts'
import type { Tx } from './postgres/database.ts'

/**
 * One kind of row, written for many commands in one statement. A value with identity that the module which owns the table exports; whoever
 * executes commands together calls each writer once, whatever mix of commands that is.
 */
export type Writer<Row> = {
  readonly name: string
  /** @returns what is to be published of the rows: together with the commands' own events, in one statement. */
  readonly write: WriteRows<Row, readonly NewEvent[]>
  /** Writers whose rows these rows point to: they are called before. */
  readonly after: readonly AnyWriter[]
}

type WriteRows<Row, Written> = (ctx: CommandContext, tx: Tx, rows: readonly Row[]) => Promise<Written>

export type AnyWriter = Writer<never>

/** Rows that others hear of through the command's own events, if at all. */
export const writer = <Row>(name: string, write: WriteRows<Row, unknown>, after: readonly AnyWriter[] = []): Writer<Row> => ({
  name,
  write: async (ctx, tx, rows) => {
    await write(ctx, tx, rows)
    return []
  },
  after,
})

/** Rows that are published whoever writes them: `write` answers with their events, and publishes none itself. */
export const publishingWriter = <Row>(
  name: string,
  write: WriteRows<Row, readonly NewEvent[]>,
  after: readonly AnyWriter[] = [],
): Writer<Row> => ({ name, write, after })

/** Rows that one command wants written. */
export type Write = { readonly by: AnyWriter; readonly rows: readonly unknown[] }

export const write = <Row>(by: Writer<Row>, rows: readonly Row[]): Write => ({ by, rows })

/** Calls each writer once with all rows, in the order of the writes, but none before those that it must come after. @returns what is to be published. */
export async function writeAll(ctx: CommandContext, tx: Tx, writes: readonly Write[]): Promise<NewEvent[]> {
  const rowsOf = new Map<AnyWriter, unknown[]>()
  for (const { by, rows } of writes) {
    if (rows.length === 0) continue
    const known = rowsOf.get(by)
    if (known) for (const row of rows) known.push(row)
    else rowsOf.set(by, [...rows])
  }
  const inOrder = [...rowsOf.keys()].sort((a, b) => depthOf(a) - depthOf(b))
  const events: NewEvent[] = []
  for (const by of inOrder) events.push(...(await by.write(ctx, tx, rowsOf.get(by) as never[])))
  return events
}

const depthOf = (one: AnyWriter): number => 1 + Math.max(0, ...one.after.map(depthOf))
