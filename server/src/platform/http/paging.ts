import { Type } from 'typebox'
import { named } from './openapi.ts'

/** Which part of a list is wanted; pages count from 1. */
export type Paging = { readonly page: number; readonly per_page: number }

/** The six keys that stand beside every list (qonto-api.md §5.6). */
export type Meta = {
  readonly current_page: number
  readonly next_page: number | null
  readonly prev_page: number | null
  readonly total_pages: number
  readonly total_count: number
  readonly per_page: number
}

/** A page past the end is an empty list whose previous page is the last one. */
export function metaOf(paging: Paging, totalCount: bigint): Meta {
  const total = Number(totalCount) // rows of one list: far below 2^53
  const totalPages = Math.ceil(total / paging.per_page)
  return {
    current_page: paging.page,
    next_page: paging.page < totalPages ? paging.page + 1 : null,
    prev_page: Math.min(paging.page - 1, totalPages) || null,
    total_pages: totalPages,
    total_count: total,
    per_page: paging.per_page,
  }
}

export const offsetOf = (paging: Paging): number => (paging.page - 1) * paging.per_page

const pageNumber = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description })

export const MetaSchema = named(
  'Meta',
  Type.Object(
    {
      current_page: Type.Integer({ description: 'The page asked for, from 1.' }),
      next_page: pageNumber('Null on the last page.'),
      prev_page: pageNumber('Null on the first page.'),
      total_pages: Type.Integer(),
      total_count: Type.Integer({ description: 'Rows of the whole list.' }),
      per_page: Type.Integer(),
    },
    { description: 'Where this page stands in the list.' },
  ),
)
