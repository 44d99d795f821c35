import { node, writeXml, type XmlNode } from '@partita/notation/xml'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeWithStandards } from '../../../test/support/standards.ts'
import { xsdProblems } from '../../../test/support/xsd.ts'
import { equalDecimals, sumDecimals } from '../statements/decimal.ts'
import { buildIban, type IssuingCountry } from './iban.ts'
import { answerInitiation, answerUnreadable } from './pain-answer.ts'
import { readPaymentInitiation } from './pain001.ts'
import { decidePaymentInitiation } from './pain001-rules.ts'
import { answerNameOf } from './pain002.ts'
import { readCustomerStatusReport } from './pain002-reader.ts'

const ACCOUNT = 'FR7630006000011234567890189'
const HEADER = { messageId: 'ANSWER-1', createdAt: '2026-03-10T09:00:00.000Z', debtorAgent: 'PARTFRPPXXX' }
const CODES: Record<IssuingCountry, string> = {
  FR: '1999900001', DE: '90010001', ES: '99010001', IT: '9990100001', NL: 'PART', BE: '999', PT: '99010001', AT: '99901',
} // biome-ignore format: a table

const iban = fc
  .tuple(fc.constantFrom(...(Object.keys(CODES) as IssuingCountry[])), fc.bigInt(1n, 999_999n))
  .map(([country, number]) => buildIban(country, CODES[country], number))
/** A wrong check digit, and a country outside SEPA. Named whole: a valid IBAN may begin with the same four characters. */
const REFUSED_IBANS = ['DE88370400440532013000', 'BR1800360305000010009795493C1']
const words = (max: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength: max }).filter((text) => text.trim() !== '')

const transaction = fc.record({
  endToEndId: fc.constantFrom('NOTPROVIDED', 'E-1', 'Ü', 'INV/7'),
  minor: fc.bigInt({ min: 0n, max: 99_999_999n }),
  decimals: fc.constantFrom(2, 2, 2, 3),
  currency: fc.constantFrom('EUR', 'EUR', 'EUR', 'USD'),
  name: words(60),
  iban: fc.oneof({ weight: 4, arbitrary: iban }, { weight: 1, arbitrary: fc.constantFrom(...REFUSED_IBANS) }),
  text: fc.option(words(60), { nil: undefined }),
})

const block = fc.record({
  debtorIban: fc.constantFrom(ACCOUNT, ACCOUNT, ACCOUNT, 'DE89370400440532013000'),
  statesTotals: fc.boolean(),
  wrongCount: fc.constantFrom(false, false, false, true),
  charges: fc.constantFrom('SLEV', undefined, 'SHAR'),
  transactions: fc.array(transaction, { minLength: 1, maxLength: 5 }),
})

const initiation = fc.record({
  version: fc.constantFrom('03' as const, '09' as const),
  statesSum: fc.boolean(),
  wrongSum: fc.constantFrom(false, false, false, false, true),
  blocks: fc.array(block, { minLength: 1, maxLength: 4 }),
})
type Initiation = typeof initiation extends fc.Arbitrary<infer T> ? T : never

/** A valid IBAN whose check digits are 88, like those of the refused one, beside an amount of zero. */
const CHECK_DIGITS_88: Initiation = {
  version: '03',
  statesSum: false,
  wrongSum: false,
  blocks: [
    {
      debtorIban: ACCOUNT,
      statesTotals: false,
      wrongCount: false,
      charges: 'SLEV',
      transactions: [1n, 0n].map((minor) => ({
        endToEndId: 'NOTPROVIDED',
        minor,
        decimals: 2,
        currency: 'EUR',
        name: '!',
        iban: 'DE88900100010000541529',
        text: undefined,
      })),
    },
  ],
}

/** A third decimal that is zero says nothing: `12.500` is 12.50. */
const isExactInCents = ({ minor, decimals }: Written): boolean => decimals === 2 || minor % 10n === 0n
const cents = ({ minor, decimals }: Written): bigint => (decimals === 2 ? minor : minor / 10n)
type Written = { readonly minor: bigint; readonly decimals: number }

