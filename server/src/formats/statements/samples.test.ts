import { expect, test } from 'vitest'
import { describeWithStandards, readStandard, standardsIn } from '../../../test/support/standards.ts'
import { equalDecimals, isNegative, negateDecimal, sumDecimals } from './decimal.ts'
import { entryIdentities } from './identity.ts'
import { parseStatementFile } from './parse.ts'
import { accepted } from './test-support.ts'

type ExpectedCamt = {
  message: string
  xsd: 'valid' | string[]
  statements: {
    account: string
    entries: number
    tx_details: number
    credit: string
    debit: string
    balances: Record<string, string[]>
    reconciles: boolean | null
  }[]
}
type ExpectedMt940 = {
  statements: number
  transactions: number
  net: string
  opening_first?: string
  closing_last?: string
  sum_closing_minus_opening?: string
  reconciles?: boolean
}

const parse = (name: string) => parseStatementFile(readStandard(`samples/${name}`))
const sameDecimal = (actual: string | null | undefined, expected: string | undefined) =>
  expect(
    { actual, equal: actual != null && expected !== undefined && equalDecimals(actual, expected) },
    `${actual} is not ${expected}`,
  ).toMatchObject({ equal: true })

describeWithStandards('samples made by others', () => {
  const expected = JSON.parse(new TextDecoder().decode(readStandard('samples/expected.json'))) as Record<string, unknown>

  for (const name of standardsIn('samples/camt')) {
    test(`camt/${name} gives the expected statements`, () => {
      const want = expected[`camt/${name}`] as ExpectedCamt
      const file = parse(`camt/${name}`)
      if (want.statements.length === 0) {
        expect(file.ok).toBe(false)
        expect(file.problems[0]?.code).toBe('no_statements')
        return
      }
      const { format, statements } = accepted(file)
      expect(format).toBe(want.message)
      expect(statements).toHaveLength(want.statements.length)
      for (const [index, statement] of statements.entries()) {
        const wanted = want.statements[index]
        if (!wanted) continue
        expect(statement.account.id).toBe(wanted.account)
        expect([statement.totals.entries, statement.totals.details, statement.reconciles]).toEqual([
          wanted.entries,
          wanted.tx_details,
          wanted.reconciles,
        ])
        sameDecimal(statement.totals.credit, wanted.credit)
        sameDecimal(statement.totals.debit, wanted.debit)
        for (const [type, amounts] of Object.entries(wanted.balances)) {
          const found = statement.balances.filter((balance) => balance.type === type).map((balance) => balance.amount)
          expect(found).toHaveLength(amounts.length)
          for (const [at, amount] of amounts.entries()) sameDecimal(found[at], amount)
        }
      }
    })
  }

  for (const name of standardsIn('samples/mt940')) {
    test(`mt940/${name} gives the expected statements`, () => {
      const want = expected[`mt940/${name}`] as ExpectedMt940
      const { statements } = accepted(parse(`mt940/${name}`))
      expect(statements).toHaveLength(want.statements)
      expect(statements.flatMap((statement) => statement.entries)).toHaveLength(want.transactions)
      sameDecimal(
        sumDecimals(statements.flatMap((statement) => [statement.totals.credit, negateDecimal(statement.totals.debit)])),
        want.net,
      )
      if (want.opening_first === undefined) return
      sameDecimal(statements[0]?.opening, want.opening_first)
      sameDecimal(statements.at(-1)?.closing, want.closing_last)
      sameDecimal(
        sumDecimals(statements.flatMap((statement) => [statement.closing ?? '0', negateDecimal(statement.opening ?? '0')])),
        want.sum_closing_minus_opening,
      )
      expect(statements.every((statement) => statement.reconciles)).toBe(want.reconciles)
    })
  }

  test.each([
    ['checking.ofx', 'OFX1', [['1452687~7', 'USD', 3, '0.01', '59.51', '100.99']]],
    [
      'multiple_accounts.ofx',
      'OFX2',
      [
        ['9100', 'USD', 0, '0', '0', '111'],
        ['9200', 'USD', 0, '0', '0', '222'],
      ],
    ],
    ['ofx_spec160_stmtrs_example.sgml', 'OFX1', [['999988', 'USD', 2, '0', '500.00', '200.29']]],
    ['ofx_spec201_stmtrs_example.xml', 'OFX2', [['999988', 'USD', 2, '0', '500.00', '200.29']]],
  ])('ofx/%s is read', (name, format, rows) => {
    const file = accepted(parse(`ofx/${name}`))
    expect(file.format).toBe(format)
    expect(
      file.statements.map((s) => [s.account.id, s.currency, s.totals.entries, s.totals.credit, s.totals.debit, s.closing]),
    ).toEqual(rows)
  })

  test('an OFX file without a statement is refused', () => {
    expect(parse('ofx/bank_small.ofx').problems[0]?.code).toBe('no_statements')
  })

  test('a 30 February, a missing closing balance and a missing comma are named where they stand', () => {
    const problems = (name: string) => parse(`mt940/${name}`).problems.map((p) => `${p.line} ${p.code}`)
    expect(problems('edge_february-30.sta')).toEqual(['6 date_corrected'])
    expect(problems('edge_gv-codes.sta')).toEqual(['1 closing_balance_missing'])
    expect(problems('knab.sta')).toContain('17 amount_without_comma')
  })

  test('German, Dutch and Polish texts give name, account and references', () => {
    const entries = (name: string) => accepted(parse(`mt940/${name}`)).statements.flatMap((s) => s.entries)
    const transfer = entries('betterplace_sepa.sta').find((e) => e.counterparty.iban === 'DE42100100100043921105')
    expect(transfer?.counterparty.name).toBe('Richter Renate 70 Zeichen Beginn Fuellzeichen xxxxxxxx')
    expect(transfer?.references.endToEndId).toBe('EndToEndIdTFNR2000400001')
    expect(transfer?.references.accountServicerReference).toBe('0724710290621954')
    const returned = entries('betterplace_sepa.sta').find((e) => e.reversal)
    expect(returned && isNegative(returned.amount)).toBe(true) // RC takes a credit back
    expect(entries('cmxl.sta').at(-1)?.remittance).toContain('Odsetki od lokaty')
    expect(entries('triodos.sta')[0]?.remittance).toContain('ALGEMENE TUSSENREKENING')
  })

  for (const folder of ['pain', 'interbank', 'other-statements', 'einvoice/cii', 'fec', 'datev']) {
    test(`nothing in ${folder} is taken for a statement`, () => {
      for (const name of standardsIn(`samples/${folder}`)) {
        const file = parse(`${folder}/${name}`)
        expect([name, file.ok, file.format, file.problems[0]?.code]).toEqual([name, false, null, 'unknown_format'])
      }
    })
  }

  test('every entry of every sample has its own identity, and the same one every time', () => {
    for (const folder of ['camt', 'mt940', 'ofx']) {
      for (const name of standardsIn(`samples/${folder}`)) {
        const file = parse(`${folder}/${name}`)
        if (!file.ok) continue
        const keys = entryIdentities(file).flat()
        expect(new Set(keys).size, name).toBe(file.statements.flatMap((s) => s.entries).length)
        expect(entryIdentities(accepted(parse(`${folder}/${name}`))).flat()).toEqual(keys)
      }
    }
  })
})
