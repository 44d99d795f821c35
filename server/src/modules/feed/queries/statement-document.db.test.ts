import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { describeWithStandards } from '../../../../test/support/standards.ts'
import { xsdProblems } from '../../../../test/support/xsd.ts'
import { parseStatementFile, writeCamt053, writeMt940 } from '../../../formats/statements/index.ts'
import { operatorActor } from '../../../platform/actor.ts'
import { newId } from '../../../platform/ids.ts'
import { currency, EUR, money } from '../../../platform/money.ts'
import { ref } from '../../../platform/subject.ts'
import { importStatementFile, toldByBanks } from '../../connections/index.ts'
import { post } from '../../ledger/index.ts'
import { completed, sepaAccount } from '../index.ts'
import { statementDocument } from './statement-document.ts'

const opened = new Date('2026-03-01T09:00:00Z')
let db: TestDatabase
let company: TestCompany

beforeAll(async () => {
  db = await createTestDatabase()
  company = await makeCompany(db.database, opened, { fundedMinor: 1_000_00n })
  // The second stands an hour after midnight UTC; the third is the next day in Paris already.
  await pay(10_00n, new Date('2026-03-10T12:00:00Z'))
  await pay(20_00n, new Date('2026-03-11T00:30:00Z'))
  await pay(30_00n, new Date('2026-03-11T23:30:00Z'))
})
afterAll(() => db.drop())

const pay = (minor: bigint, at: Date) =>
  db.database.transaction(testActor, async (tx) => {
    const [debtor, creditor] = company.accounts
    const key = newId<'ledger_operation'>()
    const amount = money(EUR, minor)
    const transfer = {
      kind: 'transfer',
      key,
      code: 'test',
      debit: debtor.ledgerAccountId,
      credit: creditor.ledgerAccountId,
    } as const
    await post(tx, debtor.bookId, [{ ...transfer, amount }], at)
    await completed({ now: at }, tx, [
      {
        subject: ref('test', newId<'test'>()),
        account: debtor,
        kind: 'transfer',
        amount,
        counterparty: { name: 'Müller & Söhne', account: sepaAccount(creditor.iban, creditor.bic) },
        reference: 'Invoice 204',
        ledgerKey: key,
        balanceMinor: null,
      },
    ])
  })

const statement = (from: string, to: string, account = company.accounts[0].iban) =>
  db.database.read(testActor, (tx) =>
    statementDocument(tx, { account, organizationId: null, from, to, now: opened }, toldByBanks),
  )

test('a statement holds the days of its period in Paris, and the next one goes on from it', async () => {
  const first = await statement('2026-03-10', '2026-03-11')
  expect(first?.entries.map((entry) => [entry.bookingDate, entry.amount.minor, entry.balanceAfter.minor])).toEqual([
    ['2026-03-10', -10_00n, 990_00n],
    ['2026-03-11', -20_00n, 970_00n],
  ])
  expect(first?.entries[0]).toMatchObject({ kind: 'internal_transfer', counterpartyName: 'Müller & Söhne' })
  const second = await statement('2026-03-12', '2026-03-31')
  expect([second?.opening.minor, second?.closing.minor]).toEqual([970_00n, 940_00n])
  expect(second?.opening).toEqual(first?.closing)
})

test('a period without movements opens and closes with the same balance', async () => {
  expect(await statement('2026-03-05', '2026-03-06')).toMatchObject({ entries: [], opening: { minor: 1_000_00n } })
})

test('an account that we do not have has no statement', async () => {
  expect(await statement('2026-03-05', '2026-03-06', 'DE89370400440532013000')).toBeUndefined()
})

describeWithStandards('a statement of ours', () => {
  test('is a valid camt.053.001.08, and an MT940', async () => {
    const document = await statement('2026-03-02', '2026-03-31')
    if (!document) throw new Error('no statement')
    expect(xsdProblems('camt.053.001.08', writeCamt053(document))).toEqual([])
    const elsewhere = { ...document, iban: '30003 00077/A', bic: null }
    expect(xsdProblems('camt.053.001.08', writeCamt053(elsewhere))).toEqual([])
    expect(writeMt940(document)).toContain(':62F:C')
  })
})

const importing = () => ({ actor: operatorActor('tester', 'partita import'), now: opened, database: db.database })

