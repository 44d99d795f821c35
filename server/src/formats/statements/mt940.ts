import type { LocalDate } from '../../platform/clock.ts'
import { ibanChecks, ibanShaped } from './account.ts'
import { swiftDate } from './dates.ts'
import { negateDecimal } from './decimal.ts'
import { parseEntryLine, readSwiftEntry } from './mt940-entry.ts'
import { fieldIn, isField, LookAhead, STATEMENT_TAGS } from './mt940-fields.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import { checkTotals, completed } from './statement.ts'
import { type SwiftField, swiftAmount } from './swift-field.ts'
import type { ParsedEntry, ParsedStatement, StatementAccount, StatementBalance } from './types.ts'

type Message = { fields: SwiftField[]; type: '940' | '942' | null; line: number; inBlock: boolean; ended: boolean }

/**
 * Reads MT940 statements and MT942 interim reports, with or without SWIFT blocks, bank preambles and end lines.
 * @see SWIFT User Handbook, Category 9, MT940 and MT942; sepa.md section 11.
 */
export function readMt940(text: string, problems: ProblemList): { format: string; statements: ParsedStatement[] } {
  const messages = splitMessages(text, problems)
  const statements: ParsedStatement[] = []
  const seen = new Set<string>()
  for (const message of messages) {
    // A message without any of these is a preamble or a request, not a statement.
    if (!message.fields.some((field) => ['25', '25P', '60F', '60M', '61', '62F', '62M'].includes(field.tag))) continue
    const interim = message.type === '942' || (message.type === null && isInterim(message))
    seen.add(interim ? 'MT942' : 'MT940')
    statements.push(readMessage(message, interim, problems))
  }
  refuseCutOff(text, messages)
  const [lastField] = messages.at(-1)?.fields.slice(-1) ?? []
  if (statements.length === 0)
    throw new StatementRefused('no_statements', lastField?.line ?? 1, 'no message holds an account or a balance')
  return { format: seen.has('MT940') ? 'MT940' : 'MT942', statements }
}

/**
 * A last statement without closing balance and end mark may be all that the bank gave. It was cut off when the file stops in a line or in a
 * SWIFT block, or when the statements before it have their closing balances.
 */
function refuseCutOff(text: string, messages: readonly Message[]): void {
  const last = messages.at(-1)
  const hasClosing = (message: Message) => message.fields.some((field) => field.tag === '62F' || field.tag === '62M')
  if (!last || last.ended || last.type === '942' || isInterim(last) || hasClosing(last)) return
  if (last.inBlock || !/[\r\n]\s*$/.test(text) || messages.some(hasClosing)) {
    const line = text.trimEnd().split(/\r\n|\n|\r/).length
    throw new StatementRefused('truncated', line, 'the file ends inside a statement, before its :62F: or :62M:')
  }
}

const isInterim = (message: Message): boolean => {
  const tags = message.fields.map((field) => field.tag)
  return !tags.some((tag) => /^6[02]/.test(tag)) && tags.some((tag) => ['34F', '13D', '13', '90C', '90D'].includes(tag))
}

function splitMessages(text: string, problems: ProblemList): Message[] {
  const messages: Message[] = []
  let fields: { tag: string; lines: string[]; line: number; endsFile: boolean }[] = []
  let open: (typeof fields)[number] | undefined
  let type: Message['type'] = null
  let line = 1
  let inBlock = false
  let isInEntries = false
  const close = (ended = false) => {
    if (fields.length > 0) {
      messages.push({ fields, type, line: fields[0]?.line ?? 1, inBlock, ended })
      type = null
      inBlock = false
    }
    fields = []
    open = undefined
    isInEntries = false
  }
  const lines = text.split(/\r\n|\n|\r/)
  const ahead = new LookAhead(lines)
  for (const [index, raw] of lines.entries()) {
    line = index + 1
    const block = /^\s*\{[1-5]:|^\{-?\}|^-\}/.test(raw)
    if (block) {
      const named = /\{2:[IO](94[0-2])/.exec(raw)?.[1]
      if (/^\s*\{1:/.test(raw) || /^-\}/.test(raw)) close(/^-\}/.test(raw))
      inBlock = raw.includes('{4:')
      if (named) type = named === '942' ? '942' : '940'
      const inner = /\{4:(.*)$/.exec(raw)?.[1] ?? ''
      if (inner === '') continue
    }
    const content = block ? (/\{4:(.*)$/.exec(raw)?.[1] ?? '') : raw
    const field = fieldIn(content)
    const isInText = open?.tag === '86' || open?.tag === '61'
    if (field && isField(field.tag, field.rest, { at: index, isInText, isInEntries }, ahead)) {
      const { tag, rest } = field
      if (tag === '20') close()
      else if (startsNext(tag, fields)) {
        const shared = tag === '25' || tag === '25P' ? [] : fields.filter(({ tag: common }) => SHARED_TAGS.has(common))
        close()
        fields.push(...shared)
      }
      if (!STATEMENT_TAGS.has(tag)) problems.add('tag_unknown', line, `field :${tag}: is not part of a statement; left out`)
      if (/^(?:60|61|34)/.test(tag)) isInEntries = true
      if (/^62/.test(tag)) isInEntries = false
      open = { tag, lines: [rest], line, endsFile: line === lines.length }
      fields.push(open)
    } else if (/^-(?:XXX|\}.*|\s*)$/.test(content) && isInEntries && ahead.goesOn(index + 1)) {
      // A dash alone ends a statement, unless it goes on behind it: then it is a line of a text, or of nothing.
      if (isInText) open?.lines.push(content)
    } else if (/^-(?:XXX|\}.*|\s*)$/.test(content)) {
      close(true)
    } else if (open) {
      open.lines.push(content)
      open.endsFile = line === lines.length
    }
  }
  close()
  return messages
}

