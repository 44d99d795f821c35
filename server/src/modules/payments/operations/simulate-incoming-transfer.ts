import { atPointer } from '../../../platform/http/api-error.ts'
import { exempt, operation, refused } from '../../../platform/http/operation.ts'
import { ok, refuse } from '../../../platform/result.ts'
import type { RailSandbox } from '../rail.ts'
import {
  amountFromWire,
  type IncomingTransfer,
  IncomingTransferAnswer,
  IncomingTransferBody,
  ibanFromWire,
  railComplaint,
} from '../wire.ts'

/** What the rail says against an order, each complaint beginning with its field. */
type RefusedByRail = { readonly kind: 'refused_by_rail'; readonly complaints: readonly string[] }
/** @property at Pointer to the transfer in the body. */
type Written = { readonly wire: IncomingTransfer; readonly at: string }

export const simulateIncomingTransfer = (rail: RailSandbox) =>
  operation({
    id: 'simulateIncomingTransfer',
    route: 'POST /simulation/incoming_transfers',
    tag: 'Simulation',
    summary: 'Have somebody outside send a SEPA credit transfer.',
    description:
      'The simulated rail sends a pacs.008; the money is booked when the worker has read it, as a rule within a second.',
    access: { credentials: ['api_key', 'session'], scope: 'none', permission: 'none' },
    sca: exempt('simulated: no payment service is used'),
    idempotency: 'none',
    body: IncomingTransferBody,
    answer: IncomingTransferAnswer,
    status: 202,
    refusals: {
      refused_by_rail: refused(422, ({ complaints }: RefusedByRail, { wire, at }: Written) =>
        complaints.map((complaint) => railComplaint(complaint, wire, at)),
      ),
    },
    read: ({ body }) => {
      const isWrapped = 'incoming_transfer' in body
      const wire = isWrapped ? body.incoming_transfer : body
      const at = isWrapped ? '/incoming_transfer' : ''
      const amount = amountFromWire(wire.amount, 'EUR')
      if (!amount) return refuse([atPointer('invalid', 'amount must be greater than 0', `${at}/amount`)])
      const iban = wire.creditor_iban ?? wire.iban
      if (iban === undefined) return refuse([atPointer('missing_key', 'creditor_iban is missing', `${at}/creditor_iban`)])
      const order = {
        amount,
        creditorIban: ibanFromWire(iban),
        debtorName: wire.debtor_name ?? 'Simulated Debtor',
        debtorIban: ibanFromWire(wire.debtor_iban ?? 'DE89370400440532013000'),
        remittanceInformation: wire.remittance_information ?? wire.reference,
        endToEndId: wire.end_to_end_id,
        copies: wire.copies,
      }
      return ok({ order, wire, at })
    },
    run: async (_ctx, { order }) => {
      const simulated = await rail.sendIncoming(order)
      return simulated.ok ? simulated : refuse({ kind: 'refused_by_rail', complaints: simulated.refusal } satisfies RefusedByRail)
    },
    write: (incoming) => ({ incoming_transfer: incoming }),
    // The rail's own payment, which may never be one of ours.
    audit: () => undefined,
  })
