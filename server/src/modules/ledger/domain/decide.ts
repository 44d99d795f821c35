import { assert } from '../../../platform/assert.ts'
import type { Currency } from '../../../platform/money.ts'
import type { LedgerAccountId, Operation, OperationKey, Outcome, Posted } from './operation.ts'
import { AMOUNT_MAX, type PostingRefusal, TOTAL_MAX } from './refusals.ts'

/**
 * The oracle: the ledger's rules once more, in their plainest form. It never posts anything; tests hold `ledger.post_batch` against it,
 * outcome by outcome. Where the two differ, one of them is wrong.
 */
export type BookState = {
  readonly seq: bigint
  readonly recordedAt: Date
  readonly closedUntil: Date
  readonly accounts: ReadonlyMap<LedgerAccountId, AccountState>
  readonly holds: ReadonlyMap<OperationKey, HoldState>
  readonly keys: ReadonlyMap<OperationKey, { readonly content: string; readonly posted: Posted }>
}

export type AccountState = {
  readonly currency: Currency
  readonly status: 'open' | 'closed'
  readonly floor: bigint | null
  readonly debits: bigint
  readonly credits: bigint
  readonly held: bigint
  readonly version: bigint
}

export type HoldState = {
  readonly account: LedgerAccountId
  readonly amount: bigint
  readonly posted: bigint
  readonly status: 'pending' | 'posted' | 'voided' | 'expired'
  readonly expiresAt: Date | undefined
}

const HELD_MAX = TOTAL_MAX / 2n

/** Decides a batch: one outcome per operation, in order, and the book afterwards. */
export function decide(book: BookState, operations: readonly Operation[], now: Date): { outcomes: Outcome[]; book: BookState } {
  let state = { ...book, recordedAt: now > book.recordedAt ? now : book.recordedAt }
  const outcomes: Outcome[] = []
  for (let from = 0; from < operations.length; ) {
    let to = from + 1
    const group = operations[from]?.group
    while (group !== undefined && operations[to]?.group === group) to++
    const unit = operations.slice(from, to)
    const decided = group === undefined ? decideOne(state, unit[0] as Operation) : decideGroup(state, unit)
    state = decided.book
    outcomes.push(...decided.outcomes)
    from = to
  }
  return { outcomes, book: state.seq === book.seq ? book : state } // a batch that posts nothing leaves no trace
}

type Decided = { outcomes: Outcome[]; book: BookState }

function decideOne(book: BookState, operation: Operation): Decided {
  const known = book.keys.get(operation.key)
  if (known) return { outcomes: [answerAgain(known, operation)], book }
  const refusal = refusalOf(book, operation)
  if (refusal) return { outcomes: [{ ok: false, refusal }], book }
  return apply(book, operation)
}

/** All legs or none. The first refused leg says why; the others fall with it. Legs that are stored answer what is stored, and then no new leg can join. */
function decideGroup(before: BookState, legs: readonly Operation[]): Decided {
  const stored = (leg: Operation) => before.keys.get(leg.key)?.content === contentOf(leg)
  let broken = legs.some(stored)
  let book = before
  let outcomes: Outcome[] = []
  for (const leg of legs) {
    const known = before.keys.get(leg.key)
    if (known && stored(leg)) {
      outcomes.push(answerAgain(known, leg))
      continue
    }
    const reused = known !== undefined || (!broken && book.keys.has(leg.key))
    const refusal = reused ? 'key_reused_with_other_content' : broken ? 'group_refused' : refusalOf(book, leg)
    if (!refusal) {
      const decided = apply(book, leg)
      book = decided.book
      outcomes.push(...decided.outcomes)
      continue
    }
    if (!broken) {
      broken = true
      book = before
      outcomes = outcomes.map((outcome) => (outcome.ok ? { ok: false, refusal: 'group_refused' } : outcome))
    }
    outcomes.push({ ok: false, refusal })
  }
  return { outcomes, book }
}

const answerAgain = (known: { content: string; posted: Posted }, operation: Operation): Outcome =>
  known.content === contentOf(operation)
    ? { ok: true, value: { ...known.posted, replayed: true } }
    : { ok: false, refusal: 'key_reused_with_other_content' }

const contentOf = (operation: Operation): string =>
  JSON.stringify([
    operation.kind,
    operation.group,
    operation.kind === 'transfer' ? operation.debit : operation.kind === 'hold' ? operation.account : operation.hold,
    operation.kind === 'transfer' || operation.kind === 'post_hold' ? operation.credit : null,
    operation.kind === 'void_hold'
      ? null
      : [operation.amount?.currency, String(operation.amount?.minor), operation.code, operation.reference],
    operation.kind === 'transfer' || operation.kind === 'post_hold' ? operation.effectiveAt : null,
    operation.kind === 'hold' ? operation.expiresAt : null,
    operation.kind === 'transfer' && operation.force === true,
  ])

const inRange = (amount: bigint): boolean => amount >= 1n && amount <= AMOUNT_MAX
const available = (account: AccountState): bigint => account.credits - account.debits - account.held

