import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { fixedClock } from './clock.ts'
import { claimKeys, type KeyClaim, pruneIdempotency, releaseKeys, requestHash } from './idempotency.ts'
import { type Id, newId } from './ids.ts'

const organizationId = newId<'organization'>()
const clock = fixedClock('2026-03-02T09:00:00Z')
let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

const claim = (key: string, over: Partial<KeyClaim> = {}): KeyClaim => ({
  organizationId,
  operation: 'POST /v2/internal_transfers',
  key,
  requestHash: requestHash('content'),
  status: 200,
  body: { answer: key },
  ...over,
})

const claimNow = (...claims: KeyClaim[]) => test_.database.transaction('system', (tx) => claimKeys(tx, claims, clock.now()))

describe('idempotency keys', () => {
  test('the first request acts, a repeat gets the stored answer, another key acts', async () => {
    expect(await claimNow(claim('a'))).toEqual([undefined])
    const [replay, fresh] = await claimNow(claim('a', { body: { answer: 'new' } }), claim('b'))
    expect(replay?.body).toEqual({ answer: 'a' })
    expect(fresh).toBeUndefined()
  })

  test('the stored hash tells that a key came back with other content', async () => {
    await claimNow(claim('hash'))
    const [replay] = await claimNow(claim('hash', { requestHash: requestHash('other content') }))
    expect(replay?.requestHash.equals(requestHash('content'))).toBe(true)
  })

  test('a key means nothing to another organization or operation', async () => {
    await claimNow(claim('scoped'))
    expect(
      await claimNow(claim('scoped', { organizationId: newId<'organization'>() }), claim('scoped', { operation: 'POST /other' })),
    ).toEqual([undefined, undefined])
  })

  test('a refused request gives its key back; one that rolls back never had it', async () => {
    await claimNow(claim('refused'))
    await test_.database.transaction('system', (tx) => releaseKeys(tx, [claim('refused')]))
    expect(await claimNow(claim('refused'))).toEqual([undefined])
    await test_.database
      .transaction('system', async (tx) => {
        await claimKeys(tx, [claim('rolled back')], clock.now())
        throw new Error('rolled back')
      })
      .catch(() => {})
    expect(await claimNow(claim('rolled back'))).toEqual([undefined])
  })

  test('of twenty equal requests at once exactly one acts and the others repeat its answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => claimNow(claim('race', { body: { writer: n } }))))
    const replays = answers.flat().filter((a) => a !== undefined)
    expect(replays).toHaveLength(19)
    expect(new Set(replays.map((r) => JSON.stringify(r.body))).size).toBe(1)
  })

  test('after 30 minutes the same key is new; one millisecond earlier it is not', async () => {
    const start = new Date('2026-03-02T12:00:00Z')
    const at = (ms: number) =>
      test_.database.transaction('system', (tx) => claimKeys(tx, [claim('window')], new Date(start.getTime() + ms)))
    expect(await at(0)).toEqual([undefined])
    expect((await at(30 * 60_000 - 1))[0]).toBeDefined()
    expect(await at(30 * 60_000)).toEqual([undefined])
  })

  test('old answers are forgotten', async () => {
    await claimNow(claim('old'))
    const later = new Date(clock.now().getTime() + 4 * 3_600_000)
    expect(await test_.database.transaction('system', (tx) => pruneIdempotency(tx, later))).toBeGreaterThan(0)
    expect(await claimNow(claim('old'))).toEqual([undefined])
  })

  test('row-level security: an organization neither reads nor takes the key of another', async () => {
    await claimNow(claim('walled'))
    const other = newId<'organization'>()
    const seen = (as: Id<'organization'>) =>
      test_.database.read(
        { organizationId: as },
        (tx) => tx.rows`select key from platform.idempotency_record where key = 'walled'`,
      )
    expect(await seen(organizationId)).toHaveLength(1)
    expect(await seen(other)).toHaveLength(0)
    await expect(
      test_.database.transaction({ organizationId: other }, (tx) => claimKeys(tx, [claim('stolen')], clock.now())),
    ).rejects.toThrow(/row-level security/)
  })
})
