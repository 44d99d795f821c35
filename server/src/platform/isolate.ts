import { Failure, sqlStateOf } from './errors.ts'
import { isConnectionLoss } from './postgres/database.ts'

// Classes: transaction rollback, resources, objects not in the state that is needed, the operator's intervention, the system itself.
const PASSING_STATES = /^(40|53|55|57|58)/

/** Whether an error passes without anybody mending the work: our surroundings failed (database away, disk full, rail unreachable), or a collision. */
export const isPassing = (error: unknown): boolean =>
  isConnectionLoss(error) || PASSING_STATES.test(sqlStateOf(error) ?? '') || (error instanceof Failure && error.retryable)

/**
 * Does work on many items together, so that one bad item fails alone: when the work throws, halves are tried until each bad item stands by
 * itself. One bad item among n costs about 1.5 · log2 n attempts more. Items are done in their order, the good ones exactly once.
 *
 * @param attempt does all of them or, by throwing, none: as a rule one transaction.
 * @param failed is told of each item that cannot be done even alone, when it is its turn.
 * @throws what is passing (`isPassing`), at once: it says nothing about the items. What was done until then stays done.
 */
export async function isolate<Item>(
  items: readonly Item[],
  attempt: (items: readonly Item[]) => Promise<void>,
  failed: (item: Item, error: unknown) => void | Promise<void>,
): Promise<void> {
  if (items.length === 0) return
  try {
    return await attempt(items)
  } catch (error) {
    if (isPassing(error)) throw error
    if (items.length === 1) return failed(items[0] as Item, error)
  }
  await halves(items, attempt, failed)
}

/** For items that failed together. A half that follows a good one holds the bad item, so it is not tried whole again. */
async function halves<Item>(
  items: readonly Item[],
  attempt: (items: readonly Item[]) => Promise<void>,
  failed: (item: Item, error: unknown) => void | Promise<void>,
): Promise<void> {
  const middle = items.length >> 1
  const rest = items.slice(middle)
  let hasFailed = false
  await isolate(items.slice(0, middle), attemptNoting, failed)
  if (hasFailed || rest.length === 1) await isolate(rest, attempt, failed)
  else await halves(rest, attempt, failed)

  async function attemptNoting(some: readonly Item[]): Promise<void> {
    try {
      await attempt(some)
    } catch (error) {
      hasFailed = true
      throw error
    }
  }
}
