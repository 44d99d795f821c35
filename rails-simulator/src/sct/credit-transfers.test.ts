import { textOf } from '@partita/notation/xml'
import { expect, test } from 'vitest'
import { describeWithStandards } from '../../../server/test/support/standards.ts'
import { xsdProblems } from '../../../server/test/support/xsd.ts'
import { after, pacs004, pacs008, pacs028, START, startBank, tree } from '../../test/support.ts'

const HOUR = 3_600

describeWithStandards('a credit transfer through the simulator', () => {
  test('is taken, accepted and settled once, each when its time has come', async () => {
    const bank = startBank()
    expect(xsdProblems('pacs.008.001.08', pacs008({}))).toEqual([])
    const taken = await bank.send(pacs008({}))
    expect([taken.statusCode, taken.json()]).toEqual([202, { message_id: 'M-TX-1', message_type: 'pacs.008.001.08' }])
    expect(await bank.hear(START)).toEqual([])
    expect(await bank.view('TX-1', START)).toMatchObject({ received: 1, executions: 0, status: null })
    expect(await bank.hear(after(0.5))).toEqual(['ACSP'])
    expect(await bank.hear(after(5))).toEqual(['ACSP', 'ACSC'])
    expect(await bank.view('TX-1', after(5))).toEqual({
      tx_id: 'TX-1',
      received: 1,
      executions: 1,
      returns: 0,
      status: 'ACSC',
      reason: null,
    })
  })

  test('settles on its settlement date, not before', async () => {
    const bank = startBank()
    await bank.send(pacs008({ date: '2026-03-12' }))
    expect(await bank.hear('2026-03-11T22:59:59Z')).toEqual(['ACSP'])
    expect(await bank.hear('2026-03-11T23:00:05Z')).toEqual(['ACSP', 'ACSC']) // midnight in Brussels
  })

  test('is answered for every transaction of a message', async () => {
    const bank = startBank()
    await bank.send(pacs008({ txId: 'A' }, { txId: 'B', name: 'SIM REJECT AC04' }, { txId: 'C' }))
    expect((await bank.hear(after(5))).sort()).toEqual(['ACSC', 'ACSC', 'ACSP', 'ACSP', 'RJCT AC04'])
  })

  test.each([
    ['another currency', { currency: 'USD' }, 'RJCT CURR'],
    ['no amount', { amount: '0' }, 'RJCT AM12'],
    ['a fraction of a cent', { amount: '1.005' }, 'RJCT AM12'],
    ['a creditor IBAN with wrong check digits', { iban: 'DE88370400440532013000' }, 'RJCT AC01'],
    ['a settlement date gone by', { date: '2026-03-08' }, 'RJCT DT01'],
    ['a settlement date that is none', { date: '2026-02-30' }, 'RJCT DT01'],
  ])('is rejected with %s', async (_, payment, expected) => {
    const bank = startBank()
    await bank.send(pacs008(payment))
    expect(await bank.hear(after(60))).toEqual([expected])
    expect(await bank.view('TX-1', after(60))).toMatchObject({ executions: 0 })
  })

  test('sent again is rejected as a duplicate and never executed twice', async () => {
    const bank = startBank()
    await bank.send(pacs008({}))
    await bank.send(pacs008({ msgId: 'OTHER' }), after(10))
    await bank.send(pacs008({}), after(20))
    expect(await bank.hear(after(60))).toEqual(['ACSP', 'ACSC', 'RJCT AM05', 'RJCT AM05'])
    expect(await bank.view('TX-1', after(60))).toMatchObject({ received: 3, executions: 1, status: 'ACSC' })
  })

  test('twice in one message is executed once', async () => {
    const bank = startBank()
    await bank.send(pacs008({}, {}))
    expect((await bank.hear(after(60))).sort()).toEqual(['ACSC', 'ACSP', 'RJCT AM05'])
    expect(await bank.view('TX-1', after(60))).toMatchObject({ received: 2, executions: 1 })
  })
})

