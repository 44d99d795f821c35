import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { describeWithStandards, readStandard } from '../../../../test/support/standards.ts'
import { xsdProblems } from '../../../../test/support/xsd.ts'
import { answerInitiation } from '../../../formats/payments/pain-answer.ts'
import { systemActor } from '../../../platform/actor.ts'
import { PlatformUnavailable } from '../../../platform/errors.ts'
import { EUR, formatDecimal, money } from '../../../platform/money.ts'
import { MoneyLane } from '../../ledger/index.ts'
import { type AcceptedPaymentFile, acceptPaymentFile, type HandedInFile, recordPaymentFileAnswer } from './accept-payment-file.ts'

const actor = systemActor('test.payment_file')
const now = new Date('2026-03-05T09:00:00Z')
let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const sample = (version: '03' | '09') => readStandard(`samples/pain/sepa-js_pain.001.001.${version}.xml`)
const company = (fundedMinor: bigint) => makeCompany(db.database, now, { fundedMinor })
const changed = (bytes: Uint8Array, from: string, to: string) => Buffer.from(Buffer.from(bytes).toString().replace(from, to))

/** What one process has. */
const desk = () => ({ actor, now, database: db.database, moneyLane: new MoneyLane(db.database) })

/** The file's transactions again and again, 11 cents each. */
function manyTimes(bytes: Uint8Array, times: number): Uint8Array {
  const text = Buffer.from(bytes)
    .toString()
    .replaceAll(/<InstdAmt Ccy="EUR">[^<]*</g, '<InstdAmt Ccy="EUR">0.11<')
  const [from, to] = [text.indexOf('<CdtTrfTxInf>'), text.lastIndexOf('</CdtTrfTxInf>') + '</CdtTrfTxInf>'.length]
  const count = times * (text.split('<CdtTrfTxInf>').length - 1)
  const sum = formatDecimal(money(EUR, BigInt(count) * 11n))
  const totals = `<NbOfTxs>${count}</NbOfTxs><CtrlSum>${sum}</CtrlSum>`
  const many = text.slice(0, from) + text.slice(from, to).repeat(times) + text.slice(to)
  return Buffer.from(many.replaceAll(/<NbOfTxs>\d+<\/NbOfTxs>\s*<CtrlSum>[^<]*<\/CtrlSum>/g, totals))
}

