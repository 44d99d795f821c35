import { assert } from '../../../platform/assert.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ref } from '../../../platform/subject.ts'
import * as feed from '../../feed/index.ts'
import { BATCH_MAX, type Operation, type Outcome, type PostingRefusal, post } from '../../ledger/index.ts'
import { type CarryChange, carriedKey, type LedgerAnswer } from '../domain/account-books.ts'
import type { StatementEntry } from '../domain/statement.ts'
import type { AccountPlan } from '../domain/statement-plan.ts'
import { eveOf, noonOf } from '../domain/statement-span.ts'
import * as store from '../store.ts'
import type { ExternalAccount } from './open-external-account.ts'

export type Recording = {
  readonly organizationId: Id<'organization'>
  readonly account: ExternalAccount
  readonly now: Date
  /** Called with how many more entries are through. */
  readonly onEntries: (entries: number) => void
}

/**
 * Posts what a plan wants and writes the feed, the carried balances and where the history ends.
 *
 * @returns what the ledger answered otherwise than planned, by `StatementEntry.key` or `carriedKey`. Then nothing of it may be kept: the
 * plan has to be made again, knowing it. Empty: all is as planned.
 */
export async function recordPlan(tx: Tx, plan: AccountPlan, recording: Recording): Promise<Map<string, LedgerAnswer>> {
  const { organizationId, account, now } = recording
  const answers = new Map<string, LedgerAnswer>()
  for (const batch of inBatches(postingsOf(plan))) {
    const outcomes = await post(
      tx,
      account.bookId,
      batch.map((posting) => operationOf(posting, account)),
      now,
    )
    const movements: feed.CompletedMovement[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const posting = batch[index] as Posting
      const answer = unplanned(outcome)
      if (answer) answers.set('source' in posting ? posting.key : carriedKey(account.ledgerAccountId, posting.day), answer)
      else if ('source' in posting && outcome.ok) {
        const { creditBalance, debitBalance } = outcome.value
        movements.push(movementOf(posting, posting.signedMinor > 0n ? creditBalance : debitBalance, recording))
      }
    }
    if (answers.size === 0) await feed.completed({ now }, tx, movements)
    recording.onEntries(batch.filter((posting) => 'source' in posting).length)
  }
  if (answers.size > 0) return answers
  const bankAccountId = account.id
  if (plan.carried.length > 0) await store.saveCarried(tx, { bankAccountId, organizationId }, plan.carried)
  if (plan.reached) await store.saveReached(tx, { ...plan.reached, bankAccountId, organizationId })
  if (plan.restate) {
    const { from, base, carried } = plan.restate
    const later = carried.map(({ day, carriedMinor }) => ({ at: eveOf(day), minor: carriedMinor }))
    await feed.restateBalances(tx, { bankAccountId, from: eveOf(from), base, carried: later, now })
  }
  return answers
}

type Posting = StatementEntry | CarryChange

/** In the order in which the plan counted on them. */
function* postingsOf({ statements }: AccountPlan): Generator<Posting> {
  for (const { opening, toBook, corrections } of statements) {
    if (opening && opening.postedMinor !== 0n) yield opening
    yield* toBook
    yield* corrections
  }
}

function* inBatches(postings: Iterable<Posting>): Generator<Posting[]> {
  let batch: Posting[] = []
  for (const posting of postings) {
    batch.push(posting)
    if (batch.length < BATCH_MAX) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Credits come from the account's contra account, debits go there. */
function operationOf(posting: Posting, { ledgerAccountId: own, contraAccountId: contra, currency }: ExternalAccount): Operation {
  const isEntry = 'source' in posting
  const minor = isEntry ? posting.signedMinor : posting.postedMinor
  return {
    kind: 'transfer',
    key: isEntry ? posting.key : newId<'ledger_operation'>(),
    ...(minor > 0n ? { debit: contra, credit: own } : { debit: own, credit: contra }),
    amount: money(currency, minor > 0n ? minor : -minor),
    effectiveAt: isEntry ? noonOf(posting.day) : eveOf(posting.day),
    code: isEntry ? 'external.entry' : 'external.carried',
  }
}

/** The key is the entry's identity. Under another content it is one that another statement, or an earlier release, booked on another day. */
function unplanned(outcome: Outcome): LedgerAnswer | undefined {
  if (outcome.ok) return outcome.value.replayed ? 'booked' : undefined
  return outcome.refusal === 'key_reused_with_other_content' ? 'booked' : problemOf(outcome.refusal)
}

/** What a refusal of the ledger says about the file. @throws Bug on one that no file can cause. */
function problemOf(refusal: PostingRefusal): 'period_closed' | 'amount_too_large' {
  if (refusal === 'period_closed') return refusal
  assert(refusal === 'amount_out_of_range' || refusal === 'account_total_out_of_range', `a booking was refused: ${refusal}`)
  return 'amount_too_large'
}

function movementOf(
  { source, key, signedMinor, day }: StatementEntry,
  balanceMinor: bigint | null,
  { organizationId, account }: Recording,
): feed.CompletedMovement {
  const isCredit = signedMinor > 0n
  const { name, iban, bic } = source.counterparty
  return {
    // The same booking in another file has the same key.
    subject: ref('statement_entry', key as string as Id<'statement_entry'>),
    account: { id: account.id, organizationId },
    kind: isCredit ? 'told_credit' : 'told_debit',
    amount: money(account.currency, isCredit ? signedMinor : -signedMinor),
    counterparty: {
      name: name || source.remittance || source.additionalInformation || source.bankTransactionCode || 'Entry',
      account: iban ? feed.sepaAccount(iban, bic ?? '') : null,
    },
    reference: source.remittance || source.additionalInformation || null,
    ledgerKey: key,
    balanceMinor,
    emittedAt: noonOf(source.bookingDate),
    settledAt: noonOf(day),
  }
}