describeWithStandards('a sentinel name', () => {
  test.each([
    ['SIM REJECT AC04', ['RJCT AC04'], 0],
    ['Anna SIM REJECT', ['RJCT MS03'], 0],
    ['SIM REJECT AFTER ACCEPT AG01', ['ACSP', 'RJCT AG01'], 0],
    ['SIM DUPLICATE ANSWER', ['ACSP', 'ACSP', 'ACSP', 'ACSC', 'ACSC', 'ACSC'], 1],
    ['SIM LOST ANSWER', [], 1],
    ['SIM LOST MESSAGE', [], 0],
    ['SIM SILENT', [], 1],
    ['SIM RETURN AC04', ['ACSP', 'ACSC', 'return AC04'], 1],
    ['SIM DUPLICATE RETURN MD07', ['ACSP', 'ACSC', 'return MD07', 'return MD07'], 1],
    ['SIM EARLY RETURN AC06', ['ACSP', 'return AC06', 'ACSC'], 1],
    ['SIM CONTRADICT AC01', ['ACSP', 'ACSC', 'RJCT AC01'], 1],
    ['SIM GARBAGE ANSWER', ['unreadable', 'ACSP', 'ACSC'], 1],
    ['SIM OUT OF ORDER', ['ACSC', 'ACSP'], 1],
    ['SIM GROUP ANSWER', ['group ACSP', 'group ACSC'], 1],
    ['A SIM card shop', ['ACSP', 'ACSC'], 1],
    ['SIMRETURN AC04', ['ACSP', 'ACSC'], 1],
  ])('%s', async (name, heard, executions) => {
    const bank = startBank()
    expect((await bank.send(pacs008({ name }))).statusCode).toBe(202)
    expect(await bank.hear(after(60))).toEqual(heard)
    expect(await bank.view('TX-1', after(60))).toMatchObject({ executions })
  })

  test('can come as an amount; one cent beside it means nothing', async () => {
    const bank = startBank()
    await bank.send(pacs008({ txId: 'A', amount: '6660.02' }))
    await bank.send(pacs008({ txId: 'B', amount: '6661.02' }), after(10))
    expect(await bank.hear(after(60))).toEqual(['RJCT AC04', 'ACSP', 'ACSC'])
  })

  test('delays answers and returns by the time it names', async () => {
    const bank = startBank()
    await bank.send(pacs008({ txId: 'L', name: 'SIM LATE 2H' }))
    await bank.send(pacs008({ txId: 'R', name: 'SIM RETURN MD07 3D' }))
    expect(await bank.hear(after(2 * HOUR - 1))).toEqual(['ACSP', 'ACSC'])
    expect(await bank.view('L', after(2 * HOUR - 1))).toMatchObject({ executions: 1 })
    expect(await bank.hear(after(3 * HOUR))).toEqual(['ACSP', 'ACSC', 'ACSP', 'ACSC'])
    expect(await bank.view('R', after(3 * HOUR))).toMatchObject({ returns: 0 })
    expect((await bank.hear(after(73 * HOUR))).slice(4)).toEqual(['return MD07'])
    expect(await bank.view('R', after(73 * HOUR))).toMatchObject({ executions: 1, returns: 1 })
  })

  test('UNAVAILABLE takes nothing and says so', async () => {
    const bank = startBank()
    expect((await bank.send(pacs008({ name: 'SIM UNAVAILABLE' }))).statusCode).toBe(503)
    expect(await bank.hear(after(60))).toEqual([])
    expect(await bank.view('TX-1', after(60))).toMatchObject({ error: { code: 'transaction_not_found' } })
  })

  test('DROP REPLY executes and cuts the connection', async () => {
    const bank = startBank()
    const address = await bank.app.listen({ port: 0, host: '127.0.0.1' })
    const request = {
      method: 'POST',
      headers: { 'bank-time': START, 'content-type': 'application/xml' },
      body: pacs008({ name: 'SIM DROP REPLY' }),
    }
    await expect(fetch(`${address}/messages`, request)).rejects.toThrow()
    expect(await bank.hear(after(60))).toEqual(['ACSP', 'ACSC'])
    await bank.close()
  })
})

