import { isCreditorReference } from '../../formats/payments/iban.ts'
import type { AcceptedTransfer, InitiationDecision } from '../../formats/payments/pain001-rules.ts'
import { assert } from '../../platform/assert.ts'
import type { CreditTransferInstruction, TransferDetails } from './domain/instruction.ts'

/** One transaction of a payment file, in the words of the payments. `position` counts all transactions of the file, from 0. */
export type PaymentOrder = {
  readonly transfer: AcceptedTransfer
  readonly position: number
  readonly instruction: CreditTransferInstruction
}

/**
 * Every transfer that the rules let through, in the order of the file, with its position among all transactions.
 * @param ids one per transaction of the file, also of those that are refused: what is decided again keeps its ids.
 */
export function ordersOf(decision: InitiationDecision, ids: readonly CreditTransferInstruction['id'][]): PaymentOrder[] {
  let position = -1
  return (decision.blocks ?? []).flatMap((block) =>
    block.transactions.flatMap(({ transfer }) => {
      position += 1
      if (!transfer) return []
      const id = ids[position]
      assert(id, 'a transaction of the file has no id')
      const instruction = {
        id,
        creditorName: transfer.creditor.name,
        creditorIban: transfer.creditorIban,
        creditorBic: transfer.creditorAgent ?? null,
        amount: transfer.amount,
        endToEndId: transfer.endToEndId,
        uetr: transfer.uetr ?? null,
        instructionId: transfer.instructionId ?? null,
        ...remittanceOf(transfer),
        purpose: transfer.purpose?.code ?? null,
        requestedExecutionDate: block.executionDate,
        paymentInformationId: block.source.id,
        filePosition: position,
        details: detailsOf(transfer),
      }
      return [{ transfer, position, instruction }]
    }),
  )
}

/**
 * A structured reference travels as one when the scheme knows its type (SCOR, whoever issued it); one of another type, such as a Swiss
 * QRR, as text, since the creditor's bank would not take it.
 */
function remittanceOf({ remittance }: AcceptedTransfer) {
  const { reference, type } = remittance?.structured[0]?.creditorReference ?? {}
  if (reference === undefined) return { remittanceInformation: remittance?.unstructured[0] ?? null, creditorReference: null }
  return type === undefined || type.code === 'SCOR'
    ? { remittanceInformation: null, creditorReference: isCreditorReference(reference) ? compact(reference) : reference }
    : { remittanceInformation: reference, creditorReference: null }
}

const compact = (reference: string): string => reference.replace(/\s+/g, '').toUpperCase()

function detailsOf({ debtor, creditor, ultimateDebtor, ultimateCreditor, categoryPurpose, remittance }: AcceptedTransfer) {
  const { reference, issuer } = remittance?.structured[0]?.creditorReference ?? {}
  const details: { -readonly [K in keyof TransferDetails]: TransferDetails[K] } = {}
  if (debtor.address || debtor.identification) details.debtor = { address: debtor.address, identification: debtor.identification }
  if (creditor.address || creditor.identification)
    details.creditor = { address: creditor.address, identification: creditor.identification }
  if (ultimateDebtor) details.ultimateDebtor = ultimateDebtor
  if (ultimateCreditor) details.ultimateCreditor = ultimateCreditor
  if (categoryPurpose) details.categoryPurpose = categoryPurpose
  if (reference !== undefined && isCreditorReference(reference)) details.creditorReferenceIssuer = 'ISO'
  else if (issuer !== undefined) details.creditorReferenceIssuer = issuer
  return details
}
