import { describe, expect, test } from 'vitest'
import { parseStatementFile } from './parse.ts'
import { accepted, entryIn, parseText, problemsOf, refusalOf, statementIn } from './test-support.ts'

const mapping = {
  delimiter: ';',
  decimal: ',',
  thousands: '.',
  dateFormat: 'DD.MM.YYYY',
  account: 'DE89370400440532013000',
  currency: 'EUR',
  columns: { date: 'Tag', amount: 'Wert', balance: 'Stand', text: ['Zweck', 'Mehr'] },
} as const
const table = 'Tag;Wert;Stand;Zweck;Mehr\n15.01.2026;-1.012,50;87,50;Miete;Januar\n16.01.2026;12,50;100,00;"a ""b""; c";\n'

describe('with a mapping', () => {
  test('rows become entries, balances open and close', () => {
    const statement = statementIn(table, { csvMapping: mapping })
    expect(statement).toMatchObject({
      currency: 'EUR',
      account: { iban: 'DE89370400440532013000' },
      opening: '1100.00',
      closing: '100.00',
      reconciles: true,
      totals: { entries: 2, credit: '12.50', debit: '1012.50' },
    })
    expect(statement.entries.map((e) => [e.bookingDate, e.amount, e.remittance, e.line])).toEqual([
      ['2026-01-15', '-1012.50', 'Miete Januar', 2],
      ['2026-01-16', '12.50', 'a "b"; c', 3],
    ])
  })

  test('columns may be numbers, lines may be skipped, a header may be absent', () => {
    const rows = 'My bank\nperiod: January\n2026-01-15,5.00,,hello\n2026-01-16,,2.00,bye\n'
    const csvMapping = {
      header: false,
      skipLines: 2,
      account: '42',
      currency: 'USD',
      columns: { date: 1, credit: 2, debit: 3, text: 4 },
    }
    expect(statementIn(rows, { csvMapping }).entries.map((e) => [e.amount, e.remittance])).toEqual([
      ['5.00', 'hello'],
      ['-2.00', 'bye'],
    ])
  })

  test('a direction column gives the sign', () => {
    const csvMapping = { account: '42', currency: 'EUR', columns: { date: 'Datum', amount: 'Bedrag', direction: 'Af Bij' } }
    expect(
      statementIn('Datum;Bedrag;Af Bij\n20260115;5,00;Af\n20260116;1,00;Bij\n', { csvMapping }).entries.map((e) => e.amount),
    ).toEqual(['-5.00', '1.00'])
    expect(refusalOf('Datum;Bedrag;Af Bij\n20260115;5,00;?\n', { csvMapping })).toBe('2 direction_missing')
  })

  test('an encoding is respected', () => {
    const bytes = Buffer.from('Tag;Wert;Stand;Zweck;Mehr\n15.01.2026;1,00;1,00;M\xfcller \xa4;\n', 'latin1')
    const file = accepted(parseText(new TextDecoder('iso-8859-15').decode(bytes), { csvMapping: mapping }))
    expect(file.statements[0]?.entries[0]?.remittance).toBe('Müller €')
  })

  test.each([
    [{}, 'columns is missing'],
    [{ columns: { date: 1 } }, 'columns needs amount, or debit and credit'],
    [{ columns: { amount: 1 } }, 'columns.date is missing'],
    [{ columns: { date: 1, amount: 2, nonsense: 3 } }, 'columns cannot be'],
    [{ columns: { date: 0, amount: 2 } }, 'columns cannot be'],
    [{ columns: { date: 1, amount: 2 }, delimiter: 'x' }, 'delimiter cannot be "x"'],
    [{ columns: { date: 1, amount: 2 }, dateFormat: 'later' }, 'dateFormat cannot be "later"'],
    [{ columns: { date: 1, amount: 2 }, currency: 'euro' }, 'currency is not an ISO 4217 code'],
    [{ columns: { date: 1, amount: 2 }, decimal: ',', thousands: ',' }, 'thousands is the same as decimal'],
    [{ columns: { date: 1, amount: 2 }, __proto__x: 1 }, '__proto__x is not a property'],
    [{ columns: { date: 1, amount: 2 }, encoding: 'klingon', account: '1', currency: 'EUR' }, 'encoding "klingon" is not known'],
  ])('%j is refused by name', (csvMapping, message) => {
    const file = parseText(table, { csvMapping })
    expect(file.ok ? undefined : file.problems[0]?.code).toBe('mapping_invalid')
    expect(file.problems[0]?.message).toContain(message)
  })

  test('a column that is not there is refused by name', () => {
    expect(
      parseText(table, { csvMapping: { ...mapping, columns: { ...mapping.columns, text: 'Nope' } } }).problems[0],
    ).toMatchObject({ code: 'mapping_column_missing', line: 1 })
  })
})

