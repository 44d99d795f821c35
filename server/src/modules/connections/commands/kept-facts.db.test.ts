import { randomBytes } from 'node:crypto'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asMember, testActor } from '../../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { describeWithStandards } from '../../../../test/support/standards.ts'
import { xsdProblems } from '../../../../test/support/xsd.ts'
import {
  parseStatementFile,
  type StatementDocument,
  writeCamt053,
  writeCsv,
  writeMt940,
  writePdf,
} from '../../../formats/statements/index.ts'
import { operatorActor } from '../../../platform/actor.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { statementDocument } from '../../feed/index.ts'
import { fileContent, importedFiles, importStatementFile, toldByBanks } from '../index.ts'

let db: TestDatabase
let organizationId: Id<'organization'>
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())
beforeEach(() => {
  organizationId = newId<'organization'>()
})

const NOW = new Date('2026-03-10T09:00:00Z')
const IBAN = 'DE89370400440532013000'

async function importText(text: string | Uint8Array) {
  const content = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const file = parseStatementFile(content)
  if (!file.ok) throw new Error(JSON.stringify(file.problems))
  const actor = operatorActor('tester', 'partita import', [organizationId])
  const order = { organizationId, organizationSlug: `o-${organizationId}`, fileName: 'test', file, content }
  return importStatementFile({ actor, now: NOW, database: db.database }, order)
}

async function statementOf(account = IBAN): Promise<StatementDocument> {
  const wanted = { account, organizationId, from: '2025-01-01', to: '2026-12-31', now: NOW }
  const document = await db.database.read(testActor, (tx) => statementDocument(tx, wanted, toldByBanks))
  if (!document) throw new Error('no statement')
  return document
}

const rowsOf = async (account = IBAN): Promise<Record<string, string>[]> =>
  parse(writeCsv(await statementOf(account)), { columns: true })

const feedRows = async () =>
  (
    await db.admin.query(
      `select label, clean_counterparty_name as name, operation_type as type, subject_type as subject, reference, emitted_at, settled_at,
              local_amount_minor as local, local_currency, counterparty_account_number as number
         from feed.transaction where organization_id = $1 order by settled_at, number`,
      [organizationId],
    )
  ).rows

/** A camt.053 of January: 0.00, the entries, and what they come to. */
const camt = (entries: string, closing: string, opening = '0.00') =>
  `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-01-31T20:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S</Id><FrToDt><FrDtTm>2026-01-01T00:00:00</FrDtTm><ToDtTm>2026-01-31T23:59:59</ToDtTm></FrToDt><Acct><Id><IBAN>${IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>
${balance('OPBD', opening, '2026-01-01')}${balance('CLBD', closing, '2026-01-31')}${entries}</Stmt></BkToCstmrStmt></Document>`

const signed = (text: string) =>
  `<Amt Ccy="EUR">${text.replace('-', '')}</Amt><CdtDbtInd>${text.startsWith('-') ? 'DBIT' : 'CRDT'}</CdtDbtInd>`
const balance = (type: string, amount: string, day: string) =>
  `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${signed(amount)}<Dt><Dt>${day}</Dt></Dt></Bal>`
const entry = (amount: string, inside: string, { code = 'PMNT/RCDT/ESCT', day = '2026-01-10', more = '' } = {}) => {
  const [domain, family, sub] = code.split('/')
  return `<Ntry>${signed(amount)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>${day}</Dt></BookgDt>${more}
<BkTxCd><Domn><Cd>${domain}</Cd><Fmly><Cd>${family}</Cd><SubFmlyCd>${sub}</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls>${inside}</NtryDtls></Ntry>`
}
const mt940 = (lines: string, closing: string, opening = 'C260101EUR0,00') =>
  `:20:X\r\n:25:${IBAN}\r\n:28C:1/1\r\n:60F:${opening}\r\n${lines}:62F:C260131EUR${closing}\r\n-\r\n`

