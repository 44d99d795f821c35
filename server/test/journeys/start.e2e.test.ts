import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { killAllOf } from '../../src/platform/postgres/embedded-process.ts'
import { type findProcesses, identify, waitUntilGone } from '../../src/platform/processes.ts'
import { environment, PARTITA, run } from '../support/partita.ts'

type Demo = {
  readonly url: string
  readonly organization_slug: string
  readonly secret_key: string
  readonly accounts: readonly { readonly id: string; readonly iban: string; readonly name: string; readonly main: boolean }[]
}

describe('partita start', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'partita-start-')))
  chmodSync(folder, 0o755) // run by root, PostgreSQL is another user
  let port: number
  let bank: Bank
  let demo: Demo

  beforeAll(async () => {
    port = await freePort()
    bank = start(folder, port)
    demo = JSON.parse(await bank.firstLine()) as Demo
  })

  afterAll(async () => {
    bank.child.kill('SIGTERM')
    await bank.ended
    await killAllOf(join(folder, 'postgresql-18/cluster'))
    rmSync(folder, { recursive: true, force: true })
  })

  test('it serves, and its demo key opens the demo company and nobody else', async () => {
    expect((await fetch(`${demo.url}/readyz`)).status).toBe(200)
    const answer = await fetch(`${demo.url}/v2/organization`, {
      headers: { Authorization: `${demo.organization_slug}:${demo.secret_key}` },
    })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(await answer.json())).toContain(demo.accounts[0]?.iban)
    const wrong = await fetch(`${demo.url}/v2/organization`, {
      headers: { Authorization: `${demo.organization_slug}:${'0'.repeat(64)}` },
    })
    expect(wrong.status).toBe(401)
  })

  test('a command works while it runs, and prints one document and nothing else', async () => {
    const { out, code } = await run(['demo', '--json', '--data', folder])
    expect(code).toBe(0)
    const again = JSON.parse(out) as Demo
    expect(Object.keys(again)).toEqual(['url', 'organization_slug', 'secret_key', 'accounts'])
    expect(again).toEqual({
      url: demo.url,
      organization_slug: demo.organization_slug,
      secret_key: demo.secret_key,
      accounts: demo.accounts,
    })
    expect(statSync(join(folder, 'demo-secret')).mode & 0o777).toBe(0o600)
  })

  test('a second start on the same data folder says so, with process and address', async () => {
    const { code, said } = await run(['start', '--data', folder, '--port', String(await freePort())])
    expect(code).toBe(1)
    expect(said).toContain('already runs')
    expect(said).toContain(demo.url)
  })

  test('a port in use is named, with the option that changes it', async () => {
    const { code, said } = await run(['start', '--data', join(folder, 'other'), '--port', String(port)])
    expect(code).toBe(1)
    expect(said).toMatch(/port \d+ is in use.*--port/)
  })

  test('a server that dies is started again', async () => {
    const [server] = childrenOf(folder)
    if (server) process.kill(server.pid, 'SIGKILL')
    await untilAnswering(`${demo.url}/readyz`)
    expect(bank.child.exitCode).toBeNull()
  })

  test('after a kill -9 of everything that was started, nothing stands in the way of the next start', async () => {
    const children = childrenOf(folder)
    expect(children.length).toBe(2)
    await bank.killHard()
    expect(await waitUntilGone(children, 15_000)).toBe(true) // they notice by themselves
    const started = performance.now()
    bank = start(folder, port)
    const next = JSON.parse(await bank.firstLine()) as Demo
    expect(next.secret_key).toBe(demo.secret_key)
    expect((await fetch(`${next.url}/readyz`)).status).toBe(200)
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  test('SIGTERM stops everything within ten seconds, PostgreSQL too, and a command then works without it', async () => {
    const children = childrenOf(folder)
    const started = performance.now()
    bank.child.kill('SIGTERM')
    expect(await bank.ended).toBe(0)
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await waitUntilGone(children, 1_000)).toBe(true)
    expect(existsSync(join(folder, 'postgresql-18/cluster/postmaster.pid'))).toBe(false)
    const { out, code } = await run(['demo', '--json', '--data', folder])
    expect(code).toBe(0)
    expect((JSON.parse(out) as Demo).secret_key).toBe(demo.secret_key)
    expect(existsSync(join(folder, 'postgresql-18/cluster/postmaster.pid'))).toBe(false)
  })
})

describe('partita', () => {
  test.each([
    [['nonsense'], 2, /unknown command/],
    [['strat'], 2, /Did you mean start/],
    [['start', '--prot', '1'], 2, /unknown option/],
    [['start', '--port', 'x'], 2, /is not a port/],
    [[], 2, /Usage/],
  ])('%j ends with %i', async (args, expected, says) => {
    const { code, said, out } = await run(args)
    expect(code).toBe(expected)
    expect(said).toMatch(says)
    expect(said).not.toMatch(/\n\s+at /) // never a stack trace
    expect(out).toBe('')
  })

  test('every command has help with examples', async () => {
    for (const command of ['start', 'demo', 'seed', 'replay', 'import', 'pay', 'statement', 'verify', 'bench', 'test']) {
      const { code, out } = await run([command, '--help'])
      expect(code, command).toBe(0)
      expect(out, command).toContain('Examples:')
    }
  })
})

type Bank = {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  /** The one document that `start --json` prints once it serves. */
  firstLine(): Promise<string>
  /** SIGKILL to the bootstrap and to the command below it. */
  killHard(): Promise<void>
}

function start(folder: string, port: number): Bank {
  const child = spawn(process.execPath, [PARTITA, 'start', '--json', '--data', folder, '--port', String(port)], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const firstLine = () =>
    new Promise<string>((resolve, reject) => {
      let out = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text
        if (out.includes('\n')) resolve(out)
      })
      ended.then((code) => reject(new Error(`start ended with ${code}: ${said}`)))
    })
  const killHard = async () => {
    const { process: command } = JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as { process: { pid: number } }
    process.kill(command.pid, 'SIGKILL')
    child.kill('SIGKILL')
    await ended
  }
  return { child, ended, firstLine, killHard }
}

/** The server and the rails simulator, as the bank records them. */
function childrenOf(folder: string): ReturnType<typeof findProcesses> {
  const { children } = JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as { children: { pid: number }[] }
  return children
    .map(({ pid }) => identify(pid))
    .filter((found) => found !== undefined)
    .reverse()
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}

async function untilAnswering(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    await delay(50)
  }
}