describe('by the names of its columns', () => {
  test.each([
    [
      'English',
      'Booking date,Value date,Amount,Currency,Balance,IBAN,Counterparty name,Description\n2026-01-15,2026-01-16,-5.00,EUR,95.00,DE89370400440532013000,Shop,Lunch\n',
    ],
    [
      'German',
      'Buchungstag;Valutadatum;Betrag;Waehrung;Auftragskonto;Beguenstigter/Zahlungspflichtiger;Verwendungszweck;Saldo\n15.01.26;16.01.26;-5,00;EUR;DE89370400440532013000;Shop;Lunch;95,00\n',
    ],
    [
      'French',
      "Date de la valeur (local);Date de l'opération (local);Débit;Crédit;Solde;Devise;IBAN du compte;Nom de la contrepartie;Libellé\n16-01-2026 10:00:00;15-01-2026 10:00:00;5,00;;95,00;EUR;DE89370400440532013000;Shop;Lunch\n",
    ],
    [
      'Dutch',
      '"Datum";"Rentedatum";"Af Bij";"Bedrag (EUR)";"Rekening";"Naam tegenpartij";"Mededelingen";"Saldo na mutatie"\n"20260115";"20260116";"Af";"5,00";"DE89370400440532013000";"Shop";"Lunch";"95,00"\n',
    ],
  ])('%s', (_, text) => {
    expect(statementIn(text)).toMatchObject({
      currency: 'EUR',
      account: { iban: 'DE89370400440532013000' },
      closing: '95.00',
      opening: '100.00',
      reconciles: true,
    })
    expect(entryIn(text)).toMatchObject({
      amount: '-5.00',
      bookingDate: '2026-01-15',
      valueDate: '2026-01-16',
      remittance: 'Lunch',
      counterparty: { name: 'Shop' },
    })
  })

  test('below a preamble that names the account', () => {
    expect(
      statementIn('Kontoauszug\nIBAN: DE89 3704 0044 0532 0130 00\n\nDatum;Betrag in EUR;Betrag (EUR)\n15.01.2026;x;5,00\n')
        .account.iban,
    ).toBe('DE89370400440532013000')
  })

  test('newest first is turned round', () => {
    const text = 'date,amount,balance,currency,account\n2026-01-16,5.00,15.00,EUR,1\n2026-01-16,10.00,10.00,EUR,1\n'
    expect(statementIn(text)).toMatchObject({ opening: '0.00', closing: '15.00', reconciles: true })
    expect(statementIn(text).entries.map((e) => e.amount)).toEqual(['10.00', '5.00'])
  })

  test('several accounts become several statements', () => {
    const text = 'date,amount,currency,account\n2026-01-16,5.00,EUR,1\n2026-01-16,10.00,EUR,2\n2026-01-17,1.00,EUR,1\n'
    expect(accepted(parseText(text)).statements.map((s) => [s.account.id, s.totals.credit])).toEqual([
      ['1', '6.00'],
      ['2', '10.00'],
    ])
  })

  test('a break in the running balance is named where it is', () => {
    const text =
      'date,amount,balance,currency,account\n2026-01-16,5.00,5.00,EUR,1\n2026-01-17,10.00,16.00,EUR,1\n2026-01-18,1.00,17.00,EUR,1\n'
    expect(problemsOf(text)).toContain('3 does_not_reconcile')
    expect(statementIn(text).reconciles).toBe(false)
  })

  test('pending rows are kept apart, declined ones left out, footers skipped by name', () => {
    const text =
      'Status,date,amount,currency,account\nPending,2026-01-16,5.00,EUR,1\nDeclined,2026-01-16,7.00,EUR,1\nSettled,2026-01-17,1.00,EUR,1\nTotal,,,,\n'
    expect(statementIn(text).entries.map((e) => [e.amount, e.status])).toEqual([
      ['5.00', 'PDNG'],
      ['1.00', 'BOOK'],
    ])
    expect(problemsOf(text)).toEqual(['5 entries_skipped', '3 entries_skipped'])
  })

  test('what a German savings bank has only noted is pending', () => {
    const row = (amount: string, info: string) => `1;31.03.26;31.03.26;x;${amount};EUR;${info}\n`
    const text = `Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Betrag;Waehrung;Info\n${row('1,00', 'Umsatz gebucht')}${row('-2,00', 'Umsatz vorgemerkt')}`
    expect(statementIn(text).entries.map((e) => [e.amount, e.status])).toEqual([
      ['1.00', 'BOOK'],
      ['-2.00', 'PDNG'],
    ])
  })

  test('the line in which Excel names the delimiter is no row', () => {
    const csvMapping = { account: 'A', currency: 'EUR', columns: { date: 'd', amount: 'amt' } }
    const file = accepted(parseStatementFile(new TextEncoder().encode('sep=;\r\nd;amt\r\n01.03.2026;5,00\r\n'), { csvMapping }))
    expect(file.statements[0]?.totals.credit).toBe('5.00')
  })

  test('days and months in doubt are read the European way, and named', () => {
    const text = 'date,amount,currency,account\n03/04/2026,5.00,EUR,1\n'
    expect([entryIn(text).bookingDate, problemsOf(text)]).toEqual(['2026-04-03', ['2 date_assumed']])
    expect(entryIn('date,amount,currency,account\n03/04/2026,5.00,EUR,1\n03/28/2026,5.00,EUR,1\n').bookingDate).toBe('2026-03-04')
  })
})

