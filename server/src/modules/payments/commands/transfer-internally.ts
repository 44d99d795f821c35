import { type Act, actRecords } from '../../../platform/act.ts'
import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { need } from '../../../platform/gather.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { ref } from '../../../platform/subject.ts'
import { write } from '../../../platform/write.ts'
import { accountsByIban } from '../../accounts/index.ts'
import { completedMovements, ownTransfer } from '../../feed/index.ts'
import type {
  MoneyAnswer,
  MoneyEffects,
  MoneyLane,
  MoneyOrder,
  OperationKey,
  Outcome,
  Posted,
  PostingRefusal,
  TransferOperation,
} from '../../ledger/index.ts'
import {
  decideInternalTransfer,
  type InternalTransferInstruction,
  type InternalTransferParties,
  type InternalTransferRefusal,
} from '../domain/internal-transfer.ts'
import { internalTransferCompleted } from '../events.ts'
import { internalTransferRows } from '../store.ts'

/** The lane that carries it out, and the act that it is: its key, its answer, its record. */
type InternalTransferContext = CommandContext & { readonly moneyLane: MoneyLane; readonly act: Act }

export type InternalTransferAnswer = MoneyAnswer<InternalTransferInstruction, InternalTransferRefusal>

/**
 * Moves money between accounts of one organization. Instant and final; no strong customer authentication (own accounts, RTS art. 15).
 *
 * @returns the instruction, carried out; or the answer that its key got before; or the first refusal that applies.
 * @throws PlatformUnavailable, retryable with the same key: nothing has been written, or the stored answer will say what was.
 */
export async function transferInternally(
  { actor, moneyLane, act }: InternalTransferContext,
  instruction: InternalTransferInstruction,
): Promise<InternalTransferAnswer> {
  assert(
    actor.kind !== 'member' || actor.organizationId === instruction.organizationId,
    'a member orders for his own organization',
  )
  return moneyLane.submit(orderOf(instruction, act))
}

const orderOf = (
  instruction: InternalTransferInstruction,
  act: Act,
): MoneyOrder<InternalTransferInstruction, InternalTransferRefusal> => ({
  organizationId: instruction.organizationId,
  orderedAt: instruction.orderedAt,
  ...(act.claim && { claim: act.claim }),
  needs: [need(accountsByIban, [instruction.debtorIban, instruction.creditorIban])],
  decide: (facts) => {
    const decision = decideInternalTransfer(instruction, facts.of(accountsByIban))
    if (!decision.ok) return decision
    const parties = decision.value
    return ok({
      bookId: parties.debtor.bookId,
      operations: [internalTransferOperation(instruction, parties)],
      effects: ([outcome]) => effectsOf({ instruction, act }, parties, outcome),
    })
  },
})

/** The transfer's id is also the ledger's key: sent again after a lost connection, it is found. */
const keyOf = (instruction: InternalTransferInstruction) => instruction.id as string as OperationKey

export const internalTransferOperation = (
  instruction: InternalTransferInstruction,
  { debtor, creditor }: InternalTransferParties,
): TransferOperation => ({
  kind: 'transfer',
  key: keyOf(instruction),
  code: 'internal_transfer',
  debit: debtor.ledgerAccountId,
  credit: creditor.ledgerAccountId,
  amount: instruction.amount,
  reference: instruction.id,
})

function effectsOf(
  { instruction, act }: { instruction: InternalTransferInstruction; act: Act },
  parties: InternalTransferParties,
  outcome: Outcome | undefined,
): Result<MoneyEffects<InternalTransferInstruction>, InternalTransferRefusal> {
  assert(outcome, 'the ledger left an operation unanswered')
  if (!outcome.ok) return refuse(refusalOf(outcome.refusal))
  return ok({
    writes: [
      write(completedMovements, internalTransferMovements(instruction, parties, outcome.value)),
      write(internalTransferRows, [{ instruction, parties }]),
      write(actRecords, [{ act, value: instruction }]),
    ],
    events: [internalTransferCompleted(instruction)],
    answer: instruction,
  })
}

function refusalOf(refusal: PostingRefusal): InternalTransferRefusal {
  if (refusal === 'available_balance_insufficient') return 'available_balance_insufficient'
  if (refusal === 'debit_account_closed') return 'debtor_account_not_found'
  if (refusal === 'credit_account_closed') return 'creditor_account_not_found'
  throw new Error(`the ledger refused an internal transfer: ${refusal}`)
}

/** Both sides see the movement at once, each naming the other account. */
export const internalTransferMovements = (
  instruction: InternalTransferInstruction,
  { debtor, creditor }: InternalTransferParties,
  posted: Posted,
) =>
  ownTransfer(
    {
      subject: ref('internal_transfer', instruction.id),
      amount: instruction.amount,
      reference: instruction.remittanceInformation,
      initiatorId: instruction.initiatorId,
      ledgerKey: keyOf(instruction),
      at: instruction.orderedAt,
      isNew: !posted.replayed,
    },
    { account: debtor, balanceMinor: posted.debitBalance },
    { account: creditor, balanceMinor: posted.creditBalance },
  )