const WHOLE = entry(
  '185.00',
  `<TxDtls><Refs><AcctSvcrRef>BANK-1</AcctSvcrRef><PmtInfId>PI-1</PmtInfId><InstrId>IN-1</InstrId><EndToEndId>E2E-1</EndToEndId><TxId>TX-1</TxId><MndtId>M-1</MndtId></Refs>
<Amt Ccy="EUR">185.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><AmtDtls><InstdAmt><Amt Ccy="USD">200.00</Amt></InstdAmt></AmtDtls>
<Chrgs><Rcrd><Amt Ccy="EUR">1.50</Amt><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>
<RltdPties><Dbtr><Pty><Nm>Payer Bank</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct><UltmtDbtr><Pty><Nm>Erika Beispiel</Nm></Pty></UltmtDbtr></RltdPties>
<RltdAgts><DbtrAgt><FinInstnId><BICFI>ABNANL2A</BICFI></FinInstnId></DbtrAgt></RltdAgts><Purp><Cd>SALA</Cd></Purp><RmtInf><Ustrd>Invoice 5</Ustrd></RmtInf><AddtlTxInf>Gutschrift</AddtlTxInf></TxDtls>`,
  { more: '<ValDt><Dt>2026-01-12</Dt></ValDt><AcctSvcrRef>BANK-1</AcctSvcrRef>' },
)
const WHOLE_ROW = {
  booking_date: '2026-01-10',
  value_date: '2026-01-12',
  amount: '185.00',
  end_to_end_id: 'E2E-1',
  mandate_id: 'M-1',
  counterparty_name: 'Payer Bank',
  counterparty_iban: 'NL91ABNA0417164300',
  counterparty_bic: 'ABNANL2A',
  ultimate_counterparty: 'Erika Beispiel',
  remittance_information: 'Invoice 5',
  description: 'Gutschrift',
  transaction_code: 'PMNT/RCDT/ESCT',
  purpose: 'SALA',
  local_amount: '200.00',
  local_currency: 'USD',
  charges: '1.50 EUR included',
  servicer_reference: 'BANK-1',
  other_references: '{"payment_information_id":"PI-1","instruction_id":"IN-1","transaction_id":"TX-1"}',
  details: '',
}

describe('a booked entry', () => {
  test('keeps everything that the file said of it, and a statement of ours says it again', async () => {
    await importText(camt(WHOLE, '185.00'))
    expect(await rowsOf()).toMatchObject([WHOLE_ROW])
    expect(await feedRows()).toMatchObject([
      { label: 'Payer Bank', name: 'Payer Bank', local: '20000', local_currency: 'USD', number: 'NL91ABNA0417164300' },
    ])
    const text = writeMt940(await statementOf())
    for (const said of ['/ULTD/Erika Beispiel', '/OCMT/USD200,00', '/PURP/CD/SALA', '/EREF/E2E-1'])
      expect(text.replaceAll('\r\n', '')).toContain(said)
    expect((await writePdf(await statementOf())).length).toBeGreaterThan(1_000)
  })

  test.each([
    ['camt.053', writeCamt053],
    ['CSV', writeCsv],
  ])('is told on as %s, and read from there it has the same facts', async (_, write) => {
    await importText(camt(WHOLE, '185.00'))
    const written = write(await statementOf())
    organizationId = newId<'organization'>()
    await importText(written)
    const { servicer_reference: _own, other_references: _others, ...facts } = WHOLE_ROW
    expect(await rowsOf()).toMatchObject([facts])
  })

  test('has its bank’s day, though the opening balance of its statement is later; and a problem says from when it counts', async () => {
    const late = entry('10.00', '', { day: '2025-12-31' })
    const outcome = await importText(camt(late + entry('20.00', ''), '30.00'))
    expect(outcome.problems.filter(({ code }) => code === 'booked_before_opening')).toEqual([
      {
        line: expect.any(Number),
        code: 'booked_before_opening',
        message: expect.stringContaining('keeps its day 2025-12-31, and counts for balances on 2026-01-01'),
      },
    ])
    expect((await rowsOf()).map((row) => [row.booking_date, row.balance_after])).toEqual([
      ['2025-12-31', '10.00'],
      ['2026-01-10', '30.00'],
    ])
    const [row] = await feedRows()
    expect([row.emitted_at.toISOString(), row.settled_at.toISOString()].map((at) => at.slice(0, 10))).toEqual([
      '2025-12-31',
      '2026-01-01',
    ])
    const again = await importText(camt(late + entry('20.00', ''), '30.00'))
    expect(again).toMatchObject({ added: 0, duplicates: 2 })
    expect(again.problems.map(({ code }) => code)).not.toContain('booked_before_opening')
  })

  test('of a usual statement has no such problem', async () => {
    const { problems } = await importText(camt(entry('10.00', '', { day: '2026-01-01' }), '10.00'))
    expect(problems.map(({ code }) => code)).not.toContain('booked_before_opening')
  })
})

