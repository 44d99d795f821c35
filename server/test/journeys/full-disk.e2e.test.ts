import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killAllOf } from '../../src/platform/postgres/embedded-process.ts'
import { environment, PARTITA, run } from '../support/partita.ts'

type Demo = {
  readonly url: string
  readonly organization_slug: string
  readonly secret_key: string
  readonly accounts: readonly { readonly iban: string }[]
}

/** What a bank needs, and little more. */
const DISK_MEGABYTES = 500
const FULL_MS = 6_000
const BACK_MS_MAX = 10_000

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'partita-full-')))
// A disk of our own, of which nobody else has need. Only root may mount one.
const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEGABYTES}m`, 'tmpfs', folder], {
  encoding: 'utf8',
})
const isMounted = status === 0

let bank: ChildProcess
let demo: Demo
beforeAll(async () => {
  if (!isMounted) return
  chmodSync(folder, 0o755)
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  bank = spawn(process.execPath, [PARTITA, 'start', '--json', '--data', folder, '--port', String(port)], {
    env: { ...environment(), PARTITA_RATE_LIMIT_10_SECONDS: '0', PARTITA_RATE_LIMIT_10_MINUTES: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(bank.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  demo = JSON.parse(line.toString()) as Demo
}, 120_000)
afterAll(async () => {
  if (isMounted) {
    const ended = once(bank, 'exit')
    bank.kill('SIGTERM')
    await ended
    await killAllOf(join(folder, 'postgresql-18/cluster'))
    spawnSync('umount', [folder])
  }
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const authorization = () => `${demo.organization_slug}:${demo.secret_key}`
const look = async (path: string): Promise<number> => {
  const answer = await fetch(`${demo.url}${path}`, { headers: { authorization: authorization() } })
  await answer.arrayBuffer()
  return answer.status
}

async function pay(key: string): Promise<{ status: number; id: string | undefined }> {
  const [debit, credit] = demo.accounts
  const transfer = { debit_iban: debit?.iban, credit_iban: credit?.iban, reference: key, amount: '0.01', currency: 'EUR' }
  const answer = await fetch(`${demo.url}/v2/internal_transfers`, {
    method: 'POST',
    headers: { authorization: authorization(), 'content-type': 'application/json', 'x-qonto-idempotency-key': key },
    body: JSON.stringify({ internal_transfer: transfer }),
  })
  const body = (await answer.json()) as { internal_transfer?: { id: string } }
  return { status: answer.status, id: body.internal_transfer?.id }
}

const processes = () => (JSON.parse(readFileSync(join(folder, 'running.json'), 'utf8')) as { children: unknown }).children

/** Fills the disk to the last byte. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w')
  let size = 1024 * 1024
  while (size > 0) {
    try {
      writeSync(descriptor, Buffer.alloc(size))
    } catch {
      size = size >> 1
    }
  }
  closeSync(descriptor)
}

test('this machine lets us have a small disk', () => {
  if (!isMounted) console.warn(`NOT TRIED: a bank on a full disk needs root and a tmpfs (${stderr})`)
})

test.runIf(isMounted)(
  'on a full disk writes are told to come back, reads go on, nothing ends, and the bank serves again by itself when there is room',
  async () => {
    expect((await pay('before')).status).toBe(200)
    const before = processes()
    const filler = join(folder, 'filler')
    fill(filler)
    const writes: number[] = []
    const reads: number[] = []
    for (const from = performance.now(); performance.now() - from < FULL_MS; ) {
      writes.push((await pay(`full ${writes.length}`)).status)
      reads.push(
        await look('/v2/organization'),
        await look(`/v2/transactions?iban=${demo.accounts[0]?.iban}`),
        await look('/livez'),
      )
    }
    // What was on its way while the disk became full may still have found room.
    expect(new Set(writes.slice(-5))).toEqual(new Set([503]))
    expect(writes.filter((code) => code !== 200 && code !== 503)).toEqual([])
    expect(new Set(reads)).toEqual(new Set([200]))

    rmSync(filler)
    const from = performance.now()
    while ((await pay('after')).status !== 200) expect(performance.now() - from).toBeLessThan(BACK_MS_MAX)
    expect(processes()).toEqual(before)
    const [one, two] = [await pay('full 0'), await pay('full 0')]
    expect(one.status).toBe(200)
    expect(two.id).toBe(one.id)
    expect((await run(['verify', '--data', folder])).code).toBe(0)
  },
  120_000,
)