/** What statements that follow each other under one :20: have in common. */
const SHARED_TAGS = new Set(['20', '25', '25P'])

/** Files with one :20: for several statements: a second account, or a number or an opening balance after a closing one, starts the next. */
function startsNext(tag: string, fields: readonly SwiftField[]): boolean {
  const has = (...tags: string[]) => fields.some((field) => tags.includes(field.tag))
  if (tag === '25' || tag === '25P') return has('25', '25P')
  return ['28', '28C', '60F', '60M'].includes(tag) && has('62F', '62M')
}

function readMessage(message: Message, interim: boolean, problems: ProblemList): ParsedStatement {
  const fieldOf = (...tags: string[]) => message.fields.find((field) => tags.includes(field.tag))
  const account = readAccount(fieldOf('25', '25P'), message, problems)
  const balances = inOneCurrency(
    message.fields.flatMap((field) => readBalance(field, problems)),
    account.currency,
    problems,
  )
  const opening = balances.find((balance) => balance.type === 'OPBD') ?? null
  const closing = balances.findLast((balance) => balance.type === 'CLBD') ?? null
  const totals = message.fields.flatMap((field) => readTotals(field))
  const floor = /^([A-Z]{3})/.exec(fieldOf('34F')?.lines[0] ?? '')?.[1]
  const named = [opening?.currency, closing?.currency, totals[0]?.currency, floor, account.currency]
  const currency = named.find((code) => code !== undefined && code !== '')
  if (currency === undefined) throw new StatementRefused('currency_missing', message.line, 'no field names a currency')
  if (closing && closing.currency !== currency)
    problems.add('currency_mismatch', closing.line, `closing balance in ${closing.currency}, account in ${currency}`)
  if (!interim && !opening)
    problems.add('opening_balance_missing', message.line, 'no :60F: or :60M:; the statement cannot be reconciled')
  if (!interim && !closing)
    problems.add('closing_balance_missing', message.line, 'no :62F: or :62M:; the statement cannot be reconciled')
  const { entries, statementText } = readEntries(
    message,
    currency,
    account.account.iban,
    closing?.date ?? opening?.date ?? null,
    problems,
  )
  for (const total of totals) checkTotals(total, entries, problems)
  if (statementText !== undefined && !interim)
    problems.add('text_ignored', statementText, 'a :86: about the statement as a whole is left out')
  return completed(
    {
      account: account.account,
      currency,
      identification: fieldOf('20')?.lines[0]?.trim() || null,
      sequenceNumber: fieldOf('28C', '28')?.lines[0]?.trim() || null,
      // :60: is dated by the closing balance before it, or by the statement: it begins no period.
      from: null,
      to: closing?.date ?? null,
      balances,
      opening: opening?.amount ?? null,
      closing: closing?.amount ?? null,
      entries,
      line: message.line,
    },
    problems,
  )
}

function readEntries(
  message: Message,
  currency: string,
  ownIban: string | null,
  statementDate: LocalDate | null,
  problems: ProblemList,
): { entries: ParsedEntry[]; statementText: number | undefined } {
  const entries: ParsedEntry[] = []
  let statementText: number | undefined
  let pending: SwiftField | undefined
  // Some banks go on in a second :86: where the first one is full.
  let information: string[] = []
  const finish = () => {
    if (pending)
      entries.push(readSwiftEntry(parseEntryLine(pending, statementDate, problems), information, { currency, ownIban }))
    pending = undefined
    information = []
  }
  for (const field of message.fields) {
    if (field.tag === '86') {
      if (pending) information = information.concat(field.lines)
      else statementText ??= field.line
    } else if (field.tag !== 'NS') {
      finish()
      if (field.tag === '61') pending = field
    }
  }
  finish()
  return { entries, statementText }
}

