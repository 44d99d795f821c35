import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { Label } from '../store.ts'
import { findLabels } from './labels.ts'

/** What a caller may have embedded in each transaction. */
export const EMBEDDABLE = ['vat_details', 'labels', 'attachments'] as const

export type Included = {
  readonly vatDetails: boolean
  readonly attachments: boolean
  /** Labels by id, when they are to be embedded. */
  readonly labels: ReadonlyMap<string, Label> | undefined
}

/** What is to be embedded in some transactions, read for all of them at once. */
export async function readIncluded(
  tx: Tx,
  organizationId: Id<'organization'>,
  transactions: readonly { readonly labelIds: readonly string[] }[],
  wanted: readonly (typeof EMBEDDABLE)[number][],
): Promise<Included> {
  const labelIds = transactions.flatMap((transaction) => transaction.labelIds)
  const labels = wanted.includes('labels') ? await findLabels(tx, organizationId, labelIds) : undefined
  return { labels, attachments: wanted.includes('attachments'), vatDetails: wanted.includes('vat_details') }
}
