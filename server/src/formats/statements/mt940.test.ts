import { describe, expect, test } from 'vitest'
import { parseStatementFile } from './index.ts'
import { accepted, entryIn, parseText, problemsOf, refusalOf, statementIn } from './test-support.ts'

/** A statement whose first entry stands on line 5. */
const mt940 = (
  body: string,
  head = ':20:STARTUMSE\n:25:DE89370400440532013000\n:28C:4/1\n:60F:C260114EUR100,00\n',
  tail = '\n:62F:C260115EUR110,00\n-',
) => head + body + tail
const line61 = (mark: string, amount: string, rest = 'NTRFNONREF') => `:61:2601150115${mark}${amount}${rest}`

describe('a statement', () => {
  test('has its account, sequence, balances and totals', () => {
    const statement = statementIn(mt940(`${line61('C', '12,5')}\n${line61('D', '2,5')}`))
    expect(statement).toMatchObject({
      account: { id: 'DE89370400440532013000', iban: 'DE89370400440532013000' },
      currency: 'EUR',
      identification: 'STARTUMSE',
      sequenceNumber: '4/1',
      opening: '100.00',
      closing: '110.00',
      totals: { entries: 2, credit: '12.5', debit: '2.5' },
      reconciles: true,
    })
  })

  test.each([
    [':25:10020030/1234567', '10020030/1234567', null],
    [':25:NL50RABO0123456789 EUR', 'NL50RABO0123456789', 'NL50RABO0123456789'],
    [':25:PL29114010810000267002001002PLN', 'PL29114010810000267002001002', 'PL29114010810000267002001002'],
    [':25:DE89 3704 0044 0532 0130 00', 'DE89370400440532013000', 'DE89370400440532013000'],
    [':25P:DE89370400440532013000\nCOBADEFFXXX', 'DE89370400440532013000', 'DE89370400440532013000'],
    [':25:COBADEFF/DE89370400440532013000', 'DE89370400440532013000', 'DE89370400440532013000'],
    [':25:517852257EUR', '517852257', null],
  ])('knows the account in %s', (field, id, iban) => {
    expect(statementIn(mt940(line61('C', '10,'), `:20:X\n${field}\n:28C:1\n:60F:C260114EUR100,00\n`)).account).toMatchObject({
      id,
      iban,
    })
  })

  test.each([
    [
      'SWIFT blocks',
      `{1:F01AAAABB99BSMK3513951576}{2:O9400934081223BBBBAA33XXXX03592332770812230834N}{4:\n${mt940(line61('C', '10,')).replace(/-$/, '-}')}`,
    ],
    [
      'blocks on one line with the first field',
      `{1:F01X}{2:I940X}{4::20:A\n:25:DE89370400440532013000\n:28C:1\n:60F:C260114EUR100,00\n${line61('C', '10,')}\n:62F:C260115EUR110,00\n-}{5:}`,
    ],
    ['a bank preamble', `ABNANL2A\n940\nABNANL2A\n${mt940(line61('C', '10,'))}XXX`],
    ['a preamble with digits', `0000 01INGBNL2AXXXX00001\n940 00\n${mt940(line61('C', '10,'))}`],
    ['a preamble field', `:940:\n${mt940(line61('C', '10,'))}`],
    ['CRLF and framing characters', `\u0001\r\n${mt940(line61('C', '10,')).replaceAll('\n', '\r\n')}\u0003`],
    ['a byte order mark', `\ufeff${mt940(line61('C', '10,'))}`],
    ['blank lines', `\n\n${mt940(line61('C', '10,')).replaceAll('\n', '\n\n')}`],
  ])('is read through %s', (_, text) => {
    const file = accepted(parseText(text))
    expect([file.format, file.statements.length, file.statements[0]?.reconciles, file.problems]).toEqual(['MT940', 1, true, []])
  })

  test('per account and page are told apart, also under one :20:', () => {
    const page = (account: string, from: string, to: string) =>
      `:25:${account}\n:28C:1/1\n:60M:C260114EUR${from}\n${line61('C', '1,00')}\n:62M:C260115EUR${to}\n`
    const { statements } = accepted(parseText(`:20:A\n${page('1', '0,00', '1,00')}${page('2', '5,00', '6,00')}`))
    expect(statements.map((s) => [s.account.id, s.reconciles])).toEqual([
      ['1', true],
      ['2', true],
    ])
  })

  test('several under one :20: and one :25: are told apart by their numbers', () => {
    const next = `:28C:2\n:60F:C260115EUR110,00\n${line61('D', '4,00')}\n:62F:C260116EUR106,00\n-`
    const { statements } = accepted(parseText(mt940(line61('C', '10,00'), undefined, `\n:62F:C260115EUR110,00\n${next}`)))
    expect(statements.map((s) => [s.account.id, s.identification, s.sequenceNumber, s.closing, s.reconciles])).toEqual([
      ['DE89370400440532013000', 'STARTUMSE', '4/1', '110.00', true],
      ['DE89370400440532013000', 'STARTUMSE', '2', '106.00', true],
    ])
  })

  test('without :20: is read, and Poland’s slash is no part of the IBAN', () => {
    const head = ':25:/PL61109010140000071219812874\n:28C:4/1\n:60F:C260114PLN100,00\n'
    const statement = statementIn(mt940(line61('C', '10,00'), head, '\n:62F:C260115PLN110,00\n-'))
    expect([statement.account.iban, statement.identification, statement.reconciles]).toEqual([
      'PL61109010140000071219812874',
      null,
      true,
    ])
  })

  test('without a closing balance is read and named, and cannot be reconciled', () => {
    for (const end of ['\n', '\n-']) {
      const text = mt940(`${line61('C', '10,00')}\n:86:text`, undefined, end)
      expect([statementIn(text).reconciles, problemsOf(text)]).toEqual([null, ['1 closing_balance_missing']])
    }
  })

  test('in Latin letters is read as such', () => {
    const bytes = Buffer.from(mt940(`${line61('C', '10,00')}\n:86:M\xfcller`), 'latin1')
    expect(entryIn(bytes.toString('latin1')).remittance).toBe('Müller')
  })
})

