import { type TSchema, Type } from 'typebox'
import type { Tx } from '../postgres/database.ts'
import { ok, type Result, refuse } from '../result.ts'
import type { ApiError } from './api-error.ts'
import { JsonText, jsonOf } from './json-text.ts'
import {
  type Access,
  type Operation,
  operation,
  type Query,
  type Refusal,
  type Refusals,
  type RequestContext,
} from './operation.ts'
import { MetaSchema, metaOf, offsetOf, type Paging } from './paging.ts'

/** One page of a list, and how many rows the whole of it has. */
export type Page<Row> = { readonly rows: readonly Row[]; readonly count: bigint }

/** Which rows of the list are wanted. */
export type PageRange = { readonly limit: number; readonly offset: number }

type ListDeclaration<Q extends Paging, Row, R extends Refusal> = {
  readonly id: string
  readonly route: `GET /${string}`
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: Access
  /** The name that the rows stand under, beside `meta`. */
  readonly rows: string
  readonly row: TSchema
  readonly query: Query<Q>
  /** What is wrong with parameters that are each right by themselves. */
  readonly check?: (query: Q) => readonly ApiError[]
  /** The count and the rows speak of one moment, at the price of a snapshot. */
  readonly snapshot?: true
  readonly page: (tx: Tx, ctx: RequestContext, query: Q, range: PageRange) => Promise<Result<Page<Row>, R>>
  readonly toWire: (row: Row, query: Q) => object
  readonly refusals: Refusals<NoInfer<R>, Q>
}

/** A list with pages: the same envelope, paging and transaction for all of them. */
export const list = <Q extends Paging, Row, R extends Refusal>(declared: ListDeclaration<Q, Row, R>): Operation => {
  const { rows, row, query, check, page, toWire, snapshot = false, ...rest } = declared
  return operation<TSchema, Q, Q, Page<Row>, R>({
    ...rest,
    sca: 'none',
    idempotency: 'none',
    audit: 'none',
    query,
    answer: Type.Object({ [rows]: Type.Array(row), meta: MetaSchema }),
    read: (wire) => {
      const problems = check?.(wire.query) ?? []
      return problems.length > 0 ? refuse(problems) : ok(wire.query)
    },
    run: (ctx, asked) => {
      const range = { limit: asked.per_page, offset: offsetOf(asked) }
      return ctx.database.read(ctx.actor, (tx) => page(tx, ctx, asked, range), { snapshot, pipelined: true })
    },
    write: (found, asked) => {
      const written = found.rows.map((one) => jsonOf(toWire(one, asked)))
      return new JsonText(`{"${rows}":[${written.join()}],"meta":${JSON.stringify(metaOf(asked, found.count))}}`)
    },
  })
}
