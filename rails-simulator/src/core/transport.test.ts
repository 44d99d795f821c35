import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { after, pacs008, pacs028, START, startBank } from '../../test/support.ts'
import { SENTINELS } from '../sct/misbehaviour.ts'

describe('transport', () => {
  test.each([
    ['malformed XML', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08">', 'malformed_xml'],
    ['nothing', '', 'malformed_xml'],
    ['a document type', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'malformed_xml'],
    ['200,000 elements inside each other', `${'<a>'.repeat(200_000)}`, 'malformed_xml'],
    ['another message', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.02"/>', 'message_not_supported'],
    ['a name of JavaScript', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:constructor"/>', 'message_not_supported'],
    ['a message without its parts', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"/>', 'message_incomplete'],
  ])('refuses %s with a reason and remembers nothing', async (_, xml, code) => {
    const bank = startBank()
    const answer = await bank.send(xml)
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, code])
    expect((await bank.app.inject({ url: '/health' })).json()).toMatchObject({ payments: 0, messages_waiting: 0 })
  })

  test('has no time but the bank’s', async () => {
    const bank = startBank()
    expect((await bank.app.inject({ url: '/messages' })).json().error.code).toBe('bank_time_missing')
    expect((await bank.app.inject({ url: '/messages', headers: { 'bank-time': 'noon' } })).json().error.code).toBe(
      'bank_time_invalid',
    )
    await bank.send(pacs008({}), '2026-03-10T10:00:00+01:00')
    expect((await bank.app.inject({ url: '/health' })).json().bank_time).toBe(START)
    expect(await bank.pull('2026-03-10T08:00:00Z')).toEqual([]) // the clock does not go back
    expect((await bank.pull(after(60))).length).toBe(2)
    expect((await bank.app.inject({ url: '/messages' })).json().length).toBe(2)
  })

  test('lists messages page by page, again and again, and a late one after those already pulled', async () => {
    const bank = startBank()
    await bank.send(pacs008({ txId: 'L', name: 'SIM LATE 1H' }))
    await bank.send(pacs008({ txId: 'A' }))
    const early = await bank.pull(after(10))
    expect(early.map((m) => m.sequence)).toEqual([1, 2])
    const page = await bank.app.inject({ url: '/messages?after=1&limit=1', headers: { 'bank-time': after(10) } })
    expect(page.json()).toEqual([early[1]])
    const late = await bank.pull(after(4_000), 2)
    expect(late.map((m) => m.sequence)).toEqual([3, 4])
    for (const query of ['after=-1', 'after=x', 'limit=0', 'limit=1001']) {
      expect((await bank.app.inject({ url: `/messages?${query}` })).statusCode).toBe(400)
    }
  })

  test('says and does the same for the same seed, and otherwise for another', async () => {
    const run = async (seed: string) => {
      const bank = startBank({ seed })
      await bank.send(pacs008({ txId: 'A' }, { txId: 'B', name: 'SIM DUPLICATE RETURN AC04' }))
      return bank.pull(after(60))
    }
    expect(await run('one')).toEqual(await run('one'))
    expect(await run('one')).not.toEqual(await run('two'))
  })

  test('documents every sentinel', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    for (const [phrase] of SENTINELS.phrases) expect(readme).toContain(`\`SIM ${phrase}`)
    for (const [cents, phrase] of Object.entries(SENTINELS.cents))
      expect(readme).toContain(`| ${SENTINELS.euros}.${cents} | \`SIM ${phrase}\` |`)
  })
})

describe('the journal', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rails-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('forgets nothing over a restart: messages, duplicates, promises and the clock', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = startBank({ journal })
    await first.send(pacs008({ txId: 'A' }))
    await first.send(pacs008({ txId: 'L', name: 'SIM LATE 1H' }))
    await first.send(pacs028('NEVER'))
    await first.incoming(INCOMING, START, 'k')
    const before = await first.pull(after(10))
    await first.close()

    const second = startBank({ journal })
    expect((await second.app.inject({ url: '/messages' })).json()).toEqual(before)
    await second.send(pacs008({ txId: 'A' }), after(20))
    await second.send(pacs008({ txId: 'NEVER' }), after(20))
    expect((await second.incoming(INCOMING, after(20), 'k')).statusCode).toBe(200)
    expect(await second.view('A', after(30))).toMatchObject({ received: 2, executions: 1 })
    expect(await second.view('NEVER', after(30))).toMatchObject({ executions: 0 })
    const all = await second.pull(after(4_000))
    expect(all.slice(0, before.length)).toEqual(before)
    expect(all.map((message) => message.sequence)).toEqual(all.map((_, index) => index + 1))
    expect(all.length).toBe(before.length + 4)
    await second.close()
  })

  test('cuts off a last line that a crash left unfinished', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = startBank({ journal })
    await first.send(pacs008({ txId: 'A' }))
    await first.close()
    appendFileSync(journal, '{"at":"2026-03-10T09:00')
    const second = startBank({ journal })
    expect(await second.view('A', after(10))).toMatchObject({ received: 1, executions: 1 })
    await second.send(pacs008({ txId: 'B' }), after(20))
    await second.close()
    const third = startBank({ journal })
    expect(await third.view('B', after(30))).toMatchObject({ received: 1, executions: 1 })
    await third.close()
  })

  test('may not be damaged, foreign or of another seed', async () => {
    const journal = join(folder, 'journal.jsonl')
    await startBank({ journal }).close()
    expect(() => startBank({ journal, seed: 'other' })).toThrow(/made with seed "test"/)
    appendFileSync(journal, 'damage\n')
    expect(() => startBank({ journal })).toThrow(/line 2: not JSON/)
    appendFileSync(join(folder, 'foreign'), '{}\n')
    expect(() => startBank({ journal: join(folder, 'foreign') })).toThrow(/not a journal/)
  })

  test('keeps 500 messages sent at once', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = startBank({ journal })
    await Promise.all(Array.from({ length: 500 }, (_, index) => first.send(pacs008({ txId: `T${index}` }))))
    await first.close()
    const second = startBank({ journal })
    expect((await second.app.inject({ url: '/health' })).json()).toMatchObject({ payments: 500 })
    await second.close()
  })
})

const INCOMING = {
  amount: '800.00',
  debtor_name: 'Anna Muster',
  debtor_iban: 'DE89370400440532013000',
  creditor_name: 'Atelier Rousseau',
  creditor_iban: 'FR7630006000011234567890189',
}
