import { readXml, textOf, type XmlElement } from '@partita/notation/xml'
import type { FastifyInstance } from 'fastify'
import { xsdProblems } from '../../server/test/support/xsd.ts'
import { buildApp } from '../src/core/app.ts'
import { forgetfulJournal, openJournal } from '../src/core/journal.ts'
import type { Scheme } from '../src/core/scheme.ts'
import { Simulator } from '../src/core/simulator.ts'
import { SCHEMES } from '../src/schemes.ts'

export const BANK = 'PARTFRPPXXX'
export const START = '2026-03-10T09:00:00.000Z'

/** An instant some seconds after the start of every test. */
export const after = (seconds: number): string => new Date(Date.parse(START) + seconds * 1_000).toISOString()

export type Payment = {
  txId?: string
  msgId?: string
  amount?: string
  currency?: string
  name?: string
  iban?: string
  date?: string
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** A pacs.008 as a bank would send it: one message, one transaction per payment. */
export function pacs008(...payments: Payment[]): string {
  const first = payments[0] ?? {}
  const transactions = payments.map(
    ({ txId = 'TX-1', amount = '12.50', currency = 'EUR', name = 'Mueller GmbH', iban = 'DE89370400440532013000' }) => `
  <CdtTrfTxInf><PmtId><InstrId>I-${txId}</InstrId><EndToEndId>E-${txId}</EndToEndId><TxId>${txId}</TxId></PmtId>
   <PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><IntrBkSttlmAmt Ccy="${currency}">${amount}</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr>
   <Dbtr><Nm>Atelier Rousseau</Nm></Dbtr><DbtrAcct><Id><IBAN>FR7630006000011234567890189</IBAN></Id></DbtrAcct>
   <DbtrAgt><FinInstnId><BICFI>${BANK}</BICFI></FinInstnId></DbtrAgt>
   <CdtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></CdtrAgt>
   <Cdtr><Nm>${escaped(name)}</Nm></Cdtr><CdtrAcct><Id><IBAN>${iban}</IBAN></Id></CdtrAcct><RmtInf><Ustrd>Facture 118</Ustrd></RmtInf></CdtTrfTxInf>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>
  <GrpHdr><MsgId>${first.msgId ?? `M-${first.txId ?? 'TX-1'}`}</MsgId><CreDtTm>${START}</CreDtTm><NbOfTxs>${payments.length}</NbOfTxs>
   <IntrBkSttlmDt>${first.date ?? '2026-03-10'}</IntrBkSttlmDt><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>
   <InstgAgt><FinInstnId><BICFI>${BANK}</BICFI></FinInstnId></InstgAgt></GrpHdr>${transactions.join('')}
</FIToFICstmrCdtTrf></Document>`
}

export const pacs028 = (txId: string, originalMessage = 'pacs.008.001.08'): string => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.028.001.03"><FIToFIPmtStsReq>
 <GrpHdr><MsgId>Q-${txId}</MsgId><CreDtTm>${START}</CreDtTm><InstgAgt><FinInstnId><BICFI>${BANK}</BICFI></FinInstnId></InstgAgt></GrpHdr>
 <TxInf><StsReqId>Q-${txId}-1</StsReqId><OrgnlGrpInf><OrgnlMsgId>M-${txId}</OrgnlMsgId><OrgnlMsgNmId>${originalMessage}</OrgnlMsgNmId></OrgnlGrpInf>
  <OrgnlEndToEndId>E-${txId}</OrgnlEndToEndId><OrgnlTxId>${txId}</OrgnlTxId></TxInf></FIToFIPmtStsReq></Document>`

export const pacs004 = (
  txId: string,
  amount: string,
  msgId = `R-${txId.slice(-12)}`,
): string => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09"><PmtRtr>
 <GrpHdr><MsgId>${msgId}</MsgId><CreDtTm>${START}</CreDtTm><NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>
  <InstgAgt><FinInstnId><BICFI>${BANK}</BICFI></FinInstnId></InstgAgt></GrpHdr>
 <TxInf><RtrId>${msgId}-1</RtrId><OrgnlTxId>${txId}</OrgnlTxId><RtrdIntrBkSttlmAmt Ccy="EUR">${amount}</RtrdIntrBkSttlmAmt>
  <RtrRsnInf><Rsn><Cd>AC01</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr></Document>`

export type Listed = { sequence: number; id: string; message_type: string; available_at: string; xml: string }

/** A simulator without a network, and what a bank does with it. */
export function startBank({
  seed = 'test',
  journal,
  schemes = SCHEMES,
}: {
  seed?: string
  journal?: string
  schemes?: readonly Scheme[]
} = {}) {
  const opened = journal === undefined ? { journal: forgetfulJournal, lines: [] } : openJournal(journal, seed)
  const simulator = new Simulator({ seed, schemes, ...opened })
  const app: FastifyInstance = buildApp(simulator)
  const headers = (at: string) => ({ 'bank-time': at })
  const bank = {
    app,
    send: (xml: string, at = START) =>
      app.inject({
        method: 'POST',
        url: '/messages',
        headers: { ...headers(at), 'content-type': 'application/xml' },
        payload: xml,
      }),
    /** Everything available at that time, after a sequence. */
    pull: async (at: string, from = 0): Promise<Listed[]> =>
      (await app.inject({ url: `/messages?after=${from}&limit=1000`, headers: headers(at) })).json(),
    /** What a bank would understand of it: type, status or reason, in the order of delivery. Every message is valid by its schema. */
    hear: async (at: string, from = 0): Promise<string[]> => (await bank.pull(at, from)).map(summary),
    view: async (txId: string, at: string) => (await app.inject({ url: `/transactions/${txId}`, headers: headers(at) })).json(),
    incoming: (body: unknown, at = START, key?: string) =>
      app.inject({
        method: 'POST',
        url: '/simulate/incoming',
        headers: { ...headers(at), 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
        payload: JSON.stringify(body),
      }),
    close: async () => {
      await app.close()
      await simulator.close()
    },
  }
  return bank
}

/** What a message says, as a tree. */
export function tree(xml: string): XmlElement {
  const read = readXml(xml)
  if (!read.ok) throw new Error(read.problem.message)
  return read.root
}

function summary(message: Listed): string {
  if (message.message_type === 'unreadable') return 'unreadable'
  const problems = xsdProblems(message.message_type, message.xml)
  if (problems.length > 0) throw new Error(`${message.message_type} is not valid: ${problems.join('; ')}`)
  const body = tree(message.xml).children[0]
  const words =
    message.message_type === 'pacs.002.001.10'
      ? [
          textOf(body, 'OrgnlGrpInfAndSts/GrpSts') ? 'group' : undefined,
          textOf(body, 'OrgnlGrpInfAndSts/GrpSts') ?? textOf(body, 'TxInfAndSts/TxSts'),
          textOf(body, 'OrgnlGrpInfAndSts/StsRsnInf/Rsn/Cd') ?? textOf(body, 'TxInfAndSts/StsRsnInf/Rsn/Cd'),
        ]
      : message.message_type === 'pacs.004.001.09'
        ? ['return', textOf(body, 'TxInf/RtrRsnInf/Rsn/Cd')]
        : ['credit transfer', textOf(body, 'CdtTrfTxInf/IntrBkSttlmAmt')]
  return words.filter((word) => word !== undefined).join(' ')
}