describe('a statement line', () => {
  test.each([
    ['C', '1,00', '1.00', false],
    ['D', '1,00', '-1.00', false],
    ['RC', '1,00', '-1.00', true], // a credit taken back
    ['RD', '1,00', '1.00', true],
    ['CR', '300,', '300.', false], // funds code R
    ['DR', '500250,', '-500250.', false],
    ['RCR', '204,88', '-204.88', true],
    ['CN', '0,01', '0.01', false],
    ['DD', '7,5', '-7.5', false],
    [' C ', '5,00 ', '5.00', false],
  ])('%s%s is %s', (mark, amount, expected, reversal) => {
    const entry = entryIn(mt940(line61(mark, amount)))
    expect([entry.amount, entry.reversal, entry.status]).toEqual([expected.replace(/\.$/, ''), reversal, 'BOOK'])
  })

  test('that is expected is pending', () => {
    const text = `:20:A\n:25:DE89370400440532013000\n:28C:1\n:34F:EUR0,\n:13D:2601151200+0100\n${line61('EC', '5,00')}\n${line61('ED', '2,00')}\n:90D:1EUR2,00\n:90C:1EUR5,00\n-`
    const file = accepted(parseText(text))
    expect([file.format, file.problems, file.statements[0]?.entries.map((e) => [e.amount, e.status])]).toEqual([
      'MT942',
      [],
      [
        ['5.00', 'PDNG'],
        ['-2.00', 'PDNG'],
      ],
    ])
    expect(problemsOf(text.replace('1EUR5,00', '1EUR5,01'))).toEqual(['9 totals_differ'])
  })

  test.each([
    ['NTRFNONREF', null, null, 'NTRF'],
    ['NMSCKREF+//BD7CFA74485E7E69', 'BD7CFA74485E7E69', null, 'NMSC'],
    ['FMSC01916//NONREF', null, '01916', 'FMSC'],
    ['S202REF 1//B1', 'B1', 'REF 1', 'S202'],
    ['N051NONREF', null, null, 'N051'],
    ['NTRF29-07-2014 10:05//B4G29', 'B4G29', '29-07-2014 10:05', 'NTRF'],
    ['NOVBNL47INGB9999999999\nhr gjlm paulissen', null, 'NL47INGB9999999999', 'NOVB'],
  ])('with %s has its references', (rest, bank, customer, code) => {
    const entry = entryIn(mt940(line61('C', '1,00', rest)))
    expect([entry.references.accountServicerReference, entry.references.entryReference, entry.bankTransactionCode]).toEqual([
      bank,
      customer,
      code,
    ])
  })

  test('has its booking date in the year next to the value date', () => {
    expect(entryIn(mt940(':61:2512310102C1,00NTRFX'))).toMatchObject({ valueDate: '2025-12-31', bookingDate: '2026-01-02' })
    expect(entryIn(mt940(':61:2601021231C1,00NTRFX'))).toMatchObject({ valueDate: '2026-01-02', bookingDate: '2025-12-31' })
    expect(entryIn(mt940(':61:260102C1,00NTRFX'))).toMatchObject({ valueDate: '2026-01-02', bookingDate: '2026-01-02' })
  })

  test('on 30 February is booked on the last day, and named', () => {
    expect(entryIn(mt940(':61:2602300230C1,00NTRFX'))).toMatchObject({ valueDate: '2026-02-28', bookingDate: '2026-02-28' })
    expect(problemsOf(mt940(':61:2402290230C10,00NTRFX'))).toEqual(['5 date_corrected'])
  })

  test.each(['1e3', '12,5,0', '', '-5,00', '1.234,56', 'abc'])('with amount %j is refused with its line', (amount) => {
    expect(refusalOf(mt940(`${line61('C', '1,00')}\n${line61('C', amount)}`))).toBe('6 line_malformed')
  })

  test('with a transaction type cut short is read and named, unless the file ends there', () => {
    expect(problemsOf(mt940(`:61:2601150115C10,00N\n:86:x`))).toEqual(['5 transaction_code_unknown'])
    expect(refusalOf(mt940(':61:2601150115C10,00N', undefined, ''))).toMatch(/truncated/)
  })

  test('cut off inside the amount is refused', () => {
    for (const cut of [':61:2601150115C12', ':61:2601150115C12,', ':61:2601150115C12,5', ':61:26011501', ':61:']) {
      expect(refusalOf(mt940(cut, undefined, ''))).toMatch(/truncated/)
    }
  })
})

