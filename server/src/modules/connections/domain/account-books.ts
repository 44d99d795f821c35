import type { LocalDate } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'
import type { ImportProblemCode } from './import-problems.ts'
import { dayBefore, eveOf } from './statement-span.ts'

/** An entry that is booked: its key in the ledger, the day on which it counts, its signed amount. */
export type BookedEntry = { readonly key: Id<'ledger_operation'>; readonly day: LocalDate; readonly signedMinor: bigint }

/** The opening balance of a day as a statement has it, and how much of it was carried forward because no entry in the books explains it. */
export type CarriedBalance = { readonly day: LocalDate; readonly balanceMinor: bigint; readonly carriedMinor: bigint }

/** Where the known history ends: the closing balance that the latest statement comes to. */
export type ReachedBalance = { readonly day: LocalDate; readonly minor: bigint }

export type Period = { readonly from: LocalDate; readonly to: LocalDate }

/** Why the ledger does not take a posting. */
export type PostingProblem = Extract<ImportProblemCode, 'period_closed' | 'amount_too_large'>

/** What it said of a posting that an earlier plan had wanted: why not, or that its key stands there already. */
export type LedgerAnswer = 'booked' | PostingProblem

/** What the ledger takes on the account. */
export type LedgerLimits = {
  /** What counts earlier is in a closed period. */
  readonly closedUntil: Date | undefined
  readonly amountMax: bigint
  /** How much may still be credited to the account in all, and how much debited. */
  readonly creditRoom: bigint
  readonly debitRoom: bigint
}

/** What the books know of a connected account: read once for a file, for the days of its statements. */
export type AccountFacts = {
  readonly ledgerAccountId: Id<'ledger_account'>
  readonly balanceMinor: bigint
  /** The day of the latest entry in the books. */
  readonly latestDay: LocalDate | undefined
  /** The entries on the statements' days. */
  readonly entries: readonly BookedEntry[]
  /** What the account gained in the ledger, per counting day, from the file's first day on. */
  readonly movements: readonly { readonly day: LocalDate; readonly minor: bigint }[]
  /** Earliest first. */
  readonly carried: readonly CarriedBalance[]
  readonly reached: ReachedBalance | undefined
  /** The days that statements which add up have covered. */
  readonly completePeriods: readonly Period[]
  /** The names of the statements imported before. */
  readonly statements: ReadonlySet<string>
  readonly limits: LedgerLimits
  /** By the entry's key, or by `carriedKey`. */
  readonly ledgerAnswers: ReadonlyMap<string, LedgerAnswer>
}

export const carriedKey = (ledgerAccountId: Id<'ledger_account'>, day: LocalDate): string => `${ledgerAccountId} ${day}`

/** A balance carried forward: `postedMinor` goes to the ledger on the evening before the day, where it is not zero. */
export type CarryChange = CarriedBalance & { readonly postedMinor: bigint }

/**
 * A copy of the facts that a plan writes in: what the books will have after each of its steps. Entries count at noon of their day, and a
 * balance carried forward in the evening before its day, so that `balanceBefore(day)` has it.
 */
export class AccountBooks {
  readonly ledgerAccountId: Id<'ledger_account'>
  balanceMinor: bigint
  reached: ReachedBalance | undefined
  /** The earliest day from which the balances of the feed have to be restated. */
  restateFrom: LocalDate | undefined
  readonly statements: Set<string>
  readonly #carried: CarriedBalance[]
  readonly #completePeriods: Period[]
  readonly #entries: Map<LocalDate, BookedEntry[]>
  readonly #movements: Map<LocalDate, bigint>
  readonly #limits: LedgerLimits
  readonly #ledgerAnswers: ReadonlyMap<string, LedgerAnswer>
  #creditRoom: bigint
  #debitRoom: bigint
  #latestDay: LocalDate | undefined
  #lastMovement: LocalDate | undefined

  constructor(facts: AccountFacts) {
    this.ledgerAccountId = facts.ledgerAccountId
    this.balanceMinor = facts.balanceMinor
    this.reached = facts.reached
    this.statements = new Set(facts.statements)
    this.#carried = [...facts.carried]
    this.#completePeriods = [...facts.completePeriods]
    this.#entries = Map.groupBy(facts.entries, (entry) => entry.day)
    this.#movements = new Map()
    for (const { day, minor } of facts.movements) this.#count(day, minor)
    this.#limits = facts.limits
    this.#creditRoom = facts.limits.creditRoom
    this.#debitRoom = facts.limits.debitRoom
    this.#ledgerAnswers = facts.ledgerAnswers
    this.#latestDay = facts.latestDay
  }

  /** Earliest first. */
  get carried(): readonly CarriedBalance[] {
    return this.#carried
  }

