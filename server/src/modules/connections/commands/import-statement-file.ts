import { entryIdentities, type ParsedStatement, type ParsedStatementFile } from '../../../formats/statements/index.ts'
import type { CommandContext } from '../../../platform/actor.ts'
import { Bug } from '../../../platform/assert.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import { currency, isCurrency } from '../../../platform/money.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { prepareMonth } from '../../ledger/index.ts'
import type { AccountFacts, LedgerAnswer } from '../domain/account-books.ts'
import type { ImportProblem } from '../domain/import-problems.ts'
import type { Statement } from '../domain/statement.ts'
import { planStatements, type StatementPlan } from '../domain/statement-plan.ts'
import { factsOf } from '../queries/account-facts.ts'
import * as store from '../store.ts'
import { keepContent } from './keep-content.ts'
import { type ExternalAccount, openExternalAccount } from './open-external-account.ts'
import { readStatement } from './read-statement.ts'
import { recordPlan } from './record-plan.ts'

export type ImportOrder = {
  readonly organizationId: Id<'organization'>
  readonly organizationSlug: string
  /** As the user named it. */
  readonly fileName: string
  readonly file: Extract<ParsedStatementFile, { ok: true }>
  /** The file as it came, to be kept; only a caller who made the statements himself has none. */
  readonly content?: Uint8Array
  readonly onProgress?: (entriesDone: number) => void
}

export type ImportOutcome = {
  readonly status: 'imported' | 'partly'
  readonly added: number
  readonly duplicates: number
  readonly problems: readonly ImportProblem[]
}

/**
 * Takes a statement file into the organization's books, in one transaction: per account a ledger account with the bank's own balance, an
 * entry for every booking, a feed row with the running balance, and the statement itself as it was given.
 *
 * An entry that is there already, from this file or another, is not added again; two equal bookings of one file are two. A statement
 * that comes in another format is known by its bookings, and in whatever order statements come, the books end the same. Nothing is
 * balanced by force: where a statement does not add up, or does not begin where the last one ended, the break is recorded and named.
 */
export async function importStatementFile(
  { actor, now, database }: CommandContext & { readonly database: Database },
  order: ImportOrder,
): Promise<ImportOutcome> {
  await database.transaction(actor, (tx) => prepareMonth(tx, now))
  return database.transaction(actor, (tx) => importInto({ actor, now }, tx, order))
}

/** The same inside a transaction; the caller has prepared the month. */
export async function importInto({ now }: CommandContext, tx: Tx, order: ImportOrder): Promise<ImportOutcome> {
  const { organizationId, file, fileName } = order
  const histories = await openHistories(tx, order, now)
  const plans = await bookAll(tx, order, histories, now)
  const problems = [...file.problems, ...plans.flatMap((plan) => plan.problems)]
  const fileId = newId<'imported_file'>()
  const content = order.content === undefined ? null : await keepContent(tx, organizationId, order.content)
  const kept = { size: content?.size ?? null, sha256: content?.sha256 ?? null }
  const told = { id: fileId, organizationId, name: fileName, format: file.format, problems, importedAt: now }
  await store.insertImportedFile(tx, { ...told, ...kept })
  const rows = histories.flatMap(({ account, places, statements }) =>
    places.map((place, index) => ({
      place,
      row: importedStatement(file.statements[place] as ParsedStatement, statements[index] as Statement, {
        id: newId<'imported_statement'>(),
        fileId,
        organizationId,
        bankAccountId: account.id,
        unbooked: plans[place]?.unbooked ?? [],
      }),
    })),
  )
  await store.insertImportedStatements(
    tx,
    rows.sort((a, b) => a.place - b.place).map(({ row }) => row),
  )
  return {
    status: plans.some((plan) => plan.unbooked.length > 0) ? 'partly' : 'imported',
    added: plans.reduce((sum, plan) => sum + plan.toBook.length, 0),
    duplicates: plans.reduce((sum, plan) => sum + plan.duplicates, 0),
    problems,
  }
}

