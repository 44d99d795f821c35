import type { Id } from '../../../platform/ids.ts'
import type { Money } from '../../../platform/money.ts'
import type { SubjectRef } from '../../../platform/subject.ts'
import type { OperationKey } from '../../ledger/index.ts'
import type {
  Category,
  CounterpartyAccount,
  OperationType,
  SubjectType,
  TransactionSide,
  TransactionStatus,
} from './transaction.ts'

type Kind = {
  readonly side: TransactionSide
  readonly operationType: OperationType
  /** The wire's word for what lies behind it. */
  readonly subjectType: SubjectType
  /** What it was for, until somebody says otherwise. */
  readonly category: Category
  readonly isAttachmentRequired?: true
  readonly isExternal?: true
}

/** The kinds of movement that are written today, each with all that follows from its kind. */
export const MOVEMENT_KINDS = {
  transfer: {
    side: 'debit',
    operationType: 'transfer',
    subjectType: 'Transfer',
    category: 'pending',
    isAttachmentRequired: true,
  },
  /** A transfer that had been given back, and left after all. */
  late_transfer: { side: 'debit', operationType: 'transfer', subjectType: 'Transfer', category: 'other_expense' },
  income: { side: 'credit', operationType: 'income', subjectType: 'Income', category: 'other_income' },
  /** Money of ours that came back. */
  refund: { side: 'credit', operationType: 'income', subjectType: 'Income', category: 'refund' },
  own_transfer_out: { side: 'debit', operationType: 'transfer', subjectType: 'WalletToWallet', category: 'treasury_and_interco' },
  own_transfer_in: { side: 'credit', operationType: 'income', subjectType: 'WalletToWallet', category: 'treasury_and_interco' },
  direct_debit: {
    side: 'debit',
    operationType: 'direct_debit',
    subjectType: 'DirectDebit',
    category: 'pending',
    isAttachmentRequired: true,
  },
  /** What another bank tells of a connected account. */
  told_debit: { side: 'debit', operationType: 'other', subjectType: 'Other', category: 'other_expense', isExternal: true },
  told_credit: { side: 'credit', operationType: 'income', subjectType: 'Income', category: 'other_income', isExternal: true },
  told_transfer: {
    side: 'debit',
    operationType: 'transfer',
    subjectType: 'Transfer',
    category: 'other_expense',
    isExternal: true,
  },
  told_direct_debit: {
    side: 'debit',
    operationType: 'direct_debit',
    subjectType: 'DirectDebit',
    category: 'other_expense',
    isExternal: true,
  },
  told_collection: {
    side: 'credit',
    operationType: 'direct_debit_collection',
    subjectType: 'DirectDebitCollection',
    category: 'other_income',
    isExternal: true,
  },
  told_card_payment: { side: 'debit', operationType: 'card', subjectType: 'Card', category: 'other_expense', isExternal: true },
} as const satisfies Record<string, Kind>
export type MovementKind = keyof typeof MOVEMENT_KINDS

export type Counterparty = {
  /** As received. */
  readonly name: string
  /** Tidied, where somebody has. */
  readonly cleanName?: string
  readonly account?: CounterpartyAccount | null
}

/** What whoever moves money says of one movement on one account; the rest follows from its kind. */
export type Movement = {
  /** What it is about: the payment, not the feed's row. One subject has one pending movement at a time. */
  readonly subject: SubjectRef
  readonly account: { readonly id: Id<'bank_account'>; readonly organizationId: Id<'organization'> }
  readonly kind: MovementKind
  /** Above zero; the kind says which way. */
  readonly amount: Money
  /** What was ordered, where that was in another currency or another amount; above zero. */
  readonly localAmount?: Money | undefined
  readonly counterparty: Counterparty
  /** The message that came with it. */
  readonly reference?: string | null
  readonly note?: string | null
  readonly category?: Category
  /** The membership that ordered it; none for what came in. */
  readonly initiatorId?: Id<'membership'> | null
  /** Made here unless the caller must find the row again by its id. */
  readonly id?: Id<'transaction'>
  /** When it happened and is written down, where that is not the command's now. */
  readonly at?: Date
  /** When it was ordered or received, where that is another time. */
  readonly emittedAt?: Date
}

/** `ledgerKey`: the key of the hold behind it; null where nothing is held. */
export type PendingMovement = Movement & { readonly ledgerKey: OperationKey | null }

/** `ledgerKey`: the key of the entry behind it. `balanceMinor`: minor units on the account after it, as the ledger answered. */
export type CompletedMovement = Movement & {
  readonly ledgerKey: OperationKey
  readonly balanceMinor: bigint | null
  /** When it counts, where that is another time. */
  readonly settledAt?: Date
  /** Its entry was posted in this very transaction, so that it cannot stand in the feed yet: it need not be looked for. */
  readonly isNew?: boolean
}

/** What happened to a pending movement: its money moved under `ledgerKey`, and left `balanceMinor` on the account. */
export type Completion = {
  readonly subject: SubjectRef
  readonly ledgerKey: OperationKey
  readonly balanceMinor: bigint
}

/** Both sides of a movement between two accounts of one organization, each naming the other account. */
export function ownTransfer(
  shared: Omit<CompletedMovement, 'account' | 'kind' | 'counterparty' | 'balanceMinor' | 'id'>,
  debtor: OwnSide,
  creditor: OwnSide,
): [CompletedMovement, CompletedMovement] {
  const side = (kind: MovementKind, { id, account, balanceMinor }: OwnSide, other: OwnSide): CompletedMovement => ({
    ...shared,
    ...(id && { id }),
    account,
    kind,
    counterparty: { name: other.account.name },
    balanceMinor,
  })
  return [side('own_transfer_out', debtor, creditor), side('own_transfer_in', creditor, debtor)]
}

type OwnSide = {
  readonly account: Movement['account'] & { readonly name: string }
  readonly balanceMinor: bigint | null
  readonly id?: Id<'transaction'>
}

/** Once it has its id. */
export type Named<Said extends Movement> = Said & { readonly id: Id<'transaction'> }

/** A row as it is inserted. */
export type FeedRow = Omit<Movement, 'at' | 'kind' | 'emittedAt'> &
  Kind & {
    readonly id: Id<'transaction'>
    readonly ledgerKey: OperationKey | null
    readonly status: TransactionStatus
    readonly balanceMinor: bigint | null
    readonly category: Category
    readonly emittedAt: Date
    readonly settledAt: Date | null
    readonly recordedAt: Date
    readonly isNew?: boolean
  }

export const pendingRow = (movement: Named<PendingMovement>, now: Date) => ({
  ...rowOf(movement, now),
  ledgerKey: movement.ledgerKey,
  status: 'pending' as const,
  balanceMinor: null,
  settledAt: null,
})

export const completedRow = (movement: Named<CompletedMovement>, now: Date) => ({
  ...rowOf(movement, now),
  ledgerKey: movement.ledgerKey,
  status: 'completed' as const,
  balanceMinor: movement.balanceMinor,
  settledAt: movement.settledAt ?? movement.at ?? now,
  isNew: movement.isNew ?? false,
})

function rowOf({ kind, at, ...said }: Named<Movement>, now: Date) {
  const implied: Kind = MOVEMENT_KINDS[kind]
  const recordedAt = at ?? now
  return {
    ...implied,
    ...said,
    // Of a connected account's counterparty a bank may tell nothing but a text.
    subjectType: implied.isExternal && !said.counterparty.account ? ('Other' as const) : implied.subjectType,
    category: said.category ?? implied.category,
    emittedAt: said.emittedAt ?? recordedAt,
    recordedAt,
  }
}