const decimal = (minor: bigint, decimals: number): string => {
  const digits = minor.toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

const valuesOf = (transactions: Initiation['blocks'][number]['transactions']) =>
  transactions.map((tx) => decimal(tx.minor, tx.decimals))

/** What a customer's program would write. */
function write({ version, statesSum, wrongSum, blocks }: Initiation): string {
  const account = (tag: string, value: string) => node(tag, [node('Id', [node('IBAN', value)])])
  const all = blocks.flatMap((b) => b.transactions)
  const sum = sumDecimals([...valuesOf(all), ...(wrongSum ? ['0.01'] : [])])
  const batches = blocks.map(
    (b, index): XmlNode =>
      node('PmtInf', [
        node('PmtInfId', `P${index}`),
        node('PmtMtd', 'TRF'),
        b.statesTotals ? node('NbOfTxs', String(b.transactions.length + (b.wrongCount ? 1 : 0))) : undefined,
        b.statesTotals ? node('CtrlSum', sumDecimals(valuesOf(b.transactions))) : undefined,
        node('ReqdExctnDt', version === '03' ? '2026-03-11' : [node('Dt', '2026-03-11')]),
        node('Dbtr', [node('Nm', 'A')]),
        account('DbtrAcct', b.debtorIban),
        node('DbtrAgt', [node('FinInstnId', [node('Othr', [node('Id', 'NOTPROVIDED')])])]),
        b.charges === undefined ? undefined : node('ChrgBr', b.charges),
        ...b.transactions.map((tx) =>
          node('CdtTrfTxInf', [
            node('PmtId', [node('EndToEndId', tx.endToEndId)]),
            node('Amt', [node('InstdAmt', decimal(tx.minor, tx.decimals), { Ccy: tx.currency })]),
            node('Cdtr', [node('Nm', tx.name)]),
            account('CdtrAcct', tx.iban),
            tx.text === undefined ? undefined : node('RmtInf', [node('Ustrd', tx.text)]),
          ]),
        ),
      ]),
  )
  const header = node('GrpHdr', [
    node('MsgId', 'M1'),
    node('CreDtTm', '2026-03-10T08:00:00'),
    node('NbOfTxs', String(all.length)),
    statesSum ? node('CtrlSum', sum) : undefined,
    node('InitgPty', [node('Nm', 'A')]),
  ])
  const document = node('Document', [node('CstmrCdtTrfInitn', [header, ...batches])], {
    xmlns: `urn:iso:std:iso:20022:tech:xsd:pain.001.001.${version}`,
  })
  return writeXml(document)
}

const encode = (text: string) => new TextEncoder().encode(text)

describeWithStandards('any payment initiation', () => {
  test('is decided whole, and its answer is valid and adds up', () => {
    const seen = { files: 0, accepted: 0, rejected: 0 }
    fc.assert(
      fc.property(initiation, fc.constantFrom('ACCP' as const, 'ACSC' as const, 'PDNG' as const), (order, outcome) => {
        const xml = write(order)
        expect(xsdProblems(`pain.001.001.${order.version}`, xml)).toEqual([])
        const read = readPaymentInitiation(encode(xml))
        if (!read.ok) throw new Error(read.refusal.message)
        const decision = decidePaymentInitiation(read.value, {
          accountIban: ACCOUNT,
          today: '2026-03-10',
          isMessageIdUsed: () => false,
        })
        expect(decision.rejection?.code).toBe(order.statesSum && order.wrongSum ? 'AM10' : undefined)
        checkDecision(order, decision, seen)

        const answer = answerInitiation(decision, HEADER, () => ({ status: outcome }))
        expect(xsdProblems(answerNameOf(read.value.messageName), answer)).toEqual([])
        checkAnswer(order, answer, decision)
      }),
      { numRuns: 250, examples: [[CHECK_DIGITS_88, 'ACCP']] },
    )
    expect(Math.min(seen.files, seen.accepted, seen.rejected)).toBeGreaterThan(10)
  })
})

type Decision = ReturnType<typeof decidePaymentInitiation>

/** An oracle of a few lines: what must be accepted is, and nothing else. */
function checkDecision(order: Initiation, decision: Decision, seen: { files: number; accepted: number; rejected: number }): void {
  if (!decision.blocks) {
    seen.files += 1
    return
  }
  for (const [index, decided] of decision.blocks.entries()) {
    const b = order.blocks[index]
    const good = b?.debtorIban === ACCOUNT && !(b.statesTotals && b.wrongCount) && b.charges !== 'SHAR'
    expect(decided.rejection === undefined).toBe(good)
    for (const [at, { transfer, rejection }] of decided.transactions.entries()) {
      const tx = b?.transactions[at]
      const sound =
        tx &&
        tx.currency === 'EUR' &&
        tx.minor > 0n &&
        isExactInCents(tx) &&
        tx.endToEndId !== 'Ü' &&
        !REFUSED_IBANS.includes(tx.iban)
      if (transfer) {
        seen.accepted += 1
        expect([transfer.amount.minor, transfer.creditorIban, transfer.creditor.name]).toEqual([
          tx && cents(tx),
          tx?.iban,
          tx?.name.trim(),
        ])
      } else seen.rejected += 1
      // A name or a text may still be too long once it is in Latin letters.
      if (!(good && sound)) expect(rejection).toBeDefined()
      else if (rejection) expect(['BE20', 'RR07', 'BE22']).toContain(rejection.code)
    }
  }
}

function checkAnswer(order: Initiation, answer: string, decision: Decision): void {
  const report = readCustomerStatusReport(answer)
  if (!report.ok) throw new Error(report.refusal.message)
  const { group, blocks } = report.value
  const all = order.blocks.flatMap((b) => b.transactions)
  const count = (totals: typeof group.perStatus) => totals.reduce((sum, t) => sum + Number(t.count), 0)
  expect(count(group.perStatus)).toBe(all.length)
  expect(equalDecimals(sumDecimals(group.perStatus.map((t) => t.sum ?? '0')), sumDecimals(valuesOf(all)))).toBe(true)
  expect(blocks.length).toBe(decision.blocks ? order.blocks.length : 0)
  for (const [index, reported] of blocks.entries()) {
    const transactions = order.blocks[index]?.transactions ?? []
    expect([count(reported.perStatus), reported.transactions.length]).toEqual([transactions.length, transactions.length])
    for (const { status, count: stated } of reported.perStatus) {
      expect(reported.transactions.filter((tx) => tx.status === status).length).toBe(Number(stated))
    }
    expect(reported.transactions.every((tx) => (tx.status === 'RJCT') === tx.reasons.length > 0)).toBe(true)
  }
  const listed = blocks.flatMap((b) => b.transactions)
  for (const { status, count: stated } of decision.blocks ? group.perStatus : []) {
    expect(listed.filter((tx) => tx.status === status).length).toBe(Number(stated))
  }
}

describe('any bytes', () => {
  test('are read or refused, never thrown at', () => {
    const pieces = ['<', '>', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03">', '<CstmrCdtTrfInitn>', '<GrpHdr>', '</GrpHdr>', '&amp;', '&x;', '<!DOCTYPE a>', '<![CDATA[', ']]>', '<!--', 'é', '\u0000', '</Document>', '<a b="c"/>'] // biome-ignore format: a list of pieces
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((list) => encode(list.join(''))),
    )
    fc.assert(
      fc.property(content, (bytes) => {
        const read = readPaymentInitiation(bytes)
        expect(read.ok || answerUnreadable(read.refusal, HEADER).length).toBeTruthy()
      }),
    )
  })
})
