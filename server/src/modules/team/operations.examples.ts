import type { OperationExamples } from '../../platform/http/operation-example.ts'

export const examples: OperationExamples = {
  listMemberships: { path: '/v2/memberships' },
}
