import { exempt, operation, outcomeOf } from '../../../platform/http/operation.ts'
import { newId } from '../../../platform/ids.ts'
import { ok, refuse } from '../../../platform/result.ts'
import { ref } from '../../../platform/subject.ts'
import type { MoneyLane } from '../../ledger/index.ts'
import { transferInternally } from '../commands/transfer-internally.ts'
import type { InternalTransferInstruction } from '../domain/internal-transfer.ts'
import {
  amountFromWire,
  INTERNAL_TRANSFER_ERRORS,
  InternalTransferAnswer,
  InternalTransferBody,
  ibanFromWire,
  internalTransferToWire,
  wrongField,
} from '../wire.ts'

export const createInternalTransfer = (moneyLane: MoneyLane) =>
  operation({
    id: 'createInternalTransfer',
    route: 'POST /v2/internal_transfers',
    tag: 'Internal transfers',
    summary: 'Move money between two accounts of the organization, at once.',
    access: { credentials: ['api_key', 'oauth', 'session'], scope: 'internal_transfer.write', permission: 'transfers.order' },
    sca: exempt('RTS (EU) 2018/389 art. 15: between accounts of the same holder at the same institution'),
    idempotency: 'contract',
    body: InternalTransferBody,
    answer: InternalTransferAnswer,
    refusals: INTERNAL_TRANSFER_ERRORS,
    read: ({ body: { internal_transfer: wire } }, { actor, now }) => {
      const amount = amountFromWire(wire.amount, wire.currency)
      if (!amount) return refuse([wrongField('invalid', 'amount', 'must be greater than 0')])
      if (wire.reference.trim() === '') return refuse([wrongField('blank', 'reference', 'cannot be blank')])
      const instruction: InternalTransferInstruction = {
        id: newId<'internal_transfer'>(),
        organizationId: actor.organizationId,
        debtorIban: ibanFromWire(wire.debit_iban),
        creditorIban: ibanFromWire(wire.credit_iban),
        amount,
        remittanceInformation: wire.reference,
        initiatorId: actor.membershipId,
        orderedAt: now,
      }
      return ok(instruction)
    },
    run: async (ctx, instruction) => outcomeOf(await transferInternally({ ...ctx, moneyLane }, instruction)),
    write: internalTransferToWire,
    audit: (transfer) => ref('internal_transfer', transfer.id),
  })
