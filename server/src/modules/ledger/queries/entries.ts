import { assert } from '../../../platform/assert.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { Entry, Movement } from '../domain/account.ts'
import type { LedgerAccountId } from '../domain/operation.ts'
import {
  findAccountNumber,
  selectBalanceAtVersion,
  selectEffectiveCorrection,
  selectEntriesAfter,
  selectEntriesBefore,
  selectMovementsAfter,
  selectVersionRecorded,
} from '../store.ts'

/** A page of an account's entries by version. `afterVersion`: oldest first from there (0n: from the start). `beforeVersion`, or neither: newest first. */
export function entriesPage(
  tx: Tx,
  page: { accountId: LedgerAccountId; limit: number; afterVersion?: bigint; beforeVersion?: bigint },
): Promise<Entry[]> {
  assert(page.afterVersion === undefined || page.beforeVersion === undefined, 'a page goes one way')
  if (page.afterVersion !== undefined) return selectEntriesAfter(tx, page.accountId, page.afterVersion, page.limit)
  return selectEntriesBefore(tx, page.accountId, page.beforeVersion ?? null, page.limit)
}

/** The balance right after the account's entry number `version`; undefined when there is none. Version 0 is 0n. */
export async function balanceAtVersion(tx: Tx, accountId: LedgerAccountId, version: bigint): Promise<bigint | undefined> {
  const account = await findAccountNumber(tx, accountId)
  if (!account) return undefined
  return version === 0n ? 0n : (await selectBalanceAtVersion(tx, account.number, version))?.balance
}

/**
 * The balance after all entries recorded (or effective) at or before an instant; 0n before the first. By recorded time it costs the
 * same however many entries there are; by effective time it also reads the entries that lie between the two times.
 *
 * @throws Bug when there is no such account.
 */
export async function balanceAsOf(
  tx: Tx,
  accountId: LedgerAccountId,
  asOf: { recorded: Date } | { effective: Date },
): Promise<bigint> {
  const account = await findAccountNumber(tx, accountId)
  assert(account, 'balance of an account that does not exist')
  const instant = 'recorded' in asOf ? asOf.recorded : asOf.effective
  const version = await selectVersionRecorded(tx, account.number, instant)
  const recorded = version === 0n ? 0n : (await selectBalanceAtVersion(tx, account.number, version))?.balance
  assert(recorded !== undefined, 'a version has no entry')
  if ('recorded' in asOf) return recorded
  return recorded + (await selectEffectiveCorrection(tx, account.number, account.book, instant))
}

/**
 * What the account's entries that count after an instant move, earliest first: less these, the balance is the one as of any of the
 * instants. Costs one reading of the entries recorded since then. @throws Bug when there is no such account.
 */
export async function movementsAfter(tx: Tx, accountId: LedgerAccountId, effective: Date): Promise<Movement[]> {
  const account = await findAccountNumber(tx, accountId)
  assert(account, 'movements of an account that does not exist')
  return account.version === 0n ? [] : selectMovementsAfter(tx, account.number, account.book, effective)
}