describe('cut off before its closing balance', () => {
  const entry = `${line61('C', '10,00')}\n:86:te`
  const head = ':20:B\n:25:DE89370400440532013000\n:28C:5/1\n:60F:C260115EUR110,00\n'

  test.each([
    ['inside a line', mt940(entry, undefined, ''), '6 truncated'],
    ['inside a SWIFT block', `{1:F01X}{2:I940X}{4:\n${mt940(entry, undefined, '\n')}`, '7 truncated'],
    ['after statements that have theirs', `${mt940(line61('C', '10,00'))}\n${mt940(entry, head, '\n')}`, '13 truncated'],
  ])('%s it is refused', (_, text, refusal) => {
    expect(refusalOf(text)).toBe(refusal)
  })

  test('is nothing that the end mark allows, or that MT942 says', () => {
    expect(problemsOf(`{1:F01X}{2:I940X}{4:\n${mt940(entry, undefined, '\n-}')}`)).toEqual(['2 closing_balance_missing'])
    expect(problemsOf(`${mt940(entry)}\n${mt940(entry, head, '\n-\n')}`)).toContain('9 closing_balance_missing')
    expect(problemsOf(mt940(entry, ':20:A\n:25:DE89370400440532013000\n:28C:4/1\n:34F:EUR0,\n', ''))).toEqual([])
  })
})

describe('refused, with the line', () => {
  test.each([
    ['a malformed balance', mt940('', undefined, ':62F:C260115EUR1.2,3\n-'), '5 amount_malformed'],
    ['a balance cut off', mt940('', undefined, ':62F:C2601'), '5 truncated'],
    ['no account', mt940(line61('C', '1,00'), ':20:A\n:28C:1\n:60F:C260114EUR100,00\n'), '1 account_missing'],
    ['no currency', ':20:A\n:25:1\n:28C:1\n:61:260115C1,00NTRFX\n-', '1 currency_missing'],
  ])('%s', (_, text, refusal) => {
    expect(refusalOf(text)).toBe(refusal)
  })
})

