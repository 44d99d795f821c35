import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryIdentities, parseStatementFile } from '../../../formats/statements/index.ts'
import { derivedId } from '../../../platform/ids.ts'
import { EUR } from '../../../platform/money.ts'
import { AMOUNT_MAX, TOTAL_MAX } from '../../ledger/index.ts'
import type { AccountFacts, BookedEntry, CarriedBalance, LedgerAnswer } from '../domain/account-books.ts'
import type { Statement } from '../domain/statement.ts'
import { type AccountPlan, planStatements } from '../domain/statement-plan.ts'
import { dayBefore } from '../domain/statement-span.ts'
import { balanceBefore, dateOf, fileText, STORY_OPENING, type Story, type StoryFile, story, sumOf } from '../test-story.ts'
import { readStatement } from './read-statement.ts'

const ACCOUNT = { ledgerAccountId: derivedId('ledger_account', 'story'), currency: EUR }

function read(told: Story, file: StoryFile): Statement[] {
  const parsed = parseStatementFile(new TextEncoder().encode(fileText(told, file)))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const identities = entryIdentities(parsed)
  return parsed.statements.map((statement, index) => readStatement(statement, identities[index] ?? [], ACCOUNT))
}

/** The books as plain lists: what recording a plan does to a database. */
class ListedBooks {
  readonly entries: BookedEntry[] = []
  readonly movements: { day: string; minor: bigint }[] = []
  readonly carried = new Map<string, CarriedBalance>()
  readonly periods: { from: string; to: string }[] = []
  readonly names = new Set<string>()
  reached: AccountFacts['reached']

  facts(): AccountFacts {
    return {
      ledgerAccountId: ACCOUNT.ledgerAccountId,
      balanceMinor: this.movements.reduce((sum, { minor }) => sum + minor, 0n),
      latestDay: this.entries
        .map((entry) => entry.day)
        .sort()
        .at(-1),
      entries: [...this.entries],
      movements: [...this.movements],
      carried: [...this.carried.values()].sort((a, b) => (a.day < b.day ? -1 : 1)),
      reached: this.reached,
      completePeriods: [...this.periods],
      statements: new Set(this.names),
      limits: { closedUntil: undefined, amountMax: AMOUNT_MAX, creditRoom: TOTAL_MAX, debitRoom: TOTAL_MAX },
      ledgerAnswers: new Map(),
    }
  }

  record(statements: readonly Statement[], plan: AccountPlan): void {
    for (const { opening, toBook, corrections } of plan.statements) {
      for (const { day, postedMinor } of [...(opening ? [opening] : []), ...corrections]) {
        if (postedMinor !== 0n) this.movements.push({ day: dayBefore(day), minor: postedMinor })
      }
      for (const { key, day, signedMinor } of toBook) {
        this.entries.push({ key, day, signedMinor })
        this.movements.push({ day, minor: signedMinor })
      }
    }
    for (const balance of plan.carried) this.carried.set(balance.day, balance)
    this.reached = plan.reached
    for (const { name, reconciles, span } of statements) {
      this.names.add(name)
      if (reconciles && span.day !== null && span.end !== null) this.periods.push({ from: span.day, to: span.end })
    }
  }

  before(day: number): bigint {
    return this.movements.reduce((sum, { day: at, minor }) => (at < dateOf(day) ? sum + minor : sum), 0n)
  }
}

const wasTold = (files: readonly StoryFile[], day: number): boolean =>
  files.some(({ first, last }) => first <= day && day <= last)

/** The bookings of the days that have been told, as the books should have them. */
const toldBookings = ({ days }: Story, files: readonly StoryFile[]): string[] =>
  days.flatMap((bookings, day) => (wasTold(files, day) ? bookings.map(({ cents }) => `${dateOf(day)} ${cents}`) : [])).sort()

function importFile(books: ListedBooks, told: Story, file: StoryFile): AccountPlan {
  const statements = read(told, file)
  const plan = planStatements(books.facts(), statements)
  books.record(statements, plan)
  return plan
}

/** The days for which a plan names a gap, in order. */
const gapsNamed = (plan: AccountPlan): string[] =>
  plan.statements
    .flatMap(({ problems }) => problems.flatMap(({ message }) => / carried forward on (.*)$/.exec(message)?.[1] ?? []))
    .sort()

const KINDS = ['camt.053', 'camt.053', 'camt.052', 'mt940'] as const
const RUNS = { numRuns: 250 }