describeWithStandards('a status request', () => {
  test.each([
    ['a payment on its way', 'Anna', 0.6, 'ACSP'],
    ['a settled payment whose answer was lost', 'SIM LOST ANSWER', 60, 'ACSC'],
    ['a payment answered late', 'SIM LATE 1D', 60, 'ACSC'],
    ['a rejected payment', 'SIM REJECT AC06', 60, 'RJCT AC06'],
    ['a message that never arrived', 'SIM LOST MESSAGE', 60, 'RJCT AG09'],
  ])('tells the truth about %s', async (_, name, seconds, expected) => {
    const bank = startBank()
    expect(xsdProblems('pacs.028.001.03', pacs028('TX-1'))).toEqual([])
    await bank.send(pacs008({ name }))
    const before = (await bank.pull(after(seconds))).length
    expect((await bank.send(pacs028('TX-1'), after(seconds))).statusCode).toBe(202)
    const answers = await bank.hear(after(seconds + 0.3), before)
    expect(answers).toEqual([expected])
    const xml = (await bank.pull(after(seconds + 0.3), before))[0]?.xml ?? ''
    const line = tree(xml)
    expect(textOf(line, 'FIToFIPmtStsRpt/TxInfAndSts/StsId')).toBe('Q-TX-1-1')
    expect(textOf(line, 'FIToFIPmtStsRpt/TxInfAndSts/OrgnlTxId')).toBe('TX-1')
  })

  test('is not answered about a silent payment', async () => {
    const bank = startBank()
    await bank.send(pacs008({ name: 'SIM SILENT' }))
    await bank.send(pacs028('TX-1'), after(30))
    expect(await bank.hear(after(600))).toEqual([])
  })

  test('answered "never received" is a promise: the payment arriving later is not executed', async () => {
    const bank = startBank()
    await bank.send(pacs028('TX-1'))
    await bank.send(pacs008({}), after(10))
    expect(await bank.hear(after(60))).toEqual(['RJCT AG09', 'RJCT AB01'])
    expect(await bank.view('TX-1', after(60))).toMatchObject({ executions: 0 })
  })
})

const ORDER = {
  amount: '800.00',
  currency: 'EUR',
  debtor_name: 'Anna Muster',
  debtor_iban: 'DE89370400440532013000',
  creditor_name: 'Atelier Rousseau',
  creditor_iban: 'FR7630006000011234567890189',
  remittance_information: 'Invoice 7',
  end_to_end_id: 'RE-7',
}

