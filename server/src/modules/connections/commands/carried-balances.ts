import { assert } from '../../../platform/assert.ts'
import { addDays, type LocalDate } from '../../../platform/clock.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { type Currency, type Money, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { bookingsBetween, latestBookingDay, restateBalances } from '../../feed/index.ts'
import { balanceAsOf, balancesOf, type Operation, type PostingRefusal, post } from '../../ledger/index.ts'
import { eveOf } from '../domain/statement-span.ts'
import * as store from '../store.ts'
import type { ExternalAccount } from './open-external-account.ts'

/** A statement's own view of where it begins and ends: signed minor units, and what its booked entries come to. */
export type ToldBalances = {
  readonly day: LocalDate
  readonly end: LocalDate
  readonly opening: bigint | undefined
  readonly closing: bigint | undefined
  readonly booked: bigint
}

type Opened = {
  readonly gap: bigint
  /** It counts before what was known. */
  readonly isEarlier: boolean
  readonly refusal?: PostingRefusal
}

type Known = {
  readonly carried: store.CarriedBalance[]
  readonly reached: store.ReachedBalance | undefined
  readonly complete: store.Period[]
  readonly latest: LocalDate | undefined
}

type Setting = {
  readonly tx: Tx
  readonly account: ExternalAccount
  readonly organizationId: Id<'organization'>
  readonly currency: Currency
  readonly now: Date
}

/**
 * Holds the ledger of a connected account to the balances that its bank tells.
 *
 * The balance before the earliest statement is carried in from nothing. Later statements go on from where the last one ended; where one
 * does not, bookings are missing between them (or the last one did not add up), and the difference is carried in as well, so that the
 * balance stays the bank's. Each carried balance is remembered. Bookings that come to light later and count before it are taken out of
 * what was carried: so any order of the files ends in the same books.
 */
export class CarriedBalances {
  readonly #setting: Setting
  readonly #carried: store.CarriedBalance[]
  #reached: store.ReachedBalance | undefined
  /** The periods of the statements that add up. */
  readonly #complete: store.Period[]
  #latest: LocalDate | undefined
  /** The earliest day from which the balances of the feed have to be reckoned anew. */
  #staleFrom: LocalDate | undefined

  static async of(setting: Setting): Promise<CarriedBalances> {
    const { tx, account } = setting
    return new CarriedBalances(setting, {
      carried: await store.findCarried(tx, account.id),
      reached: await store.findReached(tx, account.id),
      complete: await store.completePeriods(tx, account.id),
      latest: await latestBookingDay(tx, account.id),
    })
  }

  private constructor(setting: Setting, known: Known) {
    this.#setting = setting
    this.#carried = known.carried
    this.#reached = known.reached
    this.#complete = known.complete
    this.#latest = known.latest
  }