  carriedOn(day: LocalDate): CarriedBalance | undefined {
    return this.#carried.find((balance) => balance.day === day)
  }

  /** Whether the books have an entry on or after the day. */
  hasEntryFrom(day: LocalDate): boolean {
    return this.#latestDay !== undefined && this.#latestDay >= day
  }

  hasEntryOn(day: LocalDate): boolean {
    return (this.#entries.get(day)?.length ?? 0) > 0
  }

  entriesBetween(first: LocalDate, last: LocalDate): BookedEntry[] {
    const days = [...this.#entries.keys()].filter((day) => first <= day && day <= last).sort()
    return days.flatMap((day) => this.#entries.get(day) ?? [])
  }

  /** Whether a statement that adds up has covered the day: the books have all its entries. */
  covers(day: LocalDate): boolean {
    return this.#completePeriods.some((period) => period.from <= day && day <= period.to)
  }

  addCompletePeriod(period: Period): void {
    this.#completePeriods.push(period)
  }

  /** The balance at the end of the eve: all entries before the day, and what was carried forward up to it. */
  balanceBefore(day: LocalDate): bigint {
    if (this.#lastMovement === undefined || this.#lastMovement < day) return this.balanceMinor
    let balance = this.balanceMinor
    for (const [at, minor] of this.#movements) if (at >= day) balance -= minor
    return balance
  }

  /** The same for many days, in ascending order, in one pass. */
  balancesBefore(days: readonly LocalDate[]): bigint[] {
    const movements = [...this.#movements].sort(([a], [b]) => (a < b ? -1 : 1))
    let balance = this.balanceMinor
    return days
      .toReversed()
      .map((day) => {
        for (let last = movements.at(-1); last && last[0] >= day; last = movements.at(-1)) {
          balance -= last[1]
          movements.pop()
        }
        return balance
      })
      .reverse()
  }

  /** @returns the ledger's answer, where it does not take the entry: then nothing has changed. */
  book(entry: BookedEntry): LedgerAnswer | undefined {
    const { key, day, signedMinor } = entry
    // Where the ledger knows the key it says so, also for a closed period: what is closed, or full, it has to say itself.
    const answer = this.#ledgerAnswers.get(key) ?? (this.#isTooLarge(signedMinor) ? 'amount_too_large' : undefined)
    if (answer) return answer
    const entries = this.#entries.get(day)
    if (entries) entries.push(entry)
    else this.#entries.set(day, [entry])
    this.#move(day, signedMinor)
    return undefined
  }

  noteDay(day: LocalDate): void {
    if (!this.hasEntryFrom(day)) this.#latestDay = day
  }

  /** @returns the ledger's answer, where it does not take the balance: then nothing has changed. */
  carry(day: LocalDate, minor: bigint, balanceMinor: bigint): CarryChange | LedgerAnswer {
    if (minor !== 0n) {
      const answer = this.#ledgerAnswers.get(carriedKey(this.ledgerAccountId, day)) ?? this.#answerToCarried(day, minor)
      if (answer) return answer
      this.#move(dayBefore(day), minor)
      if (this.hasEntryFrom(day)) this.restateSince(day)
    }
    const place = this.#carried.findIndex((balance) => balance.day >= day)
    const known = this.#carried[place]?.day === day ? this.#carried[place] : undefined
    const carried = { day, balanceMinor, carriedMinor: (known?.carriedMinor ?? 0n) + minor }
    this.#carried.splice(place === -1 ? this.#carried.length : place, known ? 1 : 0, carried)
    return { ...carried, postedMinor: minor }
  }

  restateSince(day: LocalDate): void {
    if (this.restateFrom === undefined || day < this.restateFrom) this.restateFrom = day
  }

  #isTooLarge(minor: bigint): boolean {
    return minor > this.#limits.amountMax || minor < -this.#limits.amountMax
  }

  /** In the ledger's own order of refusals. */
  #answerToCarried(day: LocalDate, minor: bigint): PostingProblem | undefined {
    const { closedUntil } = this.#limits
    if (this.#isTooLarge(minor)) return 'amount_too_large'
    if (closedUntil && eveOf(day) < closedUntil) return 'period_closed'
    return (minor > 0n ? minor > this.#creditRoom : -minor > this.#debitRoom) ? 'amount_too_large' : undefined
  }

  #move(day: LocalDate, minor: bigint): void {
    this.balanceMinor += minor
    if (minor > 0n) this.#creditRoom -= minor
    else this.#debitRoom += minor
    this.#count(day, minor)
  }

  #count(day: LocalDate, minor: bigint): void {
    this.#movements.set(day, (this.#movements.get(day) ?? 0n) + minor)
    if (this.#lastMovement === undefined || day > this.#lastMovement) this.#lastMovement = day
  }
}
