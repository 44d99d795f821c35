import type { PaymentAccount } from '../modules/accounts/index.ts'
import { assignVat, type Category, type NewTransaction, recordTransactions, sepaAccount } from '../modules/feed/index.ts'
import { BATCH_MAX, type OperationKey, type Outcome, post, type TransferOperation } from '../modules/ledger/index.ts'
import { openSettlementAccounts } from '../modules/payments/index.ts'
import { assert } from '../platform/assert.ts'
import { derivedId, type Id } from '../platform/ids.ts'
import { EUR, money } from '../platform/money.ts'
import type { Tx } from '../platform/postgres/database.ts'

export type Counterparty = { readonly name: string; readonly iban: string; readonly bic: string }

/** A payment of the past, as the demo's history tells it. */
export type Movement = {
  readonly at: Date
  readonly account: PaymentAccount
  /** With whom: somebody outside, or another account of the company. */
  readonly with: Counterparty | PaymentAccount
  readonly side: 'credit' | 'debit'
  readonly amountMinor: bigint
  readonly category: Category
  readonly reference: string
  readonly note?: string
  readonly initiatorId: Id<'membership'> | null
  /** The rate of VAT contained in the amount, in percent. */
  readonly vatPercent?: bigint | undefined
  /** Collected by the creditor instead of sent by us. */
  readonly isDirectDebit?: boolean
  /** Refused by the other bank: it stands in the feed and moved nothing. */
  readonly isDeclined?: boolean
}

const LEGS_PER_MOVEMENT = 2

/**
 * Books a history: every movement goes through the ledger, over the same settlement accounts as real payments, with its own date as
 * effective time; the feed tells the balances that the ledger answered. Movements of one book, in the order of their dates.
 *
 * @param name makes the keys: the same name books the same history once.
 * @throws Bug when a movement is not covered: a history must be possible.
 */
export async function bookHistory(tx: Tx, name: string, movements: readonly Movement[], now: Date): Promise<Id<'transaction'>[]> {
  const account = movements[0]?.account
  if (account === undefined) return []
  const { bookId, organizationId } = account
  const settlement = await openSettlementAccounts(tx, bookId, now)
  const ids = movements.map((_, index) => derivedId('transaction', name, index))
  const rows: NewTransaction[] = []
  for (let start = 0; start < movements.length; start += BATCH_MAX / LEGS_PER_MOVEMENT) {
    const batch = movements.slice(start, start + BATCH_MAX / LEGS_PER_MOVEMENT)
    const operations = batch.flatMap((movement, i) => operationsOf(movement, `${name}/${start + i}`, settlement))
    const outcomes = (await post(tx, bookId, operations, now))[Symbol.iterator]()
    batch.forEach((movement, i) => {
      const legs = operationsOf(movement, `${name}/${start + i}`, settlement)
      const posted = legs.map(() => balancesOf(outcomes.next().value))
      rows.push(...feedOf(movement, ids[start + i] as Id<'transaction'>, legs, posted))
    })
  }
  await recordTransactions(tx, rows)
  await assignVat(
    tx,
    organizationId,
    movements.flatMap(({ vatPercent, amountMinor, at }, index) =>
      vatPercent === undefined
        ? []
        : {
            transactionId: ids[index] as Id<'transaction'>,
            amount: money(EUR, amountMinor),
            ratePercent: vatPercent,
            assignedAt: at,
          },
    ),
  )
  return ids
}

type Balances = { readonly debit: bigint | null; readonly credit: bigint | null }

function balancesOf(outcome: Outcome | undefined): Balances {
  assert(outcome?.ok, `a seeded movement was refused: ${outcome?.ok === false ? outcome.refusal : 'no outcome'}`)
  return { debit: outcome.value.debitBalance, credit: outcome.value.creditBalance }
}

const isOwn = (party: Counterparty | PaymentAccount): party is PaymentAccount => 'ledgerAccountId' in party

type Settlement = Awaited<ReturnType<typeof openSettlementAccounts>>

/** The accounting entries of one movement (sepa.md §12), customer's leg first on the way out and last on the way in. */
function operationsOf(movement: Movement, name: string, settlement: Settlement): TransferOperation[] {
  if (movement.isDeclined) return []
  const own = movement.account.ledgerAccountId
  const leg = (part: string, code: string, debit: typeof own, credit: typeof own): TransferOperation => ({
    kind: 'transfer',
    key: derivedId('ledger_operation', name, part) as OperationKey,
    ...(isOwn(movement.with) ? {} : { group: derivedId('ledger_group', name) }),
    code,
    debit,
    credit,
    amount: money(EUR, movement.amountMinor),
    effectiveAt: movement.at,
  })
  if (isOwn(movement.with)) return [leg('move', 'internal', own, movement.with.ledgerAccountId)]
  if (movement.side === 'debit') {
    return [
      leg('own', 'sct.out', own, settlement.clearingOut),
      leg('nostro', 'sct.out.settled', settlement.clearingOut, settlement.nostro),
    ]
  }
  return [
    leg('nostro', 'sct.in.settled', settlement.nostro, settlement.clearingIn),
    leg('own', 'sct.in', settlement.clearingIn, own),
  ]
}

function feedOf(
  movement: Movement,
  id: Id<'transaction'>,
  legs: readonly TransferOperation[],
  posted: readonly Balances[],
): NewTransaction[] {
  const { account, with: other, at } = movement
  const isDebit = movement.side === 'debit'
  const shared = {
    organizationId: account.organizationId,
    status: movement.isDeclined ? 'declined' : 'completed',
    amount: money(EUR, movement.amountMinor),
    reference: movement.reference,
    note: movement.note ?? null,
    category: movement.category,
    initiatorId: movement.initiatorId,
    emittedAt: at,
    settledAt: movement.isDeclined ? null : at,
    recordedAt: at,
  } as const
  if (isOwn(other)) {
    const own = { ...shared, subjectType: 'WalletToWallet', ledgerReference: legs[0]?.key ?? null } as const
    const debit = { ...own, id, bankAccountId: account.id, side: 'debit', operationType: 'transfer', label: other.name } as const
    const credit = {
      ...own,
      id: derivedId('transaction', id, 'credit'),
      bankAccountId: other.id,
      side: 'credit',
      operationType: 'income',
    } as const
    return [
      { ...debit, settledBalanceMinor: posted[0]?.debit ?? null },
      { ...credit, label: account.name, settledBalanceMinor: posted[0]?.credit ?? null },
    ]
  }
  const ownLeg = isDebit ? 0 : 1
  return [
    {
      ...shared,
      id,
      bankAccountId: account.id,
      side: movement.side,
      operationType: movement.isDirectDebit ? 'direct_debit' : isDebit ? 'transfer' : 'income',
      subjectType: movement.isDirectDebit ? 'DirectDebit' : isDebit ? 'Transfer' : 'Income',
      settledBalanceMinor: (isDebit ? posted[ownLeg]?.debit : posted[ownLeg]?.credit) ?? null,
      label: other.name,
      cleanCounterpartyName: other.name.replace(/ (SAS|SARL|SA|GmbH|AG|SpA|SL|BV)$/, ''),
      counterparty: sepaAccount(other.iban, other.bic),
      attachmentRequired: isDebit,
      ledgerReference: legs[ownLeg]?.key ?? null,
    },
  ]
}
