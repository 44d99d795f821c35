import { describe, expect, test } from 'vitest'
import { accepted, entryIn, parseText, problemsOf, refusalOf, statementIn } from './test-support.ts'

const HEADER =
  'OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n'
const trn = (amount: string, more = '<FITID>F1') =>
  `<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260115120000.000[-5:EST]<TRNAMT>${amount}\n${more}</STMTTRN>\n`
/** The first transaction stands on line 12. */
const ofx = (body: string, ledger = '<LEDGERBAL><BALAMT>100.00<DTASOF>20260131</LEDGERBAL>') =>
  `${HEADER}<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS></SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>30006<ACCTID>12345<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20260101<DTEND>20260131
${body}</BANKTRANLIST>${ledger}</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`

describe('OFX 1', () => {
  test('is read although no element is closed', () => {
    const file = accepted(parseText(ofx(trn('-12.50', '<FITID>F1<NAME>AT&T &amp; Co<MEMO>1 < 2') + trn('3'))))
    const [statement] = file.statements
    expect([
      file.format,
      file.problems,
      statement?.account.bankCode,
      statement?.account.id,
      statement?.currency,
      statement?.from,
      statement?.closing,
    ]).toEqual(['OFX1', [], '30006', '12345', 'EUR', '2026-01-01', '100.00'])
    expect(statement?.entries[0]).toMatchObject({
      amount: '-12.50',
      bookingDate: '2026-01-15',
      counterparty: { name: 'AT&T & Co' },
      remittance: '1 < 2',
      references: { accountServicerReference: 'F1' },
    })
    expect(statement?.reconciles).toBeNull()
  })

  test.each([
    ['a header in one line', ofx(trn('1')).replace(HEADER, HEADER.replaceAll('\n', ' '))],
    ['a header with spaces', ofx(trn('1')).replace(HEADER, HEADER.replaceAll(':', ': '))],
    ['no header', ofx(trn('1')).replace(HEADER, '')],
    ['CRLF', ofx(trn('1')).replaceAll('\n', '\r\n')],
    ['closed elements', ofx(trn('1')).replace(/<(TRNTYPE|DTPOSTED|TRNAMT|FITID|BANKID)>([^<\n]*)/g, '<$1>$2</$1>')],
    ['small letters', ofx(trn('1')).replace(/<\/?[A-Z0-9]+>/g, (tag) => tag.toLowerCase())],
    ['comments', ofx(trn('1')).replaceAll('\n', ' <!-- a < b -->\n')],
    ['an unknown element', ofx(trn('1')).replace('<CURDEF>', '<INTU.BID>3000<INTU.ORG>\n<CURDEF>')],
  ])('is read with %s', (_, text) => {
    expect(statementIn(text)).toMatchObject({ account: { id: '12345' }, totals: { entries: 1, credit: '1' }, closing: '100.00' })
  })

  test('is read with empty elements that are not closed', () => {
    const entry = entryIn(ofx(trn('-1.00', '<FITID>F9<CHECKNUM>\n<NAME>\n<MEMO>\n')))
    expect([entry.amount, entry.references.accountServicerReference, entry.references.chequeNumber, entry.remittance]).toEqual([
      '-1.00',
      'F9',
      null,
      '',
    ])
    const balance = statementIn(ofx(trn('1'), '<LEDGERBAL><BALAMT>\n<DTASOF>20260131</LEDGERBAL>'))
    expect(balance.closing).toBeNull()
  })

  test('in Windows-1252 is read as such', () => {
    const text = Buffer.from(ofx(trn('1', '<FITID>1<NAME>Caf\xe9')), 'latin1')
    expect(entryIn(text.toString('latin1')).counterparty.name).toBe('Café')
  })

  test('of a credit card is read', () => {
    const text = ofx(trn('-5.00'))
      .replaceAll('STMTRS', 'CCSTMTRS')
      .replaceAll('STMTTRNRS', 'CCSTMTTRNRS')
      .replaceAll('BANKACCTFROM', 'CCACCTFROM')
      .replace('<BANKID>30006', '')
      .replaceAll('BANKMSGSRSV1', 'CREDITCARDMSGSRSV1')
    expect(statementIn(text)).toMatchObject({ account: { id: '12345', bankCode: null }, totals: { debit: '5.00' } })
  })
})

