import type { OperationExamples } from '../../platform/http/operation-example.ts'

export const examples: OperationExamples = {
  getOrganization: { path: '/v2/organization' },
  getOrganizationBySlug: {
    path: '/v2/organizations/{slug}',
    cases: { placeholder: { path: '/v2/organizations/%7Bid%7D' } },
  },
  getOrganizationBySlugV1: { path: '/v1/organizations/0' },
  listBankAccounts: { path: '/v2/bank_accounts' },
  getBankAccount: {
    path: '/v2/bank_accounts/{account}',
    named: true,
    cases: { unknown: { path: '/v2/bank_accounts/00000000-0000-4000-8000-000000000000' } },
  },
  listTransactions: {
    path: '/v2/transactions?iban={iban}&per_page=3&includes[]=labels',
    named: true,
    cases: { missing: { path: '/v2/transactions' } },
  },
  getTransaction: {
    path: '/v2/transactions/{transaction}?includes[]=vat_details&includes[]=labels',
    named: true,
    cases: { unknown: { path: '/v2/transactions/not-an-id' } },
  },
  listLabels: { path: '/v2/labels?per_page=3' },
  getLabel: { path: '/v2/labels/{label}', named: true },
}
