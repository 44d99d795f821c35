import type { PARTITA_COLUMNS } from './csv-columns.ts'
import { isNegative, negateDecimal } from './decimal.ts'
import type { StatementDocumentEntry } from './statement-document.ts'
import type { Charge, EntryDetail, EntryFacts, EntryReferences, ParsedEntry } from './types.ts'
import { NO_REFERENCES } from './types.ts'

/** What stands in our own CSV behind the columns that other banks have as well: cells that hold several facts are JSON, or `1.50 EUR; …`. */
type Cells = (column: (typeof PARTITA_COLUMNS)[number]) => string

/** The facts of a booking that are read from columns of our own. */
export type OwnFacts = Pick<ParsedEntry, 'purpose' | 'charges' | 'details'> & { readonly counterpartyAccount: string | null }

const DETAIL_TEXTS = {
  servicer_reference: 'accountServicerReference',
  end_to_end_id: 'endToEndId',
  mandate_id: 'mandateId',
  creditor_id: 'creditorId',
} as const

const OTHER_REFERENCES = {
  entry_reference: 'entryReference',
  message_id: 'messageId',
  payment_information_id: 'paymentInformationId',
  instruction_id: 'instructionId',
  transaction_id: 'transactionId',
  uetr: 'uetr',
  cheque_number: 'chequeNumber',
  creditor_reference: 'creditorReference',
} as const satisfies Record<string, keyof EntryReferences>

/** `{"uetr":"…"}`, or nothing. */
export const otherReferencesCell = (told: StatementDocumentEntry['told']): string =>
  told ? jsonOf(named(OTHER_REFERENCES, told.references)) : ''

/** `1.50 EUR; 0.20 EUR included` */
export const chargesCell = (charges: readonly Charge[]): string =>
  charges.map(({ amount, currency, included }) => `${amount} ${currency}${included ? ' included' : ''}`).join('; ')

/** The transactions of a batch, marked by standing here: they are no rows of the statement, whose amounts add up without them. */
export const detailsCell = (details: EntryFacts['details']): string =>
  details.length === 0 ? '' : JSON.stringify(details.map(detailObject))

const detailObject = (detail: EntryFacts['details'][number]): Record<string, string> => ({
  ...(detail.amount !== null && { amount: detail.amount }),
  ...(detail.currency !== null && { currency: detail.currency }),
  ...present({
    counterparty_name: detail.counterparty.name,
    counterparty_iban: detail.counterparty.iban,
    counterparty_account: detail.counterparty.account,
    counterparty_bic: detail.counterparty.bic,
    ultimate_counterparty: detail.ultimateParty,
    remittance: detail.remittance,
    description: detail.additionalInformation,
    purpose: detail.purpose,
    local_amount: detail.instructed?.amount ?? null,
    local_currency: detail.instructed?.currency ?? null,
    charges: chargesCell(detail.charges),
    return_reason: detail.returnReason,
  }),
  ...named(DETAIL_TEXTS, detail.references),
  ...named(OTHER_REFERENCES, detail.references),
})

const present = (texts: Readonly<Record<string, string | null>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== ''))

const named = (names: Readonly<Record<string, keyof EntryReferences>>, references: EntryReferences): Record<string, string> =>
  present(Object.fromEntries(Object.entries(names).map(([column, key]) => [column, references[key]])))

const jsonOf = (texts: Record<string, string>): string => (Object.keys(texts).length === 0 ? '' : JSON.stringify(texts))

/** Reads them back. What somebody changed beyond recognition is left out. */
export function readOwnFacts(cell: Cells, line: number): OwnFacts {
  return {
    counterpartyAccount: cell('counterparty_account') || null,
    purpose: cell('purpose') || null,
    charges: chargesIn(cell('charges')),
    details: objectsIn(cell('details')).map((told) => detailIn(told, line)),
  }
}

const chargesIn = (text: string): Charge[] =>
  text.split(';').flatMap((part) => {
    const [, amount, currency, included] = /^\s*(\d+(?:\.\d+)?) ([A-Z]{3})( included)?\s*$/.exec(part) ?? []
    return amount === undefined || currency === undefined ? [] : [{ amount, currency, included: included ? true : null }]
  })

function objectsIn(text: string): Readonly<Record<string, unknown>>[] {
  try {
    const read: unknown = text === '' ? [] : JSON.parse(text)
    return Array.isArray(read) ? read.filter((one) => typeof one === 'object' && one !== null) : []
  } catch {
    return []
  }
}

function detailIn(told: Readonly<Record<string, unknown>>, line: number): EntryDetail {
  const text = (name: string): string | null => {
    const value = told[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const references = { ...NO_REFERENCES } as Record<keyof EntryReferences, string | null>
  for (const [column, key] of Object.entries({ ...DETAIL_TEXTS, ...OTHER_REFERENCES })) references[key] = text(column)
  const [ordered, currency] = [decimalIn(text('local_amount')), text('local_currency')]
  return {
    amount: decimalIn(text('amount')),
    currency: text('currency'),
    references,
    counterparty: {
      name: text('counterparty_name'),
      iban: text('counterparty_iban'),
      account: text('counterparty_account'),
      bic: text('counterparty_bic'),
    },
    ultimateParty: text('ultimate_counterparty'),
    instructed: ordered !== null && currency !== null ? { amount: unsigned(ordered), currency } : null,
    purpose: text('purpose'),
    remittance: text('remittance') ?? '',
    additionalInformation: text('description') ?? '',
    charges: chargesIn(text('charges') ?? ''),
    returnReason: text('return_reason'),
    line,
  }
}

const decimalIn = (text: string | null): string | null =>
  text !== null && /^-?\d{1,30}(?:\.\d{1,30})?$/.test(text) ? text : null

const unsigned = (value: string): string => (isNegative(value) ? negateDecimal(value) : value)
