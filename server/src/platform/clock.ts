import { systemActor } from './actor.ts'
import type { Database } from './postgres/database.ts'

/** The only source of time. Commands get `now` passed in; nothing else asks the machine. */
export interface Clock {
  now(): Date
}

/** A calendar day, `YYYY-MM-DD`. */
export type LocalDate = string

export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still until it is moved: for tests and replays. */
export function fixedClock(start: Date | string): Clock & { set(to: Date | string): void; advance(milliseconds: number): void } {
  let current = new Date(start)
  return {
    now: () => new Date(current),
    set: (to) => {
      current = new Date(to)
    },
    advance: (milliseconds) => {
      current = new Date(current.getTime() + milliseconds)
    },
  }
}

const businessDay = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Europe/Paris',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
})

/** The banking day of an instant: SEPA runs on Central European time (sepa.md, "Times are CET/CEST"). */
export const localDateOf = (instant: Date): LocalDate => businessDay.format(instant)

/** `date` plus whole days; calendar arithmetic only. */
export function addDays(date: LocalDate, days: number): LocalDate {
  const at = new Date(`${date}T00:00:00.000Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 10)
}

/**
 * The bank's one clock: the machine's time plus an offset that stands in the database, so that every process of the bank, and the
 * rails it talks to, live at the same moment. Only the sandbox moves it, and only forwards: time that events have seen cannot come back.
 */
export class BankClock implements Clock {
  #offsetMs = 0
  readonly #database: Database
  readonly #machine: Clock

  constructor(database: Database, machine: Clock = systemClock) {
    this.#database = database
    this.#machine = machine
  }

  now(): Date {
    return new Date(this.#machine.now().getTime() + this.#offsetMs)
  }

  /** Reads the offset that another process may have moved. */
  async refresh(): Promise<void> {
    const row = await this.#database.read(
      systemActor('platform.clock'),
      (tx) => tx.one<{ offset_ms: bigint }>`select offset_ms from platform.bank_clock`,
    )
    this.#offsetMs = Number(row.offset_ms)
  }

  /** Moves the bank's clock forward to `instant`. @returns false, and nothing moves, when `instant` is before the present moment. */
  async moveTo(instant: Date): Promise<boolean> {
    const offset = BigInt(instant.getTime() - this.#machine.now().getTime())
    const moved = await this.#database.transaction(
      systemActor('platform.clock'),
      (tx) => tx.run`update platform.bank_clock set offset_ms = ${offset} where offset_ms <= ${offset}`,
    )
    await this.refresh()
    return moved === 1
  }

  /** Moves the bank's clock forward, from wherever it stands: of many at once, each moves it by what it says. @returns where it stands then. */
  async advance(milliseconds: number): Promise<Date> {
    const machineNow = this.#machine.now()
    const moved = await this.#database.transaction(
      systemActor('platform.clock'),
      (tx) =>
        tx.one<{
          offset_ms: bigint
        }>`update platform.bank_clock set offset_ms = offset_ms + ${BigInt(milliseconds)} returning offset_ms`,
    )
    // It only moves forward: an answer that another has overtaken changes nothing.
    this.#offsetMs = Math.max(this.#offsetMs, Number(moved.offset_ms))
    return new Date(machineNow.getTime() + Number(moved.offset_ms))
  }
}
