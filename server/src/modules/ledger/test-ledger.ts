import { systemActor } from '../../platform/actor.ts'
import { derivedId, newId } from '../../platform/ids.ts'
import { EUR, money } from '../../platform/money.ts'
import type { Database } from '../../platform/postgres/database.ts'
import {
  type BookId,
  type LedgerAccountId,
  type Operation,
  type OperationKey,
  type Outcome,
  openAccounts,
  openBook,
  post,
} from './index.ts'

/** Helpers of this module's tests: a book with a nostro without floor and customers with floor zero. */
export type TestBook = {
  readonly bookId: BookId
  readonly nostro: LedgerAccountId
  readonly alice: LedgerAccountId
  readonly bob: LedgerAccountId
}

export const NOON = new Date('2026-05-04T12:00:00.000Z')

let opened = 0

export function openTestBook(database: Database, code = `book-${++opened}`): Promise<TestBook> {
  const id = (name: string) => derivedId<'ledger_account'>('ledger_account', code, name)
  const book = { nostro: id('nostro'), alice: id('alice'), bob: id('bob') }
  return database.transaction(systemActor('test.ledger'), async (tx) => {
    const bookId = await openBook(tx, { code, now: NOON })
    await openAccounts(
      tx,
      bookId,
      [
        { id: book.nostro, code: 'NOSTRO:EUR', currency: EUR, normalSide: 'debit', floor: null },
        { id: book.alice, code: 'CUST:ALICE', currency: EUR, normalSide: 'credit', floor: 0n },
        { id: book.bob, code: 'CUST:BOB', currency: EUR, normalSide: 'credit', floor: 0n },
      ],
      NOON,
    )
    return { bookId, ...book }
  })
}

export const newKey = (): OperationKey => newId<'ledger_operation'>()

export const transfer = (
  debit: LedgerAccountId,
  credit: LedgerAccountId,
  minor: bigint,
  more: Partial<Extract<Operation, { kind: 'transfer' }>> = {},
): Operation => ({ kind: 'transfer', key: newKey(), debit, credit, amount: money(EUR, minor), code: 'test', ...more })

export const postNow = (database: Database, book: TestBook, operations: readonly Operation[], now = NOON): Promise<Outcome[]> =>
  database.transaction(systemActor('test.ledger'), (tx) => post(tx, book.bookId, operations, now))

/** Outcomes in a few words: `posted`, `replayed`, or the refusal. */
export const inWords = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map((outcome) => (outcome.ok ? (outcome.value.replayed ? 'replayed' : 'posted') : outcome.refusal))
