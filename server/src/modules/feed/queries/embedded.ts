import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { Label } from '../store.ts'
import type { Transaction } from './find-transaction.ts'
import { findLabels } from './labels.ts'

/** What a caller may have embedded in each transaction. */
export const EMBEDDABLE = ['vat_details', 'labels', 'attachments'] as const

export type Included = {
  readonly vatDetails: boolean
  readonly attachments: boolean
  /** Labels by id, when they are to be embedded. */
  readonly labels: ReadonlyMap<string, Label> | undefined
}

/** Transactions with what is to be embedded in them, read for all of them at once. */
export async function embed(
  tx: Tx,
  organizationId: Id<'organization'>,
  transactions: readonly Transaction[],
  wanted: readonly (typeof EMBEDDABLE)[number][],
): Promise<{ readonly transaction: Transaction; readonly included: Included }[]> {
  const labelIds = transactions.flatMap((transaction) => transaction.labelIds)
  const labels = wanted.includes('labels') ? await findLabels(tx, organizationId, labelIds) : undefined
  const included = { labels, attachments: wanted.includes('attachments'), vatDetails: wanted.includes('vat_details') }
  return transactions.map((transaction) => ({ transaction, included }))
}
