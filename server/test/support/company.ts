import { partita } from '../../src/bank.ts'
import { type BankCountry, bankSettings, openBankAccount, type PaymentAccount } from '../../src/modules/accounts/index.ts'
import { type Operation, post } from '../../src/modules/ledger/index.ts'
import { openSettlementAccounts } from '../../src/modules/payments/index.ts'
import { foundOrganization } from '../../src/modules/team/index.ts'
import { type Id, newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import type { Database } from '../../src/platform/postgres/database.ts'

export type TestCompany = {
  readonly id: Id<'organization'>
  readonly slug: string
  readonly secret: string
  readonly accounts: readonly [PaymentAccount, PaymentAccount, ...PaymentAccount[]]
}

/** The bank as it is configured by default. */
export const testBank = (() => {
  const loaded = partita.configure({ DATABASE_URL: 'postgres://unused/unused' })
  if (!loaded.ok) throw new Error(loaded.problems.join('; '))
  return loaded.config.of(bankSettings)
})()

/** An organization with two accounts or more; the first owns `fundedMinor` cents that came over the nostro. */
export async function makeCompany(
  database: Database,
  now: Date,
  options: { name?: string; countries?: readonly [BankCountry, BankCountry, ...BankCountry[]]; fundedMinor?: bigint } = {},
): Promise<TestCompany> {
  return database.transaction('system', async (tx) => {
    const id = newId<'organization'>()
    const slug = `test-${id.slice(-12)}`
    const name = options.name ?? 'Test Company'
    const organization = { ...EMPTY_ORGANIZATION, id, slug, name, legalName: name, contractSignedAt: now }
    const founded = await foundOrganization(tx, { organization, members: [{ firstName: 'Ada', lastName: 'Owner' }], now })
    if (!founded.ok) throw new Error(founded.refusal)
    const accounts: PaymentAccount[] = []
    for (const country of options.countries ?? (['FR', 'DE'] as const)) {
      const account = {
        organizationId: id,
        organizationSlug: slug,
        holderName: name,
        country,
        currency: EUR,
        bank: testBank,
        now,
      }
      accounts.push(await openBankAccount(tx, { ...account, name: `Account ${country}` }))
    }
    const [first] = accounts
    if (!first) throw new Error('no account was opened')
    const { nostro } = await openSettlementAccounts(tx, first.bookId, now)
    const amount = options.fundedMinor ?? 0n
    const funding = {
      kind: 'transfer',
      key: newId<'ledger_operation'>(),
      code: 'test.funding',
      debit: nostro,
      credit: first.ledgerAccountId,
    } as const
    const operations: Operation[] = amount > 0n ? [{ ...funding, amount: money(EUR, amount) }] : []
    await post(tx, first.bookId, operations, now)
    return { id, slug, secret: founded.value.secret, accounts: accounts as unknown as TestCompany['accounts'] }
  })
}

const EMPTY_ORGANIZATION = {
  locale: 'en',
  legalCountry: 'FR',
  legalShareCapitalMinor: null,
  legalRegistrationDate: null,
  legalForm: null,
  legalAddress: null,
  legalSector: null,
  legalNumber: null,
} as const
