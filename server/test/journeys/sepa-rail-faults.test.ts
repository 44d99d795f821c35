import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PayingBank } from '../support/paying-bank.ts'
import {
  creditTransfer,
  paymentReturn,
  type Said,
  type ScriptedRail,
  scriptedRail,
  statusReport,
} from '../support/scripted-rail.ts'
import { describeWithStandards } from '../support/standards.ts'
import { xsdProblems } from '../support/xsd.ts'

let rail: ScriptedRail
let bank: PayingBank

beforeAll(async () => {
  rail = scriptedRail()
  bank = await PayingBank.open(() => rail)
})

afterAll(() => bank.close())

const STRANGER = 'FR7630006000011234567890189'
let count = 0
const unique = (prefix: string) => `${prefix}-${++count}`

/** Says it and lets the bank do what it does about it. @returns what the bank made of it. */
async function hear(xml: string, id?: string): Promise<string | undefined> {
  const said = rail.say(xml, id)
  await bank.settleDown()
  return bank.outcomeOf(said)
}

/** A transfer that is on its way, and the reports about it. */
async function sent(minor = 100_00n) {
  const transfer = await bank.send('Muster GmbH', minor)
  await bank.settleDown()
  const report = (said: Omit<Said, 'txId'>) => hear(statusReport({ txId: transfer.transactionId, ...said }))
  return { transfer, report }
}

async function settled(minor = 100_00n) {
  const { transfer, report } = await sent(minor)
  await report({ status: 'ACSC' })
  const returned = (amount: string, more: Partial<Parameters<typeof paymentReturn>[0]> = {}) =>
    hear(paymentReturn({ txId: transfer.transactionId, amount, returnId: unique('RTR'), ...more }))
  return { transfer, report, returned }
}

/** A receipt for an account that we do not have, as far as our pacs.004. @returns the MsgId of that. */
async function sentBack(amount: string, txId = unique('IN'), agent?: string) {
  await hear(creditTransfer({ txId, amount, creditorIban: STRANGER, ...(agent && { agent }) }))
  const { message_id: msgId } = await bank.row<{ message_id: string }>(
    `select message_id from payments.outgoing_message where message_name like 'pacs.004%' order by created_at desc, id desc limit 1`,
  )
  const report = (said: Omit<Said, 'name'>) => hear(statusReport({ name: 'pacs.004.001.09', txId, msgId, ...said }))
  const status = () =>
    bank.row('select status, status_reason_code as reason from payments.incoming_transfer where transaction_id = $1', txId)
  return { txId, msgId, report, status }
}

describe('a status report', () => {
  test.each([
    ['for another amount', { status: 'ACSC', amount: '99.99' }],
    ['in another currency', { status: 'ACSC', amount: '100.00', currency: 'USD' }],
    ['about another message', { status: 'ACSC', msgId: 'SOMEBODY-ELSES' }],
  ])('%s contradicts our books and moves nothing; the right one then does', async (_, said) => {
    const { transfer, report } = await sent()
    const before = await bank.money()
    expect(await report(said)).toBe('contradiction')
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'submitted', reason: null })
    expect(await bank.money()).toEqual(before)
    expect(await report({ status: 'ACSC', amount: '100.00' })).toBe('accept_and_settle')
  })

  test.each(['pacs.028.001.03', 'pacs.004.001.09', 'camt.056.001.08'])(
    'about a %s under the TxId of a transfer says nothing of the transfer',
    async (name) => {
      const { transfer, report } = await sent()
      await report({ name, status: 'ACSC' })
      await report({ name, groupStatus: 'RJCT' })
      expect(await bank.statusOf(transfer.id)).toEqual({ status: 'submitted', reason: null })
      await report({ status: 'RJCT', reason: 'AC04' })
      expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AC04' })
    },
  )

  test('about a question of ours, by its MsgId, does not reject the transfer that was asked about', async () => {
    const { transfer } = await sent()
    await bank.passTime(90)
    const { message_id: msgId } = await bank.row<{ message_id: string }>(
      `select m.message_id from payments.outgoing_message m join payments.outgoing_message_transfer c on c.message_id = m.id
        where c.transfer_id = $1 and m.message_name like 'pacs.028%'`,
      transfer.id,
    )
    await hear(statusReport({ msgId, groupStatus: 'RJCT', reason: 'FF01' }))
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'unknown' })
    await hear(statusReport({ txId: transfer.transactionId, status: 'ACSC' }))
  })

  test('that settles after we gave the money back debits the customer; a rejection after that changes nothing', async () => {
    const before = await bank.money()
    const { transfer, report } = await sent()
    expect(await report({ status: 'RJCT', reason: 'MS03' })).toBe('reject')
    expect(await bank.money()).toEqual(before)
    expect(await report({ status: 'ACSP' })).toBe('contradiction')
    expect(await bank.money()).toEqual(before)
    expect(await report({ status: 'ACSC' })).toBe('settle_after_rejection')
    expect(await report({ status: 'RJCT', reason: 'MS03' })).toBe('contradiction')
    expect(await report({ status: 'ACSC' })).toBe('nothing')
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
    expect(await bank.money()).toMatchObject({
      booked: before.booked - 100_00n,
      nostro: before.nostro + 100_00n,
      out: before.out,
    })
  })

  test.each([
    ['malformed', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFI'],
    ['of another namespace', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.03"><FIToFIPmtStsRpt/></Document>'],
    [
      'with a document type',
      '<!DOCTYPE d [<!ENTITY x "y">]><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10">&x;</Document>',
    ],
    ['nested without end', '<a>'.repeat(200_000)],
    ['with a NUL', statusReport({ txId: 'A\0B', status: 'ACSC' })],
    ['empty', ''],
  ])('that is %s is kept with the reason, and the next message is heard', async (_, xml) => {
    const { transfer, report } = await sent()
    expect(await hear(xml)).toMatch(/^unreadable: /)
    expect(await report({ status: 'ACSC' })).toBe('accept_and_settle')
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
  })

  test('of a payment that we never made is kept for somebody to look at', async () => {
    expect(await hear(statusReport({ txId: 'NEVER-MADE', status: 'ACSC' }))).toBe('transfer_not_found')
  })

  test('handed out a second time under the same id has no second effect, whatever it says by then', async () => {
    const { transfer } = await sent()
    const id = unique('SAME')
    expect(await hear(statusReport({ txId: transfer.transactionId, status: 'ACSP' }), id)).toBe('accept')
    await hear(statusReport({ txId: transfer.transactionId, status: 'RJCT' }), id)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'accepted' })
    await hear(statusReport({ txId: transfer.transactionId, status: 'ACSC' }))
  })
})

