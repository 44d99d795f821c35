import type { Id } from '../../../platform/ids.ts'
import { allocate, type Money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

/** What an invoice says about a transaction: one rate, in percent, contained in the transaction's amount. */
export type VatOfTransaction = {
  readonly transactionId: Id<'transaction'>
  readonly amount: Money
  readonly ratePercent: bigint
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
    assignments.map(({ transactionId, amount, ratePercent, assignedAt }) => {
      const vat = allocate(amount, [100n, ratePercent])[1] as Money
      return { transactionId, vatMinor: vat.minor, rate: ratePercent.toString(), updatedAt: assignedAt }
    }),
  )
}