describe('OFX 2', () => {
  const xml = (body: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n${ofx(
      body,
    )
      .replace(HEADER, '')
      .replace(/<([A-Z]+)>([^<\n]+)/g, '<$1>$2</$1>')}`

  test('is read', () => {
    const file = accepted(parseText(xml(trn('-1.50'))))
    expect([file.format, file.statements[0]?.totals.debit]).toEqual(['OFX2', '1.50'])
  })

  test('that is not XML is read by the rules of OFX 1, and named', () => {
    expect(problemsOf(xml(trn('1', '<FITID>F1\n<NAME>A&B\n')))).toEqual(['6 read_as_sgml'])
    expect(problemsOf(xml(trn('1')).replace('</FITID>', ''))[0]).toMatch(/read_as_sgml/)
  })

  test('that has lost a piece of an aggregate is refused with its line', () => {
    for (const lost of ['</STMTTRN>', '<STMTTRN>', '</BANKTRANLIST>', '<LEDGERBAL>']) {
      expect(refusalOf(xml(trn('-1.50')).replace(lost, '')), lost).toMatch(/^\d+ not_well_formed$/)
      expect(refusalOf(ofx(trn('-1.50')).replace(lost, '')), lost).toMatch(/^\d+ not_well_formed$/)
    }
    expect(refusalOf(xml(trn('-1.50')).replace('</TRNAMT>', '</TRNAMT'))).toMatch(/amount_malformed/)
    expect(refusalOf(xml(trn('-1.50')).replace('<TRNAMT>', 'TRNAMT>'))).toMatch(/amount_missing/)
  })
})

describe('amounts', () => {
  test.each([
    ['-6,60', '-6.60'],
    ['1.000,00', '1000.00'],
    ['1,000.00', '1000.00'],
    ['-1,234,567.89', '-1234567.89'],
    ['+7', '7'],
    [' -.50', '-0.50'],
    ['1 234,56', '1234.56'],
    ['-$5.00', undefined],
  ])('%s is %s', (text, amount) => {
    const file = parseText(ofx(trn(text), ''))
    expect(file.ok ? file.statements[0]?.entries[0]?.amount : undefined).toBe(amount)
  })

  test('with one mark before three digits follow the rest of the file, else are the decimals of the standard, and named', () => {
    expect(entryIn(ofx(trn('1,000'))).amount).toBe('1000') // the balance 100.00 shows the point
    const alone = ofx(trn('1,000'), '')
    expect([entryIn(alone).amount, problemsOf(alone)]).toEqual(['1.000', ['11 amount_ambiguous', '11 closing_balance_missing']])
  })

  test.each(['1e3', '12,5,0', '', 'abc', '1.2.3', '--5', '1-2'])('%j is refused with its line', (amount) => {
    expect(refusalOf(ofx(trn('1.00') + trn(amount)))).toMatch(/^14 amount_malformed$/)
  })
})

describe('what a file may lack', () => {
  test('a posting date: the period stands in, named', () => {
    const text = ofx(trn('1').replace(/<DTPOSTED>[^<]*/, ''))
    expect([entryIn(text).bookingDate, problemsOf(text)]).toEqual(['2026-01-31', ['12 date_assumed']])
  })

  test('not the account, the currency or the end', () => {
    expect(refusalOf(ofx(trn('1')).replace('<ACCTID>12345', ''))).toBe('11 account_missing')
    expect(refusalOf(ofx(trn('1')).replace('<CURDEF>EUR', ''))).toBe('11 currency_missing')
    expect(refusalOf(ofx(trn('1')).replace('</OFX>', ''))).toMatch(/truncated/)
    expect(refusalOf(ofx(trn('1')).slice(0, -120))).toMatch(/truncated/)
    expect(refusalOf(HEADER)).toMatch(/truncated/)
  })

  test('not the statement: a failed sign-on says so', () => {
    const failed = `${HEADER}<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>15500<SEVERITY>ERROR<MESSAGE>Your request could not be processed</STATUS></SONRS></SIGNONMSGSRSV1></OFX>`
    expect(parseText(failed).problems[0]).toMatchObject({
      code: 'bank_error',
      message: 'the bank answered error 15500: Your request could not be processed',
    })
    expect(
      refusalOf(
        `${HEADER}<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><INVSTMTRS><CURDEF>USD</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>`,
      ),
    ).toBe('11 no_statements')
  })

  test('and what it may not have', () => {
    expect(refusalOf(`<!DOCTYPE OFX [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n${ofx(trn('1')).replace(HEADER, '')}`)).toBe(
      '1 document_type_forbidden',
    )
    expect(refusalOf(`${HEADER}<OFX>${'<A>'.repeat(200_000)}</A>`)).toMatch(/too_deep/)
  })
})