/** What a file has of one account. */
type History = {
  readonly account: ExternalAccount
  readonly statements: readonly Statement[]
  /** Where each of them stands among the file's. */
  readonly places: readonly number[]
}

/** Finds or opens the file's accounts, one history for each, whichever of its names a statement has. */
async function openHistories(tx: Tx, order: ImportOrder, now: Date): Promise<History[]> {
  const { organizationId, organizationSlug, file } = order
  const identities = entryIdentities(file)
  const accounts = new Map<string, ExternalAccount>()
  const histories = new Map<string, { account: ExternalAccount; statements: Statement[]; places: number[] }>()
  for (const [place, parsed] of file.statements.entries()) {
    const code = isCurrency(parsed.currency) ? currency(parsed.currency) : currency('XXX')
    const { iban, bankCode, id } = parsed.account
    const name = JSON.stringify([iban ?? [bankCode, id], code])
    const account =
      accounts.get(name) ?? (await openExternalAccount(tx, { organizationId, organizationSlug, now }, parsed.account, code))
    accounts.set(name, account)
    const history = histories.get(account.id) ?? { account, statements: [], places: [] }
    histories.set(account.id, history)
    history.statements.push(readStatement(parsed, identities[place] ?? [], account))
    history.places.push(place)
  }
  return [...histories.values()]
}

/** Every attempt knows what the ledger answered to those before it; a file needs one, and rarely a second. */
const ATTEMPTS_MAX = 20

/**
 * Facts, plan, record: the plan is made from what the books know, and then recorded. The ledger has the last word: where it answers
 * otherwise than planned (the period is closed, the key of an entry is on another day), its answer is one more fact, and the plan is made again.
 *
 * @returns the plan of each of the file's statements.
 */
async function bookAll(tx: Tx, order: ImportOrder, histories: readonly History[], now: Date): Promise<StatementPlan[]> {
  const facts = new Map<History, AccountFacts>()
  for (const history of histories) facts.set(history, await factsOf(tx, history.account, history.statements))
  // Books are locked one after another, by everybody in the same order.
  const inOrder = histories.toSorted((a, b) => a.account.bookId - b.account.bookId)
  const ledgerAnswers = new Map<string, LedgerAnswer>()
  await store.setSavepoint(tx)
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const planned = inOrder.map((history) => ({
      ...history,
      plan: planStatements({ ...(facts.get(history) as AccountFacts), ledgerAnswers }, history.statements),
    }))
    const plans: StatementPlan[] = []
    for (const { plan, places } of planned) {
      for (const [index, place] of places.entries()) plans[place] = plan.statements[index] as StatementPlan
    }
    let done = plans.reduce((sum, plan) => sum + plan.duplicates, 0)
    order.onProgress?.(done)
    const onEntries = (entries: number) => {
      done += entries
      order.onProgress?.(done)
    }
    const known = ledgerAnswers.size
    for (const { plan, account } of planned) {
      const recording = { organizationId: order.organizationId, account, now, onEntries }
      for (const [key, answer] of await recordPlan(tx, plan, recording)) ledgerAnswers.set(key, answer)
    }
    if (ledgerAnswers.size === known) return plans
    await store.rollbackToSavepoint(tx)
  }
  throw new Bug('the ledger never agreed to what was planned for a statement file')
}

const importedStatement = (
  parsed: ParsedStatement,
  { span }: Statement,
  ids: Pick<store.ImportedStatement, 'id' | 'fileId' | 'organizationId' | 'bankAccountId' | 'unbooked'>,
): store.ImportedStatement => ({
  ...ids,
  identification: parsed.identification,
  sequenceNumber: parsed.sequenceNumber,
  fromDate: span.day,
  toDate: span.end,
  opening: parsed.opening,
  closing: parsed.closing,
  credit: parsed.totals.credit,
  debit: parsed.totals.debit,
  entries: parsed.totals.entries,
  details: parsed.totals.details,
  reconciles: parsed.reconciles,
  breakAmount: parsed.break,
})
