import { derivedId, type Id } from '../../platform/ids.ts'
import { EUR, type Money, money } from '../../platform/money.ts'
import type {
  GroupId,
  LedgerAccountId,
  OperationKey,
  PostHoldOperation,
  TransferOperation,
  VoidHoldOperation,
} from '../ledger/index.ts'
import type { CreditTransferFact } from './events.ts'
import { settlementAccounts } from './settlement-accounts.ts'
import type { StoredCreditTransfer } from './store.ts'

/**
 * The accounting entries of SEPA credit transfers (sepa.md §12.1, §12.2). Every key follows from the payment and the step, so a step
 * that is repeated after a crash is found in the ledger instead of being posted again.
 */
const keyOf = (id: string, step: string): OperationKey => derivedId('ledger_operation', id, step)
const groupOf = (id: string, step: string): GroupId => derivedId('ledger_group', id, step)

export const holdKeyOf = (id: Id<'credit_transfer'>): OperationKey => keyOf(id, 'hold')
export const acceptKeyOf = (id: Id<'credit_transfer'>): OperationKey => keyOf(id, 'accept')
/** Of the entry that reaches the creditor's account. */
export const receiptKeyOf = (id: Id<'incoming_transfer'>): OperationKey => keyOf(id, 'apply')

export const amountOf = (transfer: Pick<StoredCreditTransfer, 'amountMinor'>): Money => money(EUR, transfer.amountMinor)

/** What events say of a stored transfer. */
export const factOf = (transfer: StoredCreditTransfer, reasonCode?: string): CreditTransferFact => ({
  id: transfer.id,
  organizationId: transfer.organizationId,
  amount: amountOf(transfer),
  creditorIban: transfer.creditorIban,
  endToEndId: transfer.endToEndId,
  reasonCode: reasonCode ?? null,
})

/** Accepted by the rail: the hold becomes customer → clearing. */
export const acceptance = (t: StoredCreditTransfer): PostHoldOperation => ({
  kind: 'post_hold',
  key: acceptKeyOf(t.id),
  hold: holdKeyOf(t.id),
  credit: settlementAccounts(t.bookId).clearingOut,
  code: 'sct.out',
  reference: t.id,
})

/** Settled: clearing → nostro. */
export const settlement = (t: StoredCreditTransfer): TransferOperation => ({
  ...movement(t, 'settle'),
  code: 'sct.out.settlement',
  debit: settlementAccounts(t.bookId).clearingOut,
  credit: settlementAccounts(t.bookId).nostro,
})

/** Rejected before acceptance: the hold is given back. */
export const release = (t: StoredCreditTransfer): VoidHoldOperation => ({
  kind: 'void_hold',
  key: keyOf(t.id, 'void'),
  hold: holdKeyOf(t.id),
})

/** Rejected after acceptance: clearing → customer. */
export const reversal = (t: StoredCreditTransfer, creditor = t.ledgerAccountId): TransferOperation => ({
  ...movement(t, 'reverse'),
  code: 'sct.out.reject',
  debit: settlementAccounts(t.bookId).clearingOut,
  credit: creditor,
})

/** The money left although we had given it back: customer → clearing → nostro, whatever the balance. */
export function lateSettlement(t: StoredCreditTransfer): [TransferOperation, TransferOperation] {
  const accounts = settlementAccounts(t.bookId)
  const group = groupOf(t.id, 'late')
  return [
    {
      ...movement(t, 'late.debit'),
      group,
      code: 'sct.out.late',
      debit: t.ledgerAccountId,
      credit: accounts.clearingOut,
      force: true,
    },
    { ...movement(t, 'late.settle'), group, code: 'sct.out.settlement', debit: accounts.clearingOut, credit: accounts.nostro },
  ]
}

/** Returned after settlement: nostro → clearing → customer. `earlier`: how many returns of this transfer came before. */
export function returned(
  t: StoredCreditTransfer,
  { amount, earlier }: { amount: Money; earlier: bigint },
  creditor = t.ledgerAccountId,
): TransferOperation[] {
  const accounts = settlementAccounts(t.bookId)
  const step = earlier === 0n ? 'return' : `return.${earlier + 1n}`
  const common = { amount, group: groupOf(t.id, step), code: 'sct.return' } as const
  return [
    { ...movement(t, `${step}.receive`), ...common, debit: accounts.nostro, credit: accounts.clearingIn },
    { ...movement(t, `${step}.apply`), ...common, debit: accounts.clearingIn, credit: creditor },
  ]
}

const movement = (t: StoredCreditTransfer, step: string) =>
  ({ kind: 'transfer', key: keyOf(t.id, step), amount: amountOf(t), reference: t.id }) as const

type Incoming = { readonly id: Id<'incoming_transfer'>; readonly amount: Money; readonly bookId: StoredCreditTransfer['bookId'] }

/** Received: nostro → clearing → the customer, or → suspense when the customer is not found. */
export function receipt(incoming: Incoming, creditor: LedgerAccountId | 'suspense'): TransferOperation[] {
  const accounts = settlementAccounts(incoming.bookId)
  const group = groupOf(incoming.id, 'receive')
  const common = { kind: 'transfer', amount: incoming.amount, group, reference: incoming.id } as const
  const to = creditor === 'suspense' ? accounts.suspense : creditor
  return [
    {
      ...common,
      key: keyOf(incoming.id, 'receive'),
      code: 'sct.in.settlement',
      debit: accounts.nostro,
      credit: accounts.clearingIn,
    },
    {
      ...common,
      key: receiptKeyOf(incoming.id),
      code: creditor === 'suspense' ? 'sct.in.suspense' : 'sct.in',
      debit: accounts.clearingIn,
      credit: to,
    },
  ]
}

/** What one return of ours does; `messageId` is that of its pacs.004, since a return that never arrived is followed by another. */
export function sentBack(incoming: Incoming, messageId: string, step: 'send' | 'settle' | 'refuse'): TransferOperation {
  const { suspense, clearingOut, nostro } = settlementAccounts(incoming.bookId)
  const legs = {
    send: { debit: suspense, credit: clearingOut },
    settle: { debit: clearingOut, credit: nostro },
    refuse: { debit: clearingOut, credit: suspense },
  }
  return {
    kind: 'transfer',
    key: keyOf(incoming.id, `return.${messageId}.${step}`),
    amount: incoming.amount,
    code: 'sct.in.return',
    reference: incoming.id,
    ...legs[step],
  }
}

/** Between two customers of ours in one book: the hold becomes debtor → creditor, in one posting (sepa.md §12.4). */
export const bookTransfer = (t: StoredCreditTransfer, creditor: LedgerAccountId): PostHoldOperation => ({
  ...acceptance(t),
  credit: creditor,
  code: 'sct.book',
})