/** The first refusal that applies, in the order of POSTING_REFUSALS. */
function refusalOf(book: BookState, operation: Operation): PostingRefusal | undefined {
  if (operation.kind === 'hold') return refusalOfHold(book, operation)
  if (operation.kind === 'void_hold') {
    const hold = book.holds.get(operation.hold)
    if (!hold) return 'hold_not_found'
    return isPending(hold, book) ? undefined : 'hold_not_pending'
  }
  if (operation.amount && !inRange(operation.amount.minor)) return 'amount_out_of_range'
  const hold = operation.kind === 'post_hold' ? book.holds.get(operation.hold) : undefined
  if (operation.kind === 'post_hold' && !hold) return 'hold_not_found'
  const { debitId, amount } = movementOf(book, operation)
  const debit = book.accounts.get(debitId)
  const credit = book.accounts.get(operation.credit)
  if (!debit) return 'debit_account_not_found'
  if (!credit) return 'credit_account_not_found'
  if (debitId === operation.credit) return 'same_account_on_both_sides'
  const currency = operation.amount?.currency ?? debit.currency
  if (debit.currency !== currency || credit.currency !== currency) return 'currency_mismatch'
  if (debit.status === 'closed') return 'debit_account_closed'
  if (credit.status === 'closed') return 'credit_account_closed'
  if ((operation.effectiveAt ?? book.recordedAt) < book.closedUntil) return 'period_closed'
  if (hold && !isPending(hold, book)) return 'hold_not_pending'
  if (hold && amount > hold.amount) return 'amount_exceeds_hold'
  const free = hold !== undefined || (operation.kind === 'transfer' && operation.force === true) || debit.floor === null
  if (!free && available(debit) - amount < (debit.floor ?? 0n)) return 'available_balance_insufficient'
  if (debit.debits + amount > TOTAL_MAX || credit.credits + amount > TOTAL_MAX) return 'account_total_out_of_range'
  return undefined
}

function refusalOfHold(book: BookState, operation: Operation & { kind: 'hold' }): PostingRefusal | undefined {
  if (!inRange(operation.amount.minor)) return 'amount_out_of_range'
  const account = book.accounts.get(operation.account)
  if (!account) return 'debit_account_not_found'
  if (account.currency !== operation.amount.currency) return 'currency_mismatch'
  if (account.status === 'closed') return 'debit_account_closed'
  if (account.floor !== null && available(account) - operation.amount.minor < account.floor)
    return 'available_balance_insufficient'
  if (account.held + operation.amount.minor > HELD_MAX) return 'account_total_out_of_range'
  return undefined
}

const isPending = (hold: HoldState, book: BookState): boolean =>
  hold.status === 'pending' && !(hold.expiresAt && hold.expiresAt <= book.recordedAt)

/** Whom a transfer, or the posting of a hold, debits, and by how much. */
function movementOf(
  book: BookState,
  operation: Operation & { kind: 'transfer' | 'post_hold' },
): { debitId: LedgerAccountId; amount: bigint } {
  if (operation.kind === 'transfer') return { debitId: operation.debit, amount: operation.amount.minor }
  const hold = book.holds.get(operation.hold)
  assert(hold, 'the hold was found before')
  return { debitId: hold.account, amount: operation.amount?.minor ?? hold.amount }
}

/** Does an operation that nothing refuses. */
function apply(book: BookState, operation: Operation): Decided {
  const accounts = new Map(book.accounts)
  const holds = new Map(book.holds)
  const seq = book.seq + 1n
  const change = (id: LedgerAccountId, changes: (account: AccountState) => Partial<AccountState>): AccountState => {
    const account = accounts.get(id)
    assert(account, 'the account was found before')
    const changed = { ...account, ...changes(account) }
    accounts.set(id, changed)
    return changed
  }
  let posted: Posted = { seq, replayed: false, debitBalance: null, debitVersion: null, creditBalance: null, creditVersion: null }

  if (operation.kind === 'hold') {
    const { account, amount, expiresAt } = operation
    change(account, (a) => ({ held: a.held + amount.minor }))
    holds.set(operation.key, { account, amount: amount.minor, posted: 0n, status: 'pending', expiresAt })
  }
  if (operation.kind === 'transfer' || operation.kind === 'post_hold') {
    const { debitId, amount } = movementOf(book, operation)
    const debit = change(debitId, (a) => ({ debits: a.debits + amount, version: a.version + 1n }))
    const credit = change(operation.credit, (a) => ({ credits: a.credits + amount, version: a.version + 1n }))
    posted = {
      ...posted,
      debitBalance: debit.credits - debit.debits,
      debitVersion: debit.version,
      creditBalance: credit.credits - credit.debits,
      creditVersion: credit.version,
    }
  }
  if (operation.kind === 'post_hold' || operation.kind === 'void_hold') {
    const hold = holds.get(operation.hold)
    assert(hold, 'the hold was found before')
    change(hold.account, (a) => ({ held: a.held - hold.amount }))
    const isPosted = operation.kind === 'post_hold'
    const amount = isPosted ? (operation.amount?.minor ?? hold.amount) : 0n
    holds.set(operation.hold, { ...hold, status: isPosted ? 'posted' : 'voided', posted: amount })
  }
  const keys = new Map(book.keys).set(operation.key, { content: contentOf(operation), posted })
  return { outcomes: [{ ok: true, value: posted }], book: { ...book, seq, accounts, holds, keys } }
}
