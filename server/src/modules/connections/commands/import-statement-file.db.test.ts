import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { makeCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { describeWithStandards, readStandard, standardsIn, standardsPath } from '../../../../test/support/standards.ts'
import { sumDecimals } from '../../../formats/statements/decimal.ts'
import { parseStatementFile } from '../../../formats/statements/index.ts'
import { operatorActor } from '../../../platform/actor.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { currency, formatDecimal, money } from '../../../platform/money.ts'
import { allBankAccounts } from '../../accounts/index.ts'
import { verifyLedger } from '../../ledger/index.ts'
import { type ImportOutcome, importStatementFile } from '../index.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const NOW = new Date('2026-03-10T09:00:00Z')
let organizationId: Id<'organization'>
beforeEach(() => {
  organizationId = newId<'organization'>()
})

async function importText(text: string | Uint8Array, organization = organizationId): Promise<ImportOutcome> {
  const parsed = parseStatementFile(typeof text === 'string' ? new TextEncoder().encode(text) : text)
  if (!parsed.ok) throw new Error(`refused: ${JSON.stringify(parsed.problems)}`)
  return importStatementFile(contextOf(organization), {
    organizationId: organization,
    organizationSlug: `org-${organization}`,
    fileName: 'test',
    file: parsed,
  })
}

const contextOf = (organization: Id<'organization'>) => ({
  actor: operatorActor('tester', 'partita import', [organization]),
  now: NOW,
  database: db.database,
})

/** The organization's external accounts as its owner sees them: `DE89… EUR` → `12.50`. */
async function balances(organization = organizationId): Promise<Record<string, string>> {
  const accounts = await db.database.read(testActor, (tx) => allBankAccounts(tx, organization, true))
  return Object.fromEntries(
    accounts.map((a) => [
      `${a.iban ?? a.accountNumber} ${a.currency}`,
      formatDecimal(money(currency(a.currency), a.balanceMinor)),
    ]),
  )
}

const feed = async (organization = organizationId): Promise<{ amount: string; balance: string; label: string }[]> =>
  (
    await db.admin.query(
      `select case side when 'credit' then amount_minor else -amount_minor end as amount, settled_balance_minor as balance, label
         from feed.transaction where organization_id = $1 order by settled_at, number`,
      [organization],
    )
  ).rows

type Line = {
  readonly date: string
  readonly amount: string
  readonly text: string
  readonly reference?: string
  readonly status?: string
}

/** A camt.053 of the account, as banks send it. */
function camt(statement: {
  id: string
  from: string
  to: string
  opening?: string
  closing?: string
  lines: readonly Line[]
}): string {
  const signed = (text: string) =>
    `<Amt Ccy="EUR">${text.replace('-', '')}</Amt><CdtDbtInd>${text.startsWith('-') ? 'DBIT' : 'CRDT'}</CdtDbtInd>`
  const balance = (type: string, amount: string | undefined, date: string) =>
    amount === undefined
      ? ''
      : `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${signed(amount)}<Dt><Dt>${date}</Dt></Dt></Bal>`
  const entry = (
    line: Line,
  ) => `<Ntry>${signed(line.amount)}<Sts>${line.status ?? 'BOOK'}</Sts><BookgDt><Dt>${line.date}</Dt></BookgDt>
    ${line.reference ? `<AcctSvcrRef>${line.reference}</AcctSvcrRef>` : ''}
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><TxDtls><RmtInf><Ustrd>${line.text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`
  return `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
    <GrpHdr><MsgId>M-${statement.id}</MsgId><CreDtTm>${statement.to}T20:00:00</CreDtTm></GrpHdr>
    <Stmt><Id>${statement.id}</Id><CreDtTm>${statement.to}T20:00:00</CreDtTm>
    <FrToDt><FrDtTm>${statement.from}T00:00:00</FrDtTm><ToDtTm>${statement.to}T23:59:59</ToDtTm></FrToDt>
    <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
    ${balance('OPBD', statement.opening, statement.from)}${balance('CLBD', statement.closing, statement.to)}
    ${statement.lines.map(entry).join('')}</Stmt></BkToCstmrStmt></Document>`
}

const ACCOUNT = 'DE89370400440532013000 EUR'
const JANUARY = camt({
  id: 'JAN',
  from: '2026-01-01',
  to: '2026-01-31',
  opening: '100.00',
  closing: '150.00',
  lines: [
    { date: '2026-01-10', amount: '70.00', text: 'sale' },
    { date: '2026-01-20', amount: '-20.00', text: 'rent' },
  ],
})
const FEBRUARY = camt({
  id: 'FEB',
  from: '2026-02-01',
  to: '2026-02-28',
  opening: '150.00',
  closing: '145.00',
  lines: [{ date: '2026-02-05', amount: '-5.00', text: 'fee' }],
})
const MARCH = camt({
  id: 'MAR',
  from: '2026-03-01',
  to: '2026-03-09',
  opening: '145.00',
  closing: '200.00',
  lines: [{ date: '2026-03-02', amount: '55.00', text: 'sale' }],
})

describe('one account, statement after statement', () => {
  test('the balance is the bank’s, and every feed row has the balance after it', async () => {
    expect(await importText(JANUARY)).toMatchObject({ status: 'imported', added: 2, duplicates: 0 })
    expect(await balances()).toEqual({ [ACCOUNT]: '150.00' })
    expect(await feed()).toEqual(
      [
        { amount: 7000n, balance: 17000n, label: 'sale' },
        { amount: -2000n, balance: 15000n, label: 'rent' },
      ].map(({ amount, balance, label }) => ({ amount: String(amount), balance: String(balance), label })),
    )
  })

  test('importing twice adds nothing, in the feed or in the ledger', async () => {
    await importText(JANUARY)
    const before = [await feed(), await balances()]
    expect(await importText(JANUARY)).toMatchObject({ added: 0, duplicates: 2 })
    expect([await feed(), await balances()]).toEqual(before)
  })

  test('what an earlier release booked, against another contra account and under another content, is known', async () => {
    await importText(JANUARY)
    // As it was then: the contra account had another id, and the operations another content.
    await db.admin.query(
      `begin; set local session_replication_role = replica;
       update ledger.account set id = gen_random_uuid() where code like 'EXTC:${organizationId}:%';
       update ledger.key set request_hash = request_hash + 1;
       commit`,
    )
    expect(await importText(JANUARY)).toMatchObject({ added: 0, duplicates: 2 })
    expect(await importText(FEBRUARY)).toMatchObject({ added: 1, duplicates: 0 })
    expect(await balances()).toEqual({ [ACCOUNT]: '145.00' })
  })

  test('two identical bookings inside one file are two, and stay two', async () => {
    const coffee = { date: '2026-01-10', amount: '-2.50', text: 'coffee' }
    const twice = camt({
      id: 'C',
      from: '2026-01-01',
      to: '2026-01-31',
      opening: '10.00',
      closing: '5.00',
      lines: [coffee, coffee],
    })
    expect(await importText(twice)).toMatchObject({ added: 2, duplicates: 0 })
    expect(await importText(twice)).toMatchObject({ added: 0, duplicates: 2 })
    expect(await balances()).toEqual({ [ACCOUNT]: '5.00' })
  })

  test('in whatever order the statements come, the present balance is the latest closing balance', async () => {
    const orders = [
      [JANUARY, FEBRUARY, MARCH],
      [MARCH, FEBRUARY, JANUARY],
      [FEBRUARY, MARCH, JANUARY],
      [MARCH, JANUARY, FEBRUARY],
      [JANUARY, MARCH, FEBRUARY],
      [FEBRUARY, JANUARY, MARCH],
    ]
    for (const order of orders) {
      const organization = newId<'organization'>()
      for (const file of order) await importText(file, organization)
      expect(await balances(organization)).toEqual({ [ACCOUNT]: '200.00' })
    }
  })

  test('overlapping periods share their entries', async () => {
    const lines = [
      { date: '2026-01-10', amount: '70.00', text: 'sale' },
      { date: '2026-01-20', amount: '-20.00', text: 'rent' },
      { date: '2026-02-05', amount: '-5.00', text: 'fee' },
    ]
    const whole = camt({ id: 'W', from: '2026-01-01', to: '2026-02-28', opening: '100.00', closing: '145.00', lines })
    await importText(JANUARY)
    expect(await importText(whole)).toMatchObject({ added: 1, duplicates: 2 })
    expect(await importText(FEBRUARY)).toMatchObject({ added: 0, duplicates: 1 })
    expect(await balances()).toEqual({ [ACCOUNT]: '145.00' })
  })

  const gaps = (outcome: ImportOutcome) => outcome.problems.filter((problem) => problem.code === 'balance_gap')

  test('a gap between two statements is named and carried, and goes when the missing statement comes', async () => {
    await importText(JANUARY)
    const [gap, ...others] = gaps(await importText(MARCH))
    expect([gap?.message, others]).toEqual([expect.stringContaining('-5.00 EUR carried forward on 2026-03-01'), []])
    expect(await balances()).toEqual({ [ACCOUNT]: '200.00' })
    expect(gaps(await importText(FEBRUARY))).toEqual([])
    expect(await balances()).toEqual({ [ACCOUNT]: '200.00' })
    expect((await feed()).map((row) => row.balance)).toEqual(['17000', '15000', '14500', '20000'])
  })

  test('where a statement does not add up, the next one goes on from its own opening balance', async () => {
    const day = (date: string, opening: string, closing: string, amount: string) =>
      camt({ id: date, from: date, to: date, opening, closing, lines: [{ date, amount, text: date }] })
    expect(gaps(await importText(day('2026-01-02', '1.00', '9.00', '5.00')))).toEqual([])
    expect(gaps(await importText(day('2026-01-03', '9.00', '10.00', '1.00')))).toHaveLength(1)
    expect(await balances()).toEqual({ [ACCOUNT]: '10.00' })
  })

  test('two statements of one day belong together in either order, and again', async () => {
    const part = (id: string, opening: string, closing: string) =>
      camt({
        id,
        from: '2026-01-02',
        to: '2026-01-02',
        opening,
        closing,
        lines: [{ date: '2026-01-02', amount: '10.00', text: id, reference: id }],
      })
    const parts = [part('A', '100.00', '110.00'), part('B', '110.00', '120.00')]
    for (const order of [parts, [...parts].reverse()]) {
      const organization = newId<'organization'>()
      for (const file of [...order, ...order]) await importText(file, organization)
      expect(await balances(organization)).toEqual({ [ACCOUNT]: '120.00' })
      expect(await feed(organization)).toHaveLength(2)
    }
  })

  test('a corrected statement takes nothing out of the books, and the balance is the one it closes with', async () => {
    await importText(JANUARY)
    const corrected = JANUARY.replace('>20.00</Amt>', '>25.00</Amt>').replace('>150.00</Amt>', '>145.00</Amt>')
    expect(gaps(await importText(corrected)).map((problem) => problem.message)).toEqual([
      expect.stringContaining('20.00 EUR carried'),
    ])
    expect([await balances(), (await feed()).length]).toEqual([{ [ACCOUNT]: '145.00' }, 3])
    expect(gaps(await importText(corrected))).toEqual([])
    expect(gaps(await importText(FEBRUARY.replace('>150.00</Amt>', '>145.00</Amt>')))).toEqual([])
  })

  test('reports within the day, and several statements of it, end with the last one', async () => {
    const at = { from: '2026-01-10', to: '2026-01-10' }
    const line = (reference: string) => ({ date: '2026-01-10', amount: '10.00', text: 'x', reference })
    const report = camt({ id: 'R', ...at, lines: [line('1'), line('2'), line('3')] })
    const part = (id: string, opening: string, closing: string) => camt({ id, ...at, opening, closing, lines: [line(id)] })
    await importText(part('1', '100.00', '110.00'))
    await importText(
      report
        .replaceAll('camt.053', 'camt.052')
        .replaceAll('BkToCstmrStmt', 'BkToCstmrAcctRpt')
        .replaceAll(/<(\/?)Stmt>/g, '<$1Rpt>'),
    )
    await importText(part('2', '110.00', '120.00'))
    await importText(part('3', '120.00', '130.00'))
    expect([await balances(), (await feed()).length]).toEqual([{ [ACCOUNT]: '130.00' }, 3])
  })

  test('equal bookings on two pages of a day are two, though they come in two files', async () => {
    const coffee = { date: '2026-01-10', amount: '-2.50', text: 'coffee' }
    const day = { from: '2026-01-10', to: '2026-01-10' }
    const first = camt({ id: '1', ...day, opening: '10.00', closing: '7.50', lines: [coffee] })
    const second = camt({ id: '2', ...day, opening: '7.50', closing: '5.00', lines: [coffee] })
    const both = camt({ id: '3', ...day, opening: '10.00', closing: '5.00', lines: [coffee, coffee] })
    expect(await importText(first)).toMatchObject({ added: 1 })
    expect(await importText(second)).toMatchObject({ added: 1, duplicates: 0 })
    for (const again of [second, first, both]) expect(await importText(again)).toMatchObject({ added: 0 })
    expect(await balances()).toEqual({ [ACCOUNT]: '5.00' })
    expect((await feed()).map((row) => row.balance)).toEqual(['750', '500'])
  })

  test('a page told again is the same page, also where the day has come back to its opening balance', async () => {
    const day = { from: '2026-01-10', to: '2026-01-10' }
    const line = (amount: string) => ({ date: '2026-01-10', amount, text: 'transfer' })
    const first = camt({ id: '1', ...day, opening: '10.00', closing: '60.00', lines: [line('50.00')] })
    const second = camt({ id: '2', ...day, opening: '60.00', closing: '10.00', lines: [line('-50.00')] })
    const third = camt({ id: '3', ...day, opening: '10.00', closing: '60.00', lines: [line('50.00')] })
    for (const page of [first, second]) expect(await importText(page)).toMatchObject({ added: 1 })
    for (const page of [first, second, first]) expect(await importText(page)).toMatchObject({ added: 0, duplicates: 1 })
    expect(await balances()).toEqual({ [ACCOUNT]: '10.00' })
    expect(await importText(third)).toMatchObject({ added: 1, duplicates: 0 })
    for (const page of [third, second, first]) expect(await importText(page)).toMatchObject({ added: 0, duplicates: 1 })
    expect(await balances()).toEqual({ [ACCOUNT]: '60.00' })
    const other = newId<'organization'>()
    const statementsOf = (page: string) => /<Stmt>.*<\/Stmt>/s.exec(page)?.[0] ?? ''
    await importText(first.replace('</Stmt>', `</Stmt>${statementsOf(second)}${statementsOf(first)}`), other)
    expect(await balances(other)).toEqual({ [ACCOUNT]: '10.00' })
  })

  test('one statement as camt.053 and as MT940 is one, and a booking that only one of them has is not', async () => {
    const mt940 = (lines: string, closing: string) =>
      `:20:X\r\n:25:DE89370400440532013000\r\n:28C:1\r\n:60F:C251231EUR100,00\r\n${lines}:62F:C260131EUR${closing}\r\n-`
    const withBankCode = JANUARY.replace(
      '<Ccy>EUR</Ccy></Acct>',
      '<Ccy>EUR</Ccy><Svcr><FinInstnId><ClrSysMmbId><MmbId>37040044</MmbId></ClrSysMmbId></FinInstnId></Svcr></Acct>',
    )
    expect(await importText(withBankCode)).toMatchObject({ added: 2 })
    const both = ':61:260110C70,00NTRFNONREF\r\n:61:260120D20,00NTRFNONREF\r\n'
    expect(await importText(mt940(both, '150,00'))).toMatchObject({ added: 0, duplicates: 2 })
    expect(await importText(mt940(`${both}:61:260120D1,00NTRFNONREF\r\n`, '149,00'))).toMatchObject({ added: 1, duplicates: 2 })
    expect(await balances()).toEqual({ [ACCOUNT]: '149.00' })
  })

  test('a German account is one, whether its file prints the IBAN or bank code and number', async () => {
    const mt940 = (account: string) =>
      `:20:X\r\n:25:${account}\r\n:28C:1\r\n:60F:C251231EUR100,00\r\n:61:260110C70,00NTRFNONREF\r\n:61:260120D20,00NTRFNONREF\r\n:62F:C260131EUR150,00\r\n-`
    for (const files of [
      [mt940('37040044/532013000'), JANUARY],
      [JANUARY, mt940('37040044/0532013000')],
    ]) {
      const organization = newId<'organization'>()
      for (const file of files) await importText(file, organization)
      expect(await balances(organization)).toEqual({ [ACCOUNT]: '150.00' })
    }
    await importText(JANUARY)
    await importText(mt940('37040044/532013001'))
    expect(await balances()).toEqual({ [ACCOUNT]: '150.00', '37040044/532013001 EUR': '150.00' })
  })

  test('a booking dated before its statement counts inside it', async () => {
    await importText(FEBRUARY)
    const late = camt({
      id: 'LATE',
      from: '2026-03-01',
      to: '2026-03-09',
      opening: '145.00',
      closing: '146.00',
      lines: [{ date: '2026-01-31', amount: '1.00', text: 'back-dated' }],
    })
    expect(gaps(await importText(late))).toEqual([])
    expect(await balances()).toEqual({ [ACCOUNT]: '146.00' })
    expect((await feed()).at(-1)).toMatchObject({ label: 'back-dated', balance: '14600' })
  })

  test('what other banks tell is in a book of its own: a large file makes no payment wait', async () => {
    const company = await makeCompany(db.database, NOW)
    await importText(JANUARY, company.id)
    const { rows } = await db.admin.query<{ book_id: number }>(
      'select distinct book_id from accounts.bank_account where organization_id = $1',
      [company.id],
    )
    expect(rows).toHaveLength(2)
  })

  test('statements that follow each other have no gap, also imported twice and a day long', async () => {
    const day = camt({
      id: 'DAY',
      from: '2026-03-10',
      to: '2026-03-10',
      opening: '200.00',
      closing: '201.00',
      lines: [{ date: '2026-03-10', amount: '1.00', text: 'interest' }],
    })
    for (const file of [JANUARY, FEBRUARY, MARCH, day, day, FEBRUARY]) expect(gaps(await importText(file))).toEqual([])
  })

  test('a statement that does not add up is imported with its break', async () => {
    const broken = camt({
      id: 'B',
      from: '2026-01-01',
      to: '2026-01-31',
      opening: '1.00',
      closing: '9.00',
      lines: [{ date: '2026-01-02', amount: '5.00', text: 'x' }],
    })
    const outcome = await importText(broken)
    expect(outcome).toMatchObject({ status: 'imported', added: 1 })
    expect(outcome.problems.map((problem) => problem.code)).toContain('does_not_reconcile')
    const { rows } = await db.admin.query(
      'select reconciles, break_amount from connections.imported_statement where organization_id = $1',
      [organizationId],
    )
    expect(rows).toEqual([{ reconciles: false, break_amount: '3.00' }])
  })

  test('the break leaves out what is only pending, as the balances do', async () => {
    const entries = [
      { date: '2026-01-02', amount: '5.00', text: 'x' },
      { date: '2026-01-03', amount: '100.00', text: 'not yet', status: 'PDNG' },
    ]
    const broken = camt({ id: 'P', from: '2026-01-01', to: '2026-01-31', opening: '1.00', closing: '9.00', lines: entries })
    expect(await importText(broken)).toMatchObject({ added: 1 })
    const { rows } = await db.admin.query('select break_amount from connections.imported_statement where organization_id = $1', [
      organizationId,
    ])
    expect(rows).toEqual([{ break_amount: '3.00' }])
  })

  // The first is more than 64 bits hold, the second more than the ledger takes at once.
  test.each(['99999999999999999.00', '90000000000000.00'])(
    '%s is named as too large, and the rest of the file is booked',
    async (huge) => {
      const lines = [
        { date: '2026-01-02', amount: '5.00', text: 'x' },
        { date: '2026-01-03', amount: huge, text: 'y' },
      ]
      const outcome = await importText(camt({ id: 'H', from: '2026-01-01', to: '2026-01-31', opening: huge, lines }))
      expect(outcome).toMatchObject({ status: 'partly', added: 1 })
      expect(outcome.problems.filter((problem) => problem.code === 'amount_too_large')).toHaveLength(2)
      expect(await balances()).toEqual({ [ACCOUNT]: '5.00' })
    },
  )

  test('an OFX file whose amounts are beyond 64 bits together is read, and named', async () => {
    const row = (id: number) =>
      `<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260102<TRNAMT>90000000000000000.00<FITID>${id}<NAME>x</STMTTRN>`
    const ofx = `OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>2<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20260101<DTEND>20260131${row(1)}${row(2)}</BANKTRANLIST><LEDGERBAL><BALAMT>7.00<DTASOF>20260131</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`
    const outcome = await importText(ofx)
    expect(outcome).toMatchObject({ status: 'partly', added: 0 })
    expect(outcome.problems.filter((problem) => problem.code === 'amount_too_large')).toHaveLength(2)
  })

  test('an amount that the currency cannot hold is not booked, not rounded and not lost', async () => {
    const odd = camt({
      id: 'O',
      from: '2026-01-01',
      to: '2026-01-31',
      opening: '1.00',
      closing: '6.00',
      lines: [
        { date: '2026-01-02', amount: '5.00', text: 'x' },
        { date: '2026-01-02', amount: '0.00512', text: 'y' },
      ],
    })
    const outcome = await importText(odd)
    expect(outcome).toMatchObject({ status: 'partly', added: 1 })
    expect(outcome.problems.map((problem) => problem.code)).toContain('amount_has_more_decimals')
    const { rows } = await db.admin.query('select unbooked from connections.imported_statement where organization_id = $1', [
      organizationId,
    ])
    expect(JSON.stringify(rows)).toContain('0.00512')
  })

  test('where only a closing balance is told, the account has it', async () => {
    const ofx = (from: string, to: string, balance: string, entries: readonly (readonly [string, string, string])[]) =>
      `OFXHEADER:100\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>77<ACCTTYPE>CHECKING</BANKACCTFROM>
      <BANKTRANLIST><DTSTART>${from}<DTEND>${to}${entries.map(([date, amount, id]) => `<STMTTRN><TRNTYPE>OTHER<DTPOSTED>${date}<TRNAMT>${amount}<FITID>${id}<NAME>x</STMTTRN>`).join('')}
      </BANKTRANLIST><LEDGERBAL><BALAMT>${balance}<DTASOF>${to}</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>`
    await importText(ofx('20260201', '20260228', '90.00', [['20260203', '-10.00', 'A']]))
    expect(await balances()).toEqual({ '1 77 EUR': '90.00' })
    await importText(ofx('20260215', '20260305', '95.00', [['20260301', '5.00', 'B']]))
    await importText(ofx('20260101', '20260131', '100.00', [['20260110', '60.00', 'C']]))
    expect(await balances()).toEqual({ '1 77 EUR': '95.00' })
  })

  test('a report within the day, a notification and the statement bring the same booking once', async () => {
    const lines = [{ date: '2026-01-10', amount: '70.00', text: 'sale', reference: 'R1' }]
    const statement = camt({ id: 'S', from: '2026-01-10', to: '2026-01-10', opening: '100.00', closing: '170.00', lines })
    const bare = camt({ id: 'N', from: '2026-01-10', to: '2026-01-10', lines })
    const notification = bare
      .replaceAll('camt.053', 'camt.054')
      .replaceAll('BkToCstmrStmt', 'BkToCstmrDbtCdtNtfctn')
      .replaceAll(/<(\/?)Stmt>/g, '<$1Ntfctn>')
    const report = bare
      .replaceAll('camt.053', 'camt.052')
      .replaceAll('BkToCstmrStmt', 'BkToCstmrAcctRpt')
      .replaceAll(/<(\/?)Stmt>/g, '<$1Rpt>')
    expect(await importText(report)).toMatchObject({ added: 1 })
    expect(await importText(notification)).toMatchObject({ added: 0, duplicates: 1 })
    expect(await importText(statement)).toMatchObject({ added: 0, duplicates: 1 })
    expect(await balances()).toEqual({ [ACCOUNT]: '170.00' })
  })

  test('two organizations keep the same account apart', async () => {
    const other = newId<'organization'>()
    await importText(JANUARY)
    expect(await importText(JANUARY, other)).toMatchObject({ added: 2, duplicates: 0 })
    await importText(FEBRUARY, other)
    expect([await balances(), await balances(other)]).toEqual([{ [ACCOUNT]: '150.00' }, { [ACCOUNT]: '145.00' }])
  })
})

type Expected = {
  account?: string
  entries: number
  tx_details: number
  credit: string
  debit: string
  reconciles: boolean | null
}
type ExpectedFile = { statements: Expected[] | number; transactions?: number; net?: string }

const minus = (text: string): string => (text.startsWith('-') ? text.slice(1) : `-${text}`)
const sameValue = (a: string, b: string): boolean => !/[1-9]/.test(sumDecimals([a, minus(b)]))

describeWithStandards('files of real banks', () => {
  const folders = ['camt', 'mt940', 'ofx']
  const files = folders.flatMap((folder) => standardsIn(`samples/${folder}`).map((name) => `${folder}/${name}`))
  const readable = (name: string) => parseStatementFile(readStandard(`samples/${name}`))

  test.each(files.filter((name) => readable(name).ok))('%s: every booking once, twice imported or not', async (name) => {
    const bytes = readStandard(`samples/${name}`)
    const parsed = readable(name)
    if (!parsed.ok) throw new Error('refused')
    const entries = parsed.statements.reduce((sum, statement) => sum + statement.totals.entries, 0)
    const first = await importText(bytes)
    expect(first.added + first.duplicates).toBe(entries)
    const rows = await feed()
    expect(rows).toHaveLength(first.added)
    expect(await importText(bytes)).toMatchObject({ status: first.status, added: 0, duplicates: entries })
    expect(await feed()).toEqual(rows)
  })

  test.each(files)('%s: counts and sums are the expected ones', (name) => {
    const expected = (JSON.parse(readFileSync(standardsPath('samples/expected.json'), 'utf8')) as Record<string, ExpectedFile>)[
      name
    ]
    const parsed = readable(name)
    if (expected === undefined) return
    if (Array.isArray(expected.statements)) {
      if (expected.statements.length === 0) return expect(parsed.ok).toBe(false)
      if (!parsed.ok) throw new Error('refused')
      expect(parsed.statements).toHaveLength(expected.statements.length)
      for (const [index, wanted] of expected.statements.entries()) {
        const { account, totals, reconciles } = parsed.statements[index] as (typeof parsed.statements)[number]
        expect([account.id, totals.entries, totals.details, reconciles]).toEqual([
          wanted.account,
          wanted.entries,
          wanted.tx_details,
          wanted.reconciles,
        ])
        expect(sameValue(totals.credit, wanted.credit) && sameValue(totals.debit, wanted.debit)).toBe(true)
      }
      return
    }
    if (!parsed.ok) throw new Error('refused')
    expect(parsed.statements.reduce((sum, statement) => sum + statement.totals.entries, 0)).toBe(expected.transactions)
  })

  test.each(files.filter((name) => readable(name).ok))(
    '%s: where the last statement adds up, the balance is its closing balance',
    async (name) => {
      const parsed = readable(name)
      if (!parsed.ok) throw new Error('refused')
      await importText(readStandard(`samples/${name}`))
      const found = await balances()
      const chains = Map.groupBy(parsed.statements, (s) => `${s.account.id} ${s.currency}`)
      for (const [account, statements] of chains) {
        if (!statements.every((s) => s.reconciles)) continue
        const digits = statements.at(-1)?.closing ?? ''
        expect(sameValue(found[account] ?? '0', digits), `${account}: ${found[account]} is not ${digits}`).toBe(true)
      }
    },
  )

  test('after all of it the ledger is proven', async () => {
    expect(await verifyLedger(db.database)).toMatchObject({ ok: true })
  })
})
