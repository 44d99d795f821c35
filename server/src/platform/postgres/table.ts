import type { LocalDate } from '../clock.ts'
import type { Id } from '../ids.ts'
import type { Tx } from './database.ts'

/** How one column is kept: its SQL type, whether it may be null, and how a value of ours is sent. */
export type Column<T> = {
  readonly sqlType: string
  readonly isNullable: boolean
  readonly send: (value: T) => unknown
}

export type AnyColumns = Readonly<Record<string, Column<never>>>
type ValueOf<C> = C extends { readonly send: (value: infer T) => unknown } ? T : never

export type ValuesOf<Columns> = { [Name in keyof Columns]: ValueOf<Columns[Name]> }

/** The rows of a table, as they are read and inserted. */
export type RowOf<T> = T extends { readonly columns: infer Columns } ? ValuesOf<Columns> : never

const column = <T>(sqlType: string, send: (value: T) => unknown = (value) => value): Column<T> => ({
  sqlType,
  isNullable: false,
  send,
})

/** An id of this kind: `uuid<'transfer'>()`, or of a brand of its own: `uuid<LedgerAccountId>()`. */
export const uuid = <Kind extends string = string>(): Column<
  NoInfer<string extends Kind ? string : Kind extends Id<string> ? Kind : Id<Kind>>
> => column('uuid')
export const text = <T extends string = string>(): Column<NoInfer<T>> => column('text')
export const integer = <T extends number = number>(): Column<NoInfer<T>> => column('int4')
export const boolean = (): Column<boolean> => column('bool')
/** An amount in minor units. */
export const minor = (): Column<bigint> => column('int8')
export const instant = (): Column<Date> => column('timestamptz', (value) => value.toISOString()) // pg would write the machine's time zone
export const date = (): Column<LocalDate> => column('date')
export const json = <T>(): Column<NoInfer<T>> => column('jsonb', (value) => JSON.stringify(value))
export const nullable = <T>({ sqlType, send }: Column<T>): Column<NoInfer<T> | null> => ({
  sqlType,
  isNullable: true,
  send: (value) => (value === null ? null : send(value as T)),
})

export type TableOptions<Written> = {
  /** Columns that are written by moves and by statements of their own, and not part of the row. */
  readonly written?: Written
  /** Columns that an insert fills from SQL, which may name the row's columns as SQL has them: `{ updated_at: 'created_at' }`. */
  readonly filled?: Readonly<Record<string, string>>
}

/**
 * A table's columns, written once: the type of its rows, the list that selects them and the insert of many. Everything that it sends is
 * a fixed text, so PostgreSQL plans it once per connection; statements worth reading stay hand-written beside it. A test holds each
 * table against the migrated schema.
 */
export class Table<Columns extends AnyColumns, Written extends AnyColumns = Record<never, never>> {
  readonly name: string
  readonly columns: Columns
  readonly written: Written
  readonly filled: Readonly<Record<string, string>>
  /** `id, organization_id as "organizationId", …`: for a select that this class does not write. */
  readonly list: string
  readonly #selects = new WeakMap<TemplateStringsArray, TemplateStringsArray>()
  readonly #inserts = new Map<string, TemplateStringsArray>()

  constructor(name: string, columns: Columns, { written, filled = {} }: TableOptions<Written>) {
    this.name = name
    this.columns = columns
    this.written = written ?? ({} as Written)
    this.filled = filled
    this.list = Object.keys(columns)
      .map((key) => (key === sqlName(key) ? key : `${sqlName(key)} as "${key}"`))
      .join(', ')
  }

  /** The rows that what follows leaves: ``transfers.select(tx)`where status = ${'pending'} order by id for update` ``. */
  select(tx: Tx): (rest: TemplateStringsArray, ...values: unknown[]) => Promise<RowOf<this>[]> {
    return (rest, ...values) => {
      let statement = this.#selects.get(rest)
      if (!statement) {
        statement = fixed([`select ${this.list} from ${this.name} ${rest[0]}`, ...rest.slice(1)])
        this.#selects.set(rest, statement)
      }
      return tx.rows<RowOf<this>>(statement, ...values)
    }
  }

  /**
   * One statement for any number of rows. @param onConflict what to do with rows that stand there already, a fixed text; without, they
   * are an error. @returns how many were inserted.
   */
  insert(tx: Tx, rows: readonly RowOf<this>[], onConflict: '' | `on conflict ${string}` = ''): Promise<number> {
    const columns: [string, Column<never>][] = Object.entries(this.columns)
    let statement = this.#inserts.get(onConflict)
    if (!statement) {
      const names = columns.map(([key]) => sqlName(key)).join(', ')
      const alsoInto = Object.keys(this.filled).map((name) => `, ${name}`)
      const alsoFrom = Object.values(this.filled).map((sql) => `, ${sql}`)
      const casts = columns.map(([, { sqlType }], index) => `::${sqlType}[]${index < columns.length - 1 ? ', ' : ''}`)
      const before = `insert into ${this.name} (${names}${alsoInto.join('')}) select ${names}${alsoFrom.join('')} from unnest(`
      statement = fixed([before, ...casts.slice(0, -1), `${casts.at(-1)}) as r(${names}) ${onConflict}`])
      this.#inserts.set(onConflict, statement)
    }
    const values = columns.map(([key, { send }]) => rows.map((row) => send((row as Record<string, never>)[key] as never)))
    return tx.run(statement, ...values)
  }
}

/** @param name with its schema, which is the module's own. @param columns as the code calls them, camelCase, in any order. */
export function table<Columns extends AnyColumns, Written extends AnyColumns = Record<never, never>>(
  name: `${string}.${string}`,
  columns: Columns,
  options: TableOptions<Written> = {},
): Table<Columns, Written> {
  const made = new Table(name, columns, options)
  declared.push(made as unknown as Table<AnyColumns, AnyColumns>)
  return made
}

const declared: Table<AnyColumns, AnyColumns>[] = []

/** All tables that have been declared so far, for the test that holds them against the schema. */
export const declaredTables = (): readonly Table<AnyColumns, AnyColumns>[] => declared

/** `amountMinor` → `amount_minor`. */
export const sqlName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** A text with places for values, as a template literal makes it: `Tx` prepares each once. */
export const fixed = (parts: readonly string[]): TemplateStringsArray => Object.assign([...parts], { raw: parts })