describe('field 86', () => {
  test('may hold a dash alone, and go on in a second one', () => {
    const entry = entryIn(mt940(`${line61('C', '10,00')}\n:86:bought\n-\n- paper\n:86:and ink`))
    expect(entry.remittance).toBe('bought - - paper and ink')
  })

  test('Nordic, with an empty element before its text', () => {
    const text = mt940(`${line61('C', '10,00')}\n:86:/ORDP//NAME/Virtanen Oy/EREF/E1/REMI//USTD/Lasku 5`)
    expect(entryIn(text)).toMatchObject({ remittance: 'Lasku 5', counterparty: { name: 'Virtanen Oy' } })
  })

  test.each([
    [
      'German, cut every 27 characters and wrapped',
      '166?00GUTSCHRIFT?100399?20EREF+End-To-End-1?21MREF+M-7?22SVWZ+Rechnung 4711 vom 20?23.04.2026\n?30PBNKDEFF100?31DE42100100100043921105?32Richter Ren?33ate?34000',
      {
        remittance: 'Rechnung 4711 vom 20.04.2026',
        name: 'Richter Renate',
        iban: 'DE42100100100043921105',
        e2e: 'End-To-End-1',
        mandate: 'M-7',
      },
    ],
    [
      'German without keywords',
      '051?00UEBERWEISUNG?20Gehalt?21Oktober?32MUELLER',
      { remittance: 'Gehalt Oktober', name: 'MUELLER', iban: null, e2e: null, mandate: null },
    ],
    [
      'Dutch tags',
      '/TRTP/SEPA OVERBOEKING/IBAN/NL89ABNA0123456789/BIC/ABNANL2A/NAME/J.\nJANSSEN/REMI/Factuur 12/EREF/E-9',
      { remittance: 'Factuur 12', name: 'J.JANSSEN', iban: 'NL89ABNA0123456789', e2e: 'E-9', mandate: null },
    ],
    [
      'Rabobank tags',
      '/EREF/E-1/ORDP//NAME/Sender/IBAN/NL89ABNA0123456789/REMI/Invoice/ISDT/2026-01-15',
      { remittance: 'Invoice', name: 'Sender', iban: 'NL89ABNA0123456789', e2e: 'E-1', mandate: null },
    ],
    [
      'ING tags',
      '/EREF/NOTPROVIDED//MARF/M1//CNTP/NL89ABNA0123456789/ABNANL2A/Shop B.V./City//REMI/USTD//Order 5/',
      { remittance: 'Order 5', name: 'Shop B.V.', iban: 'NL89ABNA0123456789', e2e: null, mandate: 'M1' },
    ],
    [
      'plain text',
      'FACTUUR 201403110\nREK: NL65INGB0123456789/NAAM: PICQER',
      {
        remittance: 'FACTUUR 201403110 REK: NL65INGB0123456789/NAAM: PICQER',
        name: null,
        iban: 'NL65INGB0123456789',
        e2e: null,
        mandate: null,
      },
    ],
    [
      'text with a colon line',
      'meeting\n:10:30 hours',
      { remittance: 'meeting :10:30 hours', name: null, iban: null, e2e: null, mandate: null },
    ],
  ])('%s', (_, text, expected) => {
    const { remittance, counterparty, references } = entryIn(mt940(`${line61('C', '1,00')}\n:86:${text}`))
    expect({
      remittance,
      name: counterparty.name,
      iban: counterparty.iban,
      e2e: references.endToEndId,
      mandate: references.mandateId,
    }).toEqual(expected)
  })
})

