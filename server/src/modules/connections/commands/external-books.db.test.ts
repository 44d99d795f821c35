import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { makeCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { parseStatementFile } from '../../../formats/statements/index.ts'
import { operatorActor } from '../../../platform/actor.ts'
import { fixedClock } from '../../../platform/clock.ts'
import { derivedId, type Id, newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { verifyBank } from '../../../verify.ts'
import { attachLedgerAccount, connectAccount, DEFAULT_BOOK } from '../../accounts/index.ts'
import { closePeriod, openAccounts, openBook, post } from '../../ledger/index.ts'
import { type ImportOrder, importInto, importStatementFile } from './import-statement-file.ts'
import { openExternalBook } from './open-external-account.ts'
import { readReplayFile } from './replay-file.ts'
import { replayHistory } from './replay-history.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

type OrganizationId = Id<'organization'>
const NOW = new Date('2026-03-10T09:00:00Z')
const OLD_IBAN = 'DE89370400440532013000'
const NEW_IBAN = 'FR7630006000011234567890189'

const actorOf = (organizationId: OrganizationId) => operatorActor('tester', 'partita import', [organizationId])
const contextOf = (organizationId: OrganizationId, now = NOW, database: Database = db.database) => ({
  actor: actorOf(organizationId),
  now,
  database,
})

/** One day of an account: 1.00 comes in. `opening` in whole euros. */
const day = (iban: string, date: string, opening: number) =>
  `:20:${date}\r\n:25:${iban}\r\n:28C:1\r\n:60F:C${date}EUR${opening},00\r\n:61:${date}C1,00NTRFNONREF\r\n:62F:C${date}EUR${opening + 1},00\r\n-\r\n`

function orderOf(organizationId: OrganizationId, text: string): ImportOrder {
  const file = parseStatementFile(new TextEncoder().encode(text))
  if (!file.ok) throw new Error(JSON.stringify(file.problems))
  return { organizationId, organizationSlug: `o-${organizationId}`, fileName: 'x', file }
}

const importText = (organizationId: OrganizationId, text: string, now = NOW) =>
  importStatementFile(contextOf(organizationId, now), orderOf(organizationId, text))

/** The code of each account's book, by IBAN. */
async function booksOf(organizationId: OrganizationId): Promise<Record<string, string>> {
  const { rows } = await db.admin.query<{ iban: string; code: string }>(
    `select a.iban, b.code from accounts.bank_account a join ledger.book b on b.id = a.book_id
      where a.organization_id = $1 and a.is_external`,
    [organizationId],
  )
  return Object.fromEntries(rows.map(({ iban, code }) => [iban, code]))
}

/** Connects an account as earlier releases did: in one book for everybody. */
const connectInSharedBook = (organizationId: OrganizationId) =>
  db.database.transaction(actorOf(organizationId), async (tx) => {
    const bookId = await openBook(tx, { code: 'external', now: NOW })
    const names = { iban: OLD_IBAN, bic: null, accountNumber: null, name: 'old', holderName: '' }
    const slug = { organizationId, organizationSlug: `o-${organizationId}` }
    const account = await connectAccount(tx, { ...slug, ...names, currency: EUR, now: NOW })
    const ledgerAccountId = newId<'ledger_account'>()
    const common = { currency: EUR, normalSide: 'credit', floor: null } as const
    const contra = { ...common, id: newId<'ledger_account'>(), code: `EXTC:${organizationId}:EUR` }
    await openAccounts(tx, bookId, [{ ...common, id: ledgerAccountId, code: `EXT:${ledgerAccountId}` }, contra], NOW)
    await attachLedgerAccount(tx, { id: account.id, bookId, ledgerAccountId })
  })

/** A database that does something else when an import has done all its work and not yet committed. */
const pausingIn = (whileOpen: () => Promise<unknown>): Database =>
  ({
    transaction: (actor: ReturnType<typeof actorOf>, work: (tx: Tx) => Promise<unknown>) =>
      db.database.transaction(actor, async (tx) => {
        const value = await work(tx)
        if (value !== undefined) await whileOpen()
        return value
      }),
  }) as unknown as Database

describe('a book for each organization', () => {
  test('one organization’s file is taken while another’s is not done, also where it is the first posting of a month', async () => {
    const [slow, quick] = [newId<'organization'>(), newId<'organization'>()]
    for (const now of [new Date('2026-04-01T09:00:00Z'), new Date('2026-05-01T09:00:00Z')]) {
      const date = now.toISOString().slice(2, 10).replaceAll('-', '')
      const database = pausingIn(async () =>
        expect(await importText(quick, day(OLD_IBAN, date, 7), now)).toMatchObject({ added: 1 }),
      )
      expect(await importStatementFile(contextOf(slow, now, database), orderOf(slow, day(OLD_IBAN, date, 5)))).toMatchObject({
        added: 1,
      })
    }
    expect([await booksOf(slow), await booksOf(quick)]).toEqual([
      { [OLD_IBAN]: `external:${slow}` },
      { [OLD_IBAN]: `external:${quick}` },
    ])
  })

  test('accounts that earlier releases connected stay in the book that they share, and take turns there', async () => {
    const [slow, quick] = [newId<'organization'>(), newId<'organization'>()]
    for (const organizationId of [slow, quick]) await connectInSharedBook(organizationId)
    let waiting: ReturnType<typeof importText> | undefined
    const database = pausingIn(async () => {
      waiting = importText(quick, day(OLD_IBAN, '260305', 7))
      const waiters = `select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`
      while ((await db.admin.query(waiters)).rowCount === 0);
    })
    await importStatementFile(contextOf(slow, NOW, database), orderOf(slow, day(OLD_IBAN, '260305', 5)))
    expect(await waiting).toMatchObject({ added: 1 })
    expect(await booksOf(quick)).toEqual({ [OLD_IBAN]: 'external' })
  })

  test('one file may tell of both kinds', async () => {
    const organizationId = newId<'organization'>()
    await connectInSharedBook(organizationId)
    await importText(organizationId, day(OLD_IBAN, '260303', 5))
    const both = day(NEW_IBAN, '260304', 50) + day(OLD_IBAN, '260304', 6) + day(NEW_IBAN, '260305', 51)
    expect(await importText(organizationId, both)).toMatchObject({ added: 3, duplicates: 0, problems: [] })
    expect(await importText(organizationId, both)).toMatchObject({ added: 0, duplicates: 3 })
    expect(await booksOf(organizationId)).toEqual({ [OLD_IBAN]: 'external', [NEW_IBAN]: `external:${organizationId}` })
  })

  test('a history that an earlier release replayed goes on in its book, a new one is in the organization’s', async () => {
    const company = await makeCompany(db.database, NOW)
    await db.database.transaction(testActor, async (tx) => {
      const bookId = await openBook(tx, { code: DEFAULT_BOOK, now: NOW })
      const account = (code: string, normalSide: 'debit' | 'credit') =>
        ({ id: derivedId('ledger_account', bookId, code), code, currency: EUR, normalSide, floor: null }) as const
      const own = account(`REPLAY:${company.slug}:old:EUR`, 'credit')
      const contra = account(`REPLAYC:${company.slug}:EUR`, 'debit')
      await openAccounts(tx, bookId, [own, contra], NOW)
      const effectiveAt = new Date('2026-01-01T12:00:00Z')
      const movement = {
        kind: 'transfer',
        debit: contra.id,
        credit: own.id,
        amount: money(EUR, 5_00n),
        code: 'replay',
        effectiveAt,
      } as const
      await post(tx, bookId, [{ ...movement, key: newId<'ledger_operation'>() }], NOW)
    })
    const lines = ['old,2026-01-01,5.00,5.00,x', 'new,2026-01-01,1.00,1.00,x', 'old,2026-01-02,2.00,7.00,x']
    const rows = readReplayFile(Buffer.from(['account,date,amount,balance_after,text', ...lines].join('\n')), EUR)
    if (!rows.ok) throw new Error(rows.refusal)
    const history = { rows: rows.value, currency: EUR, toleranceMinor: 0n, organization: company, clock: fixedClock(NOW) }
    const replay = () => replayHistory({ actor: actorOf(company.id), database: db.database }, history)
    expect(await replay()).toMatchObject({ value: { accounts: 2, posted: 2, alreadyPosted: 1, mismatches: [] } })
    expect(await replay()).toMatchObject({ value: { accounts: 2, posted: 0, alreadyPosted: 3, mismatches: [] } })
    const { rows: found } = await db.admin.query<{ name: string; book: string }>(
      `select split_part(a.code, ':', 3) as name, b.code as book from ledger.account a join ledger.book b on b.id = a.book
        where a.code like 'REPLAY:' || $1 || ':%' order by name`,
      [company.slug],
    )
    expect(found).toEqual([
      { name: 'new', book: `external:${company.id}` },
      { name: 'old', book: DEFAULT_BOOK },
    ])
  })

  test('the bank’s proofs go over every book', async () => {
    const organizationId = newId<'organization'>()
    await importText(organizationId, day(NEW_IBAN, '260304', 50))
    expect(await verifyBank(db.database)).toMatchObject({ ok: true })
    const book = `(select id from ledger.book where code = 'external:${organizationId}')`
    const plant = (by: number) =>
      db.admin.query(`begin; set local session_replication_role = replica;
        update ledger.account set credits = credits + ${by}, balance = balance + ${by} where book = ${book} and code like 'EXT:%'; commit`)
    await plant(1)
    expect((await verifyBank(db.database)).ok).toBe(false)
    await plant(-1)
    expect((await verifyBank(db.database)).ok).toBe(true)
  })
})

describe('what the ledger answers', () => {
  const statement = (kind: 'Stmt' | 'Rpt', period: string, balances: string, date: string) =>
    `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.05${kind === 'Rpt' ? 2 : 3}.001.02"><BkToCstmr${kind === 'Rpt' ? 'AcctRpt' : 'Stmt'}><${kind}><Id>S</Id>${period}
     <Acct><Id><IBAN>${OLD_IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>${balances}<Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
     <BookgDt><Dt>${date}</Dt></BookgDt><AcctSvcrRef>R1</AcctSvcrRef></Ntry></${kind}></BkToCstmr${kind === 'Rpt' ? 'AcctRpt' : 'Stmt'}></Document>`
  const balance = (type: string, amount: string, date: string) =>
    `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>${date}</Dt></Dt></Bal>`

  test('an entry that another statement counts on another day is booked once', async () => {
    const organizationId = newId<'organization'>()
    const period = '<FrToDt><FrDtTm>2026-01-01T00:00:00</FrDtTm><ToDtTm>2026-01-31T23:59:59</ToDtTm></FrToDt>'
    const balances = balance('OPBD', '100.00', '2026-01-01') + balance('CLBD', '105.00', '2026-01-31')
    const backdated = statement('Stmt', period, balances, '2025-12-31')
    expect(await importText(organizationId, backdated)).toMatchObject({ added: 1, duplicates: 0 })
    expect(await importText(organizationId, statement('Rpt', '', '', '2025-12-31'))).toMatchObject({ added: 0, duplicates: 1 })
    expect(await importText(organizationId, day(OLD_IBAN, '260201', 105))).toMatchObject({ added: 1, problems: [] })
  })

  test('entries of a closed period are named and left out, the others are booked', async () => {
    const organizationId = newId<'organization'>()
    await db.database.transaction(actorOf(organizationId), async (tx) => {
      await closePeriod(tx, { bookId: await openExternalBook(tx, organizationId, NOW), through: '2026-01-31', now: NOW })
    })
    const days = ['260129', '260130', '260131', '260201', '260202'].map((date, index) => day(OLD_IBAN, date, 10 + index))
    const outcome = await importText(organizationId, days.join(''))
    expect(outcome).toMatchObject({ status: 'partly', added: 2, duplicates: 0 })
    expect(
      outcome.problems.filter(({ code, message }) => code === 'period_closed' && message.endsWith('not booked')),
    ).toHaveLength(3)
    const { rows } = await db.admin.query(
      'select balance from ledger.account where book = (select id from ledger.book where code = $1)',
      [`external:${organizationId}`],
    )
    // What the closed days lack is carried forward where the books are open again: the balance is the bank's.
    expect(rows.map((row) => row.balance).sort()).toEqual(['-1500', '1500'])
  })
})

test('a file of many statements asks the database no more often than a file of few', async () => {
  const asked = async (days: number) => {
    const organizationId = newId<'organization'>()
    const dates = Array.from({ length: days }, (_, at) =>
      new Date(Date.UTC(2026, 0, 5 + at)).toISOString().slice(2, 10).replaceAll('-', ''),
    )
    const order = orderOf(organizationId, dates.map((date, at) => day(OLD_IBAN, date, 10 + at)).join(''))
    const counts: number[] = []
    for (const _ of ['first', 'again', 'and again']) {
      await db.database.transaction(actorOf(organizationId), async (tx) => {
        let count = 0
        const counting = new Proxy(tx, {
          get: (target, name: keyof Tx) => {
            const method = target[name] as (...args: unknown[]) => unknown
            return (...args: unknown[]) => {
              count++
              return method.apply(target, args)
            }
          },
        })
        await importInto(contextOf(organizationId), counting, order)
        counts.push(count)
      })
    }
    return counts
  }
  const few = await asked(2)
  expect(await asked(60)).toEqual(few)
  expect(Math.max(...few)).toBeLessThan(40)
})
