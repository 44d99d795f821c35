import { assert } from '../../../platform/assert.ts'
import { claimKeys, findAnswer, type KeyClaim, releaseKeys, type StoredAnswer } from '../../../platform/idempotency.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { Lane } from '../../../platform/lane.ts'
import { publish } from '../../../platform/outbox.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { findAccountsByIban, type NewTransaction, recordTransactions } from '../../accounts/index.ts'
import { type BookId, type OperationKey, type Outcome, post, type TransferOperation } from '../../ledger/index.ts'
import {
  decideInternalTransfer,
  type InternalTransferInstruction,
  type InternalTransferParties,
  type InternalTransferRefusal,
} from '../domain/internal-transfer.ts'
import { internalTransferCompleted } from '../events.ts'
import * as store from '../store.ts'

/** An instruction with the idempotency key it came with and the answer that is stored under it when it succeeds. */
export type InternalTransferOrder = { readonly instruction: InternalTransferInstruction; readonly claim: KeyClaim }

/** `replay`: the key was used before; this is the answer given then, and nothing happened now. */
export type InternalTransferAnswer = Result<{ readonly replay: StoredAnswer | undefined }, InternalTransferRefusal>

const BATCH_MAX = 400
const QUEUE_MAX = 10_000

/**
 * Moves money between accounts of one organization. Instant and final; no strong customer authentication (own accounts, RTS art. 15).
 *
 * Orders of one book share a transaction: while one batch is being committed, the next gathers. An order is answered after its commit.
 */
export class InternalTransfers {
  readonly #database: Database
  readonly #lanes = new Map<BookId | undefined, Lane<InternalTransferOrder, InternalTransferAnswer>>()
  // An organization lives in one book for life; the first order of an organization teaches us which.
  readonly #books = new Map<string, BookId>()

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws PlatformUnavailable, retryable with the same key: nothing has been written, or the stored answer will say what was. */
  submit(order: InternalTransferOrder): Promise<InternalTransferAnswer> {
    const book = this.#books.get(order.instruction.organizationId)
    let lane = this.#lanes.get(book)
    if (!lane) {
      lane = new Lane({ execute: (batch) => this.#execute(batch), batchMax: BATCH_MAX, waitingMax: QUEUE_MAX })
      this.#lanes.set(book, lane)
    }
    return lane.submit(order)
  }

  /** The answer that an earlier order got under this key, for a request that is no order itself. */
  earlierAnswer(
    organizationId: Id<'organization'>,
    given: Pick<KeyClaim, 'operation' | 'key'>,
    now: Date,
  ): Promise<StoredAnswer | undefined> {
    return this.#database.read({ organizationId }, (tx) => findAnswer(tx, { organizationId, ...given }, now))
  }

  /** Resolves when everything submitted is answered. */
  async drain(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.drain()))
  }

  #execute(batch: readonly InternalTransferOrder[]): Promise<InternalTransferAnswer[]> {
    return this.#database.transaction('system', async (tx) => {
      const { first, followers } = splitRepeats(batch)
      const now = new Date(Math.max(...first.map((order) => order.instruction.orderedAt.getTime())))
      const replays = await claimKeys(
        tx,
        first.map((order) => order.claim),
        now,
      )
      const fresh = first.filter((_, index) => replays[index] === undefined)
      const outcomes = new Map(await this.#transfer(tx, fresh, now))
      const answers = new Map<InternalTransferOrder, InternalTransferAnswer>()
      first.forEach((order, index) => {
        answers.set(order, outcomes.get(order) ?? ok({ replay: replays[index] }))
      })
      await releaseKeys(
        tx,
        first.filter((order) => answers.get(order)?.ok === false).map((order) => order.claim),
      )
      return batch.map((order) => {
        const answer = answers.get(followers.get(order) ?? order)
        assert(answer, 'an order was not answered')
        return followers.has(order) && answer.ok
          ? ok({ replay: answer.value.replay ?? storedAnswerOf(followers.get(order)) })
          : answer
      })
    })
  }

  /** Everything about orders whose keys are ours, in one transaction: accounts, money, feed, events. */
  async #transfer(
    tx: Tx,
    orders: readonly InternalTransferOrder[],
    now: Date,
  ): Promise<[InternalTransferOrder, InternalTransferAnswer][]> {
    if (orders.length === 0) return []
    const ibans = orders.flatMap(({ instruction }) => [instruction.debtorIban, instruction.creditorIban])
    const accounts = await findAccountsByIban(tx, ibans)
    const answers: [InternalTransferOrder, InternalTransferAnswer][] = []
    const byBook = new Map<BookId, Decided[]>()
    for (const order of orders) {
      const decision = decideInternalTransfer(order.instruction, accounts)
      if (!decision.ok) {
        answers.push([order, decision])
        continue
      }
      const book = decision.value.debtor.bookId
      this.#books.set(order.instruction.organizationId, book)
      const sameBook = byBook.get(book)
      if (sameBook) sameBook.push({ order, parties: decision.value })
      else byBook.set(book, [{ order, parties: decision.value }])
    }
    // Books are locked in one order, so that two batches over the same books wait for each other instead of deadlocking.
    for (const [book, decided] of [...byBook].sort(([a], [b]) => a - b))
      answers.push(...(await postBatch(tx, book, decided, now)))
    return answers
  }
}

