import { inflateSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeWithStandards } from '../../../test/support/standards.ts'
import { xsdProblems } from '../../../test/support/xsd.ts'
import { add, currency, EUR, formatDecimal, money } from '../../platform/money.ts'
import { PARTITA_COLUMNS } from './csv-columns.ts'
import { equalDecimals } from './decimal.ts'
import { entryIdentities } from './identity.ts'
import { parseStatementFile } from './parse.ts'
import type { StatementDocument, StatementDocumentEntry, StatementEntryKind } from './statement-document.ts'
import { accepted } from './test-support.ts'
import { type EntryFacts, type EntryReferences, NO_REFERENCES } from './types.ts'
import { writeCamt053 } from './write-camt053.ts'
import { writeCsv } from './write-csv.ts'
import { writeMt940 } from './write-mt940.ts'
import { writePdf } from './write-pdf.ts'

const KINDS: StatementEntryKind[] = [
  'credit_transfer',
  'instant_credit_transfer',
  'returned_credit_transfer',
  'internal_transfer',
  'direct_debit',
  'card_payment',
  'account_fee',
  'interest',
  'other',
]

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      '=',
      '+',
      '-',
      '@',
      '\t',
      '\r',
      '\n',
      ';',
      ',',
      '"',
      "'",
      '|',
      ' ',
      ':',
      '/',
      '?',
      '&',
      '<',
      'é',
      'Ł',
      '＝',
      'Ω',
      '20',
      '/REMI/',
      '?20',
      'a',
      'B7',
    ),
    maxLength: 60,
  }),
  fc.constantFrom(
    "=cmd|' /C calc'!A0",
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    ';=1+1',
    'x,-1',
    '＝1',
    "'=x",
    ':61:2601010101C1,00NTRFX',
    '-',
    '-}',
    '\n:20:X',
  ),
)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const day = fc.integer({ min: 1, max: 28 }).map((n) => `2026-01-${n.toString().padStart(2, '0')}`)

const ISO_DATE = maybe(day)
const decimalText = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.nat(99_999), fc.nat(5))
  .map(([whole, part, digits]) => (digits === 0 ? `${whole}` : `${whole}.${part.toString().padStart(5, '0').slice(0, digits)}`))
const references = fc.record(
  Object.fromEntries(Object.keys(NO_REFERENCES).map((name) => [name, maybe(nasty)])),
) as unknown as fc.Arbitrary<EntryReferences>
const ordered = maybe(fc.record({ amount: decimalText, currency: fc.constantFrom('USD', 'CHF') }))
const charges = fc.array(
  fc.record({ amount: decimalText, currency: fc.constantFrom('EUR', 'USD'), included: fc.constantFrom(true, null) }),
  { maxLength: 2 },
)
const counterparty = fc.record({
  name: maybe(nasty),
  iban: maybe(fc.constantFrom('DE89370400440532013000', 'NL91ABNA0417164300')),
  account: maybe(nasty),
  bic: maybe(fc.constantFrom('COBADEFFXXX', 'ABNANL2A')),
})
const said = {
  references,
  counterparty,
  ultimateParty: maybe(nasty),
  instructed: ordered,
  purpose: maybe(fc.constantFrom('SALA', 'x', '=1')),
  remittance: nasty,
  charges,
  returnReason: maybe(fc.constantFrom('AC04', 'long reason')),
}
/** What another bank said of its booking. */
const told: fc.Arbitrary<EntryFacts> = fc.record({
  bookingDate: day,
  valueDate: ISO_DATE,
  reversal: fc.boolean(),
  additionalInformation: nasty,
  bankTransactionCode: maybe(fc.oneof(nasty, fc.constantFrom('PMNT/RCDT/ESCT', 'NDDT+105', 'NTRF+899', 'XXXX/A', '105'))),
  ...said,
  // One alone is no batch: everything that it says is said of the entry.
  details: fc
    .array(
      fc.record({
        ...said,
        additionalInformation: nasty,
        amount: maybe(decimalText),
        currency: maybe(fc.constantFrom('EUR', 'USD')),
      }),
      { maxLength: 3 },
    )
    .filter(({ length }) => length !== 1),
})

