import { describe, expect, test } from 'vitest'
import { presentDeadline, workUntil } from './deadline.ts'
import { Overtaken, PlatformUnavailable } from './errors.ts'
import { Lane, type LaneOptions } from './lane.ts'

/** A lane whose batches finish when the test says so, on a machine's time that passes only in its pauses. */
function controlledLane(
  options: {
    batchMax?: number
    waitingMax?: number
    fail?: (batch: readonly number[], attempt: number) => Error | undefined
    /** Commands that let the next batch begin as soon as they are executed. */
    decides?: (command: number) => boolean
    more?: Partial<LaneOptions<number, string>>
  } = {},
) {
  const batches: number[][] = []
  const gates: (() => void)[] = []
  const pauses: number[] = []
  let now = 0
  const lane = new Lane<number, string>({
    batchMax: options.batchMax ?? 100,
    waitingMax: options.waitingMax ?? 1_000,
    execute: async (batch, attempt) => {
      batches.push([...batch])
      const failure = options.fail?.(batch, batches.length)
      if (failure) throw failure
      if (batch.some((command) => options.decides?.(command))) attempt.decided()
      await new Promise<void>((resolve) => {
        if (batch.includes(-1)) gates.push(resolve)
        else resolve()
      })
      return batch.map((n) => `done ${n}`)
    },
    time: {
      now: () => now,
      pause: async (ms) => {
        pauses.push(ms)
        now += ms
      },
    },
    ...options.more,
  })
  return { lane, batches, pauses, open: () => gates.shift()?.() }
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
    const { lane } = controlledLane({ waitingMax: 2 })
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

  test('counts by weight: a command heavier than a batch goes alone, and the rest keep their order', async () => {
    const { lane, batches } = controlledLane({ batchMax: 10, more: { weigh: (n) => n } })
    await Promise.all([4, 5, 50, 6, 4].map((n) => lane.submit(n)))
    expect(batches).toEqual([[4, 5], [50], [6, 4]])
  })

  test('begins another batch with a command that must not stand beside an earlier one', async () => {
    const companions = () => {
      const seen = new Set<number>()
      return (n: number) => !seen.has(n) && seen.add(n) !== undefined
    }
    const { lane, batches } = controlledLane({ more: { companions } })
    await Promise.all([1, 2, 1, 3].map((n) => lane.submit(n)))
    expect(batches).toEqual([
      [1, 2],
      [1, 3],
    ])
  })

  test('lets a crowd begin its next batch once the first is decided, and never a third', async () => {
    const { lane, batches, open } = controlledLane({ batchMax: 2, decides: () => true })
    const answers = [-1, 1, -1, 2, -1, 3].map((n) => lane.submit(n))
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    expect(batches).toEqual([
      [-1, 1],
      [-1, 2],
    ])
    for (let turn = 0; turn < 10; turn++) {
      open()
      await nextTurn()
    }
    expect(await Promise.all(answers)).toHaveLength(6)
  })

  test('waits for a batch that is decided when too few wait to make another', async () => {
    const { lane, batches, open } = controlledLane({ batchMax: 10, decides: () => true })
    const first = lane.submit(-1)
    await nextTurn()
    await nextTurn()
    const second = lane.submit(1)
    await nextTurn()
    expect(batches).toEqual([[-1]])
    open()
    await Promise.all([first, second])
  })

  test('pauses longer and longer while the database is away, and gives up when its patience ends', async () => {
    const { lane, pauses } = controlledLane({ fail: () => new PlatformUnavailable('away'), more: { patienceMs: 400 } })
    await expect(lane.submit(1)).rejects.toBeInstanceOf(PlatformUnavailable)
    expect(pauses).toEqual([25, 50, 100, 200])
  })

  test('tries again what collided, and answers as unavailable what goes on colliding', async () => {
    const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' })
    const once = controlledLane({ fail: (_, attempt) => (attempt === 1 ? deadlock : undefined) })
    expect(await once.lane.submit(1)).toBe('done 1')
    const always = controlledLane({ fail: () => deadlock })
    await expect(always.lane.submit(1)).rejects.toBeInstanceOf(PlatformUnavailable)
  })

  test('decides anew at once what somebody else was faster with', async () => {
    const { lane, pauses } = controlledLane({ fail: (_, attempt) => (attempt === 1 ? new Overtaken('a key') : undefined) })
    expect(await lane.submit(1)).toBe('done 1')
    expect(pauses).toEqual([])
  })

  test('neither begins nor repeats a command for a caller who waits no longer', async () => {
    const { lane, batches, pauses } = controlledLane({
      fail: () => new PlatformUnavailable('away'),
      more: { batchMax: 1, deadlineOf: (n) => n },
    })
    const settled = await Promise.allSettled([lane.submit(100), lane.submit(50)])
    expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected'])
    expect(pauses).toEqual([25, 50])
    expect(batches).toEqual([[100], [100], [100]])
  })

  test('takes no more once closed, and answers what it took', async () => {
    const { lane } = controlledLane()
    const taken = lane.submit(1)
    await lane.close()
    expect(await taken).toBe('done 1')
    await expect(lane.submit(2)).rejects.toThrow('closed')
  })

  test('has the deadline of whoever submits, and works on a batch as long as anybody waits for any of it', async () => {
    const until: number[] = []
    const lane = new Lane<number, string>({
      batchMax: 10,
      waitingMax: 10,
      execute: async (batch) => {
        until.push(presentDeadline())
        return batch.map(String)
      },
      time: { now: () => 10, pause: async () => {} },
    })
    const both = [workUntil(50, () => lane.submit(1)), workUntil(80, () => lane.submit(2))]
    expect(await Promise.all(both)).toEqual(['1', '2'])
    await expect(workUntil(9, () => lane.submit(3))).rejects.toThrow('its time was over')
    await lane.submit(4)
    expect(until).toEqual([80, Number.POSITIVE_INFINITY])
  })
})
