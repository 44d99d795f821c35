import type { CsvField } from './csv-mapping.ts'

/** The header of Partita's own CSV statements, in order. `write-csv.ts` writes it and `csv.ts` knows it. */
export const PARTITA_COLUMNS = [
  'account',
  'currency',
  'booking_date',
  'value_date',
  'amount',
  'balance_after',
  'reference',
  'end_to_end_id',
  'mandate_id',
  'counterparty_name',
  'counterparty_iban',
  'counterparty_bic',
  'remittance_information',
  'description',
  'transaction_code',
] as const

/** Names that banks give their columns, without accents, marks and case. Earlier names win over later ones of the same file. */
const NAMES: Readonly<Record<CsvField, string>> = {
  account:
    'account|account iban|iban du compte|iban|auftragskonto|iban auftragskonto|account number|compte|numero de compte|rekening|iban bban|konto|kontonummer|cuenta|conto|own account',
  currency: 'currency|devise|wahrung|waehrung|munt|valuta code|divisa|moneda|ccy|currency code|account currency',
  date: 'booking date|bookingdate|date|booking_date|operation date local|date de l operation local|date operation|date de l operation|date de comptabilisation|date d operation|buchungstag|buchungsdatum|buchung|datum|boekdatum|boekingsdatum|fecha|fecha operacion|f operacion|data|data contabile|data operazione|transaction date|posting date|posted date|completed date|date comptable|settlement date local',
  valueDate:
    'value date|value_date|valuedate|date de valeur|date valeur|date de la valeur local|valutadatum|valuta|wertstellung|rentedatum|fecha valor|f valor|data valuta',
  amount:
    'amount|montant|montant eur|betrag|betrag eur|umsatz|umsatz in eur|bedrag|bedrag eur|importe|importo|transaction amount|amount eur|total amount incl vat|montant total ttc',
  debit: 'debit|debit eur|debits|soll|soll eur|debit amount|money out|paid out|withdrawal|withdrawals|af|cargo|addebiti|dare',
  credit: 'credit|credit eur|credits|haben|haben eur|credit amount|money in|paid in|deposit|deposits|bij|abono|accrediti|avere',
  direction: 'direction|debit credit|credit debit|soll haben|af bij|side|sens|c d|dc|d c|cdtdbtind',
  balance:
    'balance|balance after|balance_after|running balance|solde|saldo|saldo na trn|saldo nach buchung|kontostand|saldo eur|saldo na mutatie',
  status: 'status|statut|state|estado|info',
  text: 'remittance information|text|description|libelle|verwendungszweck|omschrijving|omschrijving 1|mededelingen|concepto|descrizione|details|label|communication|communications|memo|reference text|buchungsdetails|payment reference|reference',
  additionalText: 'description|buchungstext|type|libelle operation|umsatzart|note|transaction type|naam omschrijving',
  reference:
    'transaction id|identifiant de transaction|bank reference|reference|bankreferenz|transaction reference|id|volgnr|numero d operation|kundenreferenz',
  endToEndId: 'end to end id|end to end reference|kundenreferenz end to end|endtoendid|end to end referenz',
  mandateId: 'mandate id|mandatsreferenz|machtigingskenmerk|mandate reference',
  counterparty:
    'counterparty name|counterparty|nom de la contrepartie|beguenstigter zahlungspflichtiger|beguenstigter|name zahlungsbeteiligter|auftraggeber empfanger|payee|naam tegenpartij|tegenpartij|beneficiario|name|counterpart name|ordering party beneficiary',
  counterpartyIban:
    'counterparty iban|iban de la contrepartie|kontonummer iban|iban zahlungsbeteiligter|tegenrekening iban bban|tegenrekening|counterparty account|gegenkonto iban',
  counterpartyBic: 'counterparty bic|bic swift code|bic|bic tegenpartij|bic zahlungsbeteiligter|blz',
  transactionCode: 'transaction code|code',
}

/** A header text as it is compared: no accents, no marks, no case; `Montant total (TTC)` is `montant total ttc`. */
export const columnName = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/€/g, ' eur ')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()

/** Which column has which meaning, by its name. A column gets one meaning at most. */
export function recognizedColumns(header: readonly string[]): Partial<Record<CsvField, number>> {
  const names = header.map(columnName)
  const found: Partial<Record<CsvField, number>> = {}
  const taken = new Set<number>()
  for (const [field, spellings] of Object.entries(NAMES) as [CsvField, string][]) {
    for (const spelling of spellings.split('|')) {
      const index = names.findIndex((name, at) => name === columnName(spelling) && !taken.has(at))
      if (index < 0) continue
      found[field] = index + 1
      taken.add(index)
      break
    }
  }
  return found
}

export const isPartitaHeader = (header: readonly string[]): boolean =>
  header.length === PARTITA_COLUMNS.length && PARTITA_COLUMNS.every((name, index) => header[index]?.trim() === name)

// A spreadsheet takes a cell for a formula by its first character, also after a separator when it splits at another one than we
// wrote, and full-width forms count too. The apostrophe makes it text; one more apostrophe than before, so that reading can take it back.
const STARTS_FORMULA = /(^|[;,\t|])( *)('*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])/g
const STARTS_DEFUSED = /(^|[;,\t|])( *)'('*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])/g

/** Text that no spreadsheet will run. */
export const defused = (text: string): string => text.replace(STARTS_FORMULA, "$1$2$3'")

/** The text that `defused` was given. */
export const restored = (text: string): string => text.replace(STARTS_DEFUSED, '$1$2$3')