type Decided = { readonly order: InternalTransferOrder; readonly parties: InternalTransferParties }

/** The transfer's id is also the ledger's key: sent again after a lost connection, it is found. */
const keyOf = (instruction: InternalTransferInstruction) => instruction.id as string as OperationKey

/** Equal keys inside one batch: the first is executed, the others repeat its answer. */
function splitRepeats(batch: readonly InternalTransferOrder[]) {
  const byKey = new Map<string, InternalTransferOrder>()
  const followers = new Map<InternalTransferOrder, InternalTransferOrder>()
  for (const order of batch) {
    const { organizationId, operation, key } = order.claim
    const name = `${organizationId} ${operation} ${key}`
    const leader = byKey.get(name)
    if (leader) followers.set(order, leader)
    else byKey.set(name, order)
  }
  return { first: [...byKey.values()], followers }
}

function storedAnswerOf(leader: InternalTransferOrder | undefined): StoredAnswer | undefined {
  return leader && { status: leader.claim.status, body: leader.claim.body, requestHash: leader.claim.requestHash }
}

async function postBatch(
  tx: Tx,
  book: BookId,
  decided: readonly Decided[],
  now: Date,
): Promise<[InternalTransferOrder, InternalTransferAnswer][]> {
  const outcomes = await post(tx, book, decided.map(operationOf), now)
  const posted = decided.flatMap((d, index) => {
    const outcome = outcomes[index]
    return outcome?.ok ? [{ ...d, outcome }] : []
  })
  await recordTransactions(tx, posted.flatMap(feedRows))
  await store.insertInternalTransfers(tx, posted)
  await publish(
    tx,
    posted.map(({ order }) => internalTransferCompleted(order.instruction)),
  )
  return decided.map(({ order }, index) => [order, answerOf(outcomes[index])])
}

function operationOf({ order: { instruction }, parties }: Decided): TransferOperation {
  return {
    kind: 'transfer',
    key: keyOf(instruction),
    code: 'internal_transfer',
    debit: parties.debtor.ledgerAccountId,
    credit: parties.creditor.ledgerAccountId,
    amount: instruction.amount,
    reference: instruction.id,
  }
}

function answerOf(outcome: Outcome | undefined): InternalTransferAnswer {
  assert(outcome, 'the ledger left an operation unanswered')
  if (outcome.ok) return ok({ replay: undefined })
  if (outcome.refusal === 'available_balance_insufficient') return refuse('available_balance_insufficient')
  if (outcome.refusal === 'debit_account_closed') return refuse('debtor_account_not_found')
  if (outcome.refusal === 'credit_account_closed') return refuse('creditor_account_not_found')
  throw new Error(`the ledger refused an internal transfer: ${outcome.refusal}`)
}

/** Both sides see the movement at once, each naming the other account. */
function feedRows({
  order: { instruction },
  parties,
  outcome,
}: Decided & { outcome: Extract<Outcome, { ok: true }> }): NewTransaction[] {
  const common = {
    organizationId: instruction.organizationId,
    status: 'completed',
    amount: instruction.amount,
    reference: instruction.remittanceInformation,
    category: 'treasury_and_interco',
    initiatorId: instruction.initiatorId,
    subjectType: 'WalletToWallet',
    ledgerReference: keyOf(instruction),
    emittedAt: instruction.orderedAt,
    settledAt: instruction.orderedAt,
    recordedAt: instruction.orderedAt,
  } as const
  return [
    {
      ...common,
      id: newId<'transaction'>(),
      bankAccountId: parties.debtor.id,
      side: 'debit',
      operationType: 'transfer',
      settledBalanceMinor: outcome.value.debitBalance,
      label: parties.creditor.name,
    },
    {
      ...common,
      id: newId<'transaction'>(),
      bankAccountId: parties.creditor.id,
      side: 'credit',
      operationType: 'income',
      settledBalanceMinor: outcome.value.creditBalance,
      label: parties.debtor.name,
    },
  ]
}
