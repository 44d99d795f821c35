import type { Amount } from '../../formats/payments/elements.ts'
import { readInterbankMessage } from '../../formats/payments/interbank.ts'
import { PACS_002, type ReportedTransaction, type StatusReport } from '../../formats/payments/pacs002.ts'
import { PACS_004, type PaymentReturns, writePaymentReturn } from '../../formats/payments/pacs004.ts'
import { type InterbankCreditTransfers, PACS_008, writeCreditTransfers } from '../../formats/payments/pacs008.ts'
import { PACS_028, writeStatusRequest as writePacs028 } from '../../formats/payments/pacs028.ts'
import { localDateOf } from '../../platform/clock.ts'
import type { Id } from '../../platform/ids.ts'
import { EUR, formatDecimal, type Money, money, parseDecimal } from '../../platform/money.ts'
import { ok, type Result, refuse } from '../../platform/result.ts'
import type { RailEvent, RepeatedAmount, StatusReported } from './domain/rail-event.ts'
import { nextTargetDay } from './domain/target-calendar.ts'
import type { IncomingTransfer } from './incoming-store.ts'
import { amountOf } from './postings.ts'
import type { StoredCreditTransfer } from './store.ts'

/** Who we are to other banks. */
export type Bank = { readonly name: string; readonly bic: string }

export type WrittenMessage = { readonly messageName: string; readonly xml: string }

/** MsgId of a message: 32 characters, unique for us for ever. */
export const messageIdOf = (id: Id<'outgoing_message'>): string => id.replaceAll('-', '')

const wireAmount = (amount: Money) => ({ value: formatDecimal(amount), currency: amount.currency })

/**
 * pacs.008.001.08 for one transfer, whose TxId is the message's MsgId, too; which message carried which transfers stands in the database
 * (`outgoing_message_transfer`). It settles on the present day or, when the settlement system is closed, on the next open one.
 */
export function writeTransfer(
  bank: Bank,
  transfer: StoredCreditTransfer,
  now: Date,
): WrittenMessage & { readonly messageId: string } {
  const messageId = transfer.transactionId
  const unstructured = transfer.remittanceInformation === null ? [] : [transfer.remittanceInformation]
  const { details } = transfer
  const structured =
    transfer.creditorReference === null ? [] : [scorReference(transfer.creditorReference, details.creditorReferenceIssuer)]
  const xml = writeCreditTransfers({
    messageId,
    createdAt: now.toISOString(),
    settlementDate: nextTargetDay(localDateOf(now)),
    instructingAgent: bank.bic,
    transactions: [
      {
        instructionId: transfer.instructionId ?? undefined,
        endToEndId: transfer.endToEndId,
        transactionId: transfer.transactionId,
        uetr: transfer.uetr,
        settlementAmount: wireAmount(amountOf(transfer)),
        paymentType: { serviceLevels: [], categoryPurpose: details.categoryPurpose },
        ultimateDebtor: details.ultimateDebtor,
        debtor: { ...details.debtor, name: transfer.debtorName },
        debtorIban: transfer.debtorIban,
        debtorAgent: bank.bic,
        creditor: { ...details.creditor, name: transfer.creditorName },
        creditorIban: transfer.creditorIban,
        creditorAgent: transfer.creditorBic ?? undefined,
        ultimateCreditor: details.ultimateCreditor,
        purpose: transfer.purpose === null ? undefined : { code: transfer.purpose },
        remittance: unstructured.length + structured.length === 0 ? undefined : { unstructured, structured },
      },
    ],
  })
  return { messageName: PACS_008, messageId, xml }
}

/** A structured creditor reference as remittance information. */
const scorReference = (reference: string, issuer: string | undefined) => ({
  creditorReference: { reference, type: { code: 'SCOR' }, issuer },
  others: [],
  length: reference.length,
})

