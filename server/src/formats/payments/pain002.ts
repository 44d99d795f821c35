import { node, writeXml, type XmlNode } from '@partita/notation/xml'
import { sumDecimals, unsignedDecimal } from '../statements/decimal.ts'
import { type Amount, optional } from './elements.ts'

/** Where a transaction stands, as far as a customer is told. */
export type CustomerStatus = 'PDNG' | 'ACTC' | 'ACCP' | 'ACSP' | 'ACSC' | 'RJCT'

/** Why: an ISO external status reason code and words for people. */
export type StatusReason = Readonly<{ code: string; message: string }>

export type ReportedTransaction = Readonly<{
  instructionId?: string | undefined
  endToEndId: string
  uetr?: string | undefined
  amount?: Amount | undefined
  status: CustomerStatus
  reason?: StatusReason | undefined
}>

export type ReportedBlock = Readonly<{
  paymentInformationId: string
  /** As stated in the file, repeated only when it is a number. */
  numberOfTransactions?: string | undefined
  controlSum?: string | undefined
  reason?: StatusReason | undefined
  transactions: readonly ReportedTransaction[]
}>

/** A status report on one payment initiation. `reason` at this level refuses the whole file; then `blocks` are not listed but counted. */
export type CustomerStatusReport = Readonly<{
  messageId: string
  /** ISO date and time. */
  createdAt: string
  /** BIC of the bank that answers. */
  debtorAgent: string
  originalMessageId: string
  originalMessageName: string
  originalCreatedAt?: string | undefined
  numberOfTransactions?: string | undefined
  controlSum?: string | undefined
  reason?: StatusReason | undefined
  blocks: readonly ReportedBlock[]
}>

/** The version that belongs to a request: the 2009 generation is answered in kind, everything else in the current one. */
export const answerNameOf = (originalMessageName: string): 'pain.002.001.03' | 'pain.002.001.10' =>
  /^pain\.001\.(001\.0[1-4]|00[2-9]\.\d{2})(\.|$)/.test(originalMessageName) ? 'pain.002.001.03' : 'pain.002.001.10'

/**
 * Writes a pain.002.001.03 or .10, whichever answers the original message. Group and batch statuses and the counts and sums per status are
 * computed from the transactions, so they always add up.
 *
 * @see EPC132-08 DS-07; sepa.md §9
 */
export function writeCustomerStatusReport(report: CustomerStatusReport): string {
  const name = answerNameOf(report.originalMessageName)
  const current = name === 'pain.002.001.10'
  const all = report.blocks.flatMap((block) => block.transactions)
  const transactions = report.reason ? all.map((tx): ReportedTransaction => ({ ...tx, status: 'RJCT' })) : all
  const body = node('CstmrPmtStsRpt', [
    node('GrpHdr', [
      node('MsgId', report.messageId),
      node('CreDtTm', report.createdAt),
      node('DbtrAgt', [node('FinInstnId', [node(current ? 'BICFI' : 'BIC', report.debtorAgent)])]),
    ]),
    node('OrgnlGrpInfAndSts', [
      node('OrgnlMsgId', report.originalMessageId),
      node('OrgnlMsgNmId', report.originalMessageName),
      optional('OrgnlCreDtTm', report.originalCreatedAt),
      ...statedTotals(report),
      node('GrpSts', report.reason ? 'RJCT' : groupStatusOf(transactions)),
      reasonNode(report.reason),
      ...totalsPerStatus(transactions),
    ]),
    ...(report.reason ? [] : report.blocks.map((block) => blockNode(block, current))),
  ])
  return writeXml(node('Document', [body], { xmlns: `urn:iso:std:iso:20022:tech:xsd:${name}` }))
}

function blockNode(block: ReportedBlock, current: boolean): XmlNode {
  return node('OrgnlPmtInfAndSts', [
    node('OrgnlPmtInfId', block.paymentInformationId),
    ...statedTotals(block),
    node('PmtInfSts', block.reason ? 'RJCT' : groupStatusOf(block.transactions)),
    reasonNode(block.reason),
    ...totalsPerStatus(block.transactions),
    ...block.transactions.map((tx) =>
      node('TxInfAndSts', [
        optional('OrgnlInstrId', tx.instructionId),
        node('OrgnlEndToEndId', tx.endToEndId),
        current ? optional('OrgnlUETR', tx.uetr) : undefined,
        node('TxSts', tx.status),
        reasonNode(tx.reason),
        originalAmount(tx.amount),
      ]),
    ),
  ])
}

/** What the customer stated, if the schema lets us repeat it. */
const statedTotals = ({
  numberOfTransactions,
  controlSum,
}: {
  numberOfTransactions?: string | undefined
  controlSum?: string | undefined
}) => [
  numberOfTransactions !== undefined && /^\d{1,15}$/.test(numberOfTransactions)
    ? node('OrgnlNbOfTxs', numberOfTransactions)
    : undefined,
  controlSum !== undefined && isCountable(controlSum) ? node('OrgnlCtrlSum', controlSum) : undefined,
]

const isCountable = (decimal: string): boolean => /^\d{1,18}(\.\d{1,17})?$/.test(decimal) && decimal.replace('.', '').length <= 18

const originalAmount = (amount: Amount | undefined): XmlNode | undefined =>
  amount && /^\d{1,13}(\.\d{1,5})?$/.test(amount.value) && /^[A-Z]{3}$/.test(amount.currency)
    ? node('OrgnlTxRef', [node('Amt', [node('InstdAmt', amount.value, { Ccy: amount.currency })])])
    : undefined

/** How far an accepted transaction has come. */
const PROGRESS: readonly CustomerStatus[] = ['ACTC', 'ACCP', 'ACSP', 'ACSC']

/**
 * One status for many: RJCT when all are rejected, PDNG when all are pending, PART when they differ in being accepted, otherwise that of
 * the slowest.
 */
export function groupStatusOf(transactions: readonly { readonly status: CustomerStatus }[]): CustomerStatus | 'PART' {
  const statuses = new Set(transactions.map((tx) => tx.status))
  for (const status of ['RJCT', 'PDNG'] as const) {
    if (statuses.has(status)) return statuses.size === 1 ? status : 'PART'
  }
  return PROGRESS.find((status) => statuses.has(status)) ?? 'RJCT'
}

/** One line per status that occurs; the sum is left out when an amount cannot be counted. */
function totalsPerStatus(transactions: readonly ReportedTransaction[]): XmlNode[] {
  const order: readonly CustomerStatus[] = ['RJCT', 'PDNG', ...PROGRESS]
  return order.flatMap((status) => {
    const found = transactions.filter((tx) => tx.status === status)
    if (found.length === 0) return []
    const amounts = found.map((tx) => unsignedDecimal(tx.amount?.value ?? ''))
    const sum = amounts.every((amount) => amount !== undefined) ? sumDecimals(amounts) : ''
    return [
      node('NbOfTxsPerSts', [
        node('DtldNbOfTxs', String(found.length)),
        node('DtldSts', status),
        isCountable(sum) ? node('DtldCtrlSum', sum) : undefined,
      ]),
    ]
  })
}

const ADDITIONAL_LENGTH_MAX = 105

function reasonNode(reason: StatusReason | undefined): XmlNode | undefined {
  if (!reason) return undefined
  const text = [...reason.message].slice(0, ADDITIONAL_LENGTH_MAX).join('')
  return node('StsRsnInf', [node('Rsn', [node('Cd', reason.code)]), text.trim() === '' ? undefined : node('AddtlInf', text)])
}