test('what is missing between two statements of another bank stands in ours, so that both balances are the bank’s', async () => {
  const day = (date: string, opening: string, closing: string) =>
    `:20:X\r\n:25:30003/00012345678\r\n:28C:1\r\n:60F:C${date}EUR${opening}\r\n:61:${date}C1,00NTRFNONREF\r\n:62F:C${date}EUR${closing}\r\n-\r\n`
  const importInto = async (organizationId: TestCompany['id'], text: string) => {
    const file = parseStatementFile(new TextEncoder().encode(text))
    if (!file.ok) throw new Error(JSON.stringify(file.problems))
    const order = { organizationId, organizationSlug: `o-${organizationId}`, fileName: 'x', file }
    await importStatementFile(importing(), order)
  }
  const read = (organizationId: TestCompany['id'], from: string, to: string) =>
    db.database.read(testActor, (tx) =>
      statementDocument(tx, { account: '30003/00012345678', organizationId, from, to, now: opened }, toldByBanks),
    )
  const [first, second] = [await makeCompany(db.database, opened), await makeCompany(db.database, opened)]
  await importInto(first.id, day('260105', '100,00', '101,00'))
  await importInto(first.id, day('260109', '111,00', '112,00'))
  const document = await read(first.id, '2026-01-01', '2026-01-31')
  if (!document) throw new Error('no statement')
  expect(document.entries.map((entry) => [entry.bookingDate, entry.amount.minor, entry.balanceAfter.minor])).toEqual([
    ['2026-01-05', 1_00n, 101_00n],
    ['2026-01-08', 10_00n, 111_00n],
    ['2026-01-09', 1_00n, 112_00n],
  ])
  await importInto(second.id, writeCamt053(document))
  for (const [from, to] of [
    ['2026-01-05', '2026-01-05'],
    ['2026-01-08', '2026-01-09'],
    ['2026-01-01', '2026-01-31'],
  ] as const) {
    const [ours, theirs] = [await read(first.id, from, to), await read(second.id, from, to)]
    expect([theirs?.opening, theirs?.closing]).toEqual([ours?.opening, ours?.closing])
  }
})

test.each(['30003 00077', '00077', '3000300077'])('an account of another bank without IBAN is found as %s', async (account) => {
  const owner = await makeCompany(db.database, opened)
  const ofx = `OFXHEADER:100\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>30003<ACCTID>00077<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST></BANKTRANLIST><LEDGERBAL><BALAMT>5.00<DTASOF>20260105</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`
  const file = parseStatementFile(new TextEncoder().encode(ofx))
  if (!file.ok) throw new Error('refused')
  const order = { organizationId: owner.id, organizationSlug: owner.slug, fileName: 'x', file }
  await importStatementFile(importing(), order)
  const wanted = { account, organizationId: owner.id, from: '2026-01-05', to: '2026-01-05', now: opened }
  const find = (code: 'USD' | 'EUR') =>
    db.database.read(testActor, (tx) => statementDocument(tx, { ...wanted, currency: currency(code) }, toldByBanks))
  expect(await find('USD')).toMatchObject({ iban: '30003 00077', bic: null, closing: { minor: 5_00n } })
  expect(await find('EUR')).toBeUndefined()
})

test('a statement taken into another organization gives the same balances there, also for a period that begins before it', async () => {
  const other = await makeCompany(db.database, opened)
  const account = company.accounts[0].iban
  const wanted = { account, from: '2026-03-11', to: '2026-03-31', now: opened }
  const document = await db.database.read(testActor, (tx) =>
    statementDocument(tx, { ...wanted, organizationId: company.id }, toldByBanks),
  )
  if (!document) throw new Error('no statement')
  const file = parseStatementFile(new TextEncoder().encode(writeCamt053(document)))
  if (!file.ok) throw new Error('our own statement was refused')
  const order = { organizationId: other.id, organizationSlug: other.slug, fileName: 'statement.xml', file }
  await importStatementFile(importing(), order)
  for (const from of ['2026-03-11', '2020-01-01']) {
    const theirs = await db.database.read(testActor, (tx) =>
      statementDocument(tx, { ...wanted, from, organizationId: other.id }, toldByBanks),
    )
    expect(theirs?.opening).toEqual(document.opening)
    expect(theirs?.closing).toEqual(document.closing)
    expect(theirs?.entries.map((e) => e.balanceAfter)).toEqual(document.entries.map((e) => e.balanceAfter))
  }
})
