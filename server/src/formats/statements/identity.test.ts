import { describe, expect, test } from 'vitest'
import { entryIdentities } from './identity.ts'
import { accepted, camt053, ntry, parseText, problemsOf } from './test-support.ts'

const keys = (text: string) => entryIdentities(accepted(parseText(text))).flat()
const known = (...files: string[]) => new Set(files.flatMap(keys)).size
const withRef = (amount: string, reference: string, more = '') =>
  ntry(amount, 'CRDT', `<AcctSvcrRef>${reference}</AcctSvcrRef>${more}<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>`)
const plain = (amount: string, info = '') =>
  ntry(amount, 'CRDT', `<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>${info === '' ? '' : `<AddtlNtryInf>${info}</AddtlNtryInf>`}`)

describe('importing again', () => {
  test('the same file adds nothing', () => {
    const file = camt053(plain('1.00') + plain('1.00') + withRef('2.00', 'R1'))
    expect(known(file, file)).toBe(3)
  })

  test('two bookings that are equal in everything are two', () => {
    expect(known(camt053(plain('1.00') + plain('1.00')))).toBe(2)
    expect(known(camt053(withRef('1.00', 'NONREF') + withRef('1.00', 'NONREF')))).toBe(2)
    expect(known(camt053(withRef('1.00', 'R1') + withRef('1.00', 'R1')))).toBe(2)
  })

  test('an overlapping file adds only what is new', () => {
    const morning = camt053(plain('1.00') + withRef('2.00', 'R1'))
    const evening = camt053(plain('1.00') + withRef('2.00', 'R1') + plain('1.00') + withRef('3.00', 'R1'))
    expect(known(morning)).toBe(2)
    expect(known(morning, evening)).toBe(4)
    expect(known(evening, morning)).toBe(4)
  })

  test('a reference that the bank gives to many entries loses none and doubles none', () => {
    const first = camt053(withRef('1.00', 'BATCH'))
    const all = camt053(withRef('1.00', 'BATCH') + withRef('2.00', 'BATCH') + withRef('3.00', 'BATCH'))
    expect([known(all), known(first, all)]).toEqual([3, 3])
  })

  test('the intraday report and the statement agree on a booking although texts and value dates differ', () => {
    const intraday = camt053(withRef('5.00', 'R9'))
      .replaceAll('BkToCstmrStmt', 'BkToCstmrAcctRpt')
      .replaceAll('Stmt>', 'Rpt>')
      .replace('camt.053', 'camt.052')
    const statement = camt053(
      withRef('5.00', 'R9', '')
        .replace('2026-01-16', '2026-01-17')
        .replace('</Ntry>', '<AddtlNtryInf>now with text</AddtlNtryInf></Ntry>'),
    )
    expect(known(intraday, statement)).toBe(1)
  })

  test('a pending entry does not hide the booking that follows', () => {
    const pending = camt053(withRef('5.00', 'R9').replace('<Sts>BOOK', '<Sts>PDNG'))
    expect(known(pending, camt053(withRef('5.00', 'R9')))).toBe(2)
  })

  test('entries that differ in one thing are two', () => {
    const entry = plain('5.00', 'lunch')
    for (const other of [
      plain('5.01', 'lunch'),
      plain('5.00', 'dinner'),
      entry.replace('CRDT', 'DBIT'),
      entry.replace('2026-01-15', '2026-01-14'),
      entry.replace('2026-01-16', '2026-01-14'),
    ]) {
      expect(known(camt053(entry), camt053(other)), other).toBe(2)
    }
    expect(known(camt053(withRef('5.00', 'R1')), camt053(withRef('5.00', 'R2')))).toBe(2)
    expect(known(camt053(entry), camt053(entry).replace('FR7630006000011234567890189', 'DE89370400440532013000'))).toBe(2)
  })

  test('how an amount is spelled does not matter', () => {
    expect(known(camt053(plain('5.00')), camt053(plain('5.0')))).toBe(1)
  })

  test('a statement that stands in a file twice counts once, and is named', () => {
    const [head, body, tail] = [
      ':20:A\n:25:DE89370400440532013000\n:28C:7/1\n:60F:C260114EUR0,00\n',
      ':61:2601150115C1,00NTRFNONREF\n',
      ':62F:C260115EUR1,00\n-\n',
    ]
    const once = head + body + tail
    expect(known(once + once)).toBe(1)
    expect(problemsOf(once + once)).toEqual(['8 statement_repeated'])
    const next = once
      .replace('7/1', '7/2')
      .replace('60F:C260114EUR0,00', '60M:C260115EUR1,00')
      .replace('62F:C260115EUR1,00', '62F:C260115EUR2,00')
    expect(known(once + next)).toBe(2) // equal entries on two pages are two
  })

  test('a FITID that the bank repeats still tells two bookings apart', () => {
    const ofx = (rows: string) =>
      `<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>2</BANKACCTFROM><BANKTRANLIST><DTSTART>20260101<DTEND>20260131${rows}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`
    const row = (fitId: string, amount: string, date = '20260115') =>
      `<STMTTRN><DTPOSTED>${date}<TRNAMT>${amount}<FITID>${fitId}</STMTTRN>`
    expect(known(ofx(row('1', '-5.00') + row('1', '-6.00')))).toBe(2)
    expect(known(ofx(row('1', '-5.00')), ofx(row('1', '-5.00', '20260215')))).toBe(2)
    expect(known(ofx(row('1', '-5.00')), ofx(row('1', '-5.00') + row('2', '-5.00')))).toBe(2)
  })
})
