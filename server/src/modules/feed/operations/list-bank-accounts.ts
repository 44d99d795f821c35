import { list } from '../../../platform/http/list.ts'
import { boolean, defineQuery, paging } from '../../../platform/http/query.ts'
import { ok } from '../../../platform/result.ts'
import { pageOfAccounts } from '../queries/bank-accounts.ts'
import { BankAccountSchema, maskedAccountToWire } from '../wire.ts'
import { reader } from './permissions.ts'

export const listBankAccounts = list({
  id: 'listBankAccounts',
  route: 'GET /v2/bank_accounts',
  tag: 'Bank accounts',
  summary: 'List the organization’s accounts, the main one first.',
  access: reader('accounts.read'),
  rows: 'bank_accounts',
  row: BankAccountSchema,
  query: defineQuery({
    ...paging,
    include_external_accounts: boolean(false, 'Also list connected accounts at other banks.'),
  }),
  page: async (tx, { actor }, query, range) =>
    ok(await pageOfAccounts(tx, actor.organizationId, { withExternal: query.include_external_accounts, ...range })),
  toWire: maskedAccountToWire,
  refusals: {},
})