const documents = fc
  .record({
    code: fc.constantFrom(EUR, currency('JPY'), currency('TND')),
    opening: fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
    holderName: nasty,
    sequenceNumber: fc.integer({ min: 1, max: 99_999 }),
    rows: fc.array(
      fc.record({
        bookingDate: day,
        valueDate: day,
        minor: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
        kind: fc.constantFrom(...KINDS, null),
        told: fc.option(told, { nil: undefined }),
        reversal: fc.boolean(),
        reference: fc.uuid().map((id) => id.replaceAll('-', '')),
        endToEndId: maybe(nasty),
        transactionId: maybe(fc.string({ maxLength: 35 })),
        uetr: maybe(fc.uuid({ version: 4 })),
        mandateId: maybe(nasty),
        counterpartyName: maybe(nasty),
        counterpartyIban: maybe(fc.constantFrom('DE89370400440532013000', 'NL91ABNA0417164300')),
        counterpartyBic: maybe(fc.constantFrom('COBADEFFXXX', 'ABNANL2A')),
        remittanceInformation: maybe(nasty),
        description: nasty,
      }),
      { maxLength: 8 },
    ),
  })
  .map(({ code, opening, holderName, sequenceNumber, rows }): StatementDocument => {
    let balance = money(code, opening)
    const entries = rows.map(({ minor, ...row }): StatementDocumentEntry => {
      const amount = money(code, minor)
      balance = add(balance, amount)
      return { ...row, amount, balanceAfter: balance }
    })
    const document = {
      iban: 'FR7630006000011234567890189',
      bic: 'AGRIFRPPXXX',
      holderName,
      from: '2026-01-01',
      to: '2026-01-31',
      sequenceNumber,
    }
    return { ...document, opening: money(code, opening), entries, closing: balance, createdAt: new Date('2026-02-01T03:04:05Z') }
  })

const readBack = (text: string) => accepted(parseStatementFile(new TextEncoder().encode(text)))

function expectSameMoney(document: StatementDocument, text: string): ReturnType<typeof readBack> {
  const file = readBack(text)
  const [statement] = file.statements
  expect(file.statements).toHaveLength(1)
  expect([statement?.account.iban, statement?.currency, statement?.reconciles]).toEqual([
    document.iban,
    document.opening.currency,
    true,
  ])
  expect(equalDecimals(statement?.opening ?? 'x', formatDecimal(document.opening))).toBe(true)
  expect(equalDecimals(statement?.closing ?? 'x', formatDecimal(document.closing))).toBe(true)
  expect(statement?.entries.map((e) => [e.bookingDate, e.valueDate])).toEqual(
    document.entries.map((e) => [e.bookingDate, e.valueDate]),
  )
  for (const [index, entry] of document.entries.entries()) {
    expect(equalDecimals(statement?.entries[index]?.amount ?? 'x', formatDecimal(entry.amount))).toBe(true)
  }
  return file
}

/** What a text is after a format that keeps one line of legal characters. */
const lined = (text: string | null) =>
  (text ?? '')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()

describe('what is written is read back', () => {
  test('camt.053: every amount, date, reference and word', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const file = expectSameMoney(document, writeCamt053(document))
        // What is inside a batch is whatever its bank says, whether it adds up or not.
        expect(file.problems.filter(({ code }) => code !== 'batch_differs')).toEqual([])
        for (const [index, entry] of document.entries.entries()) {
          const read = file.statements[0]?.entries[index]
          expect([read?.references.accountServicerReference, read?.reversal]).toEqual([entry.reference, entry.reversal])
          expect(read?.details).toHaveLength(entry.told?.details.length || 1)
          // A batch has no one counterparty and text, and a creditor's reference is a text where there is no other.
          if (entry.told?.details.length || lined(entry.told?.references.creditorReference ?? null) !== '') continue
          expect(read?.counterparty.iban).toBe(entry.counterpartyIban)
          const words = (text: string | undefined) => text?.replace(/ /g, '') // lines of 140 may break inside a word
          expect(words(read?.remittance)).toBe(words(lined(entry.remittanceInformation)))
        }
      }),
      { numRuns: 150 },
    )
  })

  test('MT940: every amount and date, whatever the texts', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const text = writeMt940(document)
        const file = expectSameMoney(document, text)
        expect(file.problems).toEqual([])
        expect(file.statements[0]?.entries.map((e) => e.reversal)).toEqual(document.entries.map((e) => e.reversal))
        for (const line of text.split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(70)
          expect(line).toMatch(/^[A-Za-z0-9/\-?:().,'+ ]*$/)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('CSV: every amount, date, reference and word, without a mapping', () => {
    fc.assert(
      fc.property(documents, (document) => {
        fc.pre(document.entries.length > 0)
        const file = expectSameMoney(document, writeCsv(document))
        for (const [index, entry] of document.entries.entries()) {
          const read = file.statements[0]?.entries[index]
          const lined = (text: string | null) =>
            (text ?? '')
              .replace(/\p{Cc}/gu, ' ')
              .replace(/\s+/g, ' ')
              .trim()
          expect(read?.references.accountServicerReference).toBe(entry.reference)
          expect(read?.remittance).toBe(
            lined(entry.remittanceInformation)
              .replace(/[\ufffe\uffff]/g, ' ')
              .replace(/\p{Cs}/gu, '\ufffd')
              .replace(/\s+/g, ' ')
              .trim(),
          )
        }
      }),
      { numRuns: 150 },
    )
  })
})

