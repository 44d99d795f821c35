import { createHash } from 'node:crypto'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { partita } from '../../../server/src/bank.ts'
import { readIban } from '../../../server/src/formats/payments/iban.ts'
import { answerInitiation, answerUnreadable, type TransferOutcome } from '../../../server/src/formats/payments/pain-answer.ts'
import { readPaymentInitiation, type UnreadableInitiation } from '../../../server/src/formats/payments/pain001.ts'
import type { AcceptedTransfer } from '../../../server/src/formats/payments/pain001-rules.ts'
import { type CustomerStatus, groupStatusOf } from '../../../server/src/formats/payments/pain002.ts'
import { bankSettings, findAccountsByIban } from '../../../server/src/modules/accounts/index.ts'
import { MoneyLane } from '../../../server/src/modules/ledger/index.ts'
import {
  type AcceptedPaymentFile,
  acceptPaymentFile,
  creditTransferStatuses,
  isTargetDay,
  recordPaymentFileAnswer,
} from '../../../server/src/modules/payments/index.ts'
import { type Actor, operatorActor } from '../../../server/src/platform/actor.ts'
import { BankClock, localDateOf } from '../../../server/src/platform/clock.ts'
import { newId } from '../../../server/src/platform/ids.ts'
import { silentLogger } from '../../../server/src/platform/logging.ts'
import { tryLock } from '../../../server/src/platform/processes.ts'
import { Wakeups } from '../../../server/src/platform/wake.ts'
import { type AnswerFile, openAnswerFile } from '../support/answer-file.ts'
import { readBankFile } from '../support/bank-file.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { dataFolder } from '../support/data-folder.ts'
import { type PaymentRails, startPaymentRails } from '../support/payment-rails.ts'
import { Refusal, WrongUse } from '../support/refusal.ts'
import { runningUrl } from '../support/running-bank.ts'
import { serverEnvironment } from '../support/server-environment.ts'
import { type OpenDatabase, withDatabase } from '../support/with-database.ts'

type Options = CommonOptions & {
  readonly account?: string
  readonly replaceAccount?: boolean
  readonly out?: string
  readonly timeout: string
}
type Statuses = Awaited<ReturnType<typeof creditTransferStatuses>>

const POLL_MS = 100

export function define(command: Command): void {
  command
    .argument('<file>', 'pain.001.001.03 or .09')
    .option('--account <iban>', 'the account to debit (default: the one that the file names)')
    .option('--replace-account', 'debit --account although the file, made for a bank elsewhere, names another account')
    .option('--out <file>', 'where to write the answer (default: beside the file, as NAME.pain.002.xml)')
    .option('--timeout <seconds>', 'how long to wait for news from the rails', '30')
  const examples = [
    'partita pay salaries.xml',
    'partita pay salaries.xml --account FR76…',
    'partita pay made-for-another-bank.xml --account FR76… --replace-account',
  ]
  defineAction<Options>(command, examples, ([file = ''], options, output) => pay(file, options, output))
}

async function pay(file: string, options: Options, output: Output): Promise<ExitCode> {
  if (options.replaceAccount && options.account === undefined)
    throw new WrongUse('--replace-account needs --account: say which account is to be debited instead')
  if (!/^\d{1,5}$/.test(options.timeout)) throw new WrongUse(`--timeout "${options.timeout}" is no whole number of seconds`)
  const bytes = readPaymentFile(file)
  const answer = openAnswerFile(options.out ?? `${file.replace(/\.xml$/i, '')}.pain.002.xml`, file)
  // Whoever holds it is the only one at work on this file, so that one without an answer must have been interrupted.
  const lock = await tryLock({
    folder: join(dataFolder(options.data), 'locks'),
    name: `payment file ${createHash('sha256').update(bytes).digest('hex')}`,
  })
  const onProgress = (message: string) => output.note(`  ${message}`)
  try {
    return await withDatabase({ data: options.data, applicationName: 'partita pay', onProgress }, (opened) =>
      execute({ file, bytes, mayResume: lock !== undefined }, answer, opened, options, output),
    )
  } finally {
    await lock?.release()
  }
}

type Request = { readonly file: string; readonly bytes: Uint8Array; readonly mayResume: boolean }

