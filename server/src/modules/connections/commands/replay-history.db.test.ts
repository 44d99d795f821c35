import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { operatorActor } from '../../../platform/actor.ts'
import { fixedClock } from '../../../platform/clock.ts'
import { currency } from '../../../platform/money.ts'
import { verifyBank } from '../../../verify.ts'
import { readReplayFile } from './replay-file.ts'
import { replayHistory } from './replay-history.ts'

const CZK = currency('CZK')
const clock = fixedClock('2026-03-02T09:00:00Z')
let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

const read = (lines: readonly string[]) => readText(['account,date,amount,balance_after,text', ...lines].join('\n'))
const readText = (text: string) => readReplayFile(Buffer.from(text), CZK)

async function replay(lines: readonly string[], toleranceMinor = 0n) {
  const rows = read(lines)
  if (!rows.ok) throw new Error(rows.refusal)
  const options = { rows: rows.value, currency: CZK, toleranceMinor, organization: undefined, clock }
  const report = await replayHistory({ actor: operatorActor('tester', 'partita replay'), database: test_.database }, options)
  if (!report.ok) throw new Error(report.refusal.reason)
  expect((await verifyBank(test_.database)).ok).toBe(true)
  return report.value
}

async function accountsNamed(name: string): Promise<number> {
  const { rows } = await test_.admin.query('select 1 from ledger.account where code like $1', [`REPLAY:bank:${name}:CZK%`])
  return rows.length
}

/** Two accounts interleaved: one with an opening of 100.00, one that is overdrawn. */
const history = (name: string) => [
  `${name}-1,2024-01-01,0.00,100.00,nothing`,
  `${name}-2,2024-01-01,-5.00,-5.00,"a, b"`,
  `${name}-1,2024-01-02,50.00,150.00,in`,
  `${name}-1,2024-01-03,-20.5,129.50,out`,
  `${name}-2,2024-01-04,-5.00,-10.00,"a, b"`,
]

