import { misbehaviourAsked, type SentinelTable } from '../core/sentinels.ts'

/**
 * What a clearing system can do to a payment. The creditor's name or the amount chooses it, so that a person can replay any failure
 * by hand; README.md lists all of it in one table, and a test keeps that table and this file together.
 */
export type Misbehaviour =
  | Readonly<{ kind: 'none' }>
  /** RJCT instead of ACSP; never executed. */
  | Readonly<{ kind: 'reject'; reason: string }>
  /** ACSP, then RJCT instead of ACSC; never executed. */
  | Readonly<{ kind: 'reject_after_accept'; reason: string }>
  /** Executed on time, both answers come later. */
  | Readonly<{ kind: 'late'; delayMs: number }>
  /** Every answer comes three times: the same message twice, then once more under a new MsgId. */
  | Readonly<{ kind: 'duplicate_answer' }>
  /** Executed, never answered; a status request tells. */
  | Readonly<{ kind: 'lost_answer' }>
  /** Taken with 202 and forgotten: never executed, a status request says "never received". */
  | Readonly<{ kind: 'lost_message' }>
  /** Executed, and nothing is ever answered, not even a status request. */
  | Readonly<{ kind: 'silent' }>
  /** Taken and executed, but the connection is cut instead of a 202. */
  | Readonly<{ kind: 'drop_reply' }>
  /** 503 and nothing taken. */
  | Readonly<{ kind: 'unavailable' }>
  /** Settled, then a pacs.004 with the whole amount. */
  | Readonly<{ kind: 'return'; reason: string; delayMs: number; copies: number }>
  /** The pacs.004 is delivered before the ACSC that it follows. */
  | Readonly<{ kind: 'early_return'; reason: string }>
  /** ACSP, ACSC and then, against the rules, RJCT. The payment stays executed. */
  | Readonly<{ kind: 'contradict'; reason: string }>
  /** Malformed XML first, then the proper answers. */
  | Readonly<{ kind: 'garbage_answer' }>
  /** ACSC is delivered before ACSP. */
  | Readonly<{ kind: 'out_of_order' }>
  /** Answers carry a group status and no transaction. */
  | Readonly<{ kind: 'group_answer' }>

const RETURN_DELAY_MS = 2_000
const LATE_MS = 3_600_000

/** Longer phrases stand before shorter ones that begin alike. */
const PHRASES: SentinelTable<Misbehaviour>['phrases'] = [
  ['REJECT AFTER ACCEPT', (code) => ({ kind: 'reject_after_accept', reason: code ?? 'MS03' })],
  ['REJECT', (code) => ({ kind: 'reject', reason: code ?? 'MS03' })],
  [
    'DUPLICATE RETURN',
    (code, delayMs) => ({ kind: 'return', reason: code ?? 'MS03', delayMs: delayMs ?? RETURN_DELAY_MS, copies: 2 }),
  ],
  ['EARLY RETURN', (code) => ({ kind: 'early_return', reason: code ?? 'MS03' })],
  ['RETURN', (code, delayMs) => ({ kind: 'return', reason: code ?? 'MS03', delayMs: delayMs ?? RETURN_DELAY_MS, copies: 1 })],
  ['LATE', (_, delayMs) => ({ kind: 'late', delayMs: delayMs ?? LATE_MS })],
  ['DUPLICATE ANSWER', () => ({ kind: 'duplicate_answer' })],
  ['LOST ANSWER', () => ({ kind: 'lost_answer' })],
  ['LOST MESSAGE', () => ({ kind: 'lost_message' })],
  ['SILENT', () => ({ kind: 'silent' })],
  ['DROP REPLY', () => ({ kind: 'drop_reply' })],
  ['UNAVAILABLE', () => ({ kind: 'unavailable' })],
  ['CONTRADICT', (code) => ({ kind: 'contradict', reason: code ?? 'MS03' })],
  ['GARBAGE ANSWER', () => ({ kind: 'garbage_answer' })],
  ['OUT OF ORDER', () => ({ kind: 'out_of_order' })],
  ['GROUP ANSWER', () => ({ kind: 'group_answer' })],
]

/** Of exactly EUR 6660.xx. */
const CENTS: SentinelTable<Misbehaviour>['cents'] = {
  '01': 'REJECT AC01',
  '02': 'REJECT AC04',
  '03': 'REJECT AC06',
  '04': 'REJECT AG01',
  '05': 'REJECT BE04',
  '06': 'REJECT CNOR',
  '07': 'REJECT MD07',
  '08': 'REJECT MS03',
  '09': 'REJECT RC01',
  '10': 'REJECT RR04',
  '11': 'REJECT TM01',
  '20': 'REJECT AFTER ACCEPT MS03',
  '30': 'LATE 30S',
  '31': 'LATE 1H',
  '32': 'LATE 2D',
  '40': 'DUPLICATE ANSWER',
  '41': 'LOST ANSWER',
  '42': 'LOST MESSAGE',
  '43': 'SILENT',
  '44': 'DROP REPLY',
  '45': 'UNAVAILABLE',
  '50': 'RETURN AC04',
  '51': 'RETURN AC04 2D',
  '52': 'RETURN MD07',
  '53': 'DUPLICATE RETURN AC04',
  '54': 'EARLY RETURN AC04',
  '60': 'CONTRADICT MS03',
  '61': 'GARBAGE ANSWER',
  '62': 'OUT OF ORDER',
  '63': 'GROUP ANSWER',
}

/** What a credit transfer can be asked for, by its creditor's name or its amount. */
export const SENTINELS: SentinelTable<Misbehaviour> = { phrases: PHRASES, euros: 6_660n, cents: CENTS }

export const misbehaviourOf = (creditorName: string, cents: bigint): Misbehaviour =>
  misbehaviourAsked(SENTINELS, creditorName, cents) ?? { kind: 'none' }
