import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { parseStatementFile } from '../../../formats/statements/index.ts'
import { newId } from '../../../platform/ids.ts'
import { allBankAccounts } from '../../accounts/index.ts'
import { statementDocument } from '../../feed/index.ts'
import { verifyLedger } from '../../ledger/index.ts'
import { importStatementFile, missingMovements } from '../index.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const NOW = new Date('2026-06-01T09:00:00Z')
const IBAN = 'DE89370400440532013000'
const OPENING = 1_000_00n

type Kind = 'camt.053' | 'camt.052' | 'mt940'
type Booking = { readonly cents: number; readonly id: number }
/** A bank's days, and the files in which it tells them: each a run of days, in some format. */
type Story = { readonly days: readonly (readonly Booking[])[]; readonly files: readonly File[] }
type File = { readonly first: number; readonly last: number; readonly kind: Kind }

const dateOf = (day: number): string => new Date(Date.UTC(2026, 0, 5 + day)).toISOString().slice(0, 10)
const text = (minor: bigint, mark: '.' | ','): string => {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, '0')
  return `${digits.slice(0, -2)}${mark}${digits.slice(-2)}`
}
const sumOf = (bookings: readonly Booking[]): bigint => bookings.reduce((sum, booking) => sum + BigInt(booking.cents), 0n)

function balancesOf(story: Story, file: File): { opening: bigint; closing: bigint } {
  const before = OPENING + sumOf(story.days.slice(0, file.first).flat())
  return { opening: before, closing: before + sumOf(story.days.slice(file.first, file.last + 1).flat()) }
}

function camt(story: Story, file: File): string {
  const { opening, closing } = balancesOf(story, file)
  const signed = (minor: bigint) =>
    `<Amt Ccy="EUR">${text(minor, '.')}</Amt><CdtDbtInd>${minor < 0n ? 'DBIT' : 'CRDT'}</CdtDbtInd>`
  const balance = (type: string, minor: bigint, day: number) =>
    `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${signed(minor)}<Dt><Dt>${dateOf(day)}</Dt></Dt></Bal>`
  const entries = story.days
    .slice(file.first, file.last + 1)
    .flatMap((bookings, at) =>
      bookings.map(
        (booking) =>
          `<Ntry>${signed(BigInt(booking.cents))}<Sts>BOOK</Sts><BookgDt><Dt>${dateOf(file.first + at)}</Dt></BookgDt><AcctSvcrRef>R${booking.id}</AcctSvcrRef></Ntry>`,
      ),
    )
  const isReport = file.kind === 'camt.052'
  const [message, statement] = isReport ? ['BkToCstmrAcctRpt', 'Rpt'] : ['BkToCstmrStmt', 'Stmt']
  const balances = isReport ? '' : balance('OPBD', opening, file.first) + balance('CLBD', closing, file.last)
  const period = isReport
    ? ''
    : `<FrToDt><FrDtTm>${dateOf(file.first)}T00:00:00</FrDtTm><ToDtTm>${dateOf(file.last)}T23:59:59</ToDtTm></FrToDt>`
  return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:${file.kind}.001.02"><${message}><${statement}><Id>S</Id>${period}<Acct><Id><IBAN>${IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>${balances}${entries.join('')}</${statement}></${message}></Document>`
}

/** As German banks write it: the opening balance has the day of the closing balance before it, and no reference of the bank's own. */
function mt940(story: Story, file: File): string {
  const { opening, closing } = balancesOf(story, file)
  const short = (day: number) => dateOf(day).slice(2).replaceAll('-', '')
  const balance = (tag: string, minor: bigint, day: number) =>
    `:${tag}:${minor < 0n ? 'D' : 'C'}${short(day)}EUR${text(minor, ',')}`
  const lines = story.days
    .slice(file.first, file.last + 1)
    .flatMap((bookings, at) =>
      bookings.map(({ cents }) => `:61:${short(file.first + at)}${cents < 0 ? 'D' : 'C'}${text(BigInt(cents), ',')}NTRFNONREF`),
    )
  return [
    ':20:S',
    `:25:${IBAN}`,
    ':28C:1',
    balance('60F', opening, file.first - 1),
    ...lines,
    balance('62F', closing, file.last),
    '-',
  ].join('\r\n')
}

const story: fc.Arbitrary<Story> = fc
  .array(
    fc.array(
      fc.integer({ min: -30_000, max: 30_000 }).filter((cents) => cents !== 0),
      { maxLength: 3 },
    ),
    {
      minLength: 2,
      maxLength: 8,
    },
  )
  .map((days) => {
    let id = 0
    return days.map((bookings) => bookings.map((cents) => ({ cents, id: id++ })))
  })
  .chain((days) =>
    fc.record({
      days: fc.constant(days),
      files: fc
        .array(
          fc
            .tuple(
              fc.nat(days.length - 1),
              fc.nat(days.length - 1),
              fc.constantFrom<Kind[]>('camt.053', 'camt.053', 'camt.052', 'mt940'),
            )
            .map(([a, b, kind]) => ({ first: Math.min(a, b), last: Math.max(a, b), kind })),
          { minLength: 1, maxLength: 6 },
        )
        // The whole story comes at some time, in some format: then nothing is missing at the end.
        .chain((files) =>
          fc.shuffledSubarray([...files, { first: 0, last: days.length - 1, kind: 'camt.053' as const }], {
            minLength: files.length + 1,
          }),
        ),
    }),
  )

const importAll = async (told: Story) => {
  const organizationId = newId<'organization'>()
  for (const file of told.files) {
    const content = file.kind === 'mt940' ? mt940(told, file) : camt(told, file)
    const parsed = parseStatementFile(new TextEncoder().encode(content))
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    const order = { organizationId, organizationSlug: `o-${organizationId}`, fileName: 'x', file: parsed, now: NOW }
    await db.database.transaction('system', (tx) => importStatementFile(tx, order))
  }
  return organizationId
}

test('statements, reports and MT940 of one history, overlapping and in any order, end in the same books', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const organizationId = await importAll(told)
      const expected = OPENING + sumOf(told.days.flat())
      const [account] = await db.database.read('system', (tx) => allBankAccounts(tx, organizationId, true))
      expect(account?.balanceMinor).toBe(expected)
      const { rows } = await db.admin.query<{ minor: string; balance: string }>(
        `select case side when 'credit' then amount_minor else -amount_minor end as minor, settled_balance_minor as balance
           from feed.transaction where organization_id = $1 order by settled_at, number`,
        [organizationId],
      )
      expect(rows.map((row) => row.minor).sort()).toEqual(
        told.days
          .flat()
          .map((b) => String(b.cents))
          .sort(),
      )
      let running = OPENING
      for (const row of rows) {
        running += BigInt(row.minor)
        expect(row.balance).toBe(String(running))
      }
      for (let day = 0; day < told.days.length; day++) {
        const wanted = { account: IBAN, organizationId, from: dateOf(day), to: dateOf(day), now: NOW }
        const statement = await db.database.read('system', (tx) => statementDocument(tx, wanted, missingMovements))
        const { opening, closing } = balancesOf(told, { first: day, last: day, kind: 'camt.053' })
        expect([statement?.opening.minor, statement?.closing.minor]).toEqual([opening, closing])
      }
    }),
    { numRuns: 60 },
  )
}, 120_000)

test('after all of it the ledger is proven', async () => {
  expect(await verifyLedger(db.database)).toMatchObject({ ok: true })
})
