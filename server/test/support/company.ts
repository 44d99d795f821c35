import { partita } from '../../src/bank.ts'
import { type BankCountry, bankSettings } from '../../src/modules/accounts/index.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { newId } from '../../src/platform/ids.ts'
import type { Database } from '../../src/platform/postgres/database.ts'
import * as seed from '../../src/seed/make-company.ts'

export type TestCompany = seed.MadeCompany

/** The bank as it is configured by default. */
export const testBank = (() => {
  const loaded = partita.configure({ DATABASE_URL: 'postgres://unused/unused' })
  if (!loaded.ok) throw new Error(loaded.problems.join('; '))
  return loaded.config.of(bankSettings)
})()

/** An organization with two accounts or more; the first owns `fundedMinor` cents that came over the nostro. */
export function makeCompany(
  database: Database,
  now: Date,
  options: { name?: string; countries?: readonly [BankCountry, BankCountry, ...BankCountry[]]; fundedMinor?: bigint } = {},
): Promise<TestCompany> {
  const { name = 'Test Company', countries = ['FR', 'DE'], fundedMinor = 0n } = options
  const [first, second, ...others] = countries
  const account = (country: BankCountry) => ({ country, name: `Account ${country}` })
  const accounts = [account(first), account(second), ...others.map(account)] as const
  const actor = systemActor('test.company')
  const slug = `test-${newId().slice(-12)}`
  return database.transaction(actor, (tx) =>
    seed.makeCompany({ actor, now }, tx, { slug, name, accounts, bank: testBank, fundedMinor: [fundedMinor] }),
  )
}
