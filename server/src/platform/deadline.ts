import { AsyncLocalStorage } from 'node:async_hooks'
import { PlatformUnavailable } from './errors.ts'

const deadlines = new AsyncLocalStorage<number>()

/** When whoever asked for the present work waits no longer, in `performance.now()`; infinity when nobody said. */
export const presentDeadline = (): number => deadlines.getStore() ?? Number.POSITIVE_INFINITY

/** Runs work that nobody waits for after `deadline`: connections, statements and lanes that it uses honour that. */
export const workUntil = <T>(deadline: number, work: () => T): T => deadlines.run(deadline, work)

/** Runs work on nobody's behalf, from within somebody's. */
export const workWithoutDeadline = <T>(work: () => T): T => deadlines.run(Number.POSITIVE_INFINITY, work)

/**
 * The answer of `work`, or the truth that there is none yet.
 * @throws PlatformUnavailable when `budgetMs` are over. What was begun may still be done: whoever asks again must do it with the same key.
 */
export async function answerWithin<T>(budgetMs: number, work: () => Promise<T>): Promise<T> {
  const { promise: isOver, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new PlatformUnavailable(`no answer within ${budgetMs} ms`)), budgetMs)
  try {
    return await Promise.race([workUntil(Math.min(presentDeadline(), performance.now() + budgetMs), work), isOver])
  } finally {
    clearTimeout(timer)
  }
}
