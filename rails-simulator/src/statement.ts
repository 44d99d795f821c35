import { createHash } from 'node:crypto'
import { formatCents, parseCents } from './amounts.ts'
import type { CreditTransfer } from './messages/types.ts'
import { CLEARING_BIC } from './messages/write.ts'
import type { State } from './state.ts'
import { businessDate } from './times.ts'
import { node, textNode, writeXml, type XmlNode } from './xml.ts'

type Records = Readonly<Pick<State, 'payments' | 'incoming' | 'bankReturns' | 'bankBic'>>

/** One movement on the bank's settlement account; `cents` is negative when money leaves the bank. */
type Booking = Readonly<{
  at: string
  reference: string
  cents: bigint
  family: 'ICDT' | 'RCDT'
  subFamily: 'ESCT' | 'RRTN'
  transaction: CreditTransfer
  msgId: string
}>

/** Everything that has settled up to now, oldest first. */
function bookings({ payments, incoming, bankReturns }: Records, now: string): Booking[] {
  const found: Booking[] = []
  const add = (kind: string, booking: Omit<Booking, 'reference'>) => {
    // The reference is the same in every statement that shows the booking.
    const digest = createHash('sha256').update(`${kind}|${booking.msgId}|${booking.transaction.txId}`).digest('hex')
    if (booking.at <= now) found.push({ ...booking, reference: `${kind}${digest.slice(0, 24).toUpperCase()}` })
  }
  for (const { transaction, timeline, returnAt, msgId } of payments.values()) {
    const cents = parseCents(transaction.amount) ?? 0n
    for (const entry of timeline) {
      if (entry.status === 'ACSC')
        add('OUT', { at: entry.at, cents: -cents, family: 'ICDT', subFamily: 'ESCT', transaction, msgId })
    }
    if (returnAt !== undefined) add('RTI', { at: returnAt, cents, family: 'ICDT', subFamily: 'RRTN', transaction, msgId })
  }
  for (const { transaction, availableAt, msgId } of incoming.values()) {
    const cents = parseCents(transaction.amount) ?? 0n
    add('INC', { at: availableAt, cents, family: 'RCDT', subFamily: 'ESCT', transaction, msgId })
    const returned = bankReturns.get(transaction.txId)?.timeline.find((entry) => entry.status === 'ACSC')
    if (returned) add('RTO', { at: returned.at, cents: -cents, family: 'RCDT', subFamily: 'RRTN', transaction, msgId })
  }
  return found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.reference < b.reference ? -1 : 1))
}

/** The camt.053.001.08 of the bank's settlement account for one business date, by default today's so far. */
export function writeStatement(records: Records, now: string, date = businessDate(now)): string {
  const all = bookings(records, now)
  const sum = (list: readonly Booking[]) => list.reduce((total, booking) => total + booking.cents, 0n)
  const before = all.filter((booking) => businessDate(booking.at) < date)
  const during = all.filter((booking) => businessDate(booking.at) === date)
  const id = `SIMSTMT${date.replaceAll('-', '')}`
  return writeXml(
    node(
      'Document',
      [
        node('BkToCstmrStmt', [
          node('GrpHdr', [node('MsgId', id), node('CreDtTm', now)]),
          node('Stmt', [
            node('Id', id),
            node('CreDtTm', now),
            node('Acct', [
              node('Id', [node('Othr', [node('Id', `SETTLEMENT-${records.bankBic ?? 'BANK'}`)])]),
              node('Ccy', 'EUR'),
              node('Svcr', [node('FinInstnId', [node('BICFI', CLEARING_BIC)])]),
            ]),
            balance('OPBD', sum(before), date),
            balance('CLBD', sum(before) + sum(during), date),
            ...during.map(entryNode),
          ]),
        ]),
      ],
      { xmlns: 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08' },
    ),
  )
}

const balance = (code: string, cents: bigint, date: string): XmlNode =>
  node('Bal', [node('Tp', [node('CdOrPrtry', [node('Cd', code)])]), ...signed(cents), node('Dt', [node('Dt', date)])])

/** ISO writes sizes and says the side apart; nothing is a credit. */
const signed = (cents: bigint): XmlNode[] => [
  node('Amt', formatCents(cents < 0n ? -cents : cents), { Ccy: 'EUR' }),
  node('CdtDbtInd', cents < 0n ? 'DBIT' : 'CRDT'),
]

function entryNode({ at, reference, cents, family, subFamily, transaction, msgId }: Booking): XmlNode {
  const party = (role: 'Dbtr' | 'Cdtr', { name, iban }: CreditTransfer['debtor']) => [
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