describe('a bank’s own header', () => {
  const rows = (text: string, csvMapping?: Record<string, unknown>) =>
    statementIn(text, csvMapping ? { csvMapping } : {}).entries.map((e) => [
      e.status,
      e.bookingDate,
      e.amount,
      e.counterparty.name,
    ])

  test('tells payer and payee apart, and its IBAN column is the other side’s', () => {
    const text = `"Girokonto";"DE89370400440532013000"\n\n"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";"IBAN";"Betrag (€)"\n"16.01.26";"17.01.26";"Gebucht";"Kunde";"Wir";"Rg 7";"DE02120300000000202051";"56,4"\n"17.01.26";"";"Gebucht";"Wir";"Versorger";"Strom";"DE02120300000000202051";"-6,05"\n`
    expect(statementIn(text).account.iban).toBe('DE89370400440532013000')
    expect(rows(text)).toEqual([
      ['BOOK', '2026-01-16', '56.4', 'Kunde'],
      ['BOOK', '2026-01-17', '-6.05', 'Versorger'],
    ])
    expect(statementIn(text).entries[0]?.counterparty.iban).toBe('DE02120300000000202051')
  })

  test('spreads one text over several columns', () => {
    const text = `"IBAN/BBAN","Munt","BIC","Volgnr","Datum","Bedrag","Saldo na trn","Tegenrekening IBAN/BBAN","Naam tegenpartij","Omschrijving-1","Omschrijving-2","Omschrijving-3"\n"NL49RABO0000000822","EUR","RABONL2U","1","2026-01-15","-5,00","+95,00","DE45120300001234567890","Energie BV","termijn ","januari ",""\n`
    expect(entryIn(text)).toMatchObject({ remittance: 'termijn januari', counterparty: { iban: 'DE45120300001234567890' } })
  })

  test('a mapping adds only what the file lacks', () => {
    const text =
      '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Amount (EUR)"\n2026-01-05,2026-01-05,"Client",,"x","Invoice",100.5\n'
    expect(refusalOf(text)).toBe('2 account_missing')
    expect(rows(text, { account: 'N26-812' })).toEqual([['BOOK', '2026-01-05', '100.5', 'Client']])
  })

  test('columns that nobody knows are named when they hold something', () => {
    const text = 'date,amount,currency,account,Zebra,Giraffe\n2026-01-16,5.00,EUR,1,x,\n'
    expect(problemsOf(text)).toEqual(['1 column_unknown'])
    expect(parseText(text).problems[0]?.message).toMatch(/Zebra/)
    expect(parseText(text).problems[0]?.message).not.toMatch(/Giraffe/)
  })
})

