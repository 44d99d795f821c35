import type pg from 'pg'
import { assert } from '../assert.ts'

/** A statement with its values; prepared under its name, or for this once when it has none. */
export type Statement = { readonly name: string; readonly text: string; readonly values: readonly unknown[] }

/** What came of a statement: its rows, and how many it touched. */
export type Answer = { readonly rows: Record<string, unknown>[]; readonly count: number }

type Field = { readonly name: string; readonly dataTypeID: number }
type Column = { readonly name: string; readonly parse: (text: string) => unknown }

/** What we use of `pg`'s connection. */
type Wire = {
  readonly stream: { write(bytes: Buffer): void }
  readonly parsedStatements: Record<string, string>
  close(message: { readonly type: 'S'; readonly name: string }): void
  parse(message: { readonly name: string; readonly text: string }): void
  bind(message: { readonly statement: string; readonly values: readonly (string | Buffer | null)[] }): void
  describe(message: { readonly type: 'P'; readonly name: string }): void
  execute(message: { readonly portal: string }): void
  sync(): void
}

/** What is known of the statements prepared on a connection. */
type Prepared = {
  /** By name: the columns of a statement that has been described. */
  readonly columns: Map<string, readonly Column[]>
  /** Whose preparation was under way when something failed: the server may know them or not. */
  readonly uncertain: Set<string>
}

const preparedOn = new WeakMap<object, Prepared>()

function preparedOf(wire: object): Prepared {
  let prepared = preparedOn.get(wire)
  if (!prepared) {
    prepared = { columns: new Map(), uncertain: new Set() }
    preparedOn.set(wire, prepared)
  }
  return prepared
}

type Asked = {
  readonly statement: Statement
  readonly values: readonly (string | Buffer | null)[]
  readonly isNew: boolean
  columns: readonly Column[] | undefined
  readonly rows: Record<string, unknown>[]
  count: number
}

function ask(wire: Wire, { uncertain }: Prepared, { statement: { name, text }, values, isNew, columns }: Asked): void {
  if (isNew) {
    if (uncertain.delete(name)) wire.close({ type: 'S', name })
    wire.parse({ name, text })
  }
  wire.bind({ statement: name, values })
  if (!columns) wire.describe({ type: 'P', name: '' })
  wire.execute({ portal: '' })
}

/**
 * Statements that are sent together, in one round trip: one transaction, unless one is open around them. PostgreSQL ends what was begun
 * by the first at the `Sync` behind the last, so what `set_config(…, true)` says in the first holds for the others and for nobody after.
 * `pg` gives it a query's place in its queue (`pg.Submittable`), time limits included.
 */
export class Pipeline {
  /** Set by `pg`, which ends its time limit with it. */
  callback: ((error: Error | null, answers?: readonly Answer[]) => void) | undefined
  readonly answers: Promise<readonly Answer[]>
  readonly #settle: { resolve(answers: readonly Answer[]): void; reject(error: unknown): void }
  readonly #statements: readonly Statement[]
  readonly #parserOf: (oid: number) => Column['parse']
  readonly #asked: Asked[] = []
  #prepared: Prepared | undefined
  #at = 0
  #error: unknown

  constructor(statements: readonly Statement[], parserOf: (oid: number) => Column['parse']) {
    this.#statements = statements
    this.#parserOf = parserOf
    const { promise, resolve, reject } = Promise.withResolvers<readonly Answer[]>()
    this.answers = promise
    this.#settle = { resolve, reject }
    this.callback = (error, answers) => (error ? reject(error) : resolve(answers ?? []))
  }

  submit(connection: pg.Connection): Error | null {
    const wire = connection as unknown as Wire
    const prepared = preparedOf(wire)
    this.#prepared = prepared
    try {
      for (const statement of this.#statements) {
        const columns = prepared.columns.get(statement.name)
        const isNew = wire.parsedStatements[statement.name] === undefined
        this.#asked.push({ statement, values: statement.values.map(textOf), isNew, columns, rows: [], count: 0 })
      }
    } catch (error) {
      return error as Error
    }
    // `pg` writes each message by itself, and a system call costs more than all of them together: they are gathered first.
    const messages: Buffer[] = []
    const gathering: Wire = Object.create(wire, { _send: { value: (message: Buffer) => messages.push(message) } })
    for (const asked of this.#asked) ask(gathering, prepared, asked)
    gathering.sync()
    wire.stream.write(Buffer.concat(messages))
    return null
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    const asked = this.#current()
    asked.columns = fields.map(({ name, dataTypeID }) => ({ name, parse: this.#parserOf(dataTypeID) }))
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const { columns, rows } = this.#current()
    if (!columns || this.#error !== undefined) return
    const row: Record<string, unknown> = {}
    try {
      for (let index = 0; index < columns.length; index++) {
        const { name, parse } = columns[index] as Column
        const text = fields[index]
        row[name] = text === null || text === undefined ? null : parse(text)
      }
    } catch (error) {
      this.#error = error
    }
    rows.push(row)
  }

  handleCommandComplete({ text }: { readonly text: string }, connection: pg.Connection): void {
    const asked = this.#current()
    const { name, text: sql } = asked.statement
    if (name !== '') {
      ;(connection as unknown as Wire).parsedStatements[name] = sql
      this.#prepared?.columns.set(name, asked.columns ?? [])
    }
    asked.count = Number(/\d+$/.exec(text)?.[0] ?? 0)
    this.#at++
  }

  handleEmptyQuery(): void {
    this.#at++
  }

  handleError(error: unknown): void {
    const asked = this.#asked[this.#at]
    if (asked) {
      this.#prepared?.columns.delete(asked.statement.name)
      if (asked.isNew && asked.statement.name !== '') this.#prepared?.uncertain.add(asked.statement.name)
    }
    this.#settle.reject(error)
    this.callback?.(error as Error)
  }

  handleReadyForQuery(): void {
    if (this.#error !== undefined) this.handleError(this.#error)
    else this.callback?.(null, this.#asked)
    this.#settle.resolve(this.#asked)
  }

  #current(): Asked {
    const asked = this.#asked[this.#at]
    assert(asked, 'the database answered more statements than it was sent')
    return asked
  }
}

/** A value as PostgreSQL reads it; bytes stay bytes. */
export function textOf(value: unknown): string | Buffer | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return `{${value.map(elementOf).join()}}`
  assert(
    typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean',
    'not a value that a statement takes',
  )
  return String(value)
}

function elementOf(value: unknown): string {
  const text = textOf(value)
  if (text === null) return 'NULL'
  if (typeof text !== 'string') return `"\\\\x${text.toString('hex')}"`
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
