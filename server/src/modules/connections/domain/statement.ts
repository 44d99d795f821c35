import type { ParsedEntry } from '../../../formats/statements/index.ts'
import type { LocalDate } from '../../../platform/clock.ts'
import { derivedId, type Id } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { BookedEntry } from './account-books.ts'
import type { ImportProblem, UnbookedEntry } from './import-problems.ts'
import type { StatementSpan } from './statement-span.ts'

/** A booked entry of a statement, as it would stand in the books. */
export type StatementEntry = BookedEntry & {
  /** Two files that hold the entry give it the same one (`formats/README.md`); the key is made of it. */
  readonly identity: string
  /** The ledger cannot hold the amount. */
  readonly isTooLarge: boolean
  readonly source: ParsedEntry
}

/** The balances of a statement that has days, in minor units. One that the ledger cannot hold is undefined, and among the problems. */
export type StatementBalances = {
  readonly day: LocalDate
  readonly end: LocalDate
  /** As stated; where only the closing balance is, as in OFX, the entries lead back to it. */
  readonly opening: bigint | undefined
  readonly closing: bigint | undefined
  /** What the booked entries come to. */
  readonly booked: bigint
  readonly problems: readonly ImportProblem[]
}

/** A statement in the ledger's terms: exact amounts, counting days, keys. */
export type Statement = {
  readonly line: number
  /** The bank's name for it, its days and its balances: the very statement again has the same. */
  readonly name: string
  readonly currency: Currency
  readonly span: StatementSpan
  /** The booked entries that move something. */
  readonly entries: readonly StatementEntry[]
  /** Does opening plus booked entries give closing? null when either balance is missing. */
  readonly reconciles: boolean | null
  /** The opening balance as stated, however large; and as the file writes it. */
  readonly statedOpening: bigint | undefined
  readonly statedOpeningText: string | null
  readonly balances: StatementBalances | undefined
  /** Entries that no books can hold in this currency. */
  readonly unbooked: readonly UnbookedEntry[]
}

export const entryKey = (ledgerAccountId: Id<'ledger_account'>, identity: string): Id<'ledger_operation'> =>
  derivedId('ledger_operation', ledgerAccountId, 'entry', identity)

export const sumOf = (entries: readonly StatementEntry[]): bigint =>
  entries.reduce((sum, { signedMinor, isTooLarge }) => (isTooLarge ? sum : sum + signedMinor), 0n)