/** pacs.028.001.03: what became of a return that we sent? */
export const writeReturnStatusRequest = (
  bank: Bank,
  { incoming, returnMessageId }: { incoming: IncomingTransfer; returnMessageId: string },
  messageId: string,
  now: Date,
): WrittenMessage => ({
  messageName: PACS_028,
  xml: writePacs028({
    messageId,
    requestId: messageId,
    createdAt: now.toISOString(),
    instructingAgent: bank.bic,
    originalMessageId: returnMessageId,
    originalMessageName: PACS_004,
    originalEndToEndId: incoming.endToEndId,
    originalTransactionId: incoming.transactionId,
  }),
})

/** pacs.028.001.03: what became of a transfer that we sent in this message? */
export function writeStatusRequest(
  bank: Bank,
  { transfer, sentIn }: { transfer: StoredCreditTransfer; sentIn: string },
  messageId: string,
  now: Date,
): WrittenMessage {
  const xml = writePacs028({
    messageId,
    requestId: messageId,
    createdAt: now.toISOString(),
    instructingAgent: bank.bic,
    originalMessageId: sentIn,
    originalMessageName: PACS_008,
    originalInstructionId: transfer.instructionId ?? undefined,
    originalEndToEndId: transfer.endToEndId,
    originalTransactionId: transfer.transactionId,
    originalUetr: transfer.uetr,
  })
  return { messageName: PACS_028, xml }
}

/** pacs.004.001.09: an incoming transfer goes back in full. */
export function writeReturn(bank: Bank, incoming: IncomingTransfer, messageId: string, now: Date): WrittenMessage {
  const xml = writePaymentReturn({
    messageId,
    returnId: messageId,
    createdAt: now.toISOString(),
    settlementDate: nextTargetDay(localDateOf(now)),
    instructingAgent: bank.bic,
    reasonCode: incoming.statusReasonCode ?? 'MS03',
    originalMessageId: incoming.originalMessageId,
    originalSettlementDate: incoming.settlementDate,
    original: {
      endToEndId: incoming.endToEndId,
      transactionId: incoming.transactionId,
      settlementAmount: wireAmount(money(EUR, incoming.amountMinor)),
      debtor: { name: incoming.debtorName },
      debtorIban: incoming.debtorIban || undefined,
      debtorAgent: incoming.debtorBic ?? undefined,
      creditor: { name: incoming.creditorName },
      creditorIban: incoming.creditorIban || undefined,
      creditorAgent: bank.bic,
      remittance:
        incoming.remittanceInformation === null ? undefined : { unstructured: [incoming.remittanceInformation], structured: [] },
    },
  })
  return { messageName: PACS_004, xml }
}

/**
 * Reads whatever the rail sent into what it says, part by part: a transaction that cannot be read takes no other with it.
 * @returns one result per part, always in the same order; or why nothing of the message can be read.
 */
export function readRailMessage(xml: string): Result<readonly Result<RailEvent, string>[], string> {
  const read = readInterbankMessage(xml)
  if (!read.ok) return refuse(`${read.refusal.code} at line ${read.refusal.line}: ${read.refusal.message}`)
  const message = read.value
  switch (message.messageName) {
    case PACS_002:
      return ok(statusesOf(message).map((event) => ok(event)))
    case PACS_004:
      return ok(message.returns.map((entry, index) => returnOf(message, entry, index)))
    case PACS_008:
      return ok(message.transactions.map((entry) => receiptOf(message, entry)))
  }
}

/** AG09: the rail never received the original (sepa.md §5.3); AM05: it refused a copy of one that it has. */
const NEVER_RECEIVED = 'AG09'
const DUPLICATE = 'AM05'

function statusesOf(report: StatusReport): RailEvent[] {
  const ofTransaction = report.transactions.map((t) => statusOf(t, t, t))
  // A group of which no transaction is spoken of stands for all of its message.
  const silentGroups = report.groups.filter((g) => !report.transactions.some((t) => t.originalMessageId === g.originalMessageId))
  return [...ofTransaction, ...silentGroups.map((g) => statusOf(g, g, undefined))]
}

