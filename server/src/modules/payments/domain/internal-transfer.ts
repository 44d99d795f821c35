import type { Id } from '../../../platform/ids.ts'
import type { Money } from '../../../platform/money.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import type { PaymentAccount } from '../../accounts/index.ts'

/** An order to move money between two accounts of one organization, at once. */
export type InternalTransferInstruction = {
  readonly id: Id<'internal_transfer'>
  readonly organizationId: Id<'organization'>
  readonly debtorIban: string
  readonly creditorIban: string
  /** Above zero. */
  readonly amount: Money
  /** At most 99 characters. */
  readonly remittanceInformation: string
  /** The member on whose behalf it is ordered. */
  readonly initiatorId: Id<'membership'> | null
  readonly orderedAt: Date
}

/** Why an internal transfer is refused, most basic first: when several apply, the first is the answer. */
export const INTERNAL_TRANSFER_REFUSALS = [
  'debtor_account_not_found',
  'creditor_account_not_found',
  'same_account_on_both_sides',
  'currency_mismatch',
  'available_balance_insufficient',
] as const

export type InternalTransferRefusal = (typeof INTERNAL_TRANSFER_REFUSALS)[number]

export type InternalTransferParties = { readonly debtor: PaymentAccount; readonly creditor: PaymentAccount }

/** Every rule but the balance, which only the ledger can judge. Somebody else's account, and a closed one, are answered like one that does not exist. */
export function decideInternalTransfer(
  instruction: InternalTransferInstruction,
  accounts: ReadonlyMap<string, PaymentAccount>,
): Result<InternalTransferParties, InternalTransferRefusal> {
  const own = (iban: string) => {
    const account = accounts.get(iban)
    return account?.organizationId === instruction.organizationId && account.status === 'active' ? account : undefined
  }
  const debtor = own(instruction.debtorIban)
  if (!debtor) return refuse('debtor_account_not_found')
  const creditor = own(instruction.creditorIban)
  if (!creditor) return refuse('creditor_account_not_found')
  if (debtor.id === creditor.id) return refuse('same_account_on_both_sides')
  const { currency } = instruction.amount
  if (debtor.currency !== currency || creditor.currency !== currency) return refuse('currency_mismatch')
  return ok({ debtor, creditor })
}
