import type { CsvField } from './csv-mapping.ts'

/** The header of Partita's own CSV statements in its first form, which is read back for ever. */
const FIRST_PARTITA_COLUMNS = [
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

/**
 * The header as it is written now, in order. `write-csv.ts` writes it and `csv-own.ts` reads what stands behind the first form: what another bank
 * said of its booking.
 */
export const PARTITA_COLUMNS = [
  ...FIRST_PARTITA_COLUMNS,
  'counterparty_account',
  'ultimate_counterparty',
  'creditor_id',
  'purpose',
  'local_amount',
  'local_currency',
  'charges',
  'servicer_reference',
  'other_references',
  'details',
] as const

type Names = Readonly<Partial<Record<CsvField, string>>>

/**
 * The names that were known first, without accents, marks and case. Earlier names win over later ones of the same file. The key of an entry
 * (`identity.ts`) is made of what these columns hold, so they never change: a booking in somebody's books must keep its key.
 */
const FIRST_NAMES: Names = {
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

/** Names learned since, looked for after the first ones. What only one bank writes, or means otherwise, stands in its profile. */
const MORE_NAMES: Names = {
  account:
    'iban kontoinhaber|iban auftraggeberkonto|auftraggeberkonto|rekeningnummer|numero de cuenta|numero compte|numero conto|conta|numero de conta|iban ordinante',
  currency: 'valutacode|valuta rekening|devies|devise du compte|wahrung des kontos|moeda|currency iso',
  date: 'transactiedatum|uitvoeringsdatum|dateop|data registrazione|data lancamento|data mov|data movimento|data de movimento|fecha contable|f contable|datum des umsatzes|date d execution|transaction date utc|date completed utc|abschlussdatum',
  valueDate: 'wert|wertstellungsdatum|wertstellung valuta|dateval|date de la valeur|data de valor|data valor|interest date',
  amount:
    'betrag in eur|montant operation en euro|montant de l operation|montant euros|importe eur|importo eur|montante|importancia|movimento|bedrag in eur|buchungsbetrag|valor',
  debit: 'debit euros|debet|uscite|debito|debitos|ausgang|sortie|sorties|cargos|adeudo|montant debit|lastschrift eur',
  credit: 'credit euros|entrate|credito|creditos|eingang|entree|entrees|abonos|ingreso|montant credit|gutschrift eur',
  direction: 'creditdebet|soll haben kennzeichen|s h|kennzeichen',
  balance:
    'saldo contabile|saldo contabilistico|accountbalance|saldo nach umsatz|solde apres operation|disponible|saldo despues|neuer saldo|saldo en eur',
  status: 'stato|umsatzstatus|situacao|status der buchung',
  text: 'libelle simplifie|libelle court|detail de l ecriture|informations complementaires|vrije mededeling|mededeling|libelles|descricao|descripcion|movimiento|observaciones|dettagli|causale|vorgang verwendungszweck|zahlungsgrund|buchungs details|descrizione completa',
  additionalText:
    'vorgang|type operation|type verrichting|umsatztyp|mutatiesoort|tipo|operazione|details du mouvement|transactie|betaalwijze|mas datos',
  reference:
    'volgnummer|transactienummer|numero de mouvement|belegnummer|transactiereferentie|referencia|referenza|transactiecode|transaction code id',
  endToEndId: 'end to end ref|identifiant de bout en bout|kenmerk van de opdrachtgever',
  mandateId: 'mandats id|mandatsref|identifiant du mandat|mandate|mandaatreferentie|rum',
  creditorId:
    'glaubiger id|glaeubiger id|incassant id|creditor id|creditor identifier|identifiant creancier|ics|identificador del acreedor',
  creditorReference:
    'gestructureerde mededeling|betalingskenmerk|communication structuree|structured communication|zahlungsreferenz',
  counterparty:
    'beguenstigter auftraggeber|begunstigter auftraggeber|auftraggeber begunstigter|auftraggeber beguenstigter|partner name|partnername|naam van de tegenpartij|naam tegenpartij bevat|tegenrekeninghouder|supplierfound|nome|ordenante beneficiario|nom du donneur d ordre',
  counterpartyIban:
    'iban kontonummer|partner iban|rekeningnummer tegenpartij|rekening tegenpartij|tegenrekeningnummer|compte partie adverse|compte contrepartie|iban beneficiario|gegenkonto',
  payer:
    'zahlungspflichtige r|zahlungspflichtiger|payer name|payer|auftraggeber|auftraggebername|debtor name|donneur d ordre|ordenante',
  payee:
    'zahlungsempfanger in|zahlungsempfanger|payee name|empfanger|empfangername|creditor name|beneficiary name|beneficiaire|empfanger zahlungspflichtiger',
  ultimateParty:
    'ultimate counterparty|naam uiteindelijke partij|abweichender empfanger|ultimate debtor|ultimate creditor|abweichender auftraggeber',
  originalAmount:
    'original amount|local amount|orig amount|oorspr bedrag|lastschrift ursprungsbetrag|ursprungsbetrag|montant d origine|amount foreign currency',
  originalCurrency:
    'original currency|local currency|orig currency|oorspr munt|ursprungswahrung|devise d origine|type foreign currency',
  fee: 'fee|fees|total fees|fremde gebuhren|gebuhr|gebuhren|frais|commissions|comision|commissione|kosten',
}

/** Columns that say nothing about a booking that is kept: they are no unknown columns. */
const IDLE_NAMES = new Set(
  'kategorie|category|categorie|categoria|unterkategorie|subcategory|sous categorie|subcategoria|category parent|categoryparent|exchange rate|koers|kurs|wechselkurs|tipo de cambio|product|time|uhrzeit|heure|hora|timezone|zeitzone|account name|nom du compte|kontoname|kontobezeichnung|rubrieknaam|bezeichnung auftragskonto|bankname auftragskonto|bic auftragskonto|anzahl der auftrage|anzahl der schecks|afschriftnummer|pointage operation|gekennzeichneter umsatz|bemerkung|landcode|tag|started date|batch id|reden retour|sammlerreferenz|auslagenersatz rucklastschrift|auslagenersatz ruecklastschrift|comment|imagen|accountlabel|interne notiz|naam'.split(
    '|',
  ),
)

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

export const isIdleColumn = (header: string): boolean => IDLE_NAMES.has(columnName(header))

export type Columns = Partial<Record<CsvField, readonly number[]>>

/** The columns that the key of an entry is made of, by the names that were known first. */
export const firstColumns = (header: readonly string[]): Columns => columnsByName(header, [FIRST_NAMES], {})

/** Which column has which meaning, by its name. A column gets one meaning at most; `known`: meanings that are given already. */
export const recognizedColumns = (header: readonly string[], known: Columns = {}): Columns =>
  withNumberedTexts(header, columnsByName(header, [FIRST_NAMES, MORE_NAMES], known))

function columnsByName(header: readonly string[], tables: readonly Names[], known: Columns): Columns {
  const names = header.map(columnName)
  const found: Columns = { ...known }
  const taken = new Set(Object.values(known).flat())
  for (const table of tables) {
    for (const [field, spellings] of Object.entries(table) as [CsvField, string][]) {
      if (found[field] !== undefined) continue
      for (const spelling of spellings.split('|')) {
        const index = names.findIndex((name, at) => name === columnName(spelling) && !taken.has(at + 1))
        if (index < 0) continue
        found[field] = [index + 1]
        taken.add(index + 1)
        break
      }
    }
  }
  return found
}

/** `Omschrijving-1`, `-2`, `-3`: one text over several columns. */
function withNumberedTexts(header: readonly string[], found: Columns): Columns {
  const [first] = found.text ?? []
  const stem = first === undefined ? undefined : /^(.* )1$/.exec(columnName(header[first - 1] ?? ''))?.[1]
  if (first === undefined || stem === undefined) return found
  const taken = new Set(Object.values(found).flat())
  const rest = header.flatMap((name, at) =>
    columnName(name).startsWith(stem) && /^\d+$/.test(columnName(name).slice(stem.length)) && !taken.has(at + 1) ? [at + 1] : [],
  )
  return { ...found, text: [first, ...rest] }
}

export const isPartitaHeader = (header: readonly string[]): boolean =>
  [FIRST_PARTITA_COLUMNS, PARTITA_COLUMNS].some(
    (columns) => header.length === columns.length && columns.every((name, index) => header[index]?.trim() === name),
  )

// A spreadsheet takes a cell for a formula by its first character, also after a separator when it splits at another one than we
// wrote, and full-width forms count too. The apostrophe makes it text; one more apostrophe than before, so that reading can take it back.
const STARTS_FORMULA = /(^|[;,\t|])( *)('*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])/g
const STARTS_DEFUSED = /(^|[;,\t|])( *)'('*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])/g

/** Text that no spreadsheet will run. */
export const defused = (text: string): string => text.replace(STARTS_FORMULA, "$1$2$3'")

/** The text that `defused` was given. */
export const restored = (text: string): string => text.replace(STARTS_DEFUSED, '$1$2$3')