test('after every file the books have each booking of the days told so far exactly once', () => {
  fc.assert(
    fc.property(story(KINDS), (told) => {
      const books = new ListedBooks()
      for (const [index, file] of told.files.entries()) {
        importFile(books, told, file)
        const bookings = books.entries.map(({ day, signedMinor }) => `${day} ${signedMinor}`).sort()
        expect(bookings).toEqual(toldBookings(told, told.files.slice(0, index + 1)))
        expect(new Set(books.entries.map((entry) => entry.key)).size).toBe(books.entries.length)
      }
      for (let day = 0; day <= told.days.length; day++) expect(books.before(day)).toBe(balanceBefore(told, day))
      expect([...books.carried.values()].filter((balance) => balance.carriedMinor !== 0n)).toEqual([
        { day: expect.any(String), balanceMinor: STORY_OPENING, carriedMinor: STORY_OPENING },
      ])
    }),
    RUNS,
  )
})

test('statements that add up: the books have the balances as stated, and gaps are exactly the bookings that are missing', () => {
  fc.assert(
    fc.property(story(['camt.053', 'mt940'], 1), (told) => {
      const books = new ListedBooks()
      for (const [index, file] of told.files.entries()) {
        const plan = importFile(books, told, file)
        const files = told.files.slice(0, index + 1)
        for (const { first, last } of files) {
          expect(books.before(first)).toBe(balanceBefore(told, first))
          expect(books.before(last + 1)).toBe(balanceBefore(told, last + 1))
        }
        const earliest = Math.min(...files.map(({ first }) => first))
        for (let day = earliest + 1; day < told.days.length; day++) {
          if (!wasTold(files, day)) continue
          let from = day
          while (!wasTold(files, from - 1)) from--
          expect(books.carried.get(dateOf(day))?.carriedMinor ?? 0n).toBe(sumOf(told.days.slice(from, day).flat()))
        }
        if (file.isDaily) continue // a later statement of the file may close the gap of an earlier one
        const open = plan.carried.filter(({ day, carriedMinor }) => carriedMinor !== 0n && day !== dateOf(earliest))
        expect(gapsNamed(plan)).toEqual(open.map(({ day }) => day))
      }
    }),
    RUNS,
  )
})

test('what the ledger says is final: an entry is booked, a duplicate or left out and named, and never two of these', () => {
  const answer = fc.constantFrom<(LedgerAnswer | undefined)[]>(
    'booked',
    'period_closed',
    'amount_too_large',
    undefined,
    undefined,
  )
  fc.assert(
    fc.property(story(KINDS), fc.array(answer, { minLength: 24, maxLength: 24 }), (told, answers) => {
      const books = new ListedBooks()
      for (const file of told.files) {
        const statements = read(told, file)
        const entries = statements.flatMap((statement) => statement.entries)
        const keys = [...new Set(entries.map((entry) => entry.key))].sort()
        const said = new Map(keys.flatMap((key, index) => (answers[index] ? [[key, answers[index]] as const] : [])))
        const plan = planStatements({ ...books.facts(), ledgerAnswers: said }, statements)
        for (const [index, { toBook, duplicates, unbooked, problems }] of plan.statements.entries()) {
          expect(toBook.length + duplicates + unbooked.length).toBe(statements[index]?.entries.length)
          expect(toBook.filter((entry) => said.has(entry.key))).toEqual([])
          expect(problems.filter(({ message }) => message.endsWith(' is not booked'))).toHaveLength(unbooked.length)
        }
        books.record(statements, plan)
      }
    }),
    RUNS,
  )
})

test('a file told again changes nothing, and the same facts give the same plan', () => {
  fc.assert(
    fc.property(story(KINDS), (told) => {
      const books = new ListedBooks()
      for (const [index, file] of told.files.entries()) {
        const facts = books.facts()
        const plan = importFile(books, told, file)
        expect(planStatements(facts, read(told, file))).toEqual(plan)
        for (const again of told.files.slice(0, index + 1)) {
          const statements = read(told, again)
          const repeated = planStatements(books.facts(), statements)
          expect(repeated).toMatchObject({ carried: [], restate: undefined, reached: books.reached })
          for (const [place, { toBook, opening, corrections, duplicates, problems }] of repeated.statements.entries()) {
            const entries = statements[place]?.entries.length
            expect({ toBook, opening, corrections, duplicates, problems }).toEqual({
              toBook: [],
              opening: undefined,
              corrections: [],
              duplicates: entries,
              problems: [],
            })
          }
        }
      }
    }),
    RUNS,
  )
})