describe('how a table was understood', () => {
  test('is told column by column, with what is unknown', () => {
    const text = 'IBAN: DE89370400440532013000\nBuchungstag;Betrag;Waehrung;Kategorie;Zebra\n15.01.2026;-5,00;EUR;x;y\n'
    expect(parseText(text).csv).toEqual({
      bank: null,
      headerLine: 2,
      columns: [
        { header: 'Buchungstag', meaning: 'date', isKnown: true },
        { header: 'Betrag', meaning: 'amount', isKnown: true },
        { header: 'Waehrung', meaning: 'currency', isKnown: true },
        { header: 'Kategorie', meaning: null, isKnown: true },
        { header: 'Zebra', meaning: null, isKnown: false },
      ],
      account: { from: 'preamble', account: 'DE89370400440532013000' },
      decimal: ',',
      dateFormat: 'DD.MM.YYYY',
    })
  })

  test('is told also when the file is refused', () => {
    const file = parseText('Buchungstag;Betrag;Waehrung\n15.01.2026;-5,00;EUR\n')
    expect([file.ok, file.csv?.account]).toEqual([false, { from: 'nowhere', account: null }])
  })
})

describe('whose account a column names', () => {
  const head = 'Datum;Name;Konto;Betrag;Waehrung\n'
  test('is refused where it may be either’s', () => {
    const text = `${head}15.01.2026;Versorger;DE02120300000000202051;-5,00;EUR\n16.01.2026;Kunde;DE89370400440532013000;5,50;EUR\n`
    expect(refusalOf(text)).toBe('1 account_missing')
    expect(refusalOf(`${head}15.01.2026;Versorger;DE02120300000000202051;-5,00;EUR\n`)).toBe('1 account_missing')
  })

  test('is the own one when it stays while the counterparties change', () => {
    const text = `${head}15.01.2026;Versorger;DE02120300000000202051;-5,00;EUR\n16.01.2026;Kunde;DE02120300000000202051;5,50;EUR\n`
    expect(statementIn(text).account.iban).toBe('DE02120300000000202051')
  })

  test('is the counterparty’s when preamble or mapping names the own one', () => {
    const row = '15.01.2026;Versorger;DE02120300000000202051;-5,00;EUR\n'
    for (const [text, csvMapping] of [
      [`IBAN: DE89 3704 0044 0532 0130 00\n${head}${row}`, {}],
      [`${head}${row}`, { account: 'DE89370400440532013000' }],
    ] as const) {
      const statement = statementIn(text, { csvMapping })
      expect([statement.account.iban, statement.entries[0]?.counterparty.iban]).toEqual([
        'DE89370400440532013000',
        'DE02120300000000202051',
      ])
    }
  })
})

describe('fees in a column of their own', () => {
  const head = 'date,amount,fee,currency,account'
  test('come off the amount where the running balance says so', () => {
    const text = `${head},balance\n2026-01-04,100.00,0.00,EUR,1,100.00\n2026-01-05,-30.00,1.50,EUR,1,68.50\n`
    expect(statementIn(text)).toMatchObject({ closing: '68.50', reconciles: true })
    expect(statementIn(text).entries[1]).toMatchObject({ amount: '-31.50', charges: [{ amount: '1.50', included: true }] })
  })

  test('stay in the amount where the running balance says so', () => {
    const text = `${head},balance\n2026-01-04,100.00,0.00,EUR,1,100.00\n2026-01-05,-30.00,1.50,EUR,1,70.00\n`
    expect(statementIn(text)).toMatchObject({ closing: '70.00', reconciles: true })
  })

  test('are refused where nothing says it, and the mapping can', () => {
    const text = `${head}\n2026-01-05,-30.00,1.50,EUR,1\n`
    expect(refusalOf(text)).toBe('2 amount_malformed')
    expect(parseText(text).problems[0]?.message).toContain('fee')
    expect(entryIn(text, { csvMapping: { columns: { fee: 'fee' } } }).amount).toBe('-31.50')
  })
})

