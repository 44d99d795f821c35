import type { LocalDate } from '../../platform/clock.ts'
import { EUR, type Money, parseDecimal } from '../../platform/money.ts'
import type { CodeOrText, Party, PaymentType, Remittance } from './elements.ts'
import { isBic, readIban } from './iban.ts'
import type { InitiatedTransaction, PaymentInformation, PaymentInitiation } from './pain001.ts'
import { countOf, sumOf } from './pain001-totals.ts'
import {
  type Breach,
  creditorBreach,
  endToEndIdBreach,
  executionDateBreach,
  nameBreach,
  purposeBreach,
  remittanceBreach,
  TRANSFER_RULES,
} from './sepa-transfer.ts'

/** Why something is not executed: an ISO external status reason code and the same in words, with the line in the file. */
export type Rejection = Readonly<{ code: string; message: string; line: number }>

/** What the rules need to know besides the file. */
export type InitiationContext = Readonly<{
  /** The account that the customer may debit with this file. */
  accountIban: string
  /** Whether that account is meant where the file names another one as debtor; without it never. */
  standsInFor?: (iban: string) => boolean
  /** The bank's business date. */
  today: LocalDate
  /** Whether the customer has sent this MsgId before. */
  isMessageIdUsed: (messageId: string) => boolean
  /** Whether instant credit transfers can be sent; an order for one is never quietly executed otherwise. */
  offersInstant?: boolean
}>

/** A transaction that passed every rule that needs no ledger, in the form in which it is executed. */
export type AcceptedTransfer = Readonly<{
  instructionId?: string | undefined
  endToEndId: string
  uetr?: string | undefined
  amount: Money
  instant: boolean
  debtor: Party
  ultimateDebtor?: Party | undefined
  creditor: Party & { readonly name: string }
  /** Compact and in capitals. */
  creditorIban: string
  creditorAgent?: string | undefined
  ultimateCreditor?: Party | undefined
  purpose?: CodeOrText | undefined
  categoryPurpose?: CodeOrText | undefined
  remittance?: Remittance | undefined
}>

export type DecidedTransaction = Readonly<
  { source: InitiatedTransaction } & (
    | { transfer: AcceptedTransfer; rejection?: never }
    | { rejection: Rejection; transfer?: never }
  )
>

/** A batch after the rules. With a `rejection` of its own none of its transactions is accepted; those wrong in themselves say why. */
export type DecidedBlock = Readonly<{
  source: PaymentInformation
  rejection?: Rejection | undefined
  /** The requested date, or today when that has passed. */
  executionDate: LocalDate
  transactions: readonly DecidedTransaction[]
}>

/** Either the whole file is refused and nothing is executed, or each batch and transaction is decided by itself. */
export type InitiationDecision = Readonly<
  { initiation: PaymentInitiation } & (
    | { rejection: Rejection; blocks?: never }
    | { rejection?: never; blocks: readonly DecidedBlock[] }
  )
>

/**
 * Decides a payment initiation by the rules of the SEPA credit transfer, without looking at balances.
 *
 * The whole file: duplicate MsgId AM05, NbOfTxs AM18, CtrlSum AM10. A batch: DU02 PmtInfId used twice, AG03 payment method, AM18, AM10,
 * AC02 debtor account, AC10 its currency, DT01 date, BE19 charges, FF04/FF05/AG03 type of payment. A transaction: CH17, AM03, AM01,
 * AM02, AM12, BE19, AC01/AC03, CNOR, RC01, BE22, BE20, FF08/RR10, RR07/CH15/ERIN/RR09, FF07, FF04/FF05/AG03.
 *
 * @see EPC132-08 customer-to-PSP implementation guidelines; sepa.md §4, §9
 */
export function decidePaymentInitiation(initiation: PaymentInitiation, context: InitiationContext): InitiationDecision {
  const rejection = fileRejection(initiation, context)
  if (rejection) return { initiation, rejection }
  const seen = new Set<string>()
  const blocks = initiation.paymentInformations.map((block) => {
    const repeated = seen.has(block.id)
    seen.add(block.id)
    return decideBlock(block, repeated, context)
  })
  return { initiation, blocks }
}

function fileRejection(initiation: PaymentInitiation, context: InitiationContext): Rejection | undefined {
  const { line, messageId, numberOfTransactions, controlSum } = initiation
  if (context.isMessageIdUsed(messageId)) return { code: 'AM05', line, message: `MsgId ${messageId} was used before` }
  return totalsRejection(
    initiation.paymentInformations.flatMap((block) => block.transactions),
    numberOfTransactions,
    controlSum,
    line,
  )
}