describe('a rejection for being a duplicate (AM05)', () => {
  test('asks about the first copy; what the rail then says of that one counts', async () => {
    const before = await bank.money()
    const { transfer, report } = await sent()
    const asked = rail.taken.length
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('copy_refused')
    expect(rail.taken.slice(asked).join()).toContain('pacs.028.001.03')
    expect(await report({ status: 'ACSC' })).toBe('accept_and_settle')
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
    expect(await bank.money()).toMatchObject({ booked: before.booked - 100_00n, available: before.available - 100_00n })
  })

  test('is one when the rail answers the question with it: the money does not stay held for ever', async () => {
    const before = await bank.money()
    const { transfer, report } = await sent()
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('copy_refused')
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('reject')
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AM05' })
    expect(await bank.money()).toEqual(before)
  })

  test('after acceptance brings the money back in the same way', async () => {
    const before = await bank.money()
    const { transfer, report } = await sent()
    expect(await report({ status: 'ACSP' })).toBe('accept')
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('copy_refused')
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('reject_accepted')
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AM05' })
    expect(await bank.money()).toEqual(before)
  })

  test('changes nothing once the first copy has settled', async () => {
    const { transfer, report } = await sent()
    await report({ status: 'RJCT', reason: 'AM05' })
    await report({ status: 'ACSC' })
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('copy_refused')
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
  })

  test('of a return of ours is asked about once, then a person decides', async () => {
    const { txId, report, status } = await sentBack('39.00')
    const asked = rail.taken.length
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('copy_refused')
    expect(await report({ status: 'RJCT', reason: 'AM05' })).toBe('return_refused')
    await bank.passTime(3_600)
    expect(await status()).toEqual({ status: 'return_refused', reason: 'AC01' })
    expect(rail.taken.slice(asked).filter((xml) => xml.includes(`<OrgnlTxId>${txId}<`))).toHaveLength(1)
  })
})