async function execute(
  { file, bytes, mayResume }: Request,
  answer: AnswerFile,
  opened: OpenDatabase,
  options: Options,
  output: Output,
): Promise<ExitCode> {
  const { database } = opened
  const bank = bankOf(opened.url)
  const clock = new BankClock(database)
  await clock.refresh()
  const named = debtorIbansIn(bytes)
  const debtor = await debtorOf(database, options.account, named)
  const header = () => ({
    messageId: newId().replaceAll('-', ''),
    createdAt: `${clock.now().toISOString().slice(0, 19)}Z`,
    debtorAgent: bank.bic,
  })
  const actor = operatorActor(userInfo().username, 'partita pay', [debtor.organizationId])
  const moneyLane = new MoneyLane(database)
  // Before anything is accepted: a bank that runs is to start on it at once.
  const wakeups = new Wakeups({ database, url: opened.url, logger: silentLogger, isListening: false })
  const mayReplaceDebtor = options.replaceAccount === true
  const accepting = acceptPaymentFile(
    { actor, now: clock.now(), database, moneyLane },
    { bytes, debtor, mayResume, mayReplaceDebtor },
  )
  const filed = await accepting.finally(() => wakeups.stop())
  if (!filed.ok) {
    answer.write(answerUnreadable(filed.refusal, header()))
    return reportUnreadable(file, answer.path, filed.refusal, output)
  }
  const wait = { actor, filed: filed.value, timeoutSeconds: Number(options.timeout), output }
  const statuses = await settle(opened, clock, bank, wait)
  const outcomeOf = outcomes(filed.value, statuses)
  answer.write(answerInitiation(filed.value.decision, header(), outcomeOf))
  const { id } = filed.value
  if (id) await database.transaction(actor, (tx) => recordPaymentFileAnswer({ actor, now: clock.now() }, tx, id))
  const other = named.find((iban) => iban !== debtor.iban)
  const account = { iban: debtor.iban, other, isReplaced: mayReplaceDebtor && other !== undefined && id !== undefined }
  return report(file, answer.path, filed.value, { outcomeOf, account }, output)
}

/** The accounts that a file names as debtor; none in one that cannot be read, which is refused with its reason later. */
function debtorIbansIn(bytes: Uint8Array): readonly string[] {
  const read = readPaymentInitiation(bytes)
  if (!read.ok) return []
  return read.value.paymentInformations.flatMap(({ debtorIban }) => {
    const iban = readIban(debtorIban ?? '')
    return iban.ok ? [iban.value] : []
  })
}

/** The account that is asked for, else the one that the file names. */
async function debtorOf(database: OpenDatabase['database'], account: string | undefined, named: readonly string[]) {
  const wanted = account === undefined ? named : [account.replaceAll(/\s/g, '').toUpperCase()]
  const found = await database.read(operatorActor(userInfo().username, 'partita pay'), (tx) => findAccountsByIban(tx, wanted))
  const debtor = wanted.flatMap((iban) => found.get(iban) ?? [])[0]
  if (debtor) return debtor
  if (account === undefined)
    throw new Refusal('the file names no account of this bank: say with --account which one is to be debited')
  throw new Refusal(`there is no account ${account} here: "partita demo" shows the demo company's accounts`)
}

/** Why a whole file is refused. */
const reasonText = ({ code, line, message }: { code: string; line: number; message: string }): string =>
  `${code}: line ${line}: ${message}`

function reportUnreadable(file: string, answer: string, refusal: UnreadableInitiation, output: Output): ExitCode {
  const reason = reasonText(refusal)
  const counts = { transactions: 0, accepted: 0, rejected: 0, pending: 0 }
  output.result(
    { file, status: 'RJCT', message_id: refusal.messageId ?? null, ...counts, answer, transfers: [], reason },
    `refused: ${reason}\nanswer: ${answer}`,
  )
  return 1
}

/** Some hundred thousand payments. What may be in one that is accepted, its reader says. */
const BYTES_MAX = 256 * 1024 * 1024

function readPaymentFile(file: string): Uint8Array {
  let read: ReturnType<typeof readBankFile>
  try {
    read = readBankFile(file, BYTES_MAX)
  } catch (error) {
    throw new Refusal(`cannot read ${file}: ${(error as Error).message}`)
  }
  if (read instanceof Uint8Array) return read
  throw new Refusal(`${file} is no payment file: ${read.message}`)
}

function bankOf(url: string) {
  const loaded = partita.configure({ ...serverEnvironment(), DATABASE_URL: url })
  if (!loaded.ok) throw new Refusal(`the configuration cannot be used: ${loaded.problems.join('; ')}`)
  return loaded.config.of(bankSettings)
}