  /**
   * Whether a statement that opens so holds all that the books have of its days: they have this balance before it, or what they have of
   * its first day came from reports. Otherwise it may be the second statement of a day.
   */
  async opensAt(day: LocalDate, opening: bigint): Promise<boolean> {
    return !this.covers(day) || (await this.#before(day)) === opening
  }

  /** Whether a statement that opens so begins where the books end, so that whatever it holds is not in them. */
  async endsAt(day: LocalDate, opening: bigint): Promise<boolean> {
    const reached = this.#reached
    if (reached === undefined || day < reached.day || opening !== reached.minor) return false
    const carriedAfter = this.#carried.reduce(
      (sum, { day: at, carriedMinor }) => (at > reached.day ? sum + carriedMinor : sum),
      0n,
    )
    return (await this.#present()) - carriedAfter === opening
  }

  /** Whether the books have a booking on or after the day. */
  hasBookingFrom(day: LocalDate): boolean {
    return this.#latest !== undefined && this.#latest >= day
  }

  noteBooking(day: LocalDate): void {
    if (!this.hasBookingFrom(day)) this.#latest = day
  }

  /** Whether a statement that adds up has told all bookings of the day. */
  covers(day: LocalDate): boolean {
    return this.#complete.some((period) => period.from <= day && day <= period.to)
  }

  /**
   * Takes a statement's opening balance into account, before its bookings.
   *
   * @param hasNews it brings a booking that is not in the books.
   * @returns the difference to what came before, when there is one; the ledger's refusal, when it does not take the balance.
   */
  async open(told: ToldBalances, hasNews: boolean): Promise<Opened> {
    const { day, opening } = told
    if (opening === undefined) return { gap: 0n, isEarlier: false }
    const [first] = this.#carried
    const isEarlier = first !== undefined && (day < first.day || this.#precedesCarried(told))
    const gap = !first || isEarlier ? 0n : await this.#gapBefore(told, hasNews)
    if (first && !isEarlier && gap === 0n) return { gap, isEarlier }
    const before = await this.#before(day)
    const refusal = await this.#carry(day, gap === 0n ? opening - before : gap, gap === 0n ? opening : before + gap)
    return { gap, isEarlier, ...(refusal && { refusal }) }
  }

  /**
   * Remembers where a statement ended, when it is the latest one.
   *
   * @returns what the books have beside it, where it tells days anew that were told before: a corrected statement lacks bookings of the
   * first one. They stay, and the balance is carried to the bank's on the day after.
   */
  async close(told: ToldBalances, { hasNews, isEarlier }: { hasNews: boolean; isEarlier: boolean }): Promise<bigint> {
    const { end: day, opening, closing, booked } = told
    if (closing === undefined) return 0n
    const addsUp = opening !== undefined && opening + booked === closing
    const isToldAnew = this.covers(day)
    if (addsUp && !isToldAnew) this.#complete.push({ from: told.day, to: day })
    const reached = this.#reached
    const isKnown = reached !== undefined && !hasNews && opening !== reached.minor
    if (reached && (day < reached.day || (day === reached.day && (isEarlier || isKnown)))) return 0n
    this.#reached = { minor: opening === undefined ? closing : opening + booked, day }
    const next = addDays(day, 1)
    const isCarried = this.#carried.some((balance) => balance.day === next)
    if (!addsUp || this.hasBookingFrom(next) || !(isToldAnew || isCarried)) return 0n
    const difference = closing - (await this.#present())
    if (difference === 0n || (await this.#carry(next, difference, closing))) return 0n
    return difference
  }

  /** After bookings or a balance from `since` on have been added: takes them out of what was carried for later days. @returns open gaps. */
  async hold(since: LocalDate): Promise<Map<LocalDate, bigint>> {
    const gaps = new Map<LocalDate, bigint>()
    for (const carried of this.#carried.filter((balance) => balance.day > since)) {
      const difference = carried.balanceMinor - (await this.#before(carried.day))
      if (difference === 0n) continue
      this.markStale(since)
      // A refused correction leaves the balance off by what was refused; the period is closed, and its entries were refused before.
      if (await this.#carry(carried.day, difference, carried.balanceMinor)) continue
      const open = this.#carried.find((balance) => balance.day === carried.day)?.carriedMinor ?? 0n
      if (open !== 0n && carried !== this.#carried[0]) gaps.set(carried.day, open)
    }
    return gaps
  }

  /** At the end of the file: keeps where the history ends, and reckons the feed's balances anew where not only its end has changed. */
  async finish(): Promise<void> {
    const { tx, account, organizationId, now } = this.#setting
    if (this.#reached) await store.saveReached(tx, { ...this.#reached, bankAccountId: account.id, organizationId })
    if (this.#staleFrom === undefined) return
    const from = eveOf(this.#staleFrom)
    const carried = this.#carried
      .filter((balance) => eveOf(balance.day) > from && balance.carriedMinor !== 0n)
      .map((balance) => ({ at: eveOf(balance.day), minor: balance.carriedMinor }))
    await restateBalances(tx, { bankAccountId: account.id, from, base: await this.#asOf(from), carried, now })
  }

  markStale(day: LocalDate): void {
    if (this.#staleFrom === undefined || day < this.#staleFrom) this.#staleFrom = day
  }

  /**
   * Two statements of one day, told in the wrong order: this one ends where the books were made to begin. One that also begins where they
   * end may be the next of a day that comes back to its opening, and is taken for it.
   */
  #precedesCarried({ day, opening, closing }: ToldBalances): boolean {
    if (opening === this.#reached?.minor) return false
    const same = this.#carried.find((balance) => balance.day === day)
    return same !== undefined && same.balanceMinor !== opening && same.balanceMinor === closing
  }

  async #gapBefore({ day, opening = 0n }: ToldBalances, hasNews: boolean): Promise<bigint> {
    const reached = this.#reached
    if (!reached) return 0n
    if (day > reached.day) return opening - (await this.#before(day))
    if (day === reached.day) {
      if (!hasNews || opening === reached.minor || (await this.#before(day)) === opening) return 0n
      return opening - reached.minor
    }
    if (!hasNews) return 0n
    const { tx, account } = this.#setting
    const isDayOpen = (await bookingsBetween(tx, account.id, eveOf(day), new Date(`${day}T17:59:59.999Z`))).length === 0
    return isDayOpen ? opening - (await this.#before(day)) : 0n
  }

  async #carry(day: LocalDate, minor: bigint, balanceMinor: bigint): Promise<PostingRefusal | undefined> {
    const { tx, account, organizationId, currency, now } = this.#setting
    if (minor !== 0n) {
      const [outcome] = await post(tx, account.bookId, [carriedForward(account, money(currency, minor), eveOf(day))], now)
      assert(outcome, 'the ledger left a balance unanswered')
      if (!outcome.ok) return outcome.refusal
      if (this.hasBookingFrom(day)) this.markStale(day)
    }
    const known = this.#carried.find((balance) => balance.day === day)
    const carried = { day, balanceMinor, carriedMinor: (known?.carriedMinor ?? 0n) + minor }
    if (known) this.#carried[this.#carried.indexOf(known)] = carried
    else this.#carried.push(carried)
    this.#carried.sort((a, b) => (a.day < b.day ? -1 : 1))
    await store.saveCarried(tx, { ...carried, bankAccountId: account.id, organizationId })
    return undefined
  }

  /** Where nothing counts later, it is the balance itself: a file of many daily statements must not read all entries for each. */
  async #before(day: LocalDate): Promise<bigint> {
    const isLatest = (this.#carried.at(-1)?.day ?? day) <= day && !this.hasBookingFrom(day)
    return isLatest ? this.#present() : this.#asOf(eveOf(day))
  }

  async #present(): Promise<bigint> {
    const { tx, account } = this.#setting
    const [own] = await balancesOf(tx, [account.ledgerAccountId])
    assert(own, 'a connected account without its ledger account')
    return own.balance
  }

  #asOf(effective: Date): Promise<bigint> {
    return balanceAsOf(this.#setting.tx, this.#setting.account.ledgerAccountId, { effective })
  }
}

function carriedForward(account: ExternalAccount, amount: Money, effectiveAt: Date): Operation {
  return {
    kind: 'transfer',
    key: newId<'ledger_operation'>(),
    ...sidesOf(account, amount),
    effectiveAt,
    code: 'external.carried',
  }
}

/** Both legs of a movement on a connected account: credits come from its contra account, debits go there. */
export function sidesOf(
  account: ExternalAccount,
  amount: Money,
): Pick<Operation & { kind: 'transfer' }, 'debit' | 'credit' | 'amount'> {
  const { contraAccountId: contra, ledgerAccountId: own } = account
  return amount.minor > 0n
    ? { debit: contra, credit: own, amount }
    : { debit: own, credit: contra, amount: money(amount.currency, -amount.minor) }
}
