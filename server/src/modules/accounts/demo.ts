import type { CommandContext } from '../../platform/actor.ts'
import { assert } from '../../platform/assert.ts'
import type { DemoCompany } from '../../platform/module.ts'
import { EUR } from '../../platform/money.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { findOrganization } from '../team/index.ts'
import { openBankAccount } from './commands/open-bank-account.ts'
import type { BankCountry, BankIdentity } from './settings.ts'

const DEMO_ACCOUNTS: readonly { readonly name: string; readonly country: BankCountry }[] = [
  { name: 'Main account', country: 'FR' },
  { name: 'Taxes and savings', country: 'FR' },
  { name: 'Hamburg office', country: 'DE' },
]

/** Opens the accounts of the demo company; the first is its main one. */
export async function openDemoAccounts(ctx: CommandContext, tx: Tx, company: DemoCompany, bank: BankIdentity): Promise<void> {
  const { organizationId, slug } = company
  const organization = await findOrganization(tx, organizationId)
  assert(organization?.legalName, 'the demo company has not been founded')
  const owner = { organizationId, organizationSlug: slug, holderName: organization.legalName }
  for (const account of DEMO_ACCOUNTS) await openBankAccount(tx, { ...owner, ...account, currency: EUR, bank, now: ctx.now })
}