describe('a return of what we sent', () => {
  test('in two parts comes back in two entries, and never more than was sent', async () => {
    const before = await bank.money()
    const { transfer, returned } = await settled()
    expect(await returned('60.00', { original: '100.00' })).toBe('returned')
    expect(await bank.lastFeedRow()).toMatchObject({ side: 'credit', amount: '6000' })
    expect(await returned('60.00')).toBe('contradiction')
    expect(await returned('40.00')).toBe('returned')
    expect(await returned('0.01')).toBe('contradiction')
    expect(await bank.money()).toEqual(before)
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'returned', reason: 'AC04' })
  })

  test('comes back once per agent and RtrId, in either form of the BIC', async () => {
    const { returned } = await settled()
    const before = await bank.money()
    const key = { returnId: unique('RTR'), agent: 'COBADEFF' }
    expect(await returned('30.00', key)).toBe('returned')
    expect(await returned('30.00', { ...key, agent: 'COBADEFFXXX' })).toBe('nothing')
    expect(await bank.money()).toMatchObject({ booked: before.booked + 30_00n })
    expect(await returned('30.00', { ...key, agent: 'DEUTDEFF' })).toBe('returned')
  })

  test('under the key of another return contradicts our books instead of being taken for a copy', async () => {
    const [first, second] = [await settled(), await settled()]
    const key = { returnId: unique('RTR') }
    expect(await first.returned('30.00', key)).toBe('returned')
    expect(await second.returned('30.00', key)).toBe('contradiction')
    expect(await first.returned('31.00', key)).toBe('contradiction')
    expect(await first.returned('30.00', key)).toBe('nothing')
  })

  test.each([
    ['of more than was sent', '100.01', {}],
    ['that names another amount as ours', '100.00', { original: '1000.00' }],
    ['of another message', '100.00', { msgId: 'SOMEBODY-ELSES' }],
  ])('%s contradicts our books and moves nothing', async (_, amount, more) => {
    const { transfer, returned } = await settled()
    const before = await bank.money()
    expect(await returned(amount, more)).toBe('contradiction')
    expect(await bank.money()).toEqual(before)
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
  })

  test('in another currency, or of nothing, cannot be read', async () => {
    const { returned } = await settled()
    expect(await returned('100.00', { currency: 'USD' })).toMatch(/^unreadable: /)
    expect(await returned('0.00')).toMatch(/^unreadable: /)
  })

  test('of what was rejected, or never made, is not booked', async () => {
    const { transfer, report } = await sent()
    await report({ status: 'RJCT', reason: 'AC01' })
    const before = await bank.money()
    expect(await hear(paymentReturn({ txId: transfer.transactionId, amount: '100.00' }))).toBe('contradiction')
    expect(await hear(paymentReturn({ txId: 'NEVER-MADE', amount: '100.00' }))).toBe('transfer_not_found')
    expect(await bank.money()).toEqual(before)
  })
})

describe('a receipt', () => {
  const own = () => bank.company.accounts[0].iban

  test('is credited once per agent and TxId, in either form of the BIC; another one under its key is a contradiction', async () => {
    const before = await bank.money()
    const txId = unique('IN')
    const receive = (amount: string, agent: string) => hear(creditTransfer({ txId, amount, creditorIban: own(), agent }))
    expect(await receive('80.00', 'COBADEFF')).toBe('credited')
    expect(await receive('80.00', 'COBADEFFXXX')).toBe('duplicate')
    expect(await receive('81.00', 'COBADEFFXXX')).toBe('contradiction')
    expect(await bank.money()).toMatchObject({ booked: before.booked + 80_00n, nostro: before.nostro - 80_00n, in: 0n })
    expect(await receive('80.00', 'DEUTDEFFXXX')).toBe('credited')
  })

  test('that is instant is not booked: nobody confirms it', async () => {
    const before = await bank.money()
    expect(await hear(creditTransfer({ txId: unique('IN'), amount: '5.00', creditorIban: own(), instant: true }))).toMatch(
      /^unreadable: /,
    )
    expect(await bank.money()).toEqual(before)
  })
})

