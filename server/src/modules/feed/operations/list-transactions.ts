import { atParameter } from '../../../platform/http/api-error.ts'
import { list } from '../../../platform/http/list.ts'
import { refused } from '../../../platform/http/operation.ts'
import {
  boolean,
  defineQuery,
  instants,
  listOf,
  oneOf,
  openListOf,
  paging,
  type QueryOf,
  sortBy,
  text,
} from '../../../platform/http/query.ts'
import type { Id } from '../../../platform/ids.ts'
import { ok, refuse } from '../../../platform/result.ts'
import { OPERATION_TYPES, TRANSACTION_SIDES, TRANSACTION_STATUSES } from '../domain/transaction.ts'
import { readIncluded } from '../queries/embedded.ts'
import { pageOfTransactions, TRANSACTION_SORTS, type TransactionFilter } from '../queries/list-transactions.ts'
import { includes, TransactionSchema } from '../wire.ts'
import { transactionText } from '../wire-text.ts'
import { reader } from './permissions.ts'

const parameters = {
  bank_account_id: text('The account whose feed is wanted. This or iban is required; this one wins.'),
  iban: text('The same, by IBAN.'),
  slug: text('The same, by the account’s slug; the others win.'),
  includes,
  status: listOf(TRANSACTION_STATUSES, ['completed'], 'Only these statuses.'),
  ...instants('updated_at'),
  ...instants('emitted_at'),
  ...instants('settled_at'),
  ...instants('created_at'),
  side: oneOf(TRANSACTION_SIDES, 'Only this side.'),
  operation_type: openListOf(OPERATION_TYPES, 'Only these operation types.'),
  with_attachments: boolean(undefined, 'true: only transactions with attachments; false: only those without.'),
  sort_by: sortBy(TRANSACTION_SORTS, 'settled_at', 'desc'),
  ...paging,
}
type Asked = QueryOf<typeof parameters>

export const listTransactions = list({
  id: 'listTransactions',
  route: 'GET /v2/transactions',
  tag: 'Transactions',
  summary: 'List an account’s transactions.',
  description: 'Completed ones unless status[] says otherwise, the latest settled first unless sort_by says otherwise.',
  access: reader('transactions.read'),
  rows: 'transactions',
  row: TransactionSchema,
  query: defineQuery(parameters),
  check: (query) =>
    query.bank_account_id === undefined && query.iban === undefined && query.slug === undefined
      ? [{ code: 'missing', detail: 'bank_account_id or iban is missing' }]
      : [],
  snapshot: true,
  page: async (tx, { actor: { organizationId } }, query, range) => {
    const asked = { id: query.bank_account_id, iban: query.iban, slug: query.slug }
    const page = await pageOfTransactions(tx, asked, filterOf(organizationId, query), { sort: query.sort_by, ...range })
    if (!page) return refuse('account_not_found')
    const included = await readIncluded(tx, organizationId, page.rows, query.includes)
    return ok({ count: page.count, rows: page.rows.map((row) => ({ row, slugPrefix: page.slugPrefix, included })) })
  },
  toWire: ({ row, slugPrefix, included }) => transactionText(row, slugPrefix, included),
  refusals: {
    account_not_found: refused(404, (_: 'account_not_found', query: Asked) => [
      atParameter('not_found', 'Bank account not found', namedBy(query)),
    ]),
  },
})

/** The parameter that names the account. */
const namedBy = ({ bank_account_id, iban }: Asked): string =>
  bank_account_id !== undefined ? 'bank_account_id' : iban !== undefined ? 'iban' : 'slug'

const filterOf = (organizationId: Id<'organization'>, query: Asked): TransactionFilter => ({
  organizationId,
  statuses: query.status,
  side: query.side,
  operationTypes: query.operation_type,
  withAttachments: query.with_attachments,
  updatedAt: { from: query.updated_at_from, to: query.updated_at_to },
  emittedAt: { from: query.emitted_at_from, to: query.emitted_at_to },
  settledAt: { from: query.settled_at_from, to: query.settled_at_to },
  createdAt: { from: query.created_at_from, to: query.created_at_to },
})
