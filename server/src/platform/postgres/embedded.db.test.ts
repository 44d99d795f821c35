import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProcesses, identify, waitUntilGone, workingFolderOf } from '../processes.ts'
import { type EmbeddedServer, startEmbedded } from './embedded.ts'
import { lastWords } from './embedded-process.ts'

const fast = { fsync: 'off', shared_buffers: '128MB' }

describe('the PostgreSQL that comes with the project', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'partita-embedded-')))
  chmodSync(folder, 0o755) // run by root, PostgreSQL is another user
  const dataDirectory = join(folder, 'data')
  const cluster = join(dataDirectory, 'postgresql-18/cluster')
  const start = () => startEmbedded({ dataDirectory, settings: fast })
  let server: EmbeddedServer

  beforeAll(async () => {
    server = await start()
  })

  afterAll(async () => {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  test('it is PostgreSQL 18 with checksums, UTF-8 and the settings asked for, and takes our password only', async () => {
    const [row] = await query(
      server.adminUrl,
      `select current_setting('server_version_num')::int / 10000 as major,
      current_setting('data_checksums') as checksums, current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
      current_database() as name, current_setting('listen_addresses') as addresses`,
    )
    expect(row).toEqual({ major: 18, checksums: 'on', encoding: 'UTF8', fsync: 'off', name: 'partita', addresses: '' })
    const wrong = new URL(server.adminUrl)
    wrong.password = 'guess'
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password/)
    expect(statSync(join(dataDirectory, 'postgresql-18/password')).mode & 0o777).toBe(0o600)
  })

  test('it never runs as root', () => {
    expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).not.toMatch(/^Uid:\s+0\s/m)
  })

  test('a second start joins the server that runs', async () => {
    const again = await start()
    expect(again).toMatchObject({ pid: server.pid, reused: true, adminUrl: server.adminUrl })
  })

  test('several starts at once give one server', async () => {
    await server.stop()
    expect(server.isRunning()).toBe(false)
    const started = await Promise.all([start(), start(), startElsewhere(dataDirectory)])
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(1)
    server = started[0]
  })

  test('other settings start it again, unless others use it', async () => {
    const joined = await startEmbedded({ dataDirectory, settings: { ...fast, work_mem: '8MB' }, joinRunning: true })
    expect(joined.pid).toBe(server.pid)
    const changed = await startEmbedded({ dataDirectory, settings: { ...fast, work_mem: '8MB' } })
    expect(changed.reused).toBe(false)
    expect(await query(changed.adminUrl, 'show work_mem')).toEqual([{ work_mem: '8MB' }])
    server = changed
  })

  test('what was committed survives SIGKILL, and no process is left', async () => {
    await query(server.adminUrl, 'create table survivor (id int); insert into survivor values (42)')
    await server.kill()
    expect(findProcesses((pid) => workingFolderOf(pid) === cluster)).toEqual([])
    server = await start()
    expect(server.reused).toBe(false)
    expect(await query(server.adminUrl, 'select id from survivor')).toEqual([{ id: 42 }])
  })

  test('backends that outlive their killed server do not stand in the way of the next', async () => {
    const busy = query(server.adminUrl, 'select pg_sleep(60)').catch(() => 'lost')
    await untilActive(server.adminUrl)
    const killed = identify(server.pid)
    process.kill(server.pid, 'SIGKILL')
    await waitUntilGone(killed ? [killed] : [], 5_000)
    server = await start()
    expect(await query(server.adminUrl, 'select id from survivor')).toEqual([{ id: 42 }])
    expect(await busy).toBe('lost')
  })

  test('a stale postmaster.pid with a number that somebody else has now is no server', async () => {
    await server.stop()
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    writeFileSync(join(cluster, 'postmaster.pid'), `${stranger.pid}\n${cluster}\n1\n5432\n/tmp\n\n\nready   \n`)
    writeFileSync(join(dataDirectory, 'postgresql-18/run/.s.PGSQL.5432.lock'), `${stranger.pid}\n`)
    server = await start()
    expect(server.pid).not.toBe(stranger.pid)
    expect(stranger.exitCode).toBeNull()
    expect(await query(server.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    stranger.kill()
  })

  test('an interrupted first start leaves nothing that stops the second', async () => {
    const fresh = join(folder, 'interrupted')
    mkdirSync(join(fresh, 'postgresql-18/cluster.new-half'), { recursive: true })
    const second = await startEmbedded({ dataDirectory: fresh, settings: fast })
    expect(await query(second.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(existsSync(join(fresh, 'postgresql-18/cluster.new-half'))).toBe(false)
    await second.remove()
  })

  test('a server that does not start says why, and one whose files were removed meanwhile is no bug of ours', async () => {
    const fresh = join(folder, 'unfit')
    const unfit = startEmbedded({ dataDirectory: fresh, settings: { ...fast, shared_buffers: 'plenty' } })
    await expect(unfit).rejects.toThrow(/did not start[\s\S]*shared_buffers/)
    expect(lastWords(join(fresh, 'postgresql-18/postgres.log'), 0)).toContain('shared_buffers')
    expect(lastWords(join(fresh, 'gone'), 0)).toBe('(its log is gone)')
  })

  test('a path too long for a socket gets a short one', async () => {
    const long = join(folder, 'a'.repeat(60), 'b'.repeat(60))
    const deep = await startEmbedded({ dataDirectory: long, settings: fast })
    expect(deep.socketDirectory.length).toBeLessThan(90)
    expect(await query(deep.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    await deep.remove()
    expect(existsSync(deep.socketDirectory)).toBe(false)
  })

  test.runIf(process.getuid?.() === 0)(
    'root with a folder that nobody else may enter: the database stands elsewhere and is found again',
    async () => {
      const hidden = join(folder, 'hidden')
      mkdirSync(hidden, { mode: 0o700 })
      const first = await startEmbedded({ dataDirectory: hidden, settings: fast })
      const { area } = JSON.parse(readFileSync(join(hidden, 'postgresql-18.json'), 'utf8')) as { area: string }
      expect(area.startsWith(folder)).toBe(false)
      await query(first.adminUrl, 'create table kept (id int)')
      await first.stop()
      const second = await startEmbedded({ dataDirectory: hidden, settings: fast })
      expect(await query(second.adminUrl, 'select count(*)::int as rows from kept')).toEqual([{ rows: 0 }])
      await second.kill()
      rmSync(area, { recursive: true, force: true })
    },
  )
})

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // a killed server is what some of these tests are about
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

async function untilActive(url: string): Promise<void> {
  for (;;) {
    const [row] = await query(
      url,
      `select count(*)::int as busy from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`,
    )
    if (row?.busy !== 0) return
  }
}

/** The same start in a process of its own. */
async function startElsewhere(dataDirectory: string): Promise<{ pid: number }> {
  const program = `import { startEmbedded } from ${JSON.stringify(join(import.meta.dirname, 'embedded.ts'))}
    const { pid } = await startEmbedded(${JSON.stringify({ dataDirectory, settings: fast })}); process.stdout.write(JSON.stringify({ pid }))`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const chunk of child.stdout) said += chunk
  return JSON.parse(said) as { pid: number }
}
