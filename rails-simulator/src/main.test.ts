import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { after, pacs008, START } from '../test/support.ts'

const MAIN = new URL('./main.ts', import.meta.url)

let folder = ''
let child: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rails-main-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** Starts the process and waits for its one line. */
async function start(...args: string[]): Promise<{ url: string; process: ChildProcess }> {
  const started = fork(MAIN, args, { execPath: process.execPath, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  child = started
  let errors = ''
  started.stderr?.on('data', (part: Buffer) => {
    errors += part.toString()
  })
  const line = await Promise.race([
    once(started.stdout as NodeJS.ReadableStream, 'data'),
    once(started, 'exit').then(() => [errors]),
  ])
  return { url: JSON.parse(String(line[0])).url, process: started }
}

const send = (url: string, xml: string) =>
  fetch(`${url}/messages`, { method: 'POST', headers: { 'bank-time': START, 'content-type': 'application/xml' }, body: xml })

describe('the process', () => {
  test('stops on SIGTERM', async () => {
    const { process: running } = await start('--port', '0')
    running.kill('SIGTERM')
    expect(await once(running, 'exit')).toEqual([0, null])
  })

  test('stops when whoever started it is gone', async () => {
    const { process: running } = await start('--port', '0')
    running.disconnect()
    expect(await once(running, 'exit')).toEqual([0, null])
  })

  test('killed outright, it has kept what it had acknowledged', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = await start('--port', '0', '--journal', journal)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(first.url, pacs008({ txId: `T${index}` }))))
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(202))
    first.process.kill('SIGKILL')
    await once(first.process, 'exit')

    const second = await start('--port', '0', '--journal', journal)
    for (let index = 0; index < 20; index += 1) {
      const view = await fetch(`${second.url}/transactions/T${index}`, { headers: { 'bank-time': after(60) } })
      expect(await view.json()).toMatchObject({ received: 1, executions: 1 })
    }
  })

  test('refuses a journal of another seed and says what to do', async () => {
    const journal = join(folder, 'journal.jsonl')
    const first = await start('--port', '0', '--journal', journal, '--seed', 'one')
    first.process.kill('SIGTERM')
    await once(first.process, 'exit')
    const second = fork(MAIN, ['--journal', journal, '--seed', 'two'], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    child = second
    const [text] = await once(second.stderr as NodeJS.ReadableStream, 'data')
    expect(String(text)).toMatch(/made with seed "one", not "two"; use that seed or another file/)
    expect((await once(second, 'exit'))[0]).toBe(1)
  })
})
