import { defineQuery } from '../../../platform/http/query.ts'
import { show } from '../../../platform/http/show.ts'
import { readIncluded } from '../queries/embedded.ts'
import { findTransaction } from '../queries/find-transaction.ts'
import { includes, TransactionSchema, transactionToWire } from '../wire.ts'
import { reader } from './permissions.ts'

export const getTransaction = show({
  id: 'getTransaction',
  route: 'GET /v2/transactions/:id',
  tag: 'Transactions',
  summary: 'One transaction.',
  access: reader('transactions.read'),
  name: 'transaction',
  called: 'Transaction',
  schema: TransactionSchema,
  query: defineQuery({ includes }),
  find: async (tx, { actor: { organizationId } }, id, query) => {
    const transaction = await findTransaction(tx, organizationId, id)
    return transaction && { transaction, included: await readIncluded(tx, organizationId, [transaction], query.includes) }
  },
  toWire: (found) => transactionToWire(found.transaction, found.included),
})