/** NbOfTxs and CtrlSum against what is there; either may be absent in a batch. */
function totalsRejection(
  transactions: readonly InitiatedTransaction[],
  count: string | undefined,
  controlSum: string | undefined,
  line: number,
): Rejection | undefined {
  if (count !== undefined && countOf(count) !== BigInt(transactions.length)) {
    return { code: 'AM18', line, message: `NbOfTxs is ${count.slice(0, 20)}, but there are ${transactions.length} transactions` }
  }
  if (controlSum === undefined) return undefined
  const sum = sumOf(transactions)
  if (sum?.equals(controlSum)) return undefined
  return {
    code: 'AM10',
    line,
    message: `CtrlSum is ${controlSum.slice(0, 30)}, but the amounts add up to ${sum?.text ?? 'nothing that can be counted'}`,
  }
}

function decideBlock(block: PaymentInformation, repeated: boolean, context: InitiationContext): DecidedBlock {
  const rejection = blockRejection(block, repeated, context)
  const hasPassed = block.requestedExecutionDate < context.today
  const executionDate = hasPassed ? context.today : block.requestedExecutionDate
  const transactions = block.transactions.map((source): DecidedTransaction => {
    const own = transactionRejection(source, block, context)
    if (own) return { source, rejection: own }
    return rejection ? { source, rejection } : { source, transfer: transferOf(source, block) }
  })
  return { source: block, rejection, executionDate, transactions }
}

function blockRejection(
  block: PaymentInformation,
  repeated: boolean,
  { accountIban, standsInFor, today, offersInstant }: InitiationContext,
): Rejection | undefined {
  const reject = (code: string, message: string): Rejection => ({ code, message, line: block.line })
  if (repeated) return reject('DU02', `PmtInfId ${block.id} is used twice in this file`)
  if (block.paymentMethod !== 'TRF') return reject('AG03', `Payment method ${block.paymentMethod} is not offered, only TRF`)
  const totals = totalsRejection(block.transactions, block.numberOfTransactions, block.controlSum, block.line)
  if (totals) return totals
  const debtor = readIban(block.debtorIban ?? '')
  if (!debtor.ok) return reject('AC02', `Debtor account is no IBAN: ${debtor.refusal}`)
  if (debtor.value !== accountIban && !standsInFor?.(debtor.value))
    return reject('AC02', 'Debtor account is not the account that this file may debit')
  if (block.debtorAccountCurrency !== undefined && block.debtorAccountCurrency !== EUR) {
    return reject('AC10', `Debtor account currency ${block.debtorAccountCurrency.slice(0, 3)} is not EUR`)
  }
  if (block.debtorAgent !== undefined && !isBic(block.debtorAgent)) return reject('RC01', 'Debtor agent has no valid BIC')
  const date = executionDateBreach(block.requestedExecutionDate, today)
  if (date) return reject(TRANSFER_RULES[date.rule], date.message)
  if (block.chargeBearer !== undefined && block.chargeBearer !== 'SLEV')
    return reject('BE19', `Charge bearer ${block.chargeBearer.slice(0, 4)} is not SLEV`)
  const type = paymentTypeRejection(block.paymentType, offersInstant ?? false)
  return type && reject(...type)
}

/** NURG means "not urgent", which is what SEPA is; anything faster or by private agreement is another product. */
function paymentTypeRejection(type: PaymentType | undefined, offersInstant: boolean): [string, string] | undefined {
  const level = type?.serviceLevels.find(({ code }) => code !== 'SEPA' && code !== 'NURG')
  if (level) return ['FF04', `Service level ${(level.code ?? level.proprietary ?? '').slice(0, 35)} is not offered, only SEPA`]
  const instrument = type?.localInstrument
  if (!instrument) return undefined
  if (instrument.code !== 'INST')
    return ['FF05', `Local instrument ${(instrument.code ?? instrument.proprietary ?? '').slice(0, 35)} is not offered`]
  return offersInstant ? undefined : ['AG03', 'Instant credit transfers are not offered']
}

const AMOUNT_MAX = 99_999_999_999n