describe('rows that are no booking', () => {
  test('state a balance, whatever column the word is in', () => {
    const text =
      'Buchungstag;Vorgang;Betrag;Waehrung;Auftragskonto\n14.01.2026;Anfangssaldo;100,00;EUR;1\n15.01.2026;Miete;-5,00;EUR;1\n16.01.2026;Endsaldo am 16.01.2026;95,00;EUR;1\n'
    expect(statementIn(text).entries.map((e) => e.amount)).toEqual(['-5.00'])
    expect(problemsOf(text)).toEqual(['2 entries_skipped', '4 entries_skipped'])
  })

  test('are not booked yet: a word or nothing in place of the date does not refuse the others', () => {
    const text =
      'Buchungstag;Wertstellung;Betrag;Waehrung;Auftragskonto\noffen;16.01.2026;-200,00;EUR;1\n;;-7,00;EUR;1\n15.01.2026;15.01.2026;-5,00;EUR;1\n'
    expect(statementIn(text).entries.map((e) => [e.status, e.amount])).toEqual([
      ['BOOK', '-5.00'],
      ['PDNG', '-200.00'],
    ])
    expect(problemsOf(text)).toEqual(['3 entries_skipped'])
  })
})

describe('refused, with the line', () => {
  const head = 'date,amount,currency,account\n2026-01-15,1.00,EUR,1\n'
  test.each([
    ['a malformed amount', `${head}2026-01-16,1e3,EUR,1\n`, '3 amount_malformed'],
    ['12,5,0', `${head}2026-01-16,"12,5,0",EUR,1\n`, '3 amount_malformed'],
    ['no amount', `${head}2026-01-16,,EUR,1\n2026-01-17,1.00,EUR,1\n`, '3 amount_missing'],
    ['amounts that could be anything', 'date,amount,currency,account\n2026-01-15,1.000,EUR,1\n', '2 amount_malformed'],
    ['no date', `${head}soon,1.00,EUR,1\n2026-01-16,1.00,EUR,1\n`, '3 date_missing'],
    ['no currency', 'date,amount,account\n2026-01-15,1.00,1\n', '2 currency_missing'],
    ['no account', 'date,amount,currency\n2026-01-15,1.00,EUR\n', '2 account_missing'],
    ['both sides', 'date,debit,credit,currency,account\n2026-01-15,1.00,2.00,EUR,1\n', '2 amount_malformed'],
    ['an open quote', `${head}2026-01-16,1.00,EUR,"1\n`, '4 truncated'],
    ['no rows', 'date,amount,currency,account\n', '1 no_statements'],
    ['unknown columns', 'when,how much\n2026-01-15,1.00\n', '1 unknown_format'],
    ['JSON', '{"a": [1]}', '1 unknown_format'],
    ['a PDF', '%PDF-1.7\nx', '1 unknown_format'],
    ['a ZIP', 'PK\u0003\u0004xxxx', '1 unknown_format'],
    ['bytes', '\u0000\u0001\u0002'.repeat(100), '1 unknown_format'],
    ['text', 'Dear bank,\nplease find below\n', '1 unknown_format'],
    ['HTML', '<html><body>503</body></html>', '1 unknown_format'],
    ['nothing', ' \n\n', '1 empty_file'],
  ])('%s', (_, text, refusal) => {
    expect(refusalOf(text)).toBe(refusal)
  })

  test('a table that is understood is called CSV also when it is refused', () => {
    expect([parseText(`${head}2026-01-16,x,EUR,1\n`).format, parseText('when,how much\n1,2\n').format]).toEqual(['CSV', null])
  })

  test('a file above the limit', () => {
    expect(refusalOf(head, { maxBytes: 10 })).toBe('1 too_large')
  })
})
