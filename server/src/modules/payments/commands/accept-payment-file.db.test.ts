import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { describeWithStandards, readStandard } from '../../../../test/support/standards.ts'
import { xsdProblems } from '../../../../test/support/xsd.ts'
import { answerInitiation } from '../../../formats/payments/pain-answer.ts'
import { type AcceptedPaymentFile, acceptPaymentFile } from './accept-payment-file.ts'

const now = new Date('2026-03-05T09:00:00Z')
let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const sample = (version: '03' | '09') => readStandard(`samples/pain/sepa-js_pain.001.001.${version}.xml`)
const company = (fundedMinor: bigint) => makeCompany(db.database, now, { fundedMinor })
const changed = (bytes: Uint8Array, from: string, to: string) => Buffer.from(Buffer.from(bytes).toString().replace(from, to))

async function accept({ accounts: [debtor] }: TestCompany, bytes: Uint8Array): Promise<AcceptedPaymentFile> {
  const filed = await acceptPaymentFile(db.database, { bytes, debtor, now })
  if (!filed.ok) throw new Error(filed.refusal.message)
  return filed.value
}

const written = async ({ id }: TestCompany) =>
  (
    await db.admin.query(
      `select (select string_agg(status, ',') from payments.payment_file where organization_id = $1) as files,
              (select count(*)::int from payments.credit_transfer where organization_id = $1) as transfers`,
      [id],
    )
  ).rows[0]

function answer(filed: AcceptedPaymentFile): string {
  const header = { messageId: 'ANSWER-1', createdAt: '2026-03-05T09:00:00Z', debtorAgent: 'PARTFRPPXXX' }
  return answerInitiation(filed.decision, header, (transfer) => {
    const known = filed.transfers.get(transfer)
    return known?.id ? { status: 'ACSP' } : { status: 'RJCT', reason: known?.refusal }
  })
}

describeWithStandards('a payment file', () => {
  test.each([
    ['03', 5],
    ['09', 12],
  ] as const)('pain.001.001.%s is held whole when the balance covers it', async (version, count) => {
    const payer = await company(100_000_00n)
    const filed = await accept(payer, sample(version))
    expect([...filed.transfers.values()].filter(({ id }) => id)).toHaveLength(count)
    expect(await written(payer)).toEqual({ files: 'accepted', transfers: count })
    expect(xsdProblems(version === '03' ? 'pain.002.001.03' : 'pain.002.001.10', answer(filed))).toEqual([])
  })

  test('whose MsgId was used before is refused whole, also when both come at once', async () => {
    const payer = await company(100_000_00n)
    const both = await Promise.all([accept(payer, sample('03')), accept(payer, sample('03'))])
    expect(both.map(({ decision }) => decision.rejection?.code).sort()).toEqual(['AM05', undefined])
    expect((await accept(payer, sample('03'))).decision.rejection?.code).toBe('AM05')
    expect(await written(payer)).toEqual({ files: 'accepted', transfers: 5 })
  })

  test('whose MsgId another company used is accepted', async () => {
    expect((await accept(await company(100_000_00n), sample('03'))).decision.rejection).toBeUndefined()
  })

  test('whose control sum is wrong leaves nothing behind, and can be sent again when it is right', async () => {
    const payer = await company(100_000_00n)
    const filed = await accept(payer, changed(sample('03'), '<CtrlSum>9791.96', '<CtrlSum>9791.95'))
    expect(filed.decision.rejection?.code).toBe('AM10')
    expect(await written(payer)).toEqual({ files: null, transfers: 0 })
    expect((await accept(payer, sample('03'))).transfers.size).toBe(5)
  })

  test('that the balance covers in part is executed in part, the rest is AM04', async () => {
    const payer = await company(6_400_00n)
    const filed = await accept(payer, sample('03'))
    expect([...filed.transfers.values()].map((t) => t.refusal?.code)).toEqual([undefined, undefined, 'AM04', 'AM04', 'AM04'])
    expect(await written(payer)).toEqual({ files: 'partly_accepted', transfers: 2 })
    expect(answer(filed)).toContain('<GrpSts>PART</GrpSts>')
    expect(xsdProblems('pain.002.001.03', answer(filed))).toEqual([])
  })

  test('of which nothing is covered leaves nothing behind', async () => {
    const payer = await company(0n)
    const filed = await accept(payer, sample('03'))
    expect(new Set([...filed.transfers.values()].map((t) => t.refusal?.code))).toEqual(new Set(['AM04']))
    expect(await written(payer)).toEqual({ files: null, transfers: 0 })
  })

  test('of another country is not read', async () => {
    const [debtor] = (await company(0n)).accounts
    const bytes = readStandard('samples/pain/swiss_pain.001.001.03.ch.02.xml')
    expect(await acceptPaymentFile(db.database, { bytes, debtor, now })).toMatchObject({ ok: false, refusal: { code: 'FF01' } })
  })
})