describe('what nobody said', () => {
  const line = (mark: string, code: string, information: string) => `:61:2601100110${mark}\r\n:86:${code}${information}\r\n`

  test.each([
    ['D30,00NDDTNONREF', '105', 'direct_debit', 'PMNT/RDDT/ESDD'],
    ['D30,00NTRFNONREF', '116', 'transfer', 'PMNT/ICDT/ESCT'],
    ['C30,00NTRFNONREF', '166', 'income', 'PMNT/RCDT/ESCT'],
    ['C30,00NTRFNONREF', '171', 'direct_debit_collection', 'PMNT/IDDT/ESDD'],
    ['D30,00NMSCNONREF', '899', 'other', 'NMSC+899'],
    ['C30,00NMSCNONREF', '899', 'income', 'NMSC+899'],
  ])('is not said of %s with %s: it is a %s, in the bank’s words %s', async (mark, code, type, stated) => {
    const opening = 'C260101EUR100,00'
    const closing = mark.startsWith('D') ? '70,00' : '130,00'
    await importText(mt940(line(mark, code, '?00Buchung?20Text'), closing, opening))
    expect(await feedRows()).toMatchObject([{ type, label: 'Text', name: null }])
    const [row] = await rowsOf()
    expect(row).toMatchObject({ transaction_code: stated, counterparty_name: '', description: 'Buchung' })
    const document = await statementOf()
    expect(writeCamt053(document)).not.toContain('SEPA credit transfer')
    expect(writeCamt053(document)).not.toMatch(/<Nm>Text|<Nm>Buchung/)
    expect(writeMt940(document)).toContain(mark.slice(mark.length - 10, mark.length - 6))
    expect(writeMt940(document)).not.toContain('/NAME/')
  })

  test('a mandate makes a debit without a code a direct debit, and an account makes it a transfer', async () => {
    await importText(
      'account,currency,date,amount,text,counterparty iban,mandate id\n' +
        `${IBAN},EUR,2026-01-10,-30.00,Club,NL91ABNA0417164300,M-1\n${IBAN},EUR,2026-01-11,-20.00,Rent,NL91ABNA0417164300,\n${IBAN},EUR,2026-01-12,-5.00,Fee,,\n`,
    )
    expect((await feedRows()).map(({ type }) => type)).toEqual(['direct_debit', 'transfer', 'other'])
    expect((await rowsOf()).map((row) => [row.transaction_code, row.value_date])).toEqual([
      ['', ''],
      ['', ''],
      ['', ''],
    ])
  })

  test('is no name: neither text nor code stands in for one, and a label is what the bank wrote', async () => {
    await importText(
      camt(entry('10.00', '') + entry('20.00', '<TxDtls><RmtInf><Ustrd>Invoice 5</Ustrd></RmtInf></TxDtls>'), '30.00'),
    )
    expect((await feedRows()).map(({ label, name, subject }) => [label, name, subject])).toEqual([
      ['', null, 'Other'],
      ['Invoice 5', null, 'Other'],
    ])
    expect((await rowsOf()).map((row) => row.counterparty_name)).toEqual(['', ''])
  })

  test('is not said of what an earlier release imported either, whose labels were made of texts and codes', async () => {
    await importText(
      camt(entry('10.00', '') + entry('20.00', '<TxDtls><RmtInf><Ustrd>Invoice 5</Ustrd></RmtInf></TxDtls>') + WHOLE, '215.00'),
    )
    await db.admin.query('delete from connections.statement_entry where organization_id = $1', [organizationId])
    await db.admin.query(`update feed.transaction set label = 'PMNT/RCDT/ESCT' where organization_id = $1 and label = ''`, [
      organizationId,
    ])
    const rows = (await rowsOf()).map((row) => [row.counterparty_name, row.description, row.transaction_code, row.value_date])
    expect(rows).toEqual([
      ['', '', '', ''],
      ['', '', '', ''],
      ['Payer Bank', '', '', ''],
    ])
  })
})

