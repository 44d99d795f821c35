import { Bug } from '../assert.ts'

/** What is known of an item that has failed before; `attempts` since the first failure, or since a person took it up again. */
export type Earlier = { readonly attempts: number; readonly firstFailedAt: Date }

/** Where a failed item stands. `retryAt` null: it is stuck, and waits for a person. */
export type Verdict = { readonly attempts: number; readonly firstFailedAt: Date; readonly retryAt: Date | null }

/** A failure may be of the moment; a bug seldom is, and the sooner somebody sees it the better. */
export const ATTEMPTS_MAX = 8
export const ATTEMPTS_OF_A_BUG_MAX = 3

const FIRST_PAUSE_MS = 1_000
const PAUSE_MS_MAX = 15 * 60_000

/** What becomes of an item that failed by itself: a pause of one second, then twice as long each time, and in the end a case. */
export function decideFailure(error: unknown, earlier: Earlier | undefined, at: Date, attemptsMax = ATTEMPTS_MAX): Verdict {
  const attempts = (earlier?.attempts ?? 0) + 1
  const firstFailedAt = earlier?.firstFailedAt ?? at
  const allowed = error instanceof Bug ? Math.min(ATTEMPTS_OF_A_BUG_MAX, attemptsMax) : attemptsMax
  if (attempts >= allowed) return { attempts, firstFailedAt, retryAt: null }
  return { attempts, firstFailedAt, retryAt: new Date(at.getTime() + pauseMs(attempts)) }
}

/** After the n-th failure in a row. */
export const pauseMs = (attempts: number): number => Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20))

const REASON_LENGTH_MAX = 1_000

/** An error as a person reads it in a case: what kind, what it says, and what caused it. */
export function reasonOf(error: unknown): string {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const cause = error instanceof Error && error.cause instanceof Error ? ` (because: ${error.cause.message})` : ''
  return `${said}${cause}`.replaceAll('\0', '\ufffd').slice(0, REASON_LENGTH_MAX)
}