async function accept(
  { accounts: [debtor] }: TestCompany,
  bytes: Uint8Array,
  more: Partial<HandedInFile> & { readonly now?: Date } = {},
  ctx = desk(),
): Promise<AcceptedPaymentFile> {
  const { now: at = now, ...file } = more
  const filed = await acceptPaymentFile({ ...ctx, now: at }, { bytes, debtor, mayReplaceDebtor: true, ...file })
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

  test('that was interrupted before its answer is taken up again by whoever is alone with it, and is a duplicate once answered', async () => {
    const payer = await company(6_400_00n)
    const first = await accept(payer, sample('03'))
    const later = { now: new Date('2026-03-20T09:00:00Z') } // its execution date has passed meanwhile
    expect((await accept(payer, sample('03'), later)).decision.rejection?.code).toBe('AM05')
    const again = await accept(payer, sample('03'), { ...later, mayResume: true })
    expect(again.id).toBe(first.id)
    expect([...again.transfers.values()]).toEqual([...first.transfers.values()])
    expect(await written(payer)).toEqual({ files: 'partly_accepted', transfers: 2 })

    await db.database.transaction(actor, (tx) =>
      recordPaymentFileAnswer({ actor, now }, tx, first.id as NonNullable<typeof first.id>),
    )
    expect((await accept(payer, sample('03'), { mayResume: true })).decision.rejection?.code).toBe('AM05')
  })

  test.each([
    ['other content', (bytes: Uint8Array) => changed(bytes, 'MSG-11-CT.0</InstrId>', 'MSG-11-CT.X</InstrId>'), 0],
    ['another account', (bytes: Uint8Array) => bytes, 1],
  ] as const)('under the MsgId of an interrupted one, but with %s, is a duplicate', async (_, change, account) => {
    const payer = await company(100_000_00n)
    await accept(payer, sample('03'))
    const debtor = payer.accounts[account]
    const other = await accept(payer, change(sample('03')), { mayResume: true, debtor })
    expect(other.decision.rejection?.code).toBe('AM05')
    expect(await written(payer)).toEqual({ files: 'accepted', transfers: 5 })
  })

  test('made for an account elsewhere is paid from the one named beside it; made for another account of ours it is not', async () => {
    const payer = await company(100_000_00n)
    const [debtor, other] = payer.accounts
    const named = (iban: string) => changed(sample('03'), 'FR7630006276303513247556967', iban)
    expect((await accept(payer, named(other.iban))).decision.blocks?.[0]?.rejection?.code).toBe('AC02')
    expect(await written(payer)).toEqual({ files: null, transfers: 0 })
    expect((await accept(payer, named(debtor.iban))).transfers.size).toBe(5)
    expect((await accept(await company(100_000_00n), sample('03'))).transfers.size).toBe(5)
  })

  test('made for an account elsewhere is refused unless the customer says that his own stands in for it', async () => {
    const payer = await company(100_000_00n)
    for (const iban of ['FR7630006276303513247556967', 'DE89370400440532013000']) {
      const bytes = changed(sample('03'), 'FR7630006276303513247556967', iban)
      const { decision } = await accept(payer, bytes, { mayReplaceDebtor: false })
      expect(decision.blocks?.map((block) => block.rejection?.code)).toEqual(['AC02'])
    }
    expect(await written(payer)).toEqual({ files: null, transfers: 0 })
    const own = changed(sample('03'), 'FR7630006276303513247556967', payer.accounts[0].iban)
    expect((await accept(payer, own, { mayReplaceDebtor: false })).transfers.size).toBe(5)
  })

  test('that names two accounts elsewhere means the first of them', async () => {
    const payer = await company(100_000_00n)
    const text = Buffer.from(sample('03')).toString()
    const block = text.slice(text.indexOf('<PmtInf>'), text.indexOf('</CstmrCdtTrfInitn>'))
    const second = block.replace('FR7630006276303513247556967', 'DE89370400440532013000').replace('MSG-11-CT<', 'MSG-11-CU<')
    const both = text
      .replace('</CstmrCdtTrfInitn>', `${second}</CstmrCdtTrfInitn>`)
      .replace('<NbOfTxs>5</NbOfTxs><CtrlSum>9791.96</CtrlSum>', '<NbOfTxs>10</NbOfTxs><CtrlSum>19583.92</CtrlSum>')
    const filed = await accept(payer, Buffer.from(both))
    expect(filed.decision.blocks?.map((block) => block.rejection?.code)).toEqual([undefined, 'AC02'])
    expect(await written(payer)).toEqual({ files: 'partly_accepted', transfers: 5 })
  })

  test('of more transactions than the ledger takes at once is held whole, in one commit, those it does not cover told apart', async () => {
    const payer = await company(300_00n)
    const filed = await accept(payer, manyTimes(sample('03'), 900))
    expect(filed.transfers.size).toBe(4_500)
    const refused = [...filed.transfers.values()].filter(({ refusal }) => refusal?.code === 'AM04').length
    expect(await written(payer)).toEqual({ files: 'partly_accepted', transfers: 4_500 - refused })
    expect(refused).toBe(4_500 - 2_727) // at 11 cents each
  })

  test('whose commit was not heard of is not taken for its own duplicate', async () => {
    const payer = await company(6_400_00n)
    let commits = 0
    const database = Object.assign(Object.create(db.database) as typeof db.database, {
      transaction: async (...work: Parameters<typeof db.database.transaction>) => {
        const value = await db.database.transaction(...work)
        if (++commits === 1) throw new PlatformUnavailable('the connection was lost in the commit')
        return value
      },
    })
    const filed = await accept(payer, sample('03'), {}, { ...desk(), moneyLane: new MoneyLane(database) })
    expect(commits).toBe(2)
    expect(filed.decision.rejection).toBeUndefined()
    expect([...filed.transfers.values()].map((t) => t.refusal?.code)).toEqual([undefined, undefined, 'AM04', 'AM04', 'AM04'])
    expect(await written(payer)).toEqual({ files: 'partly_accepted', transfers: 2 })
  })

  test('keeps all that it says of a transfer', async () => {
    const payer = await company(100_000_00n)
    const uetr = 'b009c997-97b3-4a9c-803c-d645a7276b0f'
    const address = '<PstlAdr><TwnNm>Lyon</TwnNm><Ctry>FR</Ctry></PstlAdr>'
    const strd =
      '<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry><Issr>BBA</Issr></Tp><Ref>010806817183</Ref></CdtrRefInf></Strd>'
    const first = (bytes: Uint8Array, ...pairs: [string, string][]) =>
      pairs.reduce((b, [from, to]) => changed(b, from, to), bytes)
    const bytes = first(
      sample('09'),
      ['</EndToEndId>', `</EndToEndId><UETR>${uetr}</UETR>`],
      ['<SvcLvl><Cd>SEPA</Cd></SvcLvl>', '<SvcLvl><Cd>SEPA</Cd></SvcLvl><CtgyPurp><Cd>SUPP</Cd></CtgyPurp>'],
      ['</Nm></Dbtr>', `</Nm>${address}</Dbtr>`],
      ['</Amt>', '</Amt><UltmtDbtr><Nm>Filiale Süd</Nm></UltmtDbtr>'],
      ['</Nm></Cdtr>', '</Nm><Id><OrgId><LEI>529900T8BM49AURSDO55</LEI></OrgId></Id></Cdtr>'],
      [
        '<RmtInf><Ustrd>Facture 2026-1000</Ustrd>',
        `<UltmtCdtr><Nm>Enkel</Nm></UltmtCdtr><Purp><Cd>GDDS</Cd></Purp><RmtInf>${strd}`,
      ],
    )
    const filed = await accept(payer, bytes)
    const { rows } = await db.admin.query(
      `select uetr, purpose, creditor_reference, file_position, details from payments.credit_transfer where payment_file_id = $1
        order by file_position limit 1`,
      [filed.id],
    )
    expect(rows[0]).toEqual({
      uetr,
      purpose: 'GDDS',
      creditor_reference: '010806817183',
      file_position: 0,
      details: {
        categoryPurpose: { code: 'SUPP' },
        debtor: { address: { townName: 'Lyon', country: 'FR', lines: [] } },
        creditor: { identification: { kind: 'organisation', lei: '529900T8BM49AURSDO55', others: [] } },
        ultimateDebtor: { name: 'Filiale Süd' },
        ultimateCreditor: { name: 'Enkel' },
        creditorReferenceIssuer: 'BBA',
      },
    })
  })

  test('of another country is not read', async () => {
    const [debtor] = (await company(0n)).accounts
    const bytes = readStandard('samples/pain/swiss_pain.001.001.03.ch.02.xml')
    expect(await acceptPaymentFile(desk(), { bytes, debtor })).toMatchObject({ ok: false, refusal: { code: 'FF01' } })
  })
})
