import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const MAIN = join(import.meta.dirname, '../../../rails-simulator/src/main.ts')

export type RunningSimulator = {
  readonly url: string
  /** What the simulator knows of a transfer: how often it was received and executed. */
  transaction(txId: string): Promise<{ received: number; executions: number; returns: number; status: string } | undefined>
  stop(): Promise<void>
}

/** The real simulator in a process of its own, on a free port, with its journal in a folder that is removed with it. */
export async function startRailsSimulator(seed: string): Promise<RunningSimulator> {
  const folder = mkdtempSync(join(tmpdir(), 'partita-rails-'))
  const child = fork(MAIN, ['--port', '0', '--seed', seed, '--journal', join(folder, 'rails.jsonl')], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const url = await new Promise<string>((resolve, reject) => {
    lines.once('line', (line) => resolve((JSON.parse(line) as { url: string }).url))
    child.once('exit', (code) => reject(new Error(`the rails simulator ended with ${code}`)))
  })
  return {
    url,
    transaction: async (txId) => {
      const response = await fetch(`${url}/transactions/${txId}`)
      return response.ok ? ((await response.json()) as never) : undefined
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          rmSync(folder, { recursive: true, force: true })
          resolve()
        })
        child.kill('SIGTERM')
      }),
  }
}
