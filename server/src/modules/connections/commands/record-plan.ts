import { isoCodeOf, type ParsedEntry, toMinor } from '../../../formats/statements/index.ts'
import { assert } from '../../../platform/assert.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { currency, isCurrency, type Money, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ref } from '../../../platform/subject.ts'
import * as feed from '../../feed/index.ts'
import { BATCH_MAX, type Operation, type Outcome, type PostingRefusal, post } from '../../ledger/index.ts'
import { type CarryChange, carriedKey, type LedgerAnswer } from '../domain/account-books.ts'
import type { KnownEntry } from '../domain/duplicate-entries.ts'
import { keptDetails, keptEntry } from '../domain/entry-facts.ts'
import type { StatementEntry } from '../domain/statement.ts'
import type { AccountPlan } from '../domain/statement-plan.ts'
import { eveOf, noonOf } from '../domain/statement-span.ts'
import * as facts from '../facts-store.ts'
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
 * Posts what a plan wants and writes the feed, what the bank says of each entry, the carried balances and where the history ends.
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
    const booked: StatementEntry[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const posting = batch[index] as Posting
      const answer = unplanned(outcome)
      if (answer) answers.set('source' in posting ? posting.key : carriedKey(account.ledgerAccountId, posting.day), answer)
      else if ('source' in posting && outcome.ok) {
        const { creditBalance, debitBalance } = outcome.value
        booked.push(posting)
        movements.push(movementOf(posting, posting.signedMinor > 0n ? creditBalance : debitBalance, recording))
      }
    }
    if (answers.size === 0) {
      await feed.completed({ now }, tx, movements)
      await keepFacts(tx, booked, recording)
    }
    recording.onEntries(batch.filter((posting) => 'source' in posting).length)
  }
  if (answers.size > 0) return answers
  for (const batch of inBatches(plan.statements.flatMap(({ known }) => known))) await keepFacts(tx, batch, recording)
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

function* inBatches<T>(items: Iterable<T>): Generator<T[]> {
  let batch: T[] = []
  for (const item of items) {
    batch.push(item)
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
  const minor = signedMinor > 0n ? signedMinor : -signedMinor
  const { name } = source.counterparty
  const said = source.remittance || source.additionalInformation
  return {
    // The same booking in another file has the same key.
    subject: ref('statement_entry', key as string as Id<'statement_entry'>),
    account: { id: account.id, organizationId },
    kind: kindOf(source, signedMinor > 0n),
    amount: money(account.currency, minor),
    localAmount: orderedAmount(source),
    counterparty: {
      // A label is a must of the contract: where the bank names nobody, it is what the bank wrote. Only a name is a counterparty's.
      name: name || said,
      ...(name && { cleanName: name }),
      account: counterpartyAccount(source.counterparty),
    },
    reference: said || null,
    ledgerKey: key,
    balanceMinor,
    emittedAt: noonOf(source.bookingDate),
    settledAt: noonOf(day),
  }
}

/** What kind of business the bank says it is. Where it does not, a debit is a transfer only if it tells to which account. */
function kindOf({ bankTransactionCode, references, counterparty }: ParsedEntry, isCredit: boolean): feed.Movement['kind'] {
  const [, family] = isoCodeOf(bankTransactionCode) ?? []
  if (isCredit) return family === 'IDDT' ? 'told_collection' : 'told_credit'
  if (family === 'RDDT') return 'told_direct_debit'
  if (family === 'ICDT' || family === 'IRCT') return 'told_transfer'
  if (family === 'CCRD') return 'told_card_payment'
  if (family !== undefined) return 'told_debit'
  if (references.mandateId !== null || references.creditorId !== null) return 'told_direct_debit'
  return counterparty.iban !== null || counterparty.account !== null ? 'told_transfer' : 'told_debit'
}

/** The order's amount, where its currency can hold it: kept exactly it is in any case, with the entry's facts. */
function orderedAmount({ instructed }: ParsedEntry): Money | undefined {
  if (!instructed || !isCurrency(instructed.currency)) return undefined
  const ordered = toMinor(currency(instructed.currency), instructed.amount)
  return ordered.ok && ordered.value.minor > 0n ? ordered.value : undefined
}

function counterpartyAccount({ iban, account, bic }: ParsedEntry['counterparty']): feed.CounterpartyAccount | null {
  if (iban) return feed.sepaAccount(iban, bic ?? '')
  if (!account && !bic) return null
  return { number: account ?? '', numberFormat: 'unstructured', bankIdentifier: bic ?? '', bankIdentifierFormat: 'SWIFT_BIC' }
}

/** Keeps what the file says of entries, whether they are booked now or were before, then with whatever that adds. */
async function keepFacts(tx: Tx, entries: readonly KnownEntry[], { organizationId, account }: Recording): Promise<void> {
  // A file may tell of one booking twice.
  const told = [...new Map(entries.toReversed().map((entry) => [entry.key, entry])).values()]
  if (told.length === 0) return
  await facts.keepEntries(
    tx,
    { organizationId, bankAccountId: account.id },
    told.map(({ key, source }) => ({ key, ...keptEntry(source) })),
  )
  const detailed = told.filter(({ source }) => source.details.length > 1)
  if (detailed.length === 0) return
  const keys = detailed.map(({ key }) => key)
  const known = new Set((await facts.keysWithDetails(tx, organizationId, keys)).map(({ key }) => key))
  const details = detailed
    .filter(({ key }) => !known.has(key))
    .flatMap(({ key, source }) => keptDetails(source).map((detail, position) => ({ key, position, ...detail })))
  for (const batch of inBatches(details)) await facts.keepDetails(tx, organizationId, batch)
}