const BATCH = entry(
  '429.56',
  `<Btch><NbOfTxs>2</NbOfTxs></Btch>
<TxDtls><Refs><EndToEndId>A-1</EndToEndId></Refs><Amt Ccy="EUR">329.56</Amt><CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>Kunde Eins</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>=Factuur 1</Ustrd></RmtInf><AddtlTxInf>Storting</AddtlTxInf></TxDtls>
<TxDtls><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>Kunde Zwei</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>Factuur 2</Ustrd></RmtInf></TxDtls>`,
)

describe('the transactions inside a batch', () => {
  test('stand in a statement of ours, marked, and are no rows of it', async () => {
    await importText(camt(BATCH, '429.56'))
    const [row, ...others] = await rowsOf()
    expect(others).toEqual([])
    expect(row).toMatchObject({ amount: '429.56', counterparty_name: '', balance_after: '429.56' })
    expect(JSON.parse(row?.details ?? '')).toEqual([
      {
        amount: '329.56',
        currency: 'EUR',
        counterparty_name: 'Kunde Eins',
        counterparty_iban: 'NL91ABNA0417164300',
        remittance: '=Factuur 1',
        description: 'Storting',
        end_to_end_id: 'A-1',
      },
      { amount: '100.00', currency: 'EUR', counterparty_name: 'Kunde Zwei', remittance: 'Factuur 2' },
    ])
    expect(await feedRows()).toHaveLength(1)
  })

  test.each([
    ['camt.053', writeCamt053],
    ['CSV', writeCsv],
  ])('are told on as %s and kept from there, once', async (_, write) => {
    await importText(camt(BATCH, '429.56'))
    const [before] = await rowsOf()
    const written = write(await statementOf())
    organizationId = newId<'organization'>()
    await importText(written)
    await importText(written)
    expect((await rowsOf()).map(({ details }) => details)).toEqual([before?.details])
  })

  test('of two files about one booking are not mixed', async () => {
    await importText(camt(BATCH, '429.56'))
    const other = BATCH.replace('Kunde Eins', 'Somebody').replace('Kunde Zwei', 'Else')
    await importText(camt(other, '429.56'))
    const [row] = await rowsOf()
    expect(row?.details).toContain('Kunde Eins')
    expect(row?.details).not.toContain('Somebody')
  })
})

