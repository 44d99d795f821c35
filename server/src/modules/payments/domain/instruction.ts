import type { CodeOrText, Party } from '../../../formats/payments/elements.ts'
import {
  type Breach,
  creditorBreach,
  endToEndIdBreach,
  executionDateBreach,
  nameBreach,
  purposeBreach,
  remittanceBreach,
  TRANSFER_RULES,
  uetrBreach,
} from '../../../formats/payments/sepa-transfer.ts'
import type { LocalDate } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'
import { EUR, type Money } from '../../../platform/money.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { isStorable } from '../../../platform/storable.ts'
import type { PaymentAccount } from '../../accounts/index.ts'

/** An order to send a SEPA credit transfer, in the words of pain.001, whoever makes it. */
export type CreditTransferInstruction = {
  readonly id: Id<'credit_transfer'>
  readonly creditorName: string
  readonly creditorIban: string
  readonly creditorBic: string | null
  readonly amount: Money
  /** `NOTPROVIDED` when the customer gave none. */
  readonly endToEndId: string
  /** Chosen by us when the customer gave none. */
  readonly uetr?: string | null
  readonly instructionId: string | null
  readonly remittanceInformation: string | null
  /** A structured reference; not together with remittance information. */
  readonly creditorReference: string | null
  readonly purpose: string | null
  readonly requestedExecutionDate: LocalDate
  readonly paymentInformationId: string | null
  /** Which transaction of its payment file it is, counted from 0. */
  readonly filePosition?: number | null
  readonly details?: TransferDetails
}

/** What the customer said that nothing is decided by: kept as it was written, and sent along as far as the scheme has room for it. */
export type TransferDetails = {
  /** The debtor's own name is that of the account's holder; what stands here is address and identification. */
  readonly debtor?: Party
  readonly creditor?: Party
  readonly ultimateDebtor?: Party
  readonly ultimateCreditor?: Party
  readonly categoryPurpose?: CodeOrText
  /** Who made the creditor reference: `ISO` for ISO 11649, `BBA` for a Belgian one. */
  readonly creditorReferenceIssuer?: string
}

/** Why an order is refused, most basic first: when several apply, the first is the answer. The ISO code of each: sepa.md §8.4. */
export const CREDIT_TRANSFER_REFUSALS = {
  /** Characters that no database and no message can hold: NUL, half of a surrogate pair. */
  text_not_storable: 'RR10',
  debtor_account_closed: 'AC04',
  /** An account of ours without a holder's name could not be named to other banks. */
  debtor_name_missing: 'RR02',
  creditor_is_debtor: 'AG01',
  currency_not_euro: 'AM03',
  amount_out_of_range: 'AM02',
  ...TRANSFER_RULES,
  available_balance_insufficient: 'AM04',
} as const

export type CreditTransferRefusal = keyof typeof CREDIT_TRANSFER_REFUSALS

/** EPC implementation guidelines: 0.01 to 999,999,999.99. */
const AMOUNT_MAX = 99_999_999_999n

/**
 * Every rule but the balance, which only the ledger can judge. What it lets through can be written as a message when its day has come,
 * whichever way the order came in.
 */
export function decideInitiation(
  instruction: CreditTransferInstruction,
  debtor: PaymentAccount,
  today: LocalDate,
): Result<void, CreditTransferRefusal> {
  if (!isStorable(instruction)) return refuse('text_not_storable')
  if (debtor.status !== 'active') return refuse('debtor_account_closed')
  if (debtor.holderName.trim() === '') return refuse('debtor_name_missing')
  if (instruction.creditorIban === debtor.iban) return refuse('creditor_is_debtor')
  if (instruction.amount.currency !== EUR || debtor.currency !== EUR) return refuse('currency_not_euro')
  if (instruction.amount.minor < 1n || instruction.amount.minor > AMOUNT_MAX) return refuse('amount_out_of_range')
  const broken = breachOf(instruction, today)
  return broken ? refuse(broken.rule) : ok(undefined)
}

function breachOf(instruction: CreditTransferInstruction, today: LocalDate): Breach | undefined {
  const { creditorIban, creditorBic, creditorName, endToEndId, purpose, uetr, details, requestedExecutionDate } = instruction
  return (
    creditorBreach({ iban: creditorIban, bic: creditorBic ?? undefined, name: creditorName }) ??
    // Somebody will look for the account as it stands there, so it stands there in one form.
    (/\s|[a-z]/.test(creditorIban) ? { rule: 'creditor_account_invalid', message: 'not compact and in capitals' } : undefined) ??
    endToEndIdBreach(endToEndId) ??
    remittanceBreach(remittanceOf(instruction)) ??
    (purpose === null ? undefined : purposeBreach(purpose)) ??
    (uetr === null || uetr === undefined ? undefined : uetrBreach(uetr)) ??
    nameBreach('Ultimate debtor', details?.ultimateDebtor?.name) ??
    nameBreach('Ultimate creditor', details?.ultimateCreditor?.name) ??
    executionDateBreach(requestedExecutionDate, today)
  )
}

/** In the form in which it travels. */
function remittanceOf({ remittanceInformation, creditorReference }: CreditTransferInstruction) {
  const reference = creditorReference ?? undefined
  return {
    unstructured: remittanceInformation === null ? [] : [remittanceInformation],
    structured: reference === undefined ? [] : [{ creditorReference: { reference }, others: [], length: reference.length }],
  }
}
