import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const PARTITA = join(import.meta.dirname, '../../../cli/partita.mjs')

/** `partita …` as a user's shell runs it. */
export async function run(
  args: readonly string[],
  settings: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; out: string; said: string }> {
  const child = spawn(process.execPath, [PARTITA, ...args], {
    env: { ...environment(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, said }
}

/** As a user's shell would have it: without what the test run itself was given. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PARTITA_|DATABASE_URL$|RAILS_URL$|npm_|VITEST|NODE_OPTIONS$)/.test(name)),
  )
}
