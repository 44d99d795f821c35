import type { StatementMovement, ToldByBanks } from '../../feed/index.ts'
import { eveOf } from '../domain/statement-span.ts'
import * as store from '../store.ts'

/** What no statement of the bank tells, as a movement of its own between two that do: so both balances in a statement of ours are the bank's. */
export const missingMovements: ToldByBanks['missing'] = async (tx, bankAccountId, { from, before }) => {
  const carried = await store.findCarried(tx, bankAccountId)
  return carried
    .slice(1)
    .map(({ day, carriedMinor }) => ({ at: eveOf(day), day, carriedMinor }))
    .filter(({ at, carriedMinor }) => carriedMinor !== 0n && at >= from && at < before)
    .map(({ at, day, carriedMinor }): StatementMovement => {
      const isCredit = carriedMinor > 0n
      return {
        id: `GAP-${day}`,
        ledgerKey: null,
        side: isCredit ? 'credit' : 'debit',
        operationType: 'other',
        amountMinor: isCredit ? carriedMinor : -carriedMinor,
        label: '',
        reference: `No statement tells what happened to the balance before ${day}`,
        settledAt: at,
        counterpartyNumber: null,
        counterpartyFormat: null,
        bank: null,
        bankFormat: null,
      }
    })
}
