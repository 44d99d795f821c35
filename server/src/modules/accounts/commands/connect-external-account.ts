import { type Id, newId } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'
import { slugsOf } from './open-bank-account.ts'

export type ConnectExternalAccount = {
  readonly organizationId: Id<'organization'>
  readonly organizationSlug: string
  readonly holderName: string
  readonly name: string
  readonly iban: string | null
  readonly bic: string | null
  /** For an account that has no IBAN. */
  readonly accountNumber: string | null
  readonly currency: Currency
  /** What the other bank last stated, in minor units. */
  readonly statedBalanceMinor: bigint | null
  readonly now: Date
}

/** Adds an account at another bank to what the organization sees (system scope). Its money is not ours: no payment can use it. */
export async function connectExternalAccount(tx: Tx, request: ConnectExternalAccount): Promise<Id<'bank_account'>> {
  const { organizationSlug, now, ...facts } = request
  const { next: number } = await store.lockAccountNumbers(tx, request.organizationId)
  const id = newId<'bank_account'>()
  await store.insertAccount(tx, {
    ...facts,
    ...slugsOf(organizationSlug, number),
    id,
    number,
    main: false,
    country: request.iban?.slice(0, 2) ?? null,
    isExternal: true,
    bookId: null,
    ledgerAccountId: null,
    createdAt: now,
  })
  return id
}