describe('a file that tells of bookings that stand there', () => {
  const poor = mt940(':61:2601100110C185,00NTRFNONREF\r\n:86:Some text\r\n', '185,00')

  test('fills in what nobody had said, and changes nothing that somebody had', async () => {
    await importText(poor)
    expect(await importText(camt(WHOLE, '185.00'))).toMatchObject({ added: 0, duplicates: 1 })
    expect(await rowsOf()).toMatchObject([
      { ...WHOLE_ROW, value_date: '2026-01-10', remittance_information: 'Some text', transaction_code: 'NTRF' },
    ])
    await importText(poor)
    expect(await rowsOf()).toMatchObject([{ end_to_end_id: 'E2E-1', remittance_information: 'Some text' }])
  })

  test('touches no row to which it adds nothing', async () => {
    const versions = async () =>
      (await db.admin.query('select xmin, xmax from connections.statement_entry where organization_id = $1', [organizationId]))
        .rows
    await importText(camt(WHOLE + BATCH, '614.56'))
    const before = await versions()
    await importText(camt(WHOLE + BATCH, '614.56'))
    expect(await versions()).toEqual(before)
  })

  test('says nothing of two equal bookings: which is which, nobody knows', async () => {
    const line = ':61:2601100110C185,00NTRFNONREF\r\n'
    await importText(mt940(`${line}:86:Some text\r\n${line}:86:Other text\r\n`, '370,00'))
    const other = WHOLE.replace('Payer Bank', 'Second Payer').replaceAll('BANK-1', 'BANK-2')
    expect(await importText(camt(WHOLE + other, '370.00'))).toMatchObject({ added: 0, duplicates: 2 })
    expect((await rowsOf()).map((row) => [row.counterparty_name, row.end_to_end_id])).toEqual([
      ['', ''],
      ['', ''],
    ])
  })

  test('gives entries of an earlier release their facts', async () => {
    await importText(camt(WHOLE + BATCH, '614.56'))
    await db.admin.query('delete from connections.statement_entry_detail where organization_id = $1', [organizationId])
    await db.admin.query('delete from connections.statement_entry where organization_id = $1', [organizationId])
    expect(await importText(camt(WHOLE + BATCH, '614.56'))).toMatchObject({ added: 0, duplicates: 2 })
    const [whole, batch] = await rowsOf()
    expect(whole).toMatchObject(WHOLE_ROW)
    expect(batch?.details).toContain('Kunde Zwei')
  })
})

describe('the file itself', () => {
  const contentOf = async (): Promise<Buffer[]> => {
    const files = await db.database.read(testActor, (tx) => importedFiles(tx, organizationId))
    const contents: Buffer[] = []
    for (const { sha256 } of files) {
      const pieces: Buffer[] = []
      for await (const piece of fileContent(db.database, { organizationId, sha256: sha256 as Buffer })) pieces.push(piece)
      contents.push(Buffer.concat(pieces))
    }
    return contents
  }

  test('stays readable as it came, whatever its encoding, and is kept once however often it is imported', async () => {
    const bytes = Buffer.from(mt940(':61:2601100110C1,00NTRFNONREF\r\n:86:Geb\xfchr\r\n', '1,00'), 'latin1')
    await importText(bytes)
    await importText(bytes)
    expect(await contentOf()).toEqual([bytes, bytes])
    const { rows } = await db.admin.query('select count(*)::int from connections.file_content where organization_id = $1', [
      organizationId,
    ])
    expect(rows).toEqual([{ count: 1 }])
  })

  test('is kept in pieces when it is large', async () => {
    const noise = randomBytes(2_000_000).toString('hex').match(/.{60}/g)?.join('\r\n') ?? ''
    const bytes = Buffer.from(mt940(`:61:2601100110C1,00NTRFNONREF\r\n:86:${noise}\r\n`, '1,00'))
    await importText(bytes)
    expect((await contentOf())[0]?.equals(bytes)).toBe(true)
    const { rows } = await db.admin.query('select count(*)::int from connections.file_content where organization_id = $1', [
      organizationId,
    ])
    expect(rows).toEqual([{ count: 4 }])
  })

  test('is seen by its organization alone', async () => {
    await importText(camt(WHOLE, '185.00'))
    for (const table of ['statement_entry', 'file_content']) {
      const seen = (organization: Id<'organization'>) =>
        db.database.read(asMember(organization), (tx) => tx.query(`select 1 from connections.${table}`))
      expect([table, (await seen(organizationId)).length, (await seen(newId<'organization'>())).length]).toEqual([table, 1, 0])
    }
  })
})

describeWithStandards('a statement of ours with all that another bank said', () => {
  test('is valid by its schema', async () => {
    await importText(camt(WHOLE + BATCH, '614.56'))
    expect(xsdProblems('camt.053.001.08', writeCamt053(await statementOf()))).toEqual([])
    await importText(mt940(':61:2602100210D30,00NMSCNONREF\r\n:86:899?00Buchung?20Text\r\n', '584,56', 'C260131EUR614,56'))
    expect(xsdProblems('camt.053.001.08', writeCamt053(await statementOf()))).toEqual([])
  })
})
