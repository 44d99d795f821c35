import { type BankCountry, type BankIdentity, openBankAccount, type PaymentAccount } from '../modules/accounts/index.ts'
import { post, type TransferOperation } from '../modules/ledger/index.ts'
import { openSettlementAccounts } from '../modules/payments/index.ts'
import { foundOrganization, type NewMember } from '../modules/team/index.ts'
import type { CommandContext } from '../platform/actor.ts'
import { assert } from '../platform/assert.ts'
import { type Id, newId } from '../platform/ids.ts'
import { EUR, money } from '../platform/money.ts'
import type { Tx } from '../platform/postgres/database.ts'

export type MadeCompany = {
  readonly id: Id<'organization'>
  readonly slug: string
  readonly secret: string
  readonly members: readonly Id<'membership'>[]
  readonly accounts: readonly [PaymentAccount, PaymentAccount, ...PaymentAccount[]]
}

type NewAccount = { readonly name: string; readonly country: BankCountry }

export type CompanyToMake = {
  readonly bank: BankIdentity
  readonly slug: string
  readonly id?: Id<'organization'>
  readonly name?: string
  readonly secret?: string | undefined
  readonly members?: readonly [NewMember, ...NewMember[]]
  /** The main one first. */
  readonly accounts: readonly [NewAccount, NewAccount, ...NewAccount[]]
  /** What accounts own to begin with, in cents, by their places: it came over the nostro, and no feed tells of it. */
  readonly fundedMinor?: readonly bigint[]
}

/** Makes a company that nobody knows anything of, for load, benchmarks and tests: an owner, an API key, accounts. */
export async function makeCompany(ctx: CommandContext, tx: Tx, wanted: CompanyToMake): Promise<MadeCompany> {
  const { slug, bank, secret, id = newId<'organization'>(), name = 'Company' } = wanted
  const { members = [{ firstName: 'Ada', lastName: 'Owner' }] } = wanted
  const { now } = ctx
  const organization = { ...UNKNOWN, id, slug, name, legalName: name, contractSignedAt: now }
  const founded = await foundOrganization(ctx, tx, { organization, members, secret })
  assert(founded.ok, `the slug ${slug} is taken`)
  const accounts: PaymentAccount[] = []
  const owner = { organizationId: id, organizationSlug: slug, holderName: name, currency: EUR, bank, now }
  for (const account of wanted.accounts) accounts.push(await openBankAccount(tx, { ...owner, ...account }))
  await fund(tx, accounts, wanted.fundedMinor ?? [], now)
  const { secret: issued, membershipIds } = founded.value
  return { id, slug, secret: issued, members: membershipIds, accounts: accounts as unknown as MadeCompany['accounts'] }
}

async function fund(tx: Tx, accounts: readonly PaymentAccount[], amounts: readonly bigint[], now: Date): Promise<void> {
  const bookId = accounts[0]?.bookId
  if (bookId === undefined) return
  const { nostro } = await openSettlementAccounts(tx, bookId, now)
  const operations = accounts.flatMap(({ ledgerAccountId: credit }, index): TransferOperation[] => {
    const minor = amounts[index] ?? 0n
    const key = newId<'ledger_operation'>()
    return minor > 0n ? [{ kind: 'transfer', key, code: 'opening.funds', debit: nostro, credit, amount: money(EUR, minor) }] : []
  })
  await post(tx, bookId, operations, now)
}

const UNKNOWN = {
  locale: 'en',
  legalCountry: 'FR',
  legalShareCapitalMinor: null,
  legalRegistrationDate: null,
  legalForm: null,
  legalAddress: null,
  legalSector: null,
  legalNumber: null,
} as const
