import { toMinor } from '../../../formats/statements/index.ts'
import { derivedId, type Id } from '../../../platform/ids.ts'
import { currency, isCurrency, type Money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as feed from '../../feed/index.ts'
import * as store from '../facts-store.ts'

export type ChildTransaction = feed.ShownTransaction & { readonly id: Id<'transaction'> }

/**
 * The transactions inside a booking of a connected account, in the order of their file, as if each were one of its own. They are none: the
 * booking's amount is on the account, and no list, count or balance has them.
 *
 * @returns undefined when the organization has no such transaction.
 */
export async function childTransactions(
  tx: Tx,
  organizationId: Id<'organization'>,
  parentId: Id<'transaction'>,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly rows: readonly ChildTransaction[]; readonly count: bigint } | undefined> {
  const parent = await feed.findTransaction(tx, organizationId, parentId)
  if (!parent) return undefined
  const key = parent.isExternal ? await feed.ledgerKeyOf(tx, organizationId, parentId) : null
  if (key === null) return { rows: [], count: 0n }
  const details = await store.pageOfDetails(tx, organizationId, key, page)
  const { count } = await store.countDetails(tx, organizationId, key)
  return { rows: details.map((detail) => childOf(parent, detail)), count }
}

function childOf(parent: feed.Transaction, detail: store.KeyedDetail): ChildTransaction {
  const { position, more, counterpartyName: name, remittance } = detail
  const amount = amountIn(detail.amount, detail.currency ?? parent.currency)
  const inAccount = amount?.currency === parent.currency ? amount : undefined
  const ordered = (more.instructed && amountIn(more.instructed.amount, more.instructed.currency)) ?? amount
  const account = detail.counterpartyIban ?? more.counterpartyAccount ?? null
  const bic = more.counterpartyBic ?? null
  return {
    ...parent,
    id: derivedId('transaction', detail.key, 'child', position),
    slug: `${parent.slug}-${position + 1}`,
    side: detail.amount === null ? parent.side : detail.amount.startsWith('-') ? 'debit' : 'credit',
    amountMinor: inAccount ? size(inAccount) : null,
    localAmountMinor: ordered ? size(ordered) : null,
    localCurrency: ordered?.currency ?? parent.currency,
    settledBalanceMinor: null,
    label: name ?? remittance ?? '',
    cleanCounterpartyName: name,
    reference: remittance,
    note: null,
    vatAmountMinor: null,
    vatRate: null,
    vatItems: null,
    labelIds: [],
    attachmentIds: [],
    subjectType: account === null && bic === null ? 'Other' : (SUBJECTS[parent.operationType] ?? 'Other'),
    counterpartyAccountNumber: account,
    counterpartyAccountNumberFormat: account === null ? null : detail.counterpartyIban === null ? 'unstructured' : 'IBAN',
    counterpartyBankIdentifier: bic,
    counterpartyBankIdentifierFormat: bic === null ? null : 'SWIFT_BIC',
  }
}

const SUBJECTS: Readonly<Record<string, string>> = {
  income: 'Income',
  transfer: 'Transfer',
  direct_debit: 'DirectDebit',
  direct_debit_collection: 'DirectDebitCollection',
}

function amountIn(text: string | null, code: string): Money | undefined {
  if (text === null || !isCurrency(code)) return undefined
  const amount = toMinor(currency(code), text)
  return amount.ok ? amount.value : undefined
}

const size = ({ minor }: Money): bigint => (minor < 0n ? -minor : minor)
