import type { UnreadableInitiation } from './pain001.ts'
import type { AcceptedTransfer, InitiationDecision } from './pain001-rules.ts'
import { type CustomerStatus, type ReportedTransaction, type StatusReason, writeCustomerStatusReport } from './pain002.ts'

/** What the answer itself carries. `createdAt`: ISO date and time; `debtorAgent`: the bank's BIC. */
export type AnswerHeader = Readonly<{ messageId: string; createdAt: string; debtorAgent: string }>

/** How far an accepted transfer got: a status, with a reason when it was rejected after all (AM04 for lack of funds, say). */
export type TransferOutcome = Readonly<{ status: CustomerStatus; reason?: StatusReason | undefined }>

/**
 * Writes the pain.002 that answers a decided initiation: the version that belongs to the request, every transaction listed with its
 * status, totals that add up.
 *
 * @param outcomeOf where each accepted transfer stands by now.
 */
export function answerInitiation(
  decision: InitiationDecision,
  header: AnswerHeader,
  outcomeOf: (transfer: AcceptedTransfer) => TransferOutcome,
): string {
  const { initiation } = decision
  const blocks =
    decision.blocks ??
    initiation.paymentInformations.map((source) => ({
      source,
      rejection: undefined,
      transactions: source.transactions.map((tx) => ({ source: tx })),
    }))
  return writeCustomerStatusReport({
    ...header,
    originalMessageId: initiation.messageId,
    originalMessageName: initiation.messageName,
    originalCreatedAt: initiation.createdAt,
    numberOfTransactions: initiation.numberOfTransactions,
    controlSum: initiation.controlSum,
    reason: decision.rejection,
    blocks: blocks.map(({ source, rejection, transactions }) => ({
      paymentInformationId: source.id,
      numberOfTransactions: source.numberOfTransactions,
      controlSum: source.controlSum,
      reason: rejection,
      transactions: transactions.map((decided): ReportedTransaction => {
        const { instructionId, endToEndId, uetr, amount, equivalentAmount } = decided.source
        const outcome: TransferOutcome =
          'transfer' in decided && decided.transfer
            ? outcomeOf(decided.transfer)
            : { status: 'RJCT', reason: 'rejection' in decided ? decided.rejection : decision.rejection }
        return { instructionId, endToEndId, uetr, amount: amount ?? equivalentAmount, ...outcome }
      }),
    })),
  })
}

/** Writes the pain.002 that refuses a file which could not be read: by its MsgId if that was found, else NOTPROVIDED. */
export function answerUnreadable(problem: UnreadableInitiation, header: AnswerHeader): string {
  return writeCustomerStatusReport({
    ...header,
    originalMessageId: problem.messageId ?? 'NOTPROVIDED',
    originalMessageName: problem.messageName ?? 'NOTPROVIDED',
    numberOfTransactions: problem.numberOfTransactions,
    controlSum: problem.controlSum,
    reason: { code: problem.code, message: `Line ${problem.line}: ${problem.message}` },
    blocks: [],
  })
}
