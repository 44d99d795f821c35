import { pauseMs } from '../passes/patience.ts'

const CONSUMER_REST_MS_MAX = 5 * 60_000
const PARKED_AFTER_MS = 24 * 3_600_000

/** When an event that has failed `attempts` times is tried again: a second later, then twice as long each time, up to a quarter of an hour. */
export const eventRetryAt = (attempts: number, now: Date): Date => new Date(now.getTime() + pauseMs(attempts))

/** The same for a consumer that fails as a whole, up to five minutes: it costs little to ask, and the sooner it is back the better. */
export const consumerRetryAt = (attempts: number, now: Date): Date =>
  new Date(now.getTime() + Math.min(pauseMs(attempts), CONSUMER_REST_MS_MAX))

/** Whether an event has been tried for so long that a person should look: a day. */
export const isToBeParked = (firstFailedAt: Date, now: Date): boolean =>
  now.getTime() - firstFailedAt.getTime() >= PARKED_AFTER_MS

/** So many in a row that fail, with none that succeeds, are the consumer's fault and not theirs: it rests before it sets the next ones aside. */
export const FAILURES_IN_A_ROW_MAX = 10

/** A process that works for a consumer says so this often; one that has been silent for `SILENT_MS` is gone. */
export const SEEN_EVERY_MS = 60_000
export const SILENT_MS = 2 * SEEN_EVERY_MS
