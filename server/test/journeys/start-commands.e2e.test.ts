import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { killAllOf } from '../../src/platform/postgres/embedded-process.ts'
import { createTestDatabase } from '../support/database.ts'
import { environment, run } from '../support/partita.ts'

const MAIN = join(import.meta.dirname, '../../../cli/src/main.ts')

let folder: string
let cluster: string
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'partita-commands-')))
  chmodSync(folder, 0o755) // run by root, PostgreSQL is another user
  cluster = join(folder, 'postgresql-18/cluster')
})
afterAll(async () => {
  await killAllOf(cluster)
  rmSync(folder, { recursive: true, force: true })
})

const partita = (...args: string[]) => run([...args, '--data', folder])

describe('a replay from the command line', () => {
  const written = (lines: readonly string[]): string => {
    const file = join(folder, 'history.csv')
    writeFileSync(file, ['account,date,amount,balance_after,text', ...lines].join('\r\n'))
    return file
  }
  const rows = ['1,2024-01-01,1000.00,1000.00,"a, ""b"""', '2,2024-01-01,-0.50,-0.50,', '1,2024-01-02,-123.10,876.90,ú']

  test('prints one document, goes on where it was, and lists a mismatch exactly', async () => {
    const first = await partita('replay', written(rows.slice(0, 2)), '--currency', 'CZK', '--json')
    expect(first).toMatchObject({ code: 0, said: '' })
    const second = await partita('replay', written(rows), '--currency', 'CZK', '--json')
    expect(second.code).toBe(0)
    const document = JSON.parse(second.out)
    expect(Object.keys(document)).toEqual(['rows', 'accounts', 'posted', 'already_posted', 'mismatches', 'seconds', 'verify'])
    expect(document).toMatchObject({ rows: 3, accounts: 2, posted: 1, already_posted: 2, mismatches: [], verify: { ok: true } })
    const wrong = await partita(
      'replay',
      written(rows.map((row) => row.replace('876.90', '876.80'))),
      '--currency',
      'CZK',
      '--json',
    )
    expect(wrong.code).toBe(1)
    expect(JSON.parse(wrong.out)).toMatchObject({
      posted: 0,
      mismatches: [{ row: 3, account: '1', expected: '876.80', actual: '876.90' }],
    })
    const close = await partita(
      'replay',
      written(rows.map((row) => row.replace('876.90', '876.80'))),
      '--currency',
      'CZK',
      '--tolerance',
      '0.10',
    )
    expect(close.code).toBe(0)
  })

  test.each([
    [[], 2, 'required option'],
    [['--currency', 'czk'], 2, 'is no currency'],
    [['--currency', 'JPY', '--tolerance', '0.10'], 2, '--tolerance'],
    [['--currency', 'JPY'], 1, 'row 1, amount'],
  ])('with %j ends with %i and says why, as one document too', async (options, code, says) => {
    const ended = await partita('replay', written(['1,2024-01-01,1.50,1.50,x']), '--json', ...options)
    expect(ended.code).toBe(code)
    expect(JSON.parse(ended.out)).toEqual({ error: expect.stringContaining(says) })
  })
})

describe('a command that is interrupted', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s while it starts the database stops it again, however often it is asked', async (signal, code) => {
    const child = spawn(process.execPath, [MAIN, 'verify', '--data', folder], { env: environment(), stdio: 'ignore' })
    const exit = once(child, 'exit')
    while (!existsSync(join(cluster, 'postmaster.pid'))) await delay(1)
    child.kill(signal)
    child.kill(signal)
    expect(await exit).toEqual([code, null])
    expect(existsSync(join(cluster, 'postmaster.pid'))).toBe(false)
  })
})

describe('a data folder', () => {
  test.each(['/proc/partita', '/etc/passwd', '/etc/passwd/partita'])(
    'that cannot be made (%s) is refused by name',
    async (place) => {
      const { code, said } = await run(['verify', '--data', place])
      expect(code).toBe(1)
      expect(said).toContain(`cannot write the data folder ${place}`)
    },
  )

  test('without a name is wrong use', async () => {
    expect(await run(['verify', '--data', ''])).toMatchObject({ code: 2, out: '' })
  })
})

describe('a configuration', () => {
  test('is refused with everything that is wrong with it, before anything is made', async () => {
    const data = join(folder, 'untouched')
    const { code, said } = await run(['start', '--data', data], { PARTITA_PORT: 'x', PARTITA_BIC: 'x', PARTITA_PROT: '1' })
    expect(code).toBe(1)
    for (const name of ['PARTITA_PORT', 'PARTITA_BIC', 'PARTITA_PROT']) expect(said).toContain(`\n  - ${name}`)
    expect(existsSync(data)).toBe(false)
  })

  test('for production is not for `partita start`, and a superuser is refused too', async () => {
    const database = await createTestDatabase()
    try {
      const settings = { PARTITA_ENVIRONMENT: 'production', DATABASE_URL: database.adminUrl }
      const { code, said } = await run(['start', '--data', folder], settings)
      expect(code).toBe(1)
      for (const says of ['is not for `partita start`', 'is a superuser', 'fsync=off', 'RAILS_URL is missing'])
        expect(said).toContain(says)
    } finally {
      await database.drop()
    }
  })

  test('whose database may lose a commit does not start a bank', async () => {
    const database = await createTestDatabase()
    try {
      const { code, said } = await run(['start', '--data', folder], { DATABASE_URL: database.url })
      expect(code).toBe(1)
      expect(said).toContain('fsync=off')
    } finally {
      await database.drop()
    }
  })

  test.each([
    ['mysql://localhost/x', 'is not a URL that starts with postgres:'],
    ['postgres://nobody@127.0.0.1:1/x', 'is it running'],
  ])('with DATABASE_URL=%s is explained', async (url, says) => {
    const { code, said } = await run(['verify', '--data', folder], { DATABASE_URL: url })
    expect(code).toBe(1)
    expect(said).toContain(says)
    expect(said).not.toMatch(/\n\s+at /)
  })
})

test('what went wrong is said with --json too, in one document', async () => {
  const { code, out, said } = await run(['verify', '--nonsense', '--json'])
  expect(code).toBe(2)
  expect(JSON.parse(out)).toEqual({ error: expect.stringContaining('--nonsense') })
  expect(said).toContain('--help')
})

test('a reader that has seen enough is no error', async () => {
  const shell = `"${process.execPath}" "${MAIN}" seed --companies 5 --transactions 5 --data "${folder}" | head -c 1; echo "\${PIPESTATUS[0]}"`
  const child = spawn('bash', ['-c', shell], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  await once(child, 'close')
  expect(out).toMatch(/^\w0\n$/)
})

test('the demo key that is printed is the one that is kept', async () => {
  const { out } = await partita('demo', '--json')
  expect(JSON.parse(out).secret_key).toBe(readFileSync(join(folder, 'demo-secret'), 'utf8').trim())
})
