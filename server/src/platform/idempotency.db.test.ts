import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asMember, testActor } from '../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import type { Actor } from './actor.ts'
import { fixedClock } from './clock.ts'
import { Overtaken } from './errors.ts'
import { answerOf, findAnswers, type KeyClaim, onceByKey, pruneIdempotency, requestHash, storeAnswers } from './idempotency.ts'
import { type Id, newId } from './ids.ts'
import type { Tx } from './postgres/database.ts'
import { ok, refuse } from './result.ts'

const organizationId = newId<'organization'>()
const clock = fixedClock('2026-03-02T09:00:00Z')
let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

type Claim = KeyClaim<undefined> & { readonly body: unknown }

const claim = (key: string, over: Partial<Claim> = {}): Claim => {
  const body = over.body ?? { answer: key }
  const answer = () => ({ status: 200, body })
  return {
    organizationId,
    operation: 'POST /v2/internal_transfers',
    key,
    requestHash: requestHash('content'),
    answer,
    body,
    ...over,
  }
}

/** Acts under a key. @returns the answer given before; undefined when it acted now. */
const act = async (tx: Tx, wanted: Claim, now = clock.now()) => {
  const answer = await onceByKey(tx, wanted, now, async () => ok(undefined))
  return answer.ok ? answer.value.replay : undefined
}

const claimNow = (...claims: Claim[]) =>
  test_.database.transaction(testActor, async (tx) => {
    const replays = []
    for (const wanted of claims) replays.push(await act(tx, wanted))
    return replays
  })

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
    const refused = await test_.database.transaction(testActor, (tx) =>
      onceByKey(tx, claim('refused'), clock.now(), async () => refuse('not now')),
    )
    expect(refused).toEqual({ ok: false, refusal: 'not now' })
    expect(await claimNow(claim('refused'))).toEqual([undefined])
    await test_.database
      .transaction(testActor, async (tx) => {
        await act(tx, claim('rolled back'))
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
      test_.database.transaction(testActor, (tx) => act(tx, claim('window'), new Date(start.getTime() + ms)))
    expect(await at(0)).toBeUndefined()
    expect(await at(30 * 60_000 - 1)).toBeDefined()
    expect(await at(30 * 60_000)).toBeUndefined()
  })

  test('old answers are forgotten', async () => {
    await claimNow(claim('old'))
    const later = new Date(clock.now().getTime() + 4 * 3_600_000)
    expect(await test_.database.transaction(testActor, (tx) => pruneIdempotency(tx, later))).toBeGreaterThan(0)
    expect(await claimNow(claim('old'))).toEqual([undefined])
  })

  test('row-level security: an organization neither reads nor takes the key of another', async () => {
    await claimNow(claim('walled'))
    const other = newId<'organization'>()
    const seen = (as: Id<'organization'>) =>
      test_.database.read(asMember(as), (tx) => tx.rows`select key from platform.idempotency_record where key = 'walled'`)
    expect(await seen(organizationId)).toHaveLength(1)
    expect(await seen(other)).toHaveLength(0)
    await expect(test_.database.transaction(asMember(other), (tx) => act(tx, claim('stolen')))).rejects.toThrow(
      /row-level security/,
    )
  })

  describe('stored without waiting in line first', () => {
    const look = (key: string, scope: Actor = testActor) =>
      test_.database.read(scope, async (tx) => (await findAnswers(tx, [claim(key)], clock.now()))[0])
    const store = (tx: Tx, wanted: Claim, now = clock.now()) =>
      storeAnswers(tx, [{ ...wanted, ...answerOf(wanted, undefined) }], now)

    test('are not taken from whoever was faster: the work is undone and decided anew', async () => {
      expect(await look('faster')).toBeUndefined()
      await claimNow(claim('faster'))
      const late = test_.database.transaction(testActor, (tx) => store(tx, claim('faster', { body: { answer: 'late' } })))
      await expect(late).rejects.toBeInstanceOf(Overtaken)
      expect((await look('faster'))?.body).toEqual({ answer: 'faster' })
    })

    test('make whoever comes second wait for the first, and lose to it only if it commits', async () => {
      const first = Promise.withResolvers<void>()
      const stored = Promise.withResolvers<void>()
      const failing = test_.database.transaction(testActor, async (tx) => {
        await store(tx, claim('uncertain'))
        stored.resolve()
        await first.promise
      })
      await stored.promise
      const second = test_.database.transaction(testActor, (tx) => store(tx, claim('uncertain')))
      first.reject(new Error('rolled back'))
      await Promise.allSettled([failing])
      await second
      expect(await look('uncertain')).toBeDefined()
    })

    test('that vanish between two looks, by a clock that is ahead, are stored with the effect and never acted on without', async () => {
      await claimNow(claim('vanishing'))
      await expect(test_.database.transaction(testActor, (tx) => store(tx, claim('vanishing')))).rejects.toBeInstanceOf(Overtaken)
      const ahead = new Date(clock.now().getTime() + 31 * 60_000)
      await test_.database.transaction(testActor, (tx) => pruneIdempotency(tx, ahead))
      expect(await look('vanishing')).toBeUndefined()
      await test_.database.transaction(testActor, (tx) => store(tx, claim('vanishing')))
      expect(await look('vanishing')).toBeDefined()
    })
  })
})
