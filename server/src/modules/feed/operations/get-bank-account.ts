import { show } from '../../../platform/http/show.ts'
import { findAccount } from '../queries/bank-accounts.ts'
import { BankAccountSchema, maskedAccountToWire } from '../wire.ts'
import { reader } from './permissions.ts'

export const getBankAccount = show({
  id: 'getBankAccount',
  route: 'GET /v2/bank_accounts/:id',
  tag: 'Bank accounts',
  summary: 'One account.',
  access: reader('accounts.read'),
  name: 'bank_account',
  called: 'Bank account',
  schema: BankAccountSchema,
  find: (tx, { actor }, id) => findAccount(tx, actor.organizationId, id),
  toWire: maskedAccountToWire,
})
