import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { postgresOfMachine } from '../config.ts'
import { Failure } from '../errors.ts'
import { identify, isRunning, type LockName, type ProcessIdentity, withLock } from '../processes.ts'
import { choosePlace, chooseSocketDirectory, makeFolder, type Place, preparePrograms } from './embedded-files.ts'
import {
  clearLeftovers,
  findRunning,
  killServer,
  lastWords,
  READY_TIMEOUT_MS,
  readPidFile,
  stopServer,
} from './embedded-process.ts'
import { openOwnFile, readOwnFile, writeNewFile } from './own-file.ts'

export type EmbeddedOptions = {
  /** Made when it is missing. One data directory is one database server. */
  readonly dataDirectory: string
  /** PostgreSQL settings that differ from ours, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Others use the server that runs: join it even if its settings differ. Otherwise it is started again with ours. */
  readonly joinRunning?: boolean
  readonly onProgress?: (message: string) => void
}

export type EmbeddedServer = {
  /** URL of the superuser `partita_admin` on the database `partita`. */
  readonly adminUrl: string
  readonly socketDirectory: string
  /** What PostgreSQL writes to. */
  readonly folder: string
  readonly port: number
  readonly pid: number
  /** It ran already: started by another process of ours, or left by one that was killed. */
  readonly reused: boolean
  isRunning(): boolean
  /** Fast shutdown: open transactions are rolled back, everything is written. */
  stop(): Promise<void>
  /** SIGKILL to the server and all its processes, and waits until they are gone: what a crash looks like. */
  kill(): Promise<void>
  /** Ends it and removes everything it has written, wherever that stands. */
  remove(): Promise<void>
}

const PORT = 5432
const LOCK_TIMEOUT_MS = 120_000

/**
 * Starts the PostgreSQL that comes with the project, or the one of the machine that PARTITA_POSTGRES names, or joins the one that already runs on `dataDirectory`.
 *
 * The server is a process of its own that outlives ours: several processes may use it, and whoever leaves last calls `stop`. It listens
 * on a socket that only its user and root may use. A new directory takes about a second, an existing one less than 200 ms.
 * @throws Failure, saying what to do, when PostgreSQL cannot run here or does not start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const onProgress = options.onProgress ?? (() => {})
  mkdirSync(options.dataDirectory, { recursive: true })
  const lock = { folder: join(realpathSync(options.dataDirectory), 'locks'), name: 'database' }
  return withLock(lock, LOCK_TIMEOUT_MS, async () => {
    const place = await choosePlace(options.dataDirectory)
    const programs = preparePrograms(place, onProgress, postgresOfMachine())
    const cluster = join(place.area, 'cluster')
    if (!existsSync(cluster)) await makeCluster(place, programs, options.settings?.fsync !== 'off', onProgress)
    const running = await findRunning(cluster)
    const wanted = serverArguments(cluster, chooseSocketDirectory(place), options.settings)
    if (running && (options.joinRunning || sameCommand(running, join(programs, 'bin/postgres'), wanted)))
      return describe(place, cluster, running, lock, true)
    if (running) await stopServer(running, cluster)
    return describe(place, cluster, await launch(place, programs, cluster, wanted, onProgress), lock, false)
  })
}

function describe(place: Place, cluster: string, server: ProcessIdentity, lock: LockName, reused: boolean): EmbeddedServer {
  const socketDirectory = readPidFile(cluster)?.socketDirectory ?? chooseSocketDirectory(place)
  const url = new URL(`postgresql://localhost:${PORT}/partita`)
  url.username = 'partita_admin'
  url.password = readOwnFile(join(place.area, 'password')).toString('utf8').trim()
  url.searchParams.set('host', socketDirectory)
  return {
    adminUrl: url.href,
    folder: place.area,
    socketDirectory,
    port: PORT,
    pid: server.pid,
    reused,
    isRunning: () => isRunning(server),
    stop: () =>
      withLock(lock, LOCK_TIMEOUT_MS, async () => {
        const running = await findRunning(cluster) // another process of ours may have started it again after a crash
        if (running) await stopServer(running, cluster)
      }),
    kill: () => killServer(server, cluster),
    remove: async () => {
      await killServer(server, cluster)
      for (const folder of [socketDirectory, place.area]) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes the cluster beside its final name and moves it there when it is whole, so that an interrupted start leaves nothing half-made. */
async function makeCluster(
  place: Place,
  programs: string,
  durable: boolean,
  onProgress: (message: string) => void,
): Promise<void> {
  onProgress('making the database')
  for (const name of readdirSync(place.area)) {
    if (name.startsWith('cluster.new-')) rmSync(join(place.area, name), { recursive: true, force: true })
  }
  const fresh = makeFolder(join(place.area, `cluster.new-${randomBytes(4).toString('hex')}`), place.account)
  const passwordFile = join(place.area, 'password')
  writeNewFile(passwordFile, `${randomBytes(32).toString('base64url')}\n`, place.account)
  const initdb = [
    '-D',
    fresh,
    '-U',
    'partita_admin',
    `--pwfile=${passwordFile}`,
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--data-checksums',
  ]
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions']
  await run(join(programs, 'bin/initdb'), [...initdb, ...locale, ...(durable ? [] : ['--no-sync'])], place)
  const single = ['--single', '-D', fresh, ...(durable ? [] : ['-F']), 'postgres']
  await run(join(programs, 'bin/postgres'), single, place, 'create database partita;\n')
  renameSync(fresh, join(place.area, 'cluster'))
}

const childEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** Runs a program to its end. @throws Failure with what it said, when it fails. */
function run(program: string, args: readonly string[], place: Place, input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...place.account,
      cwd: place.area,
      env: childEnvironment,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
    child.on('error', (error) =>
      reject(new Failure(`${program} does not run here: ${error.message}`, { cause: error, retryable: false })),
    )
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Failure(`${program} failed: ${lastLines(said)}`, { retryable: false })),
    )
    child.stdin.on('error', () => {}) // it ended before reading: its exit code says why
    child.stdin.end(input)
  })
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-8).join('\n')

const MEGABYTE = 1024 * 1024

/** Ours, in the order of the manual. Sized for a small machine with two cores. */
function serverArguments(cluster: string, socketDirectory: string, settings: EmbeddedOptions['settings']): string[] {
  // In a container the machine's memory is not ours: 0 or more than the machine has means that nobody limits us.
  const memory = Math.floor(Math.min(totalmem(), process.constrainedMemory() || totalmem()) / MEGABYTE)
  const all: Record<string, string> = {
    listen_addresses: '',
    port: String(PORT),
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: '0700',
    max_connections: '200',
    // A quarter of the memory, taken only as the books fill it. With an eighth, at most 512 MB, a page of entries of a book of ten million took
    // half as long again as of a book of one million.
    shared_buffers: `${Math.max(128, Math.min(4096, Math.floor(memory / 4)))}MB`,
    effective_cache_size: `${Math.max(256, Math.floor(memory / 2))}MB`,
    fsync: 'on',
    synchronous_commit: 'on',
    wal_compression: 'on',
    // Filling a new WAL segment with zeroes stops every writer for 50 ms, several times a second under load: p99 of a transfer 66 ms, without it 22 ms.
    wal_init_zero: 'off',
    // Pages are written whole into the WAL once per checkpoint: rare checkpoints make a transfer cheaper, recovery stays in seconds.
    max_wal_size: '4GB',
    min_wal_size: '256MB',
    checkpoint_timeout: '15min',
    random_page_cost: '1.1',
    jit: 'off', // compiles for longer than our statements run
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // The log must not hold what the tables protect: names and IBANs stand in statements and in the details of errors.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...settings,
  }
  return ['-D', cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** The running server is the same program with the same settings. Its command line says so; nothing has to be remembered. */
function sameCommand(server: ProcessIdentity, program: string, wanted: readonly string[]): boolean {
  const given = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  const command = [program, ...wanted]
  return given.length === command.length && given.every((argument, index) => argument === command[index])
}

const LOG_BYTES_MAX = 16 * MEGABYTE

async function launch(
  place: Place,
  programs: string,
  cluster: string,
  args: readonly string[],
  onProgress: (message: string) => void,
): Promise<ProcessIdentity> {
  await clearLeftovers(cluster, chooseSocketDirectory(place))
  const logFile = join(place.area, 'postgres.log')
  let log = openOwnFile(logFile)
  if (fstatSync(log).size > LOG_BYTES_MAX) {
    closeSync(log)
    renameSync(logFile, `${logFile}.1`)
    log = openOwnFile(logFile)
  }
  const logStart = fstatSync(log).size
  const child = spawn(join(programs, 'bin/postgres'), args, {
    ...place.account,
    cwd: place.area,
    env: childEnvironment,
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  const failed = new Promise<never>((_, reject) => {
    const fail = (reason: string | number | null) => {
      reject(new Failure(`PostgreSQL did not start (${reason}):\n${lastWords(logFile, logStart)}`, { retryable: false }))
    }
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signalName) => fail(code ?? signalName))
  })
  child.unref()
  const ready = await Promise.race([failed, waitUntilReady(child, cluster, onProgress)])
  child.removeAllListeners('exit') // from here on its end is no failure to start
  return ready
}

async function waitUntilReady(
  child: ChildProcess,
  cluster: string,
  onProgress: (message: string) => void,
): Promise<ProcessIdentity> {
  const started = performance.now()
  let told = false
  const hasEnded = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  while (!hasEnded() && performance.now() - started < READY_TIMEOUT_MS) {
    const file = readPidFile(cluster)
    if (file && file.pid === child.pid && file.ready) {
      const server = identify(file.pid)
      if (server) return server
    }
    if (!told && performance.now() - started > 2_000) {
      onProgress('PostgreSQL recovers what it had not written when it was stopped')
      told = true
    }
    await delay(5)
  }
  throw new Failure(`PostgreSQL was not ready after ${READY_TIMEOUT_MS / 1000} s`, { retryable: true })
}
