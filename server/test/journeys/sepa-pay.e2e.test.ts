import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readCustomerStatusReport } from '../../src/formats/payments/pain002-reader.ts'
import { BankClock } from '../../src/platform/clock.ts'
import { makeCompany, type TestCompany } from '../support/company.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { describeWithStandards } from '../support/standards.ts'
import { xsdProblems } from '../support/xsd.ts'

const CLI = join(import.meta.dirname, '../../../cli/src/main.ts')

/** A day on which the clearing system settles, whatever day it is. */
const MONDAY = '2030-03-04'

let db: TestDatabase
let folder: string
let company: TestCompany
beforeAll(async () => {
  db = await createTestDatabase()
  folder = mkdtempSync(join(tmpdir(), 'partita-pay-'))
  const clock = new BankClock(db.database)
  await clock.moveTo(new Date(`${MONDAY}T09:00:00Z`))
  company = await makeCompany(db.database, clock.now(), { fundedMinor: 1_000_00n })
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await db.drop()
})

type Payment = { readonly name: string; readonly amount: string }

/** A payment file of the company's first account. @returns its path. */
function paymentFile(messageId: string, payments: readonly Payment[]): string {
  const transactions = payments.map(
    (
      { name, amount },
      index,
    ) => `<CdtTrfTxInf><PmtId><EndToEndId>E-${index}</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">${amount}</InstdAmt></Amt>
      <Cdtr><Nm>${name}</Nm></Cdtr><CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct></CdtTrfTxInf>`,
  )
  const path = join(folder, `${messageId}.xml`)
  writeFileSync(
    path,
    `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
      <GrpHdr><MsgId>${messageId}</MsgId><CreDtTm>${MONDAY}T08:00:00Z</CreDtTm><NbOfTxs>${payments.length}</NbOfTxs><InitgPty/></GrpHdr>
      <PmtInf><PmtInfId>P-1</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>${MONDAY}</Dt></ReqdExctnDt><Dbtr/>
       <DbtrAcct><Id><IBAN>${company.accounts[0].iban}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>${transactions.join('')}</PmtInf>
     </CstmrCdtTrfInitn></Document>`,
  )
  return path
}

function start(
  file: string,
  more: readonly string[] = [],
  account: readonly string[] = ['--account', company.accounts[0].iban],
): { child: ChildProcess; exit: Promise<{ code: number | null; stdout: string }> } {
  const env = { ...process.env, DATABASE_URL: db.adminUrl, PARTITA_DATA: join(folder, 'data') }
  const args = [CLI, 'pay', file, ...account, '--json', ...more]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  return { child, exit: new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout }))) }
}

/** `partita pay … --json`: its exit code and its one document. */
async function pay(file: string, ...more: string[]): Promise<{ code: number | null; report: Record<string, unknown> }> {
  const { code, stdout } = await start(file, more).exit
  return { code, report: JSON.parse(stdout) as Record<string, unknown> }
}

function answerOf(path: string) {
  const xml = readFileSync(path, 'utf8')
  expect(xsdProblems('pain.002.001.10', xml)).toEqual([])
  const read = readCustomerStatusReport(xml)
  if (!read.ok) throw new Error(read.refusal.message)
  return read.value
}

const held = async () =>
  (
    await db.admin.query(
      `select count(*)::int as count, coalesce(sum(amount_minor), 0)::int as minor from payments.credit_transfer`,
    )
  ).rows[0]

describeWithStandards('partita pay, as people run it', () => {
  test('is killed while it waits for the rails, goes on when it is run again, and is a duplicate after its answer', async () => {
    const file = paymentFile('KILLED', [
      { name: 'Anna', amount: '10.00' },
      { name: 'Late SIM LATE 4S', amount: '20.00' },
      { name: 'Dream', amount: '5000.00' },
    ])
    const answer = file.replace('.xml', '.pain.002.xml')
    const first = start(file)
    await vi.waitFor(async () => expect(await held()).toEqual({ count: 2, minor: 30_00 }), { timeout: 20_000, interval: 50 })
    first.child.kill('SIGKILL')
    await first.exit
    expect(existsSync(answer)).toBe(false)

    expect(await pay(file)).toMatchObject({
      code: 1,
      report: {
        status: 'PART',
        transactions: 3,
        accepted: 2,
        rejected: 1,
        transfers: [{ status: 'ACSC' }, { status: 'ACSC' }, { reason: 'AM04' }],
      },
    })
    expect(answerOf(answer).group).toMatchObject({ status: 'PART', numberOfTransactions: '3' })
    expect(await held()).toEqual({ count: 2, minor: 30_00 })

    expect(await pay(file)).toMatchObject({
      code: 1,
      report: { status: 'RJCT', accepted: 0, reason: expect.stringMatching(/^AM05/) },
    })
    expect(answerOf(answer).group).toMatchObject({ status: 'RJCT', reasons: [{ code: 'AM05' }] })
    expect(await held()).toEqual({ count: 2, minor: 30_00 })
  })

  test('pays nothing when its answer has no place', async () => {
    const file = paymentFile('NOWHERE', [{ name: 'Anna', amount: '1.00' }])
    const before = await held()
    mkdirSync(join(folder, 'a-folder'))
    for (const out of [join(folder, 'no/such/folder/answer.xml'), join(folder, 'a-folder')]) {
      const { code, report } = await pay(file, '--out', out)
      expect([code, report.error]).toEqual([1, expect.stringMatching(/^nothing was paid: /)])
    }
    expect((await pay(file, '--out', file)).code).toBe(2)
    expect(readFileSync(file, 'utf8')).toContain('NOWHERE')
    expect(await held()).toEqual(before)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect(await pay(file, '--out', join(folder, 'elsewhere.xml'))).toMatchObject({
      code: 0,
      report: { status: 'ACSC', reason: null },
    })
    expect(answerOf(join(folder, 'elsewhere.xml')).group.status).toBe('ACSC')
  })

  test('debits the account that the file names, and in its place another one only when that is said', async () => {
    const run = async (file: string, account: readonly string[], ...more: string[]) => {
      const { code, stdout } = await start(file, more, account).exit
      return { code, report: JSON.parse(stdout) as Record<string, unknown> }
    }
    const [{ iban }, { iban: second }] = company.accounts
    const own = paymentFile('OWN', [{ name: 'Anna', amount: '1.00000' }])
    expect(await run(own, [])).toMatchObject({ code: 0, report: { accepted: 1, account: iban, replaced_account: null } })

    const elsewhere = paymentFile('ELSEWHERE', [{ name: 'Anna', amount: '1.00' }])
    writeFileSync(elsewhere, readFileSync(elsewhere, 'utf8').replace(iban, 'NL91ABNA0417164300'))
    const before = await held()
    expect(await run(elsewhere, ['--account', iban])).toMatchObject({
      code: 1,
      report: { status: 'RJCT', accepted: 0, transfers: [{ reason: 'AC02' }], replaced_account: null },
    })
    expect((await run(elsewhere, [])).report.error).toMatch(/names no account of this bank/)
    expect((await run(elsewhere, [], '--replace-account')).code).toBe(2)
    // A file that names an account of ours is taken at its word.
    const theirs = paymentFile('THEIRS', [{ name: 'Anna', amount: '1.00' }])
    expect(await run(theirs, ['--account', second, '--replace-account'])).toMatchObject({ code: 1, report: { accepted: 0 } })
    expect(await held()).toEqual(before)
    expect(await run(elsewhere, ['--account', iban, '--replace-account'])).toMatchObject({
      code: 0,
      report: { accepted: 1, account: iban, replaced_account: 'NL91ABNA0417164300' },
    })
  })
})