/** Waits until the rails have said their last word on every transfer that is due, or have said nothing new for too long. */
async function settle(
  { database, dataDirectory }: OpenDatabase,
  clock: BankClock,
  bank: ReturnType<typeof bankOf>,
  { actor, filed, timeoutSeconds, output }: { actor: Actor; filed: AcceptedPaymentFile; timeoutSeconds: number; output: Output },
): Promise<Statuses> {
  const ids = [...filed.transfers.values()].flatMap(({ id }) => (id ? [id] : []))
  if (ids.length === 0) return new Map()
  const bar = output.bar(ids.length, 'transfers')
  let rails: PaymentRails | undefined
  let news = ''
  let deadline = 0
  try {
    if (runningUrl(dataDirectory) === undefined) rails = await startPaymentRails(database, clock, bank, dataDirectory)
    for (;;) {
      const done = (await rails?.round()) ?? 0
      const statuses = await database.read(actor, (tx) => creditTransferStatuses(tx, ids))
      const heard = [...statuses.values()].map(({ status }) => status).join()
      if (heard !== news || done > 0) deadline = performance.now() + timeoutSeconds * 1_000
      news = heard
      const open = [...statuses.values()].filter((transfer) => isAwaited(transfer, clock)).length
      bar.update(ids.length - open)
      if (open === 0) return statuses
      if (performance.now() >= deadline) {
        output.note(`  ${open} transfers are still under way: they go on while the bank runs ("partita start")`)
        return statuses
      }
      if (done === 0) await delay(POLL_MS)
    }
  } finally {
    bar.stop()
    await rails?.stop()
  }
}

const FINAL = new Set(['settled', 'rejected', 'returned'])

/** Neither a transfer for a later day is waited for, nor the settlement of one accepted on a day without any. */
function isAwaited(t: { status: string; requestedExecutionDate: string }, clock: BankClock): boolean {
  const today = localDateOf(clock.now())
  if (t.status === 'pending') return t.requestedExecutionDate <= today
  return !FINAL.has(t.status) && (t.status !== 'accepted' || isTargetDay(today))
}

const STATUS = {
  pending: 'ACCP',
  submitted: 'ACSP',
  accepted: 'ACSP',
  settled: 'ACSC',
  unknown: 'PDNG',
  rejected: 'RJCT',
  returned: 'RJCT',
} as const

function outcomes(filed: AcceptedPaymentFile, statuses: Statuses): (transfer: AcceptedTransfer) => TransferOutcome {
  return (transfer) => {
    const known = filed.transfers.get(transfer)
    if (!known?.id) return { status: 'RJCT', reason: known?.refusal }
    const now = statuses.get(known.id)
    const status = STATUS[now?.status ?? 'pending']
    if (status !== 'RJCT') return { status }
    const message = now?.status === 'returned' ? 'Returned by the creditor’s bank' : 'Rejected by the clearing system'
    return { status, reason: { code: now?.statusReasonCode ?? 'MS03', message } }
  }
}

function report(
  file: string,
  answer: string,
  { decision }: AcceptedPaymentFile,
  { outcomeOf, account }: { outcomeOf: (transfer: AcceptedTransfer) => TransferOutcome; account: DebitedAccount },
  output: Output,
): ExitCode {
  const refused = { status: 'RJCT', reason: decision.rejection } as const
  const transfers: (TransferOutcome & { source: { endToEndId: string }; status: CustomerStatus })[] = decision.blocks
    ? decision.blocks.flatMap((block) =>
        block.transactions.map(({ source, transfer, rejection }) => ({
          source,
          ...(transfer ? outcomeOf(transfer) : { status: 'RJCT' as const, reason: rejection }),
        })),
      )
    : decision.initiation.paymentInformations.flatMap((b) => b.transactions.map((source) => ({ source, ...refused })))
  const rejected = transfers.filter(({ status }) => status === 'RJCT').length
  const pending = transfers.filter(({ status }) => status === 'PDNG').length
  const accepted = transfers.length - rejected - pending
  const messageId = decision.initiation.messageId
  const status = groupStatusOf(transfers)
  const lines = transfers.map(
    (t) => `  ${t.source.endToEndId}  ${t.status}${t.reason ? `  ${t.reason.code} ${t.reason.message}` : ''}`,
  )
  output.result(
    {
      file,
      status,
      message_id: messageId,
      transactions: transfers.length,
      accepted,
      rejected,
      pending,
      answer,
      transfers: transfers.map((t) => ({ end_to_end_id: t.source.endToEndId, status: t.status, reason: t.reason?.code ?? null })),
      reason: decision.rejection ? reasonText(decision.rejection) : null,
      account: account.iban,
      replaced_account: account.isReplaced ? (account.other ?? null) : null,
    },
    [
      `${messageId}: ${status}, ${accepted} accepted, ${rejected} rejected, ${pending} pending`,
      ...lines,
      ...accountLines(account, rejected),
      `answer: ${answer}`,
    ].join('\n'),
  )
  return rejected === 0 ? 0 : 1
}

/** The account that was debited; `other`: one that the file names instead. */
type DebitedAccount = { readonly iban: string; readonly other: string | undefined; readonly isReplaced: boolean }

function accountLines({ iban, other, isReplaced }: DebitedAccount, rejected: number): string[] {
  if (other === undefined) return []
  if (isReplaced) return [`account: ${iban} was debited in place of ${other}, which the file names`]
  return rejected > 0 ? [`the file debits ${other}: to debit ${iban} instead, add --replace-account`] : []
}
