import { describe, expect, test } from 'vitest'
import { PlatformUnavailable } from './errors.ts'
import { Lane } from './lane.ts'

/** A lane whose batches finish when the test says so. */
function controlledLane(
  options: { batchMax?: number; queueMax?: number; fail?: (batch: readonly number[], attempt: number) => Error | undefined } = {},
) {
  const batches: number[][] = []
  const gates: (() => void)[] = []
  const lane = new Lane<number, string>({
    batchMax: options.batchMax ?? 100,
    queueMax: options.queueMax ?? 1_000,
    execute: async (batch) => {
      batches.push([...batch])
      const failure = options.fail?.(batch, batches.length)
      if (failure) throw failure
      await new Promise<void>((resolve) => {
        if (batch.includes(-1)) gates.push(resolve)
        else resolve()
      })
      return batch.map((n) => `done ${n}`)
    },
  })
  return { lane, batches, open: () => gates.shift()?.() }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a lane', () => {
  test('puts what arrives while a batch is in flight into the next one, in order', async () => {
    const { lane, batches, open } = controlledLane()
    const first = lane.submit(-1)
    await nextTurn()
    await nextTurn()
    const rest = [1, 2, 3].map((n) => lane.submit(n))
    open()
    expect(await Promise.all([first, ...rest])).toEqual(['done -1', 'done 1', 'done 2', 'done 3'])
    expect(batches).toEqual([[-1], [1, 2, 3]])
  })

  test('never takes more than its largest batch', async () => {
    const { lane, batches } = controlledLane({ batchMax: 2 })
    await Promise.all([1, 2, 3, 4, 5].map((n) => lane.submit(n)))
    expect(batches.map((b) => b.length)).toEqual([2, 2, 1])
  })

  test('turns commands away when too many wait, instead of growing without end', async () => {
    const { lane } = controlledLane({ queueMax: 2 })
    const accepted = [lane.submit(1), lane.submit(2)]
    await expect(lane.submit(3)).rejects.toBeInstanceOf(PlatformUnavailable)
    expect(await Promise.all(accepted)).toEqual(['done 1', 'done 2'])
  })

  test('asks again with the same commands when the connection was lost in mid-batch', async () => {
    const { lane, batches } = controlledLane({
      fail: (_, attempt) => (attempt === 1 ? new PlatformUnavailable('lost') : undefined),
    })
    expect(await lane.submit(7)).toBe('done 7')
    expect(batches).toEqual([[7], [7]])
  })

  test('lets one bad command fail alone', async () => {
    const { lane } = controlledLane({ fail: (batch) => (batch.includes(13) ? new Error('bad') : undefined) })
    const results = await Promise.allSettled([12, 13, 14].map((n) => lane.submit(n)))
    expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test('is empty once drained, and works on afterwards', async () => {
    const { lane } = controlledLane()
    const answers = [lane.submit(1), lane.submit(2)]
    await lane.drain()
    expect(await Promise.all(answers)).toHaveLength(2)
    expect(await lane.submit(3)).toBe('done 3')
  })
})
