import type { Id } from '../../../platform/ids.ts'
import type { Money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { formatVatRate, type VatRate, vatIn } from '../domain/vat-rate.ts'
import * as store from '../store.ts'

/** What an invoice says about a transaction: one rate, contained in the transaction's amount. */
export type VatOfTransaction = {
  readonly transactionId: Id<'transaction'>
  readonly amount: Money
  readonly rate: VatRate
  readonly assignedAt: Date
}

/** Writes the VAT contained in transactions of one organization (system scope). Amount without VAT and VAT add up to the cent. */
export async function assignVat(
  tx: Tx,
  organizationId: Id<'organization'>,
  assignments: readonly VatOfTransaction[],
): Promise<void> {
  if (assignments.length === 0) return
  await store.setVat(
    tx,
    organizationId,
    assignments.map(({ transactionId, amount, rate, assignedAt }) => ({
      transactionId,
      vatMinor: vatIn(amount, rate).minor,
      rate: formatVatRate(rate),
      updatedAt: assignedAt,
    })),
  )
}
