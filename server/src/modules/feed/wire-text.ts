import { decimalText, withoutTrailingZeros } from '../../platform/http/json-numbers.ts'
import { JsonText } from '../../platform/http/json-text.ts'
import { instantText } from '../../platform/instant-text.ts'
import { type Currency, minorDigits } from '../../platform/money.ts'
import { SUBJECT_KEYS, SUBJECTS_WITH_COUNTERPARTY, type SubjectType } from './domain/transaction.ts'
import type { Packed, PackedTransaction } from './packed.ts'
import type { Included } from './queries/embedded.ts'
import type { VatItem } from './store.ts'
import { labelToWire, vatItemToWire } from './wire.ts'

/**
 * What `transactionToWire` says, in the same bytes, of a row as lists read it: written in one pass, since a page of a hundred is the bank's
 * most frequent answer. That both say the same is tried on rows of every kind.
 */
export function transactionText(t: PackedTransaction, slugPrefix: string, includes: Included): JsonText {
  const currency = t.get('currency') as Currency
  return new JsonText(
    `{"id":"${t.get('id')}","transaction_id":"${slugPrefix}-transaction-${t.get('number')}",${money(t, 'amount', 'amountMinor', currency)},` +
      `${money(t, 'settled_balance', 'settledBalanceMinor', currency)},"attachment_ids":${ids(t, 'attachmentIds')},"logo":null,` +
      `${money(t, 'local_amount', 'localAmountMinor', t.get('localCurrency') as Currency)},"side":"${t.get('side')}",` +
      `"operation_type":${t.get('operationType')},"currency":"${currency}","local_currency":"${t.get('localCurrency')}",` +
      `"label":${t.get('label')},"clean_counterparty_name":${json(t, 'cleanCounterpartyName')},"settled_at":${instant(t, 'settledAt')},` +
      `"emitted_at":${instant(t, 'emittedAt')},"created_at":${instant(t, 'createdAt')},"updated_at":${instant(t, 'updatedAt')},` +
      `"status":"${t.get('status')}","note":${json(t, 'note')},"reference":${json(t, 'reference')},` +
      `${money(t, 'vat_amount', 'vatAmountMinor', currency)},"vat_rate":${withoutTrailingZeros(t.get('vatRate')) || 'null'},` +
      `"initiator_id":${id(t, 'initiatorId')},"label_ids":${ids(t, 'labelIds')},"attachment_lost":${boolean(t, 'attachmentLost')},` +
      `"attachment_required":${boolean(t, 'attachmentRequired')},"card_last_digits":${json(t, 'cardLastDigits')},` +
      `"category":${t.get('category')},"cashflow_category":null,"cashflow_subcategory":null,"subject_type":"${t.get('subjectType')}",` +
      `"bank_account_id":"${t.get('bankAccountId')}","is_external_transaction":${boolean(t, 'isExternal')}${embedded(t, includes)}${subject(t)}}`,
  )
}

const money = (t: PackedTransaction, name: string, column: keyof Packed, currency: Currency): string => {
  const minor = t.get(column)
  return minor === ''
    ? `"${name}":null,"${name}_cents":null`
    : `"${name}":${decimalText(minor, minorDigits(currency))},"${name}_cents":${minor}`
}

const json = (t: PackedTransaction, column: keyof Packed): string => t.get(column) || 'null'

const id = (t: PackedTransaction, column: keyof Packed): string => (t.get(column) === '' ? 'null' : `"${t.get(column)}"`)

const ids = (t: PackedTransaction, column: keyof Packed): string =>
  t.get(column) === '' ? '[]' : `["${t.get(column).replaceAll(',', '","')}"]`

const boolean = (t: PackedTransaction, column: keyof Packed): string => (t.get(column) === 't' ? 'true' : 'false')

const instant = (t: PackedTransaction, column: keyof Packed): string => {
  const text = t.get(column)
  return text === '' ? 'null' : `"${instantText(text)}"`
}

function embedded(t: PackedTransaction, includes: Included): string {
  if (!includes.attachments && !includes.labels && !includes.vatDetails) return ''
  const { labels } = includes
  const attachments = includes.attachments ? ',"attachments":[]' : ''
  const shown = labels ? `,"labels":${JSON.stringify(t.labelIds.flatMap((one) => labels.get(one) ?? []).map(labelToWire))}` : ''
  return `${attachments}${shown}${includes.vatDetails ? `,"vat_details":${JSON.stringify(vatDetails(t))}` : ''}`
}

const vatDetails = (t: PackedTransaction) => ({
  items: (JSON.parse(json(t, 'vatItems')) ?? []).map((item: VatItem) => vatItemToWire(item, t.get('currency') as Currency)),
})

function subject(t: PackedTransaction): string {
  const key = SUBJECT_KEYS[t.get('subjectType') as SubjectType]
  if (key === undefined) return ''
  // Taken apart and put together again: jsonb is written with spaces.
  if (!SUBJECTS_WITH_COUNTERPARTY.has(t.get('subjectType')))
    return `,"${key}":${JSON.stringify(JSON.parse(json(t, 'subjectDetails')))}`
  const known = (column: keyof Packed) => t.get(column) || '""'
  return (
    `,"${key}":{"counterparty_account_number":${known('counterpartyAccountNumber')},` +
    `"counterparty_account_number_format":${known('counterpartyAccountNumberFormat')},` +
    `"counterparty_bank_identifier":${known('counterpartyBankIdentifier')},` +
    `"counterparty_bank_identifier_format":${known('counterpartyBankIdentifierFormat')}}`
  )
}