describe('text that looks like a field', () => {
  const entries = (text: string) => statementIn(text).entries.map((entry) => [entry.amount, entry.remittance])
  test.each([
    [':25:Bahnsteig 4'],
    [':20:00 Uhr Filiale Mitte'],
    [':21:30 Uhr'],
    [':28:ter Februar'],
    [':12:00 bis 13:00'],
    [':13:15 ab Koeln'],
    [':61:30 Schlusskurs'],
    [':64:er Baujahr'],
    [':20:00 Uhr\n:25:Bahnsteig\n:28:ter Februar'],
    [':60:er Jahre'],
    [':940:'],
  ])('%s stays in the text of its entry', (line) => {
    const text = mt940(`${line61('C', '8,00')}\n:86:Ankunft\n${line}\n${line61('C', '2,00')}\n:86:Parken`)
    expect(problemsOf(text).filter((problem) => !problem.includes('transaction_code'))).toEqual([])
    if (line === ':940:') return expect(statementIn(text).totals.entries).toBe(2)
    expect(entries(text)).toEqual([
      ['8.00', `Ankunft ${line.replaceAll('\n', ' ')}`],
      ['2.00', 'Parken'],
    ])
  })

  test('stays in the supplementary details of its entry too', () => {
    const text = mt940(`${line61('C', '10,00')}\n:20:00 Uhr\n:86:Parken`)
    expect(entryIn(text).additionalInformation).toBe(':20:00 Uhr')
  })

  test('is a field where a message of its own begins, also in a file without closing balances', () => {
    const first = mt940(`${line61('C', '8,00')}\n:86:Ankunft`, undefined, '')
    const second = mt940(`${line61('C', '2,00')}\n:86:Parken`, ':20:B\n:25:DE02120300000000202051\n:28C:9\n')
    const { statements } = accepted(parseText(`${first}\n${second}`))
    expect(statements.map((s) => [s.account.id, s.totals.entries])).toEqual([
      ['DE89370400440532013000', 1],
      ['DE02120300000000202051', 1],
    ])
  })

  test.each([':61:260115XX', ':62F:C26', ':60F:C26'])('that could be money, %s, is refused rather than hidden', (line) => {
    expect(refusalOf(mt940(`${line61('C', '10,00')}\n:86:text\n${line}\nmore`))).toMatch(/line_malformed|amount_malformed/)
  })

  test('costs no more than its length, however often it comes', () => {
    const text = mt940(`${line61('C', '10,00')}\n:86:a\n${':20:x\n:25:y\n'.repeat(100_000)}`)
    const startedAt = performance.now()
    expect(statementIn(text).totals.entries).toBe(1)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  })
})

describe('a deviation that its neighbours explain', () => {
  test('a dash alone does not end a statement that goes on', () => {
    const text = mt940(`-\n${line61('C', '10,00')}\n:86:Gutschrift`)
    expect(statementIn(text)).toMatchObject({ totals: { entries: 1 }, reconciles: true })
  })

  test('an amount may leave out the zero before its comma', () => {
    expect(entryIn(mt940(line61('D', ',50'))).amount).toBe('-0.50')
    expect(statementIn(mt940(line61('C', '110,00'), ':20:X\n:25:1\n:28C:1\n:60F:C260114EUR,00\n')).opening).toBe('0.00')
  })

  test('a balance without currency is in that of the other, and this is named', () => {
    const text = mt940(line61('C', '10,00'), undefined, '\n:62F:C260115110,00\n-')
    expect([statementIn(text).reconciles, problemsOf(text)]).toEqual([true, ['6 currency_assumed']])
  })

  test('a statement whose currency nobody names is refused', () => {
    const text = mt940(line61('C', '10,00'), ':20:X\n:25:1\n:28C:1\n:60F:C260114100,00\n', '\n:62F:C260115110,00\n-')
    expect(refusalOf(text)).toMatch(/currency_missing/)
  })
})

describe('letters of a DOS code page', () => {
  const readAs = (body: string) => {
    const file = accepted(parseStatementFile(Buffer.from(mt940(`${line61('C', '10,00')}\n:86:${body}`), 'latin1')))
    return [file.statements[0]?.entries[0]?.remittance, file.problems.map((problem) => problem.code)]
  }
  test.each([
    ['M\x81ller & S\x94hne', 'Müller & Söhne'],
    ['Gr\x81\xe1e aus K\x94ln', 'Grüße aus Köln'],
    ['Soci\x82t\x82 G\x82n\x82rale', 'Société Générale'],
  ])('%j are read as they were meant, and named', (body, text) => {
    expect(readAs(body)).toEqual([text, ['encoding_assumed']])
  })

  test.each([
    ['M\xfcller & S\xf6hne', 'Müller & Söhne'],
    ['l\x92eau et l\x92air', 'l’eau et l’air'],
    ['\x84Zitat\x93 \x96 5 \x80', '„Zitat“ – 5 €'],
  ])('%j are Windows-1252 and no problem', (body, text) => {
    expect(readAs(body)).toEqual([text, []])
  })

  test('where both can be meant, the doubt is named', () => {
    expect(readAs('M\xe1laga')).toEqual(['Málaga', ['encoding_assumed']])
    expect(readAs('M\xfcller und S\x94hne')[1]).toContain('encoding_assumed')
  })
})
