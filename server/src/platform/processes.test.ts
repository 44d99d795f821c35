import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identify, isRunning, nameOf, signal, tryLock, waitUntilGone, withLock } from './processes.ts'

const idle = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })

describe('processes', () => {
  test('a process is running until it is gone, and a signal ends exactly it', async () => {
    const child = idle()
    const found = identify(child.pid ?? 0)
    expect(found && isRunning(found)).toBe(true)
    expect(nameOf(process.pid)).toBeTruthy()
    if (found) signal(found, 'SIGKILL')
    expect(await waitUntilGone(found ? [found] : [], 5_000)).toBe(true)
  })

  test('the same number at another time is another process', () => {
    const self = identify(process.pid)
    expect(self && isRunning({ ...self, startedAt: 'before' })).toBe(false)
  })

  test('a stranger with an old number is not signalled', () => {
    const self = identify(process.pid)
    if (self) signal({ ...self, startedAt: 'before' }, 'SIGKILL')
    expect(true).toBe(true) // we are still here
  })
})

describe('locks', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'partita-test-locks-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const lockName = () => ({ folder: join(folder, 'locks'), name: randomUUID() })

  test('a lock is held by one, and free again once it is released', async () => {
    const name = lockName()
    const first = await tryLock(name)
    expect(first).toBeDefined()
    expect(await tryLock(name)).toBeUndefined()
    await first?.release()
    const second = await tryLock(name)
    expect(second).toBeDefined()
    await second?.release()
  })

  test('a lock of a killed process is free', async () => {
    const name = lockName()
    const program = `import { tryLock } from ${JSON.stringify(join(import.meta.dirname, 'processes.ts'))}
      await tryLock(${JSON.stringify(name)}); process.stdout.write('held'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    expect(await tryLock(name)).toBeUndefined()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = await tryLock(name)
    expect(lock).toBeDefined()
    await lock?.release()
  })

  test('work under a lock runs one after the other, and a lock that never comes free is a failure', async () => {
    const name = lockName()
    const order: string[] = []
    const work = (label: string) =>
      withLock(name, 5_000, async () => {
        order.push(`${label} begins`)
        await new Promise((resolve) => setImmediate(resolve))
        order.push(`${label} ends`)
      })
    await Promise.all([work('a'), work('b')])
    expect(order).toHaveLength(4)
    expect(order[1]?.endsWith('ends')).toBe(true)
    const held = await tryLock(name)
    await expect(withLock(name, 30, async () => {})).rejects.toThrow(/holding/)
    await held?.release()
  })

  test('whoever waits in vain is told for whom', async () => {
    const name = lockName()
    const held = await tryLock(name)
    await expect(withLock(name, 30, async () => {})).rejects.toThrow(`process ${process.pid} (`)
    await held?.release()
  })

  test('nobody else can take one, or see who has: its folder is its owner’s alone', async () => {
    const name = lockName()
    const held = await tryLock(name)
    expect(statSync(name.folder).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(name.folder)) expect(statSync(join(name.folder, file)).mode & 0o077).toBe(0)
    await held?.release()
    expect(readdirSync(name.folder)).toEqual([])
  })

  test('of many at once, in several processes, one gets it at a time', async () => {
    const name = lockName()
    const log = join(folder, 'log')
    const program = `import { appendFileSync } from 'node:fs'
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'processes.ts'))}
      const one = () => withLock(${JSON.stringify(name)}, 60_000, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in\\n')
        await new Promise((resolve) => setImmediate(resolve))
        appendFileSync(${JSON.stringify(log)}, 'out\\n')
      })
      for (let n = 0; n < 5; n++) await Promise.all([one(), one()])`
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] }),
    )
    await Promise.all(children.map((child) => once(child, 'exit')))
    expect(readFileSync(log, 'utf8')).toBe('in\nout\n'.repeat(30))
  }, 60_000)
})
