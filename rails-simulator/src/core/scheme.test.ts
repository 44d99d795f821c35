import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { textOf } from '@partita/notation/xml'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { after, pacs008, START, startBank } from '../../test/support.ts'
import { bookingReference } from '../messages/camt053.ts'
import { PACS_008 } from '../messages/pacs008.ts'
import { SCHEMES } from '../schemes.ts'
import type { Scheme } from './scheme.ts'
import type { Content, SchemeEvent } from './state.ts'

type Pinged = SchemeEvent & Readonly<{ type: 'echo.pinged'; txId: string }>
type Pong = Content & Readonly<{ type: 'echo.pong'; txId: string }>

const party = { name: 'Echo', iban: 'DE89370400440532013000' }

/** A scheme made from nothing: a message of its own, and every pacs.008 that begins with `ECHO`. */
const echo: Scheme<Set<string>, Pinged, Pong> = {
  name: 'echo',
  emptyState: () => new Set(),
  apply: (state, event) => {
    if (event.type !== 'echo.pinged') return false
    state.add(event.txId)
    return true
  },
  messages: [
    {
      name: PACS_008,
      isOurs: (root) => textOf(root, 'FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/TxId')?.startsWith('ECHO') ?? false,
      read: (root) => {
        const txId = textOf(root, 'FIToFICstmrCdtTrf/CdtTrfTxInf/PmtId/TxId') ?? ''
        return {
          msgId: 'pinged',
          decide: (draft) => {
            draft.add({ type: 'echo.pinged', txId })
            draft.queue('ECHO', draft.now, () => ({ type: 'echo.pong', txId }))
            return 'taken'
          },
        }
      },
    },
  ],
  write: (content) => (content.type === 'echo.pong' ? `<Pong>${content.txId}</Pong>` : undefined),
  routes: (app, api) => void app.get('/simulate/echo', async () => ({ at: api.now, known: [...api.state] })),
  transaction: (state, txId) =>
    state.has(txId) ? { tx_id: txId, received: 1, executions: 0, returns: 0, status: null, reason: null } : undefined,
  bookings: (state) =>
    [...state].map((txId) => ({
      at: START,
      reference: bookingReference('ECH', 'pinged', txId),
      cents: 100n,
      family: 'RCDT',
      subFamily: 'ESCT',
      msgId: 'pinged',
      transaction: { txId, endToEndId: 'E', debtor: party, creditor: party },
    })),
  counts: (state) => ({ echoes: state.size }),
}

describe('a scheme', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rails-scheme-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('made from nothing takes its messages, has its route, and is remembered', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = startBank({ journal, schemes: [echo, ...SCHEMES] })
    expect((await first.send(pacs008({ txId: 'ECHO-1' }))).json()).toEqual({ message_id: 'pinged', message_type: PACS_008 })
    await first.close()

    const second = startBank({ journal, schemes: [echo, ...SCHEMES] })
    expect((await second.app.inject('/simulate/echo')).json()).toEqual({ at: START, known: ['ECHO-1'] })
    expect((await second.pull(START)).map(({ message_type, xml }) => [message_type, xml])).toEqual([
      ['echo.pong', '<Pong>ECHO-1</Pong>'],
    ])
    expect(await second.view('ECHO-1', START)).toMatchObject({ tx_id: 'ECHO-1', received: 1 })
    expect((await second.app.inject('/health')).json()).toMatchObject({ echoes: 1, payments: 0 })
    expect((await second.app.inject('/statement')).body).toContain(bookingReference('ECH', 'pinged', 'ECHO-1'))
    await second.close()
  })

  test('may not have the message of another of the same name, nor a route without the bank’s time', async () => {
    const bank = startBank({ schemes: [echo, ...SCHEMES] })
    expect((await bank.app.inject('/simulate/echo')).json().error.code).toBe('bank_time_missing')
    await bank.send(pacs008({ txId: 'TX-1' }))
    expect((await bank.app.inject('/health')).json()).toMatchObject({ echoes: 0, payments: 1 })
  })

  test('may not be taken away while the journal tells of it', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = startBank({ journal, schemes: [echo, ...SCHEMES] })
    await first.send(pacs008({ txId: 'ECHO-1' }))
    await first.close()
    expect(() => startBank({ journal })).toThrow(/"echo.pinged" that no scheme knows/)
  })

  test('of credit transfers goes on from a journal written before there were schemes', async () => {
    const journal = join(folder, 'journal.jsonl')
    copyFileSync(new URL('../../test/before-schemes.jsonl', import.meta.url), journal)
    const bank = startBank({ journal })
    expect((await bank.app.inject('/health')).json()).toMatchObject({ payments: 3, incoming: 1 })
    const told = JSON.stringify(await bank.pull(after(20)))
    expect(createHash('sha256').update(told).digest('hex')).toBe(TOLD_BEFORE)
    expect(await bank.view('PAID', after(20))).toMatchObject({ received: 2, executions: 1, status: 'ACSC' })
    expect(await bank.view('BACK', after(20))).toMatchObject({ executions: 1, returns: 1 })
    expect(await bank.view('LOST', after(20))).toMatchObject({ received: 1, executions: 0 })
    await bank.send(pacs008({ txId: 'NEVER' }), after(30))
    expect(await bank.view('NEVER', after(40))).toMatchObject({ executions: 0, status: 'RJCT', reason: 'AB01' })
    await bank.close()
  })
})

/** The hash of what `GET /messages` answered when the journal was written. */
const TOLD_BEFORE = '5c88b81a39f738ca67ca529fb5c9ad8168fcd2359e87969fdff5528aa4ebee24'
