import type { PaymentAccount } from '../modules/accounts/index.ts'
import type { Category, CompletedMovement, VatRate } from '../modules/feed/index.ts'
import * as feed from '../modules/feed/index.ts'
import { BATCH_MAX, type OperationKey, type Outcome, post, type TransferOperation } from '../modules/ledger/index.ts'
import { openSettlementAccounts } from '../modules/payments/index.ts'
import { assert } from '../platform/assert.ts'
import { derivedId, type Id } from '../platform/ids.ts'
import { EUR, money } from '../platform/money.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { ref } from '../platform/subject.ts'

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
  /** The rate of VAT contained in the amount. */
  readonly vatRate?: VatRate | undefined
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
  const booked: CompletedMovement[][] = []
  for (let start = 0; start < movements.length; start += BATCH_MAX / LEGS_PER_MOVEMENT) {
    const batch = movements.slice(start, start + BATCH_MAX / LEGS_PER_MOVEMENT)
    const operations = batch.flatMap((movement, i) => operationsOf(movement, `${name}/${start + i}`, settlement))
    const outcomes = (await post(tx, bookId, operations, now))[Symbol.iterator]()
    batch.forEach((movement, i) => {
      const legs = operationsOf(movement, `${name}/${start + i}`, settlement)
      const posted = legs.map(() => balancesOf(outcomes.next().value))
      booked.push(feedOf(movement, ids[start + i] as Id<'transaction'>, legs, posted))
    })
  }
  await writeFeed(tx, movements, ids, booked)
  await feed.assignVat(
    tx,
    organizationId,
    movements.flatMap(({ vatRate, amountMinor, at }, index) =>
      vatRate === undefined
        ? []
        : {
            transactionId: ids[index] as Id<'transaction'>,
            amount: money(EUR, amountMinor),
            rate: vatRate,
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
      leg('nostro', 'sct.out.settlement', settlement.clearingOut, settlement.nostro),
    ]
  }
  return [
    leg('nostro', 'sct.in.settlement', settlement.nostro, settlement.clearingIn),
    leg('own', 'sct.in', settlement.clearingIn, own),
  ]
}

function feedOf(
  movement: Movement,
  id: Id<'transaction'>,
  legs: readonly TransferOperation[],
  posted: readonly Balances[],
): CompletedMovement[] {
  const { account, with: other, side } = movement
  const isDebit = side === 'debit'
  const ownLeg = isDebit || isOwn(other) ? 0 : 1
  const ledgerKey = legs[ownLeg]?.key
  if (ledgerKey === undefined) return []
  const shared = { ...sharedOf(movement, id), ledgerKey }
  const balances = posted[ownLeg] ?? { debit: null, credit: null }
  if (isOwn(other)) {
    const creditId = derivedId('transaction', id, 'credit')
    return feed.ownTransfer(
      shared,
      { id, account, balanceMinor: balances.debit },
      { id: creditId, account: other, balanceMinor: balances.credit },
    )
  }
  return [{ ...shared, ...partyOf(movement, other), id, balanceMinor: isDebit ? balances.debit : balances.credit }]
}

const sharedOf = (movement: Movement, id: Id<'transaction'>) => ({
  subject: ref('demo_movement', id as string as Id<'demo_movement'>),
  amount: money(EUR, movement.amountMinor),
  reference: movement.reference,
  note: movement.note ?? null,
  category: movement.category,
  initiatorId: movement.initiatorId,
  at: movement.at,
})

const partyOf = ({ account, side, isDirectDebit }: Movement, { name, iban, bic }: Counterparty) => ({
  account,
  kind: side === 'credit' ? ('income' as const) : isDirectDebit ? ('direct_debit' as const) : ('transfer' as const),
  counterparty: {
    name,
    cleanName: name.replace(/ (SAS|SARL|SA|GmbH|AG|SpA|SL|BV)$/, ''),
    account: feed.sepaAccount(iban, bic),
  },
})

/** In the order of their dates, which is that of the feed's numbers. */
async function writeFeed(
  tx: Tx,
  movements: readonly Movement[],
  ids: readonly Id<'transaction'>[],
  booked: readonly (readonly CompletedMovement[])[],
): Promise<void> {
  let told: CompletedMovement[] = []
  for (const [index, movement] of movements.entries()) {
    told.push(...(booked[index] ?? []))
    const isLast = index === movements.length - 1
    if (!isLast && !movement.isDeclined) continue
    await feed.completed({ now: movement.at }, tx, told)
    told = []
    if (movement.isDeclined) await recordDeclined(tx, movement, ids[index] as Id<'transaction'>)
  }
}

/** Refused by the other bank: it stands in the feed and moved nothing. */
async function recordDeclined(tx: Tx, movement: Movement, id: Id<'transaction'>): Promise<void> {
  const { with: other, at } = movement
  if (isOwn(other)) return
  const shared = sharedOf(movement, id)
  await feed.pending({ now: at }, tx, [{ ...shared, ...partyOf(movement, other), id, ledgerKey: null }])
  await feed.decline({ now: at }, tx, [shared.subject])
}