test('a CSV of ours in its first form, with fifteen columns, is read as it always was', () => {
  fc.assert(
    fc.property(documents, (document) => {
      fc.pre(document.entries.length > 0)
      const rows = parse(writeCsv(document)) as string[][]
      const quoted = (cell: string) => (cell === '' || /^-?[0-9.]+$/.test(cell) ? cell : `"${cell.replaceAll('"', '""')}"`)
      const first = `${rows.map((row) => row.slice(0, 15).map(quoted).join(',')).join('\r\n')}\r\n`
      expect(rows[0]).toEqual([...PARTITA_COLUMNS])
      const [before, now] = [expectSameMoney(document, first), expectSameMoney(document, writeCsv(document))]
      expect(entryIdentities(before)).toEqual(entryIdentities(now))
      expect(before.problems.map(({ code }) => code)).not.toContain('column_unknown')
    }),
    { numRuns: 50 },
  )
})

describeWithStandards('camt.053.001.08 that we write', () => {
  test('is valid by its schema', () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(xsdProblems('camt.053.001.08', writeCamt053(document))).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  test('the check would notice: a schema violation is found', () => {
    const text = writeCamt053(plainDocument(2)).replace('<Sts>', '<Stss>').replace('</Sts>', '</Stss>')
    expect(xsdProblems('camt.053.001.08', text).join()).toContain('Stss')
  })
})

const plainDocument = (count: number): StatementDocument => {
  let minor = 100_000n
  const entries = Array.from({ length: count }, (_, i): StatementDocumentEntry => {
    minor -= 1234n
    const texts = {
      counterpartyName: `Société ${i}`,
      counterpartyIban: null,
      counterpartyBic: null,
      remittanceInformation: 'Invoice',
      description: 'SEPA credit transfer',
    }
    return {
      bookingDate: '2026-01-15',
      valueDate: '2026-01-15',
      amount: money(EUR, -1234n),
      balanceAfter: money(EUR, minor),
      kind: 'credit_transfer',
      reversal: false,
      reference: `R${i}`,
      endToEndId: null,
      transactionId: null,
      uetr: null,
      mandateId: null,
      ...texts,
    }
  })
  const head = {
    iban: 'FR7630006000011234567890189',
    bic: 'AGRIFRPPXXX',
    holderName: 'Ateliers Brémond',
    from: '2026-01-01',
    to: '2026-01-31',
    sequenceNumber: 3,
  }
  return {
    ...head,
    opening: money(EUR, 100_000n),
    entries,
    closing: money(EUR, minor),
    createdAt: new Date('2026-02-01T00:00:00Z'),
  }
}

test('a statement with a missing, extra, doubled or altered line is found, with the amount', () => {
  const harm = fc.constantFrom<'missing' | 'extra' | 'altered'>('missing', 'extra', 'altered')
  fc.assert(
    fc.property(documents, harm, fc.nat(), (document, kind, at) => {
      const entries = [...writeCamt053(document).matchAll(/ {6}<Ntry>[\s\S]*?<\/Ntry>\n/g)].map((match) => match[0])
      const victim = document.entries[at % Math.max(1, entries.length)]
      const xml = entries[at % Math.max(1, entries.length)]
      fc.pre(xml !== undefined && victim !== undefined && victim.amount.minor !== 0n)
      const changed = { missing: '', extra: `${xml}${xml}`, altered: xml?.replace(/(<Amt [^>]*>)/, '$19') ?? '' }[kind]
      const file = readBack(writeCamt053(document).replace(xml ?? '', () => changed))
      expect(file.statements[0]?.reconciles).toBe(false)
      const codes = file.problems.map((problem) => problem.code)
      expect(codes).toContain('does_not_reconcile')
      expect(codes).toContain('totals_differ')
    }),
    { numRuns: 200 },
  )
})

describe('a spreadsheet', () => {
  /** How a spreadsheet of another country may split a line: at its own separator, with quotes only at the start of a cell. */
  const cellsSplitAt = (text: string, separator: string) => text.split(/\r?\n/).flatMap((line) => line.split(separator))
  const formula = /^\s*"?\s*[=+\-@\t\r＝＋－＠]/
  const number = /^-?\d+(\.\d+)?$/

  test('runs no text, at whatever separator it splits, and sees negative amounts as numbers', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const text = writeCsv(document)
        for (const separator of [',', ';', '\t', '|']) {
          for (const cell of cellsSplitAt(text, separator))
            expect(formula.test(cell) && !number.test(cell), `${separator} ${cell}`).toBe(false)
        }
        const rows = parse(text, { columns: true }) as Record<string, string>[]
        for (const [index, entry] of document.entries.entries()) {
          expect(rows[index]?.amount).toBe(formatDecimal(entry.amount))
          for (const [column, cell] of Object.entries(rows[index] ?? {}))
            if (!/amount|balance/.test(column)) expect(cell).not.toMatch(/^[=+\-@\t\r＝＋－＠]/)
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('the PDF', () => {
  const pagesOf = (bytes: Uint8Array) =>
    Buffer.from(bytes)
      .toString('latin1')
      .match(/\/Type \/Page\b(?!s)/g)?.length

  test('has every amount, both balances and numbered pages, and is the same every time', async () => {
    const document = plainDocument(70)
    const bytes = await writePdf(document)
    expect(Buffer.from(bytes.subarray(0, 5)).toString()).toBe('%PDF-')
    expect(pagesOf(bytes)).toBeGreaterThan(1)
    expect(Buffer.from(await writePdf(document)).equals(Buffer.from(bytes))).toBe(true)
    const text = textIn(bytes)
    for (const expected of ['Opening balance', 'Closing balance', '1,000.00', '-12.34', `Page 1 of ${pagesOf(bytes)}`])
      expect(text).toContain(expected)
    expect(text.split('-12.34').length - 1).toBe(70)
  })

  test('can be drawn for an empty period and for any text', async () => {
    expect(pagesOf(await writePdf(plainDocument(0)))).toBe(1)
    for (const document of fc.sample(documents, { numRuns: 10, seed: 7 }))
      expect((await writePdf(document)).length).toBeGreaterThan(500)
  })

  test('keeps an entry on one page, however long its text, and writes Greek and Cyrillic in Latin letters', async () => {
    const plain = plainDocument(1)
    const entries = plain.entries.map((entry) => ({
      ...entry,
      counterpartyName: 'Ελλάδα Иванов',
      remittanceInformation: 'long story '.repeat(2000),
    }))
    const bytes = await writePdf({ ...plain, entries })
    expect(pagesOf(bytes)).toBeLessThanOrEqual(2)
    expect(textIn(bytes)).toContain('Ellada Ivanov')
  })

  /** The text of all pages: pdfkit writes it as hexadecimal strings inside deflated streams. */
  function textIn(bytes: Uint8Array): string {
    const source = Buffer.from(bytes).toString('latin1')
    return [...source.matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g)]
      .map((match) => {
        try {
          return inflateSync(Buffer.from(match[1] ?? '', 'latin1')).toString('latin1')
        } catch {
          return ''
        }
      })
      .join('\n')
      .replace(/\[([^\]]*)\] TJ/g, (_, parts: string) =>
        [...parts.matchAll(/<([0-9a-f]*)>/g)].map((hex) => Buffer.from(hex[1] ?? '', 'hex').toString('latin1')).join(''),
      )
  }
})

test('a document that does not add up is not written', () => {
  const document = { ...plainDocument(2), closing: money(EUR, 1n) }
  expect(() => writeCamt053(document)).toThrow('closing balance')
  expect(() => writeMt940(document)).toThrow('closing balance')
  expect(() => writeCsv(document)).toThrow('closing balance')
})
