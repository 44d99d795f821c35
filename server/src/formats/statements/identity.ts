import { createHash } from 'node:crypto'
import { canonicalDecimal } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import type { ParsedEntry, ParsedStatement, ParsedStatementFile } from './types.ts'

/**
 * The key of an entry in the history of its account: the same booking gets the same key from every file that holds it, two bookings get
 * two. Import adds an entry when its key is new.
 *
 * A bank reference alone is not enough of a key: banks repeat it for the parts of one file, for every row of a day, or start again each
 * year. So the key always holds account, currency, status, booking date and amount; with a reference of the bank nothing else, because
 * texts and value dates differ between the intraday report and the statement; without one, everything the bank wrote. What is still
 * equal is told apart by counting. What is read of a file today and was not when keys were first made is left out: a booking that stands in
 * somebody's books keeps its key.
 *
 * @param ordinalAmongEquals how many entries with the same key, ordinal aside, stand before this one in the file. `entryIdentities` counts.
 * @returns at most 100 characters, printable ASCII.
 */
export function entryIdentity(statement: ParsedStatement, entry: ParsedEntry, ordinalAmongEquals: number): string {
  return `${keyOf(statement, entry)}:${ordinalAmongEquals}`
}

/** The keys of all entries of a file: one array per statement, in the order of its entries. */
export function entryIdentities(file: Extract<ParsedStatementFile, { ok: true }>): string[][] {
  const counts = new Map<string, number>()
  const repeated = repeatsIn(file.statements)
  const keysOf = new Map<ParsedStatement, string[]>()
  for (const statement of file.statements) {
    // A statement that stands in the file twice is one statement: its entries get the same keys again.
    const original = repeated.get(statement)
    const known = original && keysOf.get(original)
    keysOf.set(
      statement,
      known ??
        statement.entries.map((entry) => {
          const key = keyOf(statement, entry)
          const ordinal = counts.get(key) ?? 0
          counts.set(key, ordinal + 1)
          return entryIdentity(statement, entry, ordinal)
        }),
    )
  }
  return file.statements.map((statement) => keysOf.get(statement) ?? [])
}

function keyOf(statement: ParsedStatement, entry: ParsedEntry): string {
  const told = entry.key ?? entry
  const { creditorId: _, ...references } = told.references
  const bankReference = realReference(references.accountServicerReference, statement)
  const base = [
    statement.account.bankCode !== null && statement.account.iban === null
      ? `${statement.account.bankCode} ${statement.account.id}`
      : statement.account.id,
    entry.currency,
    // A pending entry is no booking: when it is booked later, that booking is new.
    entry.status,
    // An assumed date may differ in the next file.
    entry.bookingDateAssumed ? '' : entry.bookingDate,
    canonicalDecimal(entry.amount),
  ]
  if (bankReference !== null) return hash('ref', [...base, bankReference])
  const { name, iban, account } = told.counterparty
  const details = entry.details.map(({ amount, references: { creditorId: __, ...ofDetail }, remittance }) => [
    amount,
    ofDetail,
    remittance,
  ])
  return hash('all', [
    ...base,
    told.valueDate,
    references,
    name,
    iban,
    account,
    words(told.remittance),
    words(told.additionalInformation),
    told.bankTransactionCode,
    details,
  ])
}

const hash = (kind: 'ref' | 'all', parts: unknown): string =>
  `${kind}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40)}`

/** Line breaks and spacing change between formats and exports; words do not. */
const words = (text: string): string => text.replace(/\s+/g, '')

const PLACEHOLDER = /^(?:0+|nonref|none|notprovided|not provided|na|n\/a|unknown|xxx+|-+|\++)$/i

/** The bank's reference unless it stands for "none" or merely repeats the account number. */
function realReference(text: string | null, statement: ParsedStatement): string | null {
  const reference = text?.trim() ?? ''
  return reference === '' || PLACEHOLDER.test(reference) || reference === statement.account.id ? null : reference
}

/** Which statements are the same as an earlier one of the file, word for word. */
function repeatsIn(statements: readonly ParsedStatement[]): Map<ParsedStatement, ParsedStatement> {
  const first = new Map<string, ParsedStatement>()
  const repeats = new Map<ParsedStatement, ParsedStatement>()
  if (statements.length < 2) return repeats // a large file is one statement; writing it out to compare it costs seconds
  for (const statement of statements) {
    if (statement.entries.length === 0 || (statement.identification === null && statement.closing === null)) continue
    const content = JSON.stringify(statement, (key, value: unknown) => (key === 'line' ? undefined : value))
    const digest = createHash('sha256').update(content).digest('hex')
    const earlier = first.get(digest)
    if (earlier) repeats.set(statement, earlier)
    else first.set(digest, statement)
  }
  return repeats
}

/** Names the statements that stand in the file twice. */
export function markRepeats(statements: readonly ParsedStatement[], problems: ProblemList): void {
  for (const [statement, original] of repeatsIn(statements)) {
    problems.add('statement_repeated', statement.line, `the statement of line ${original.line} once more; its entries count once`)
  }
}
