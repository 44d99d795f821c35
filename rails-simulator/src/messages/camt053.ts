import { createHash } from 'node:crypto'
import { node, textNode, type XmlNode } from '@partita/notation/xml'
import { formatCents } from '../core/cents.ts'
import { businessDate } from '../core/times.ts'
import { CLEARING_BIC, type Party, writeDocument } from './elements.ts'

/** One movement on the bank's settlement account; `cents` is negative when money leaves the bank. */
export type Booking = Readonly<{
  at: string
  /** From `bookingReference`. */
  reference: string
  cents: bigint
  /** ISO bank transaction codes within PMNT, such as ICDT and ESCT. */
  family: string
  subFamily: string
  msgId: string
  transaction: Readonly<{
    instructionId?: string | undefined
    endToEndId: string
    txId: string
    uetr?: string | undefined
    debtor: Party
    creditor: Party
    remittance?: string | undefined
  }>
}>

/** The same in every statement that shows the booking. `kind`: three letters of whoever booked it. */
export const bookingReference = (kind: string, msgId: string, txId: string): string =>
  `${kind}${createHash('sha256').update(`${kind}|${msgId}|${txId}`).digest('hex').slice(0, 24).toUpperCase()}`

type Of = Readonly<{ now: string; date: string; bankBic: string | undefined }>

/** The camt.053.001.08 of the bank's settlement account for one business date. */
export function writeStatement(bookings: readonly Booking[], { now, date, bankBic }: Of): string {
  const all = [...bookings].sort(byTimeThenReference)
  const sum = (list: readonly Booking[]) => list.reduce((total, booking) => total + booking.cents, 0n)
  const before = all.filter((booking) => businessDate(booking.at) < date)
  const during = all.filter((booking) => businessDate(booking.at) === date)
  const id = `SIMSTMT${date.replaceAll('-', '')}`
  const account = node('Acct', [
    node('Id', [node('Othr', [node('Id', `SETTLEMENT-${bankBic ?? 'BANK'}`)])]),
    node('Ccy', 'EUR'),
    node('Svcr', [node('FinInstnId', [node('BICFI', CLEARING_BIC)])]),
  ])
  const statement = node('Stmt', [
    node('Id', id),
    node('CreDtTm', now),
    account,
    balance('OPBD', sum(before), date),
    balance('CLBD', sum(before) + sum(during), date),
    ...during.map(entryNode),
  ])
  const header = node('GrpHdr', [node('MsgId', id), node('CreDtTm', now)])
  return writeDocument('camt.053.001.08', node('BkToCstmrStmt', [header, statement]))
}

const byTimeThenReference = (a: Booking, b: Booking): number =>
  a.at < b.at ? -1 : a.at > b.at ? 1 : a.reference < b.reference ? -1 : 1

const balance = (code: string, cents: bigint, date: string): XmlNode =>
  node('Bal', [node('Tp', [node('CdOrPrtry', [node('Cd', code)])]), ...signed(cents), node('Dt', [node('Dt', date)])])

/** ISO writes sizes and says the side apart; nothing is a credit. */
const signed = (cents: bigint): XmlNode[] => [
  node('Amt', formatCents(cents < 0n ? -cents : cents), { Ccy: 'EUR' }),
  node('CdtDbtInd', cents < 0n ? 'DBIT' : 'CRDT'),
]

function entryNode({ at, reference, cents, family, subFamily, transaction, msgId }: Booking): XmlNode {
  const party = (role: 'Dbtr' | 'Cdtr', { name, iban }: Party) => [
    node(role, [node('Pty', [node('Nm', name)])]),
    node(`${role}Acct`, [node('Id', [node('IBAN', iban)])]),
  ]
  return node('Ntry', [
    node('NtryRef', reference),
    ...signed(cents),
    node('Sts', [node('Cd', 'BOOK')]),
    node('BookgDt', [node('Dt', businessDate(at))]),
    node('ValDt', [node('Dt', businessDate(at))]),
    node('AcctSvcrRef', reference),
    node('BkTxCd', [node('Domn', [node('Cd', 'PMNT'), node('Fmly', [node('Cd', family), node('SubFmlyCd', subFamily)])])]),
    node('NtryDtls', [
      node('TxDtls', [
        node('Refs', [
          node('MsgId', msgId),
          node('AcctSvcrRef', reference),
          textNode('InstrId', transaction.instructionId),
          node('EndToEndId', transaction.endToEndId),
          textNode('UETR', transaction.uetr),
          node('TxId', transaction.txId),
        ]),
        ...signed(cents),
        node('RltdPties', [...party('Dbtr', transaction.debtor), ...party('Cdtr', transaction.creditor)]),
        transaction.remittance === undefined ? undefined : node('RmtInf', [node('Ustrd', transaction.remittance)]),
      ]),
    ]),
  ])
}
