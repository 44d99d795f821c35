import { writeCreditTransfers } from '../../src/formats/payments/pacs008.ts'
import type { Delivery, Rail, RailMessage } from '../../src/modules/payments/index.ts'

/** A rail that does what a test tells it: for messages that the simulator would never send. */
export type ScriptedRail = Rail & {
  /** Everything that was handed over, oldest first. */
  readonly taken: string[]
  /** What happens to the next messages; then they are delivered. */
  readonly deliveries: Delivery[]
  /** Puts a message into the outbox. @returns its id. */
  say(xml: string, id?: string): string
}

export function scriptedRail(): ScriptedRail {
  const outbox: RailMessage[] = []
  const taken: string[] = []
  const deliveries: Delivery[] = []
  return {
    taken,
    deliveries,
    say: (xml, id = `R-${outbox.length + 1}`) => {
      outbox.push({ sequence: BigInt(outbox.length + 1), id, messageName: 'said', xml })
      return id
    },
    send: async (xml) => {
      const delivery = deliveries.shift() ?? { kind: 'delivered' }
      if (delivery.kind !== 'not_sent') taken.push(xml)
      return delivery
    },
    fetchAfter: async (sequence, limit) => outbox.filter((m) => m.sequence > sequence).slice(0, limit),
  }
}

const document = (name: string, body: string) =>
  `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:${name}">${body}</Document>`
const tag = (name: string, content: string | undefined) => (content === undefined ? '' : `<${name}>${content}</${name}>`)

export type Said = {
  readonly txId?: string
  readonly msgId?: string
  /** The message that is spoken of, `pacs.008.001.08` unless told otherwise. */
  readonly name?: string
  readonly status?: string
  readonly groupStatus?: string
  readonly reason?: string
  /** The amount that is repeated. */
  readonly amount?: string
  readonly currency?: string
}

/** A pacs.002 about one of our messages. */
export const statusReport = ({
  txId,
  msgId = txId,
  name = 'pacs.008.001.08',
  status,
  groupStatus,
  reason,
  amount,
  currency = 'EUR',
}: Said) =>
  document(
    'pacs.002.001.10',
    `<FIToFIPmtStsRpt><GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm></GrpHdr>
     <OrgnlGrpInfAndSts><OrgnlMsgId>${msgId}</OrgnlMsgId><OrgnlMsgNmId>${name}</OrgnlMsgNmId>${tag('GrpSts', groupStatus)}</OrgnlGrpInfAndSts>
     ${status === undefined ? '' : `<TxInfAndSts>${tag('OrgnlTxId', txId)}<TxSts>${status}</TxSts>${reason === undefined ? '' : `<StsRsnInf><Rsn><Cd>${reason}</Cd></Rsn></StsRsnInf>`}${amount === undefined ? '' : `<OrgnlTxRef><IntrBkSttlmAmt Ccy="${currency}">${amount}</IntrBkSttlmAmt></OrgnlTxRef>`}</TxInfAndSts>`}</FIToFIPmtStsRpt>`,
  )

/** A pacs.004 that brings a transfer of ours back. */
export const paymentReturn = (said: {
  readonly txId: string
  readonly amount: string
  readonly currency?: string
  readonly returnId?: string
  readonly agent?: string
  readonly msgId?: string
  readonly original?: string
}) =>
  document(
    'pacs.004.001.09',
    `<PmtRtr><GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>
      <InstgAgt><FinInstnId><BICFI>${said.agent ?? 'COBADEFFXXX'}</BICFI></FinInstnId></InstgAgt></GrpHdr>
     <TxInf>${tag('RtrId', said.returnId ?? 'RTR-1')}<OrgnlGrpInf><OrgnlMsgId>${said.msgId ?? said.txId}</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInf>
      <OrgnlTxId>${said.txId}</OrgnlTxId>${said.original === undefined ? '' : `<OrgnlIntrBkSttlmAmt Ccy="EUR">${said.original}</OrgnlIntrBkSttlmAmt>`}
      <RtrdIntrBkSttlmAmt Ccy="${said.currency ?? 'EUR'}">${said.amount}</RtrdIntrBkSttlmAmt><RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>`,
  )

type SaidTransfer = { txId: string; amount: string; creditorIban: string; agent?: string; instant?: boolean }

/** A pacs.008 for our accounts, with one transaction or more. */
export const creditTransfer = (...said: readonly [SaidTransfer, ...SaidTransfer[]]) =>
  writeCreditTransfers({
    messageId: `M-${said[0].txId}`,
    createdAt: '2026-03-02T09:00:00Z',
    settlementDate: '2026-03-02',
    instructingAgent: said[0].agent ?? 'COBADEFFXXX',
    transactions: said.map(({ txId, amount, creditorIban, agent, instant }) => ({
      endToEndId: 'NOTPROVIDED',
      transactionId: txId,
      settlementAmount: { value: amount, currency: 'EUR' },
      paymentType: { serviceLevels: [], localInstrument: instant ? { code: 'INST' } : undefined },
      debtor: { name: 'Somebody' },
      debtorIban: 'DE89370400440532013000',
      debtorAgent: agent ?? 'COBADEFFXXX',
      creditor: { name: 'Us' },
      creditorIban,
    })),
  })