function transactionRejection(
  tx: InitiatedTransaction,
  block: PaymentInformation,
  context: InitiationContext,
): Rejection | undefined {
  const found =
    amountRejection(tx) ??
    (tx.chargeBearer !== undefined && tx.chargeBearer !== 'SLEV'
      ? (['BE19', `Charge bearer ${tx.chargeBearer.slice(0, 4)} is not SLEV`] as const)
      : undefined) ??
    creditorRejection(tx) ??
    codeOf(endToEndIdBreach(tx.endToEndId) ?? remittanceBreach(tx.remittance)) ??
    purposeRejection(tx) ??
    (tx.paymentType === undefined ? undefined : paymentTypeRejection(tx.paymentType, context.offersInstant ?? false)) ??
    codeOf(
      nameBreach('Ultimate debtor', (tx.ultimateDebtor ?? block.ultimateDebtor)?.name) ??
        nameBreach('Ultimate creditor', tx.ultimateCreditor?.name),
    )
  return found && { code: found[0], message: found[1], line: tx.line }
}

function amountRejection(tx: InitiatedTransaction): readonly [string, string] | undefined {
  const [tag] = tx.notForSepa
  if (tag !== undefined) return ['CH17', `${tag} has no place in a SEPA credit transfer`]
  if (!tx.amount) return ['CH17', 'EqvtAmt is not offered: instruct the amount in EUR']
  const { value, currency } = tx.amount
  if (currency !== EUR) return ['AM03', `Currency ${currency.slice(0, 3)} is not EUR`]
  if (!/^\+?\d{1,18}(\.\d{0,18})?$|^\+?\.\d{1,18}$/.test(value)) return ['AM12', `"${value.slice(0, 20)}" is no amount`]
  if (withoutZeros(value).split('.')[1]?.[2] !== undefined) return ['AM12', `${value} has more than two decimals`]
  const amount = amountOf(value)
  if (!amount) return ['AM12', `"${value.slice(0, 20)}" is no amount`]
  if (amount.minor === 0n) return ['AM01', 'The amount is zero']
  return amount.minor > AMOUNT_MAX ? ['AM02', `${value} is more than 999999999.99`] : undefined
}

/** `10.50000` is exact in cents: zeros behind them say nothing. */
const withoutZeros = (value: string): string => value.replace(/(\.\d{2})0+$/, '$1')

/** Also `.5`, `12.` and `+1`, which XML Schema calls decimals. */
const amountOf = (value: string): Money | undefined =>
  parseDecimal(EUR, withoutZeros(value).replace(/^\+/, '').replace(/^\./, '0.').replace(/\.$/, ''))

const codeOf = (found: Breach | undefined): readonly [string, string] | undefined =>
  found && [TRANSFER_RULES[found.rule], found.message]

const creditorRejection = ({ creditorIban, creditorAgent, creditor }: InitiatedTransaction) =>
  creditorIban === undefined
    ? (['AC03', 'Creditor account is missing or no IBAN'] as const)
    : codeOf(creditorBreach({ iban: creditorIban, bic: creditorAgent, name: creditor?.name }))

function purposeRejection({ purpose }: InitiatedTransaction): readonly [string, string] | undefined {
  const code = purpose?.proprietary ?? purpose?.code
  if (code === undefined) return undefined
  return purpose?.proprietary === undefined
    ? codeOf(purposeBreach(code))
    : [TRANSFER_RULES.purpose_invalid, `Purpose "${code.slice(0, 35)}" is no code, which alone can be sent`]
}

function transferOf(tx: InitiatedTransaction, block: PaymentInformation): AcceptedTransfer {
  const type = { ...block.paymentType, ...tx.paymentType }
  return {
    instructionId: tx.instructionId,
    endToEndId: tx.endToEndId,
    uetr: tx.uetr,
    amount: amountOf(tx.amount?.value ?? '') as Money,
    instant: type.localInstrument?.code === 'INST',
    debtor: block.debtor,
    ultimateDebtor: tx.ultimateDebtor ?? block.ultimateDebtor,
    creditor: { ...tx.creditor, name: tx.creditor?.name ?? '' },
    creditorIban: (tx.creditorIban ?? '').toUpperCase(),
    creditorAgent: tx.creditorAgent,
    ultimateCreditor: tx.ultimateCreditor,
    purpose: tx.purpose,
    categoryPurpose: type.categoryPurpose,
    // The rules let through several lines that fit into one.
    remittance: tx.remittance && { ...tx.remittance, unstructured: oneLine(tx.remittance.unstructured) },
  }
}

const oneLine = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : [lines.join(' ')])