describe('a history', () => {
  test('is posted row by row, from the opening that its first rows imply', async () => {
    expect(await replay(history('a'))).toEqual({ rows: 5, accounts: 2, posted: 5, alreadyPosted: 0, mismatches: [] })
  })

  test('that was posted in part goes on, posts nothing twice and is still compared', async () => {
    expect((await replay(history('b').slice(0, 3))).posted).toBe(3)
    expect(await replay(history('b'))).toMatchObject({ posted: 2, alreadyPosted: 3, mismatches: [] })
    expect(await replay(history('b'))).toMatchObject({ posted: 0, alreadyPosted: 5, mismatches: [] })
  })

  test('that was posted under other keys, as an earlier release did, is the same history', async () => {
    await replay(history('k'))
    await test_.admin.query(
      `begin; set local session_replication_role = replica; update ledger.key set key = gen_random_uuid(); commit`,
    )
    expect(await replay(history('k'))).toMatchObject({ posted: 0, alreadyPosted: 5, mismatches: [] })
  })

  test('of one row alone has the opening that it implies in a file that starts midway, and none in another', async () => {
    const alone = 'alone,2024-01-01,1.00,8.00,x'
    expect((await replay([...history('m'), alone])).mismatches).toEqual([])
    const fromTheStart = ['n,2024-01-01,1.00,1.00,x', alone.replace('alone', 'lonely')]
    expect((await replay(fromTheStart)).mismatches).toEqual([{ row: 2, account: 'lonely', expected: 800n, actual: 100n }])
  })

  test.each([0, 1, 2, 3, 4])('with one wrong balance has one mismatch, in row %i and after a rerun too', async (wrong) => {
    const lines = history(`c${wrong}`).map((line, index) =>
      index === wrong ? line.replace(/,[-\d.]+,([^,]+|".*")$/, ',77.77,$1') : line,
    )
    for (const _ of ['first', 'again']) {
      const { mismatches } = await replay(lines)
      expect(mismatches.map(({ row, expected }) => ({ row, expected }))).toEqual([{ row: wrong + 1, expected: 7777n }])
    }
  })

  test('that another file tells on, or tells in part, stays one account', async () => {
    const lines = [
      'p,2024-01-01,1.00,1.00,x',
      'p,2024-01-02,2.00,3.00,x',
      'p,2024-01-03,0.00,3.00,x',
      'p,2024-01-04,4.00,7.00,x',
      'p,2024-01-04,4.00,11.00,x',
    ]
    expect(await replay(lines.slice(0, 2))).toMatchObject({ posted: 2, mismatches: [] })
    expect(await replay(lines.slice(2, 4))).toMatchObject({ posted: 2, alreadyPosted: 0, mismatches: [] })
    expect(await replay(lines.slice(1, 4))).toMatchObject({ posted: 0, alreadyPosted: 3, mismatches: [] })
    expect(await replay(lines)).toMatchObject({ posted: 1, alreadyPosted: 4, mismatches: [] })
    expect(await accountsNamed('p')).toBe(1)
  })

  test('that contradicts what stands under its names is another, and is compared with itself alone', async () => {
    await replay(history('q'))
    const changed = history('q').map((line, index) => (index === 3 ? line.replace('-20.5,', '-20.4,') : line))
    const mismatches = [{ row: 4, account: 'q-1', expected: 12950n, actual: 12960n }]
    expect(await replay(changed)).toMatchObject({ posted: 3, alreadyPosted: 2, mismatches })
    expect(await replay(changed)).toMatchObject({ posted: 0, alreadyPosted: 5, mismatches })
    expect(await replay(['q-2,2023-12-31,3.00,3.00,another bank'])).toMatchObject({ posted: 1, mismatches: [] })
    expect(await replay(history('q'))).toMatchObject({ posted: 0, alreadyPosted: 5, mismatches: [] })
    expect(await accountsNamed('q-1')).toBe(2)
  })

  test('whose texts or balances were corrected is still the same', async () => {
    await replay(['r,2024-01-01,1.00,1.00,x', 'r,2024-01-02,1.00,2.00,y'])
    const corrected = await replay(['r,2024-01-01,1.00,1.50,X', 'r,2024-01-02,1.00,2.00,Y'])
    expect(corrected).toMatchObject({ posted: 0, alreadyPosted: 2, mismatches: [{ row: 1, expected: 150n, actual: 100n }] })
  })

  test('whose balances its source rounds opens where every row agrees', async () => {
    const rounded = [
      's,2024-01-01,1.00,5.00,x',
      's,2024-01-02,0.40,6.00,x',
      's,2024-01-03,0.30,6.00,x',
      's,2024-01-04,0.30,6.00,x',
    ]
    expect((await replay(rounded, 50n)).mismatches).toEqual([])
    expect((await replay([...rounded, 's,2024-01-05,1.00,8.00,x'], 50n)).mismatches).toMatchObject([{ row: 5, expected: 800n }])
  })

  test("may be off by the source's own rounding, and not by more", async () => {
    expect((await replay(['d,2024-01-01,5.00,5.04,x'], 4n)).mismatches).toEqual([])
    expect((await replay(['e,2024-01-01,5.00,5.05,x'], 4n)).mismatches).toEqual([
      { row: 1, account: 'e', expected: 505n, actual: 500n },
    ])
  })

  test.each([
    ['f,2024-01-01,1.00,1.00,x\nf,2024-02-30,1.00,2.00,x', 'row 2, date'],
    ['f,2024-01-01,"1,00",1.00,x', 'row 1, amount'],
    ['f,2024-01-01,1.001,1.00,x', 'row 1, amount'],
    ['f,2024-01-01,1.00,,x', 'row 1, balance_after'],
    [',2024-01-01,1.00,1.00,x', 'row 1, account'],
    ['f,2024-01-01,1.00,1.00', 'row 1: 4 fields'],
    ['', 'no rows'],
  ])('with a bad row is refused by row and field: %j', (lines, message) => {
    expect(read([lines])).toMatchObject({ ok: false, refusal: expect.stringContaining(message) })
  })

  test('without a column, or without anything, is refused; byte-order mark, CRLF and blank lines are not', () => {
    expect(readText('account,date,amount,text\na,2024-01-01,1,x')).toMatchObject({
      refusal: expect.stringContaining('balance_after'),
    })
    expect(readText('')).toMatchObject({ refusal: 'the file is empty' })
    const text = '\uFEFFaccount,date,amount,balance_after,text\r\na,2024-01-01,1.00,1.00,"x ""y"", z"\r\n\r\n  \r\n,,,,\r\n'
    expect(readText(text)).toMatchObject({ ok: true, value: [{ row: 1, text: 'x "y", z' }] })
  })
})

test('a file that is not UTF-8 is read as Windows-1252, so that names keep their letters', () => {
  const text = 'account,date,amount,balance_after,text\n\xe9,2024-01-01,1.00,1.00,a 5" pipe\n\xe8,2024-01-01,+2.00,2.00,'
  expect(readReplayFile(Buffer.from(text, 'latin1'), CZK)).toMatchObject({
    ok: true,
    value: [
      { account: 'é', text: 'a 5" pipe' },
      { account: 'è', amount: { minor: 200n }, text: '' },
    ],
  })
  expect(readText('account,date,amount,balance_after,text\na,2024-01-01,1.00,1.00,"never closed\n')).toMatchObject({
    refusal: expect.stringContaining('not readable as CSV'),
  })
})

test('a bank account whose ledger account is another is found', async () => {
  const company = await makeCompany(test_.database, clock.now())
  expect((await verifyBank(test_.database)).ok).toBe(true)
  await test_.admin.query('update accounts.bank_account set iban = $1 where id = $2', ['FR00', company.accounts[0].id])
  const report = await verifyBank(test_.database)
  expect(report.ok).toBe(false)
  expect(report.checks.filter((check) => check.violations > 0)).toMatchObject([
    { name: 'bank_accounts_have_their_ledger_account', violations: 1 },
  ])
})