describeWithStandards('an incoming payment', () => {
  test('waits for the bank as a pacs.008 and is made once per idempotency key', async () => {
    const bank = startBank()
    const first = await bank.incoming(ORDER, START, 'k1')
    expect(first.statusCode).toBe(201)
    const again = await bank.incoming(ORDER, after(1), 'k1')
    expect([again.statusCode, again.json()]).toEqual([200, first.json()])
    expect((await bank.incoming({ ...ORDER, amount: '800.01' }, after(1), 'k1')).statusCode).toBe(409)
    expect(await bank.hear(after(2))).toEqual(['credit transfer 800.00'])
    await bank.incoming(ORDER, after(2))
    expect(await bank.hear(after(3))).toEqual(['credit transfer 800.00', 'credit transfer 800.00'])
  })

  test('needs no remittance information, no reference and no more than the form of an IBAN', async () => {
    const bank = startBank()
    await bank.incoming({ ...ORDER, remittance_information: '', end_to_end_id: undefined, creditor_iban: 'FR0000' })
    expect(await bank.hear(after(2))).toEqual(['credit transfer 800.00'])
  })

  test('in copies carries one TxId under old and new message identifications', async () => {
    const bank = startBank()
    await bank.incoming({ ...ORDER, copies: 3 })
    const messages = await bank.pull(after(1))
    const ids = messages.map((message) => textOf(tree(message.xml), 'FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/TxId'))
    expect(new Set(ids).size).toBe(1)
    expect(messages[1]?.id).toBe(messages[0]?.id)
    expect(messages[2]?.id).not.toBe(messages[0]?.id)
  })

  test.each([
    ['a number as amount', { amount: 800 }],
    ['a negative amount', { amount: '-1.00' }],
    ['a third decimal', { amount: '1.001' }],
    ['another currency', { currency: 'USD' }],
    ['no debtor', { debtor_name: '' }],
    ['a wrong debtor IBAN', { debtor_iban: 'DE88370400440532013000' }],
    ['too many copies', { copies: 11 }],
  ])('is refused with %s', async (_, change) => {
    const bank = startBank()
    expect((await bank.incoming({ ...ORDER, ...change })).statusCode).toBe(400)
    expect(await bank.hear(after(2))).toEqual([])
  })

  test('can be returned once, in full', async () => {
    const bank = startBank()
    const txId: string = (await bank.incoming(ORDER)).json().tx_id
    expect(xsdProblems('pacs.004.001.09', pacs004(txId, '800.00'))).toEqual([])
    await bank.send(pacs004(txId, '799.99', 'R0'), after(10))
    await bank.send(pacs004(txId, '800.00', 'R1'), after(20))
    await bank.send(pacs004(txId, '800.00', 'R2'), after(30))
    await bank.send(pacs004('NOBODY', '800.00', 'R3'), after(40))
    expect((await bank.hear(after(60))).slice(1)).toEqual(['RJCT AM09', 'ACSC', 'RJCT AM05', 'RJCT AG09'])
    await bank.send(pacs028(txId, 'pacs.004.001.09'), after(60))
    expect((await bank.hear(after(90))).slice(5)).toEqual(['ACSC'])
  })

  test('whose return was reported as never received is not returned by that message any more, but by another', async () => {
    const bank = startBank()
    const txId: string = (await bank.incoming(ORDER)).json().tx_id
    const asked = pacs028(txId, 'pacs.004.001.09').replaceAll(`M-${txId}`, 'R1')
    await bank.send(asked, after(10))
    await bank.send(pacs004(txId, '800.00', 'R1'), after(20))
    await bank.send(pacs004(txId, '800.00', 'R2'), after(30))
    expect((await bank.hear(after(60))).slice(1)).toEqual(['RJCT AG09', 'RJCT AB01', 'ACSC'])
  })

  test('can have its return rejected by name', async () => {
    const bank = startBank()
    const txId: string = (await bank.incoming({ ...ORDER, debtor_name: 'SIM REJECT RETURN AC04' })).json().tx_id
    await bank.send(pacs004(txId, '800.00'), after(10))
    expect((await bank.hear(after(60))).slice(1)).toEqual(['RJCT AC04'])
  })
})

describeWithStandards('the settlement account', () => {
  test('shows every movement of the day and closes where the next day opens', async () => {
    const bank = startBank()
    const statement = async (date: string) => {
      const answer = await bank.app.inject({ url: `/statement?date=${date}`, headers: { 'bank-time': after(100 * HOUR) } })
      expect(xsdProblems('camt.053.001.08', answer.body)).toEqual([])
      const stmt = tree(answer.body).children[0]?.children.find((c) => c.name === 'Stmt')
      const line = (e: Parameters<typeof textOf>[0]) => `${textOf(e, 'CdtDbtInd')} ${textOf(e, 'Amt')}`
      return {
        balances: stmt?.children.filter((c) => c.name === 'Bal').map(line),
        entries: stmt?.children.filter((c) => c.name === 'Ntry').map(line),
      }
    }
    const txId: string = (await bank.incoming(ORDER)).json().tx_id
    await bank.send(pacs008({ txId: 'A', amount: '1250.00' }), after(10))
    await bank.send(pacs008({ txId: 'B', amount: '30.00', name: 'SIM RETURN AC04 1D' }), after(20))
    await bank.send(pacs008({ txId: 'C', name: 'SIM REJECT AC04' }), after(30))
    await bank.send(pacs004(txId, '800.00'), after(48 * HOUR))
    expect(await statement('2026-03-09')).toEqual({ balances: ['CRDT 0.00', 'CRDT 0.00'], entries: [] })
    expect(await statement('2026-03-10')).toEqual({
      balances: ['CRDT 0.00', 'DBIT 480.00'],
      entries: ['CRDT 800.00', 'DBIT 1250.00', 'DBIT 30.00'],
    })
    expect(await statement('2026-03-11')).toEqual({ balances: ['DBIT 480.00', 'DBIT 450.00'], entries: ['CRDT 30.00'] })
    expect(await statement('2026-03-12')).toEqual({ balances: ['DBIT 450.00', 'DBIT 1250.00'], entries: ['DBIT 800.00'] })
  })
})