function statusOf(
  { status, reasons }: Pick<ReportedTransaction, 'status' | 'reasons'>,
  original: Pick<ReportedTransaction, 'originalMessageId' | 'originalMessageName'>,
  transaction: ReportedTransaction | undefined,
): StatusReported {
  const reasonCode = reasons[0]?.code ?? reasons[0]?.proprietary ?? null
  return {
    kind: 'status_reported',
    about: subjectOf(original.originalMessageName),
    originalMessageId: original.originalMessageId ?? null,
    transactionId: transaction?.originalTransactionId ?? null,
    status: status ?? 'PDNG',
    reasonCode,
    repeatedAmount: repeated(transaction?.originalAmount),
    isUnknownToRail: status === 'RJCT' && reasonCode === NEVER_RECEIVED,
    isAboutCopy: status === 'RJCT' && reasonCode === DUPLICATE,
  }
}

/** Without a name it can only be a transfer: everything else of ours is spoken of by the message it came in. */
function subjectOf(messageName: string | undefined): StatusReported['about'] {
  if (messageName === undefined || messageName.startsWith('pacs.008.')) return 'transfer'
  return messageName.startsWith('pacs.004.') ? 'return' : 'other'
}

function returnOf(message: PaymentReturns, entry: PaymentReturns['returns'][number], index: number): Result<RailEvent, string> {
  const amount = euros(entry.returnedAmount)
  if (!amount || entry.originalTransactionId === undefined)
    return refuse('a return without OrgnlTxId or without an amount in EUR')
  return ok({
    kind: 'transfer_returned',
    returningAgent: fullBic(message.instructingAgent ?? entry.original?.creditorAgent ?? ''),
    returnId: entry.returnId ?? `${message.messageId}/${index}`,
    originalMessageId: entry.originalMessageId ?? null,
    originalTransactionId: entry.originalTransactionId,
    amount,
    repeatedAmount: repeated(entry.originalSettlementAmount),
    reasonCode: entry.reasons[0]?.code ?? 'MS03',
  })
}

function receiptOf(
  message: InterbankCreditTransfers,
  entry: InterbankCreditTransfers['transactions'][number],
): Result<RailEvent, string> {
  const amount = euros(entry.settlementAmount)
  const instructingAgent = message.instructingAgent ?? entry.debtorAgent
  if (!amount || instructingAgent === undefined)
    return refuse('a credit transfer without instructing agent or without an amount in EUR')
  // An instant transfer is final when we confirm it, which we do not: the clearing system times it out and keeps the money.
  if (entry.paymentType?.localInstrument?.code === 'INST') return refuse('an instant credit transfer: they are not received here')
  return ok({
    kind: 'transfer_received',
    messageId: message.messageId,
    instructingAgent: fullBic(instructingAgent),
    transactionId: entry.transactionId,
    endToEndId: entry.endToEndId,
    debtorName: entry.debtor.name ?? '',
    debtorIban: entry.debtorIban ?? '',
    debtorBic: entry.debtorAgent ?? null,
    creditorName: entry.creditor.name ?? '',
    creditorIban: entry.creditorIban ?? '',
    amount,
    remittanceInformation:
      entry.remittance?.unstructured.join(' ') || entry.remittance?.structured[0]?.creditorReference?.reference || null,
    settlementDate: message.settlementDate,
  })
}

/** A BIC of 8 characters names the same bank as the one of 11 without a branch (ISO 9362); keys are compared in full. */
const fullBic = (bic: string): string => (bic.length === 8 ? `${bic}XXX` : bic)

const repeated = (amount: Amount | undefined): RepeatedAmount => (amount === undefined ? null : (euros(amount) ?? 'other'))

function euros(amount: { value: string; currency: string }): Money | undefined {
  const parsed = amount.currency === EUR ? parseDecimal(EUR, amount.value) : undefined
  return parsed && parsed.minor > 0n ? parsed : undefined
}
