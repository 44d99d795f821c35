import type { LocalDate } from '../../../platform/clock.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import type { Account, CloseAccountRefusal, ClosePeriodRefusal, NewAccount, OpenAccountsRefusal } from '../domain/account.ts'
import type { BookId, LedgerAccountId } from '../domain/operation.ts'
import { balancesOf, ensurePartition, insertAccounts, markAccountClosed, markPeriodClosed } from '../store.ts'

/** Opens accounts in a book; those that stand there already with the same content are left as they are. All or none. */
export async function openAccounts(
  tx: Tx,
  bookId: BookId,
  accounts: readonly NewAccount[],
  now: Date,
): Promise<Result<readonly Account[], OpenAccountsRefusal>> {
  const refusal = await insertAccounts(tx, bookId, accounts, now)
  if (refusal) return refuse(refusal)
  const ids = accounts.map((account) => account.id)
  return ok(await balancesOf(tx, ids))
}

/** Closes an account with balance zero and no pending holds: no entry and no hold may touch it again. Repeated: no change. */
export async function closeAccount(
  tx: Tx,
  accountId: LedgerAccountId,
  now: Date,
): Promise<Result<undefined, CloseAccountRefusal>> {
  const refusal = await markAccountClosed(tx, accountId, now)
  return refusal ? refuse(refusal as CloseAccountRefusal) : ok(undefined)
}

/** Closes the book for effective times up to the end of `through` (a banking day, Central European time). Repeated or earlier: no change. */
export async function closePeriod(
  tx: Tx,
  period: { bookId: BookId; through: LocalDate; now: Date },
): Promise<Result<{ closedThrough: LocalDate }, ClosePeriodRefusal>> {
  const closedThrough = await markPeriodClosed(tx, period.bookId, period.through, period.now)
  return closedThrough ? ok({ closedThrough }) : refuse('period_not_over')
}

/**
 * Makes room for the month's transfers, in a short transaction of its own, before a long one posts: otherwise that one makes it with its
 * first transfer, and everybody else's first transfer of the month waits until it ends. Repeated: no change (system scope).
 */
export const prepareMonth = async (tx: Tx, now: Date): Promise<void> => {
  await ensurePartition(tx, now)
}
