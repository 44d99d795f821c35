import type { OperationExamples } from '../../platform/http/operation-example.ts'

export const examples: OperationExamples = {
  listChildTransactionLinks: {
    path: '/v2/transactions/{transaction}/child_transaction_links',
    named: true,
    cases: { unknown: { path: '/v2/transactions/not-an-id/child_transaction_links' } },
  },
}
