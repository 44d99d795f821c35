import { formatDecimal } from '../../platform/money.ts'
import { defused, PARTITA_COLUMNS } from './csv-columns.ts'
import { chargesCell, detailsCell, otherReferencesCell } from './csv-own.ts'
import {
  assertAddsUp,
  bankTransactionCode,
  proprietaryCode,
  type StatementDocument,
  type StatementDocumentEntry,
} from './statement-document.ts'
import { oneLine } from './text.ts'

/**
 * Writes the entries as CSV (RFC 4180, comma, decimal point, UTF-8): one row per entry, oldest first. Texts are quoted and cannot be run
 * by a spreadsheet; amounts stay numbers, negative ones too. Our own import reads it back without a mapping.
 */
export function writeCsv(document: StatementDocument): string {
  assertAddsUp(document)
  const rows = document.entries.map((entry) => row(document, entry))
  return `${[PARTITA_COLUMNS.join(','), ...rows].join('\r\n')}\r\n`
}

function row(document: StatementDocument, entry: StatementDocumentEntry): string {
  const { told } = entry
  const cells: Record<(typeof PARTITA_COLUMNS)[number], string> = {
    account: document.iban,
    currency: document.opening.currency,
    booking_date: entry.bookingDate,
    value_date: entry.valueDate ?? '',
    amount: formatDecimal(entry.amount),
    balance_after: formatDecimal(entry.balanceAfter),
    reference: text(entry.reference),
    end_to_end_id: text(entry.endToEndId),
    mandate_id: text(entry.mandateId),
    counterparty_name: text(entry.counterpartyName),
    counterparty_iban: text(entry.counterpartyIban),
    counterparty_bic: text(entry.counterpartyBic),
    remittance_information: text(entry.remittanceInformation),
    description: text(entry.description),
    transaction_code: bankTransactionCode(entry)?.join('/') ?? text(proprietaryCode(entry) ?? null),
    counterparty_account: text(told?.counterparty.account ?? null),
    ultimate_counterparty: text(told?.ultimateParty ?? null),
    creditor_id: text(told?.references.creditorId ?? null),
    purpose: text(told?.purpose ?? null),
    local_amount: told?.instructed?.amount ?? '',
    local_currency: told?.instructed?.currency ?? '',
    charges: text(chargesCell(told?.charges ?? [])),
    servicer_reference: text(told?.references.accountServicerReference ?? null),
    other_references: text(otherReferencesCell(told)),
    details: text(detailsCell(told?.details ?? [])),
  }
  return PARTITA_COLUMNS.map((column) => cells[column]).join(',')
}

/** A quoted text cell on one line, or nothing. */
function text(value: string | null): string {
  // Controls have no place in a cell, and some spreadsheets drop them before they look at the first character.
  const line = oneLine((value ?? '').replace(/\p{Cc}/gu, ' '))
  return line === '' ? '' : `"${defused(line).replaceAll('"', '""')}"`
}
