import { Type } from 'typebox'
import { atParameter } from '../../../platform/http/api-error.ts'
import { operation, refused } from '../../../platform/http/operation.ts'
import { MetaSchema, metaOf, offsetOf } from '../../../platform/http/paging.ts'
import { defineQuery, paging } from '../../../platform/http/query.ts'
import { asId } from '../../../platform/ids.ts'
import { ok, refuse } from '../../../platform/result.ts'
import { TransactionSchema, transactionToWire } from '../../feed/index.ts'
import { type ChildTransaction, childTransactions } from '../queries/child-transactions.ts'

const NOTHING_EMBEDDED = { vatDetails: false, attachments: false, labels: undefined }

const linkToWire = (child: ChildTransaction) => ({
  link_type: 'batch_booking',
  related_transaction_id: child.id,
  transaction: transactionToWire(child, NOTHING_EMBEDDED),
})

export const listChildTransactionLinks = operation({
  id: 'listChildTransactionLinks',
  route: 'GET /v2/transactions/:id/child_transaction_links',
  tag: 'Transactions',
  summary: 'The transactions inside one.',
  description:
    'What a bank booked in one sum on a connected account, each with its own payer and text. They stand in no list and no balance; an amount that the bank does not state is null.',
  access: { credentials: ['api_key', 'oauth', 'session'], scope: 'organization.read', permission: 'transactions.read' },
  sca: 'none',
  idempotency: 'none',
  audit: 'none',
  query: defineQuery(paging),
  answer: Type.Object({
    links: Type.Array(
      Type.Object({
        link_type: Type.String({ examples: ['batch_booking'] }),
        related_transaction_id: Type.String({ format: 'uuid' }),
        transaction: TransactionSchema,
      }),
    ),
    meta: MetaSchema,
  }),
  refusals: { not_found: refused(404, atParameter('not_found', 'Transaction not found', 'id')) },
  read: ({ params, query }) => ok({ id: asId<'transaction'>(params.id ?? ''), query }),
  run: async (ctx, { id, query }) => {
    const page = { limit: query.per_page, offset: offsetOf(query) }
    const { organizationId } = ctx.actor
    const found = id && (await ctx.database.read(ctx.actor, (tx) => childTransactions(tx, organizationId, id, page)))
    return found ? ok(found) : refuse('not_found')
  },
  write: ({ rows, count }, { query }) => ({ links: rows.map(linkToWire), meta: metaOf(query, count) }),
})
