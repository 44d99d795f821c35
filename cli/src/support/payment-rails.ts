import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { BankIdentity } from '../../../server/src/modules/accounts/index.ts'
import { httpRail, paymentPasses } from '../../../server/src/modules/payments/index.ts'
import { type BankClock, systemClock } from '../../../server/src/platform/clock.ts'
import { runPass } from '../../../server/src/platform/passes/run-pass.ts'
import type { Database } from '../../../server/src/platform/postgres/database.ts'
import { Refusal } from './refusal.ts'
import { serverEnvironment } from './server-environment.ts'

const CLONE = join(import.meta.dirname, '../../..')

/** The rails and the worker's payment passes inside this process, for when no server runs on the data folder. */
export type PaymentRails = {
  /** One round of everything the worker does for payments. @returns how much there was to do. */
  round(): Promise<number>
  stop(): Promise<void>
}

/** Starts the rails simulator with the memory that `partita start` gives it, so that what it answered then it still knows. */
export async function startPaymentRails(
  database: Database,
  clock: BankClock,
  bank: BankIdentity,
  dataDirectory: string,
): Promise<PaymentRails> {
  const args = ['--import', join(import.meta.dirname, 'die-with-parent.ts'), join(CLONE, 'rails-simulator/src/main.ts')]
  const child = spawn(process.execPath, [...args, '--port', '0', '--journal', join(dataDirectory, 'rails.journal')], {
    cwd: CLONE,
    env: serverEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
  })
  const stop = () => end(child)
  try {
    const url = await addressOf(child)
    const passes = paymentPasses({ database, clock, rail: httpRail(url, clock), bank })
    const world = { database, clock, machine: systemClock }
    const round = async () => {
      await clock.refresh()
      let done = 0
      for (const pass of passes) done += (await runPass(world, pass)).done
      return done
    }
    return { round, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const addressOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    if (!child.stdout) return reject(new Error('the rails simulator has no output'))
    createInterface({ input: child.stdout }).once('line', (line) => resolve((JSON.parse(line) as { url: string }).url))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Refusal(`the rails simulator ended with ${code}`)))
  })

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
