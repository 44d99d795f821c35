import { type Columns, columnName } from './csv-columns.ts'
import type { CsvField } from './csv-mapping.ts'

/**
 * What one bank or payment provider means by its columns, where their names alone do not say it or mean something else elsewhere: above all
 * whose account a column names. Found by the header, never by a file's name.
 */
export type CsvProfile = Readonly<{
  bank: string
  /** Names that must all stand in the header, as `columnName` writes them. */
  header: readonly string[]
  /** Meanings that win over those of the names; an empty list: no column has this one. */
  columns: Readonly<Partial<Record<CsvField, string | readonly string[]>>>
  /** Where a fee stands: `outside` the amount, and comes off the account beside it, or `inside` it already. */
  fee?: 'outside' | 'inside'
  /** Columns whose names would give them a meaning that they do not have here. */
  without?: readonly string[]
}>

const profile = (
  bank: string,
  header: string,
  columns: Readonly<Partial<Record<CsvField, string | readonly string[]>>> = {},
  more: Pick<CsvProfile, 'fee' | 'without'> = {},
): CsvProfile => ({ bank, header: header.split('|'), columns, ...more })

/** The most particular ones win: where two fit, the one that asks for more columns. */
const PROFILES: readonly CsvProfile[] = [
  // Germany, Austria
  profile('Sparkasse (DE)', 'auftragskonto|buchungstag|valutadatum|verwendungszweck|beguenstigter zahlungspflichtiger|kontonummer iban', { account: 'auftragskonto', counterpartyIban: 'kontonummer iban', endToEndId: 'kundenreferenz end to end' }),
  profile('Sparkasse (DE), older', 'auftragskonto|buchungstag|valutadatum|beguenstigter zahlungspflichtiger|kontonummer|blz', { account: 'auftragskonto', counterpartyIban: 'kontonummer', counterpartyBic: 'blz' }),
  profile('Volksbanken Raiffeisenbanken (DE)', 'iban auftragskonto|buchungstag|valutadatum|name zahlungsbeteiligter|iban zahlungsbeteiligter', { account: 'iban auftragskonto', counterpartyIban: 'iban zahlungsbeteiligter' }),
  profile('Volksbanken Raiffeisenbanken (DE), older', 'buchungstag|valuta|auftraggeber zahlungsempfanger|empfanger zahlungspflichtiger|vorgang verwendungszweck|umsatz', { counterparty: 'empfanger zahlungspflichtiger', counterpartyIban: 'iban' }, { without: ['auftraggeber zahlungsempfanger', 'konto nr'] }),
  profile('DKB (DE)', 'buchungsdatum|wertstellung|zahlungspflichtige r|zahlungsempfanger in|verwendungszweck|iban', { payer: 'zahlungspflichtige r', payee: 'zahlungsempfanger in', counterpartyIban: 'iban', endToEndId: 'kundenreferenz' }),
  profile('DKB (DE), older', 'buchungstag|wertstellung|auftraggeber begunstigter|kontonummer|blz|kundenreferenz', { counterpartyIban: 'kontonummer', counterpartyBic: 'blz', endToEndId: 'kundenreferenz' }),
  profile('Deutsche Bank, Postbank (DE)', 'buchungstag|wert|begunstigter auftraggeber|verwendungszweck|iban kontonummer|kundenreferenz', { counterparty: 'begunstigter auftraggeber', counterpartyIban: 'iban kontonummer', endToEndId: 'kundenreferenz' }, { fee: 'inside' }),
  profile('Commerzbank (DE)', 'buchungstag|wertstellung|umsatzart|buchungstext|iban kontoinhaber', { account: 'iban kontoinhaber', text: 'buchungstext', additionalText: 'umsatzart' }),
  profile('Commerzbank (DE), older', 'buchungstag|wertstellung|umsatzart|buchungstext|iban auftraggeberkonto', { account: 'iban auftraggeberkonto', text: 'buchungstext', additionalText: 'umsatzart' }, { without: ['auftraggeberkonto', 'bankleitzahl auftraggeberkonto'] }),
  profile('comdirect (DE)', 'buchungstag|wertstellung valuta|vorgang|buchungstext|umsatz in eur', { text: 'buchungstext', additionalText: 'vorgang' }),
  profile('ING (DE)', 'buchung|auftraggeber empfanger|buchungstext|verwendungszweck|betrag', { counterparty: 'auftraggeber empfanger', additionalText: 'buchungstext' }),
  profile('HypoVereinsbank (DE)', 'kontonummer|buchungsdatum|valuta|empfaenger 1|verwendungszweck|betrag', { account: 'kontonummer', counterparty: 'empfaenger 1' }),
  profile('Erste Bank und Sparkassen (AT)', 'buchungsdatum|partnername|partner iban|betrag|wahrung', { counterparty: 'partnername', counterpartyIban: 'partner iban' }),
  profile('Bank Austria (AT)', 'buchungsdatum|valutadatum|buchungstext|betrag|auftraggebername|empfangername', { text: ['zahlungsgrund', 'buchungstext'], payer: 'auftraggebername', payee: 'empfangername', reference: 'belegnummer' }, { without: ['auftraggeberkonto', 'empfangerkonto'] }),
  // France
  profile('Crédit Agricole (FR)', 'date|libelle|debit euros|credit euros'),
  profile('BNP Paribas (FR)', 'date operation|libelle court|type operation|libelle operation|montant operation en euro', { text: 'libelle operation', additionalText: 'libelle court' }),
  profile('Société Générale (FR)', 'date de l operation|libelle|detail de l ecriture|montant de l operation', { text: 'detail de l ecriture', additionalText: 'libelle' }),
  profile('Banque Populaire, Caisse d’Épargne (FR)', 'date de comptabilisation|libelle simplifie|libelle operation|debit|credit', { text: ['libelle operation', 'informations complementaires'], additionalText: 'type operation', reference: 'reference' }),
  profile('Crédit Mutuel, CIC (FR)', 'date|date de valeur|libelle|solde'),
  profile('BoursoBank (FR)', 'dateop|dateval|label|amount|accountnum|accountbalance', { account: 'accountnum', text: 'label', counterparty: 'supplierfound' }),
  profile('La Banque Postale (FR)', 'date|libelle|montant euros', { amount: 'montant euros' }, { without: ['montant francs'] }),
  // Spain, Italy, Portugal
  profile('BBVA (ES)', 'fecha|concepto|movimiento|importe|disponible', { text: ['concepto', 'observaciones'], additionalText: 'movimiento', balance: 'disponible' }),
  profile('CaixaBank (ES)', 'fecha|fecha valor|movimiento|mas datos|importe|saldo', { text: ['movimiento', 'mas datos'] }),
  profile('Santander (ES)', 'fecha operacion|fecha valor|concepto|importe eur|saldo'),
  profile('Intesa Sanpaolo (IT)', 'data|operazione|dettagli|conto o carta|importo', { account: 'conto o carta', text: 'dettagli', counterparty: 'operazione' }, { without: ['contabilizzazione'] }),
  profile('UniCredit (IT)', 'data registrazione|data valuta|descrizione|importo eur'),
  profile('FinecoBank (IT)', 'data operazione|data valuta|entrate|uscite|descrizione', { text: 'descrizione completa', additionalText: 'descrizione' }),
  profile('Millennium bcp (PT)', 'data lancamento|data valor|descricao|montante|saldo'),
  profile('Caixa Geral de Depósitos (PT)', 'data mov|data valor|descricao|debito|credito|saldo contabilistico', { balance: 'saldo contabilistico' }, { without: ['saldo disponivel'] }),
  // Belgium, Netherlands
  profile('KBC (BE)', 'rekeningnummer|munt|datum|omschrijving|bedrag|saldo|rekeningnummer tegenpartij', { account: 'rekeningnummer', text: ['vrije mededeling', 'gestructureerde mededeling'], creditorReference: [], additionalText: 'omschrijving' }, { without: ['adres tegenpartij'] }),
  profile('BNP Paribas Fortis (BE)', 'volgnummer|uitvoeringsdatum|valutadatum|bedrag|rekeningnummer|tegenpartij|naam van de tegenpartij', { account: 'rekeningnummer', counterparty: 'naam van de tegenpartij', counterpartyIban: 'tegenpartij', text: 'mededeling', additionalText: 'type verrichting' }, { without: ['details', 'reden van weigering'] }),
  profile('Belfius (BE)', 'rekening|boekingsdatum|rekening tegenpartij|bedrag|mededelingen', { account: 'rekening', counterpartyIban: 'rekening tegenpartij' }, { without: ['straat en nummer', 'postcode en plaats'] }),
  profile('ING (BE)', 'numero de compte|compte partie adverse|date comptable|montant|devise', { account: 'numero de compte', counterpartyIban: 'compte partie adverse', text: ['message', 'libelles'] }),
  profile('Rabobank (NL)', 'iban bban|munt|volgnr|datum|bedrag|saldo na trn|tegenrekening iban bban', { account: 'iban bban', counterpartyBic: 'bic tegenpartij', endToEndId: 'transactiereferentie' }, { without: ['bic', 'naam initierende partij'] }),
  profile('ING (NL)', 'datum|naam omschrijving|rekening|tegenrekening|af bij|mutatiesoort', { account: 'rekening', counterparty: 'naam omschrijving', additionalText: 'mutatiesoort', text: 'mededelingen' }),
  profile('bunq', 'date|interest date|amount|account|counterparty|name|description', { account: 'account', counterparty: 'name', counterpartyIban: 'counterparty' }),
  profile('Knab (NL)', 'rekeningnummer|transactiedatum|valutacode|creditdebet|bedrag|tegenrekeningnummer', { account: 'rekeningnummer', counterpartyIban: 'tegenrekeningnummer' }),
  // Neobanks and payment providers
  profile('N26', 'booking date|value date|partner name|partner iban|payment reference', { counterpartyIban: 'partner iban', text: 'payment reference' }),
  profile('N26, older', 'date|payee|account number|transaction type|payment reference', { counterparty: 'payee', counterpartyIban: 'account number', text: 'payment reference' }),
  profile('Revolut', 'type|started date|completed date|description|amount|fee|state|balance', { date: 'completed date' }, { fee: 'outside' }),
  profile('Revolut Business', 'date completed utc|type|state|description|amount|total amount|fee|balance', { date: 'date completed utc', amount: 'total amount', counterpartyIban: 'beneficiary iban', counterpartyBic: 'beneficiary bic', counterparty: [], payer: 'payer', currency: 'payment currency' }, { fee: 'inside', without: ['amount', 'account', 'date started utc'] }),
  profile('Wise', 'transferwise id|date|amount|currency|running balance|payer name|payee name', { payer: 'payer name', payee: 'payee name', counterpartyIban: 'payee account number', reference: 'transferwise id', text: ['payment reference', 'description'] }, { fee: 'inside' }),
  profile('PayPal', 'date|name|type|status|currency|gross|fee|net|transaction id|balance', { amount: 'net', fee: 'fee', reference: 'transaction id' }, { fee: 'inside', without: ['gross', 'from email address', 'to email address'] }),
  profile('PayPal (DE)', 'datum|name|typ|status|wahrung|brutto|gebuhr|netto|guthaben', { amount: 'netto', fee: 'gebuhr', reference: 'transaktionscode', balance: 'guthaben', additionalText: 'typ' }, { fee: 'inside', without: ['brutto'] }),
  profile('Stripe', 'id|type|source|amount|fee|net|currency|created utc', { date: 'available on utc', amount: 'net', fee: 'fee', reference: 'id', text: 'description' }, { fee: 'inside', without: ['amount', 'source', 'created utc'] }),
] // biome-ignore format: a table, one bank a line

/** The profile whose header this is, if there is one. */
export function profileOf(header: readonly string[]): CsvProfile | undefined {
  const names = new Set(header.map(columnName))
  return PROFILES.filter((known) => known.header.every((name) => names.has(name))).reduce<CsvProfile | undefined>(
    (best, known) => (best === undefined || known.header.length > best.header.length ? known : best),
    undefined,
  )
}

/** The columns that a profile gives a meaning, and those that it takes one from. */
export function profiledColumns(found: CsvProfile, header: readonly string[]): { columns: Columns; without: readonly number[] } {
  const numbersOf = (name: string) => header.flatMap((title, at) => (columnName(title) === name ? [at + 1] : [])).slice(0, 1)
  const columns: Columns = {}
  for (const [field, names] of Object.entries(found.columns) as [CsvField, string | readonly string[]][]) {
    const numbers = [names].flat().flatMap(numbersOf)
    if (numbers.length > 0 || names.length === 0) columns[field] = numbers
  }
  return { columns, without: (found.without ?? []).flatMap(numbersOf) }
}
