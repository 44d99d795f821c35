import { describe, expect, test } from 'vitest'
import { buildApp } from '../../../../rails-simulator/src/core/app.ts'
import { forgetfulJournal } from '../../../../rails-simulator/src/core/journal.ts'
import { Simulator } from '../../../../rails-simulator/src/core/simulator.ts'
import { SCHEMES } from '../../../../rails-simulator/src/schemes.ts'
import { SENTINELS } from '../../../../rails-simulator/src/sct/misbehaviour.ts'
import { readInterbankMessage } from './interbank.ts'
import { PACS_002 } from './pacs002.ts'
import { PACS_004, writePaymentReturn } from './pacs004.ts'
import { PACS_008, writeCreditTransfers } from './pacs008.ts'
import { writeStatusRequest } from './pacs028.ts'

const NOW = '2026-03-10T09:00:00.000Z'
const LATER = '2026-03-20T09:00:00.000Z'
const BANK = 'PARTFRPPXXX'

function startRails() {
  const app = buildApp(new Simulator({ seed: 'formats', schemes: SCHEMES, journal: forgetfulJournal }))
  return {
    send: (payload: string, at = NOW) =>
      app.inject({ method: 'POST', url: '/messages', headers: { 'bank-time': at, 'content-type': 'application/xml' }, payload }),
    receiveFrom: (payload: unknown) =>
      app.inject({ method: 'POST', url: '/simulate/incoming', headers: { 'bank-time': NOW }, payload: JSON.stringify(payload) }),
    async pull(at = LATER, after = 0) {
      const list = (await app.inject({ url: `/messages?after=${after}`, headers: { 'bank-time': at } })).json() as {
        message_type: string
        xml: string
      }[]
      return list.map(({ message_type, xml }) => ({ type: message_type, read: readInterbankMessage(xml) }))
    },
  }
}

const transfer = (transactionId: string, creditorName: string) =>
  writeCreditTransfers({
    messageId: transactionId,
    createdAt: NOW,
    settlementDate: '2026-03-10',
    instructingAgent: BANK,
    transactions: [
      {
        endToEndId: 'FACT-1',
        transactionId,
        settlementAmount: { value: '12.50', currency: 'EUR' },
        debtor: { name: 'Atelier Rousseau' },
        debtorIban: 'FR7630006000011234567890189',
        debtorAgent: BANK,
        creditor: { name: creditorName },
        creditorIban: 'DE89370400440532013000',
      },
    ],
  })

// The one that cuts the connection needs a connection; the simulator's own tests have one.
const PHRASES = SENTINELS.phrases.map(([phrase]) => `SIM ${phrase}`).filter((phrase) => phrase !== 'SIM DROP REPLY')

describe('we and the rails understand each other', () => {
  test.each(['Anna', ...PHRASES])('about %s', async (name) => {
    const rails = startRails()
    expect([202, 503]).toContain((await rails.send(transfer('TX1', name))).statusCode)
    const question = writeStatusRequest({
      messageId: 'Q1',
      requestId: 'Q1-1',
      createdAt: LATER,
      instructingAgent: BANK,
      originalMessageId: 'TX1',
      originalMessageName: PACS_008,
      originalTransactionId: 'TX1',
    })
    expect((await rails.send(question, LATER)).statusCode).toBe(202)
    for (const { type, read } of await rails.pull('2026-03-21T09:00:00.000Z')) {
      if (type === 'unreadable') expect(read.ok).toBe(false)
      else expect(read.ok && read.value.messageName).toBe(type)
      if (!read.ok || read.value.messageName === PACS_008) continue
      const about = read.value.messageName === PACS_002 ? [...read.value.groups, ...read.value.transactions] : read.value.returns
      expect(about.every((entry) => entry.originalMessageId === 'TX1')).toBe(true)
    }
  })

  test('about a payment that came in and goes back', async () => {
    const rails = startRails()
    const order = {
      amount: '800.00',
      debtor_name: 'Müller & Söhne',
      debtor_iban: 'DE89370400440532013000',
      creditor_name: 'A',
      creditor_iban: 'FR7630006000011234567890189',
    }
    expect((await rails.receiveFrom(order)).statusCode).toBe(201)
    const [incoming] = await rails.pull(NOW)
    if (!incoming?.read.ok || incoming.read.value.messageName !== PACS_008) throw new Error('no credit transfer came')
    const { messageId, settlementDate, transactions } = incoming.read.value
    const [original] = transactions
    if (!original) throw new Error('no transaction')
    expect(original.debtor.name).toBe('Müller & Söhne')
    const back = writePaymentReturn({
      messageId: 'R1',
      returnId: 'R1-1',
      createdAt: NOW,
      settlementDate: '2026-03-10',
      instructingAgent: BANK,
      reasonCode: 'AC01',
      originalMessageId: messageId,
      originalSettlementDate: settlementDate,
      original,
    })
    expect((await rails.send(back)).statusCode).toBe(202)
    const [answer] = await rails.pull(LATER, 1)
    expect(answer?.read.ok && answer.read.value).toMatchObject({
      groups: [{ originalMessageId: 'R1', originalMessageName: PACS_004 }],
      transactions: [{ status: 'ACSC', originalInstructionId: 'R1-1', originalTransactionId: original.transactionId }],
    })
  })
})