describe('a return of ours', () => {
  test('leaves the nostro when the rail has settled it, once', async () => {
    const before = await bank.money()
    const { report, status } = await sentBack('33.00')
    expect(await status()).toEqual({ status: 'returning', reason: 'AC01' })
    expect(await bank.money()).toEqual({ ...before, nostro: before.nostro - 33_00n, out: before.out + 33_00n })
    expect(await report({ status: 'ACSP' })).toBe('nothing')
    expect(await report({ status: 'ACSC' })).toBe('return_settled')
    expect(await report({ status: 'ACSC' })).toBe('nothing')
    expect(await status()).toEqual({ status: 'returned', reason: 'AC01' })
    expect(await bank.money()).toEqual(before)
    expect(await report({ status: 'RJCT', reason: 'AC04' })).toBe('contradiction')
  })

  test('that the rail refuses goes back to suspense and waits for a person', async () => {
    const before = await bank.money()
    const { report, status } = await sentBack('34.00')
    expect(await report({ status: 'RJCT', reason: 'AC04' })).toBe('return_refused')
    expect(await status()).toMatchObject({ status: 'return_refused' })
    await bank.passTime(3_600)
    expect(await bank.money()).toEqual({ ...before, nostro: before.nostro - 34_00n, suspense: before.suspense + 34_00n })
  })

  test('that the rail does not even take waits for a person instead of being written anew without end', async () => {
    const before = await bank.money()
    rail.deliveries.push({ kind: 'refused', reason: 'FF01' })
    const { txId, report, status } = await sentBack('38.00')
    expect(await report({ status: 'RJCT', reason: 'AG09' })).toBe('return_refused')
    await bank.passTime(3_600)
    expect(await status()).toMatchObject({ status: 'return_refused' })
    expect(rail.taken.filter((xml) => xml.includes('PmtRtr') && xml.includes(`<OrgnlTxId>${txId}<`))).toHaveLength(1)
    expect(await bank.money()).toEqual({ ...before, nostro: before.nostro - 38_00n, suspense: before.suspense + 38_00n })
  })

  test('of which nothing is heard is asked about; one that never arrived is sent in another message', async () => {
    const before = await bank.money()
    rail.deliveries.push({ kind: 'unknown' })
    const { txId, msgId, report, status } = await sentBack('35.00')
    const asked = rail.taken.at(-1) ?? ''
    expect(asked).toContain('pacs.028.001.03')
    expect(asked).toContain(`<OrgnlMsgId>${msgId}</OrgnlMsgId>`)
    expect(await report({ status: 'RJCT', reason: 'AG09' })).toBe('return_never_received')
    const returns = rail.taken.filter((xml) => xml.includes('PmtRtr') && xml.includes(`<OrgnlTxId>${txId}<`))
    expect(returns).toHaveLength(2)
    const second = /<MsgId>(\w+)</.exec(returns[1] ?? '')?.[1] ?? ''
    expect(second).not.toBe(msgId)
    expect(await report({ status: 'ACSC' })).toBe('return_settled') // whichever message it is said of: it is the one money
    expect(await status()).toMatchObject({ status: 'returned' })
    expect(await bank.money()).toEqual(before)
    expect(await hear(statusReport({ name: 'pacs.004.001.09', txId, msgId: second, status: 'RJCT', reason: 'AM05' }))).toBe(
      'nothing',
    )
  })

  test('that has not left for lack of a connection is tried again as it is', async () => {
    rail.deliveries.push({ kind: 'not_sent' })
    const { report, txId } = await sentBack('36.00')
    await bank.passTime(3_600)
    expect(rail.taken.filter((xml) => xml.includes(`<OrgnlTxId>${txId}<`) && xml.includes('PmtRtr'))).toHaveLength(1)
    expect(await report({ status: 'ACSC' })).toBe('return_settled')
  })

  test('of a payment whose TxId equals one of ours does not settle ours', async () => {
    const { transfer, report } = await sent(77_00n)
    const back = await sentBack('37.00', transfer.transactionId)
    expect(await back.report({ status: 'ACSC' })).toBe('return_settled')
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'submitted' })
    await report({ status: 'ACSC' })
  })
})

describe('a transfer to an account of this bank', () => {
  test('is settled in the house, in one posting, and both see it', async () => {
    const before = await bank.money()
    const taken = rail.taken.length
    const [, other] = bank.company.accounts
    const transfer = await bank.send('Ourselves', 25_00n, { creditorIban: other.iban, creditorBic: null })
    await bank.settleDown()
    expect(await bank.statusOf(transfer.id)).toMatchObject({ status: 'settled' })
    expect(rail.taken).toHaveLength(taken)
    expect(await bank.money()).toEqual({ ...before, booked: before.booked - 25_00n, available: before.available - 25_00n })
    expect(await bank.feedRow(transfer.feedTransactionId)).toEqual({
      status: 'completed',
      balance: String(before.booked - 25_00n),
    })
    expect(await bank.lastFeedRow(other.id)).toMatchObject({ side: 'credit', amount: '2500', reference: 'Invoice 204' })
  })

  test('that is closed is rejected, and to itself refused', async () => {
    const before = await bank.money()
    const [own, other] = bank.company.accounts
    await bank.db.admin.query(`update accounts.bank_account set status = 'closed' where id = $1`, [other.id])
    const transfer = await bank.send('Ourselves', 25_00n, { creditorIban: other.iban })
    await bank.settleDown()
    expect(await bank.statusOf(transfer.id)).toEqual({ status: 'rejected', reason: 'AC04' })
    await expect(bank.send('Ourselves', 1_00n, { creditorIban: own.iban })).rejects.toThrow('creditor_is_debtor')
    expect(await bank.money()).toEqual(before)
    await bank.db.admin.query(`update accounts.bank_account set status = 'active' where id = $1`, [other.id])
  })
})

describeWithStandards('every message that we sent', () => {
  test('is valid against its schema', () => {
    for (const xml of rail.taken) expect(xsdProblems(/xsd:(pacs\.\d{3}\.001\.\d\d)/.exec(xml)?.[1] ?? '', xml)).toEqual([])
  })
})