/** :25: is an IBAN, `bank code/number`, or whatever the bank calls the account, perhaps with the currency behind it. */
function readAccount(
  field: SwiftField | undefined,
  message: Message,
  problems: ProblemList,
): { account: StatementAccount; currency: string | undefined } {
  // Poland's banks write `/PL61...`.
  const printed = field?.lines[0]?.trim().replace(/^\/(?=[A-Z]{2}\d{2})/, '') ?? ''
  if (!field || printed === '')
    throw new StatementRefused('account_missing', field?.line ?? message.line, 'no :25: names the account')
  const tail = /^(.*?)[\s/]?([A-Z]{3})$/.exec(printed)
  const base = { bankCode: null, bic: null, holder: null }
  const whole = ibanShaped(printed)
  if (whole && (!tail || ibanChecks(whole))) return { account: { ...base, id: whole, iban: whole }, currency: undefined }
  const shorter = ibanShaped(tail?.[1])
  if (shorter && tail && (/[\s/]$/.test(printed.slice(0, -3)) || ibanChecks(shorter)))
    return { account: { ...base, id: shorter, iban: shorter }, currency: tail[2] }
  const parts = /^([A-Z0-9]{4,20})\/(.+)$/.exec(printed)
  const inner = ibanShaped(parts?.[2]?.replace(/[A-Z]{3}$/, '')) ?? ibanShaped(parts?.[2])
  if (inner && ibanChecks(inner))
    return { account: { ...base, id: inner, iban: inner, bankCode: parts?.[1] ?? null }, currency: undefined }
  if (whole) problems.add('iban_invalid', field.line, `${quoted(printed)} is taken as the bank's own number`)
  const numbered = tail && /\d[\s/]?$/.test(tail[1] ?? '') ? tail : undefined
  const id = (numbered?.[1] ?? printed).trim()
  return { account: { ...base, id, iban: null, bankCode: parts?.[1] ?? null }, currency: numbered?.[2] }
}

const BALANCE_TYPES: Readonly<Record<string, string>> = {
  '60F': 'OPBD',
  '60M': 'OPBD',
  '62F': 'CLBD',
  '62M': 'CLBD',
  '64': 'CLAV',
  '65': 'FWAV',
}

function readBalance(field: SwiftField, problems: ProblemList): StatementBalance[] {
  const type = BALANCE_TYPES[field.tag]
  if (!type) return []
  const text = field.lines.map((line) => line.trim()).filter((line) => line !== '')[0] ?? ''
  const match = /^(R?[CD])\s?(\d{6})\s?([A-Z]{3})?\s?([0-9., ]*)$/.exec(text)
  const amount = match ? swiftAmount(match[4] ?? '') : undefined
  if (!match || amount === undefined) {
    throw new StatementRefused(
      field.endsFile ? 'truncated' : 'amount_malformed',
      field.line,
      `:${field.tag}:${quoted(text)} is not a balance`,
    )
  }
  if (!/,/.test(match[4] ?? ''))
    problems.add('amount_without_comma', field.line, `${quoted(match[4] ?? '')} has no decimal comma; read as it stands`)
  const date = swiftDate(match[2] ?? '')
  if (!date) problems.add('date_ignored', field.line, `balance date ${quoted(match[2] ?? '')} is not a date`)
  if (date?.corrected)
    problems.add('date_corrected', field.line, `balance date ${quoted(match[2] ?? '')} does not exist; ${date.date} taken`)
  const negative = match[1] === 'D' || match[1] === 'RC'
  return [
    {
      type,
      amount: negative ? negateDecimal(amount) : amount,
      currency: match[3] ?? '',
      date: date?.date ?? null,
      line: field.line,
    },
  ]
}

/** A balance that names no currency is in that of its neighbours, or of the account. */
function inOneCurrency(
  balances: readonly StatementBalance[],
  ofAccount: string | undefined,
  problems: ProblemList,
): StatementBalance[] {
  const told = balances.find(({ currency }) => currency !== '')?.currency ?? ofAccount
  return balances.map((balance) => {
    if (balance.currency !== '' || told === undefined) return balance
    problems.add('currency_assumed', balance.line, `a balance names no currency; ${told} taken`)
    return { ...balance, currency: told }
  })
}

function readTotals(field: SwiftField) {
  if (field.tag !== '90C' && field.tag !== '90D') return []
  const match = /^(\d{0,5})([A-Z]{3})([0-9.,]+)\s*$/.exec(field.lines[0]?.trim() ?? '')
  const sum = match ? swiftAmount(match[3] ?? '') : undefined
  if (!match || sum === undefined)
    throw new StatementRefused(
      field.endsFile ? 'truncated' : 'amount_malformed',
      field.line,
      `:${field.tag}:${quoted(field.lines[0] ?? '')} is not a sum`,
    )
  return [
    {
      count: match[1] || undefined,
      sum,
      currency: match[2],
      what: field.tag === '90C' ? ('credits' as const) : ('debits' as const),
      line: field.line,
    },
  ]
}
