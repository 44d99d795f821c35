import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PlatformUnavailable } from './errors.ts'
import { isolate } from './isolate.ts'

/** Runs `isolate` over numbers of which some are bad. */
async function run(count: number, bad: ReadonlySet<number>) {
  const done: number[] = []
  const failed: number[] = []
  let attempts = 0
  await isolate(
    Array.from({ length: count }, (_, i) => i),
    async (items) => {
      attempts++
      const culprit = items.find((item) => bad.has(item))
      if (culprit !== undefined) throw new Error(`bad ${culprit}`)
      done.push(...items)
    },
    (item, error) => {
      expect(error).toEqual(new Error(`bad ${item}`))
      failed.push(item)
    },
  )
  return { done, failed, attempts }
}

const batch = fc
  .integer({ min: 0, max: 300 })
  .chain((count) => fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(Math.max(0, count - 1)), { maxLength: 12 })))

describe('isolating what is bad in a batch', () => {
  test('does each good item once, in order, and names each bad one with its own error', () =>
    fc.assert(
      fc.asyncProperty(batch, async ([count, culprits]) => {
        const bad = new Set(culprits.filter((item) => item < count))
        const { done, failed } = await run(count, bad)
        expect(done).toEqual(Array.from({ length: count }, (_, i) => i).filter((item) => !bad.has(item)))
        expect(failed).toEqual([...bad].sort((a, b) => a - b))
      }),
    ))

  test('costs attempts by the logarithm of the batch, not by its size', () =>
    fc.assert(
      fc.asyncProperty(batch, async ([count, culprits]) => {
        const bad = new Set(culprits.filter((item) => item < count))
        const { attempts } = await run(count, bad)
        const depth = Math.ceil(Math.log2(Math.max(2, count)))
        expect(attempts).toBeLessThanOrEqual(1 + bad.size * 2 * depth)
      }),
    ))

  test('one bad item among 400 costs at most 18 attempts', async () => {
    const attempts = await Promise.all(
      Array.from({ length: 400 }, async (_, culprit) => (await run(400, new Set([culprit]))).attempts),
    )
    expect(Math.max(...attempts)).toBeLessThanOrEqual(18)
  })

  test('stops at what is passing, blames no item for it, and keeps what was done', async () => {
    const done: number[] = []
    let attempts = 0
    const work = isolate(
      [1, 2, 3, 4],
      async (items) => {
        if (++attempts === 3) throw new PlatformUnavailable('lost')
        if (items.includes(3)) throw new Error('bad')
        done.push(...items)
      },
      () => expect.unreachable('nobody is to blame'),
    )
    await expect(work).rejects.toBeInstanceOf(PlatformUnavailable)
    expect(done).toEqual([1, 2])
  })
})
