import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { partita } from '../../../server/src/bank.ts'
import { checkDatabaseSafety } from '../../../server/src/platform/config.ts'
import { lacksRoom } from '../../../server/src/platform/disk.ts'
import { startEmbedded } from '../../../server/src/platform/postgres/embedded.ts'
import { isRunning } from '../../../server/src/platform/processes.ts'
import { addressOf } from '../support/address.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { dataFolder } from '../support/data-folder.ts'
import { type DemoCompany, ensureDemo } from '../support/demo-company.ts'
import { Refusal, refusalOf, WrongUse } from '../support/refusal.ts'
import { RunningBank } from '../support/running-bank.ts'
import { serverEnvironment } from '../support/server-environment.ts'
import { Service } from '../support/service.ts'
import { type DatabaseUrls, openUrls } from '../support/with-database.ts'

type Options = CommonOptions & { readonly port?: string; readonly host: string }

const DEFAULT_PORT = '4100'
const READY_MS_MAX = 60_000
const WATCH_INTERVAL_MS = 250
const SERVER_GOODBYE_MS = 5_000 // the whole stop takes ten seconds at most

export function define(command: Command): void {
  command
    .option('--port <number>', `port of the API (default: PARTITA_PORT, else ${DEFAULT_PORT})`)
    .option(
      '--host <address>',
      'address to listen on; 0.0.0.0 for every network of the machine',
      process.env.PARTITA_HOST ?? '127.0.0.1',
    )
  defineAction<Options>(command, ['partita start', 'partita start --port 4200 --data ./other-bank'], (_, options, output) =>
    start(options, output),
  )
}

/** Starts everything, tells how to use it, and runs until it is asked to stop. */
async function start(options: Options, output: Output): Promise<ExitCode> {
  await requireConfiguration(options)
  const port = parsePort(options.port ?? process.env.PARTITA_PORT ?? DEFAULT_PORT)
  const dataDirectory = dataFolder(options.data)
  const url = addressOf(options.host, port)
  const stop = new StopRequest()
  const bank = await RunningBank.take(dataDirectory, url, output.note)
  const undo: (() => Promise<void>)[] = [() => bank.release()]
  try {
    stop.watch(bank)
    await requireFreePort(port, options.host)
    output.note(`Starting the bank in ${dataDirectory}`)
    const urls = await openUrls(dataDirectory, (message) => output.note(`  ${message}`))
    undo.unshift(urls.release)
    const demo = await ensureDemo(urls, dataDirectory, (message) => output.note(`  ${message}`))
    const keepDatabase = keepDatabaseRunning(urls, dataDirectory, output, stop)
    undo.unshift(async () => clearInterval(keepDatabase))
    const services = await startServices({ dataDirectory, urls, port, host: options.host, url, bank, output, stop })
    undo.unshift(() => stopAll(services))
    await Promise.race([services.ready(), stop.requested])
    if (!stop.isRequested) output.result({ url, pid: process.pid, ...demo }, welcome(url, demo))
    await stop.requested
    output.note('\nStopping')
  } finally {
    for (const step of undo) await step().catch((error) => output.note(`stopping: ${(error as Error).message}`))
  }
  if (stop.failure) throw stop.failure
  output.note('Stopped')
  return 0
}

/** Ctrl-C, SIGTERM, a closed terminal, a killed npm, or a service that cannot be kept running. */
class StopRequest {
  readonly requested: Promise<void>
  isRequested = false
  failure: Error | undefined
  #resolve: () => void = () => {}

  constructor() {
    this.requested = new Promise((resolve) => {
      this.#resolve = resolve
    })
    // Not `once`: a terminal and npm both pass Ctrl-C on, and the second must not end us in the middle of stopping.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.request())
  }

  request(failure?: Error): void {
    if (!this.isRequested) this.failure = failure
    this.isRequested = true
    this.#resolve()
  }

  watch(bank: RunningBank): void {
    process.once('disconnect', () => this.request())
    process.channel?.unref() // it may end us, but must not keep us running
    setInterval(() => {
      if (!bank.guardians.every(isRunning)) this.request()
    }, WATCH_INTERVAL_MS).unref()
  }
}

/** Everything that is wrong with the settings at once, and before anything is made. */
async function requireConfiguration({ port, host }: Options): Promise<void> {
  const isProduction = process.env.PARTITA_ENVIRONMENT === 'production'
  const database = process.env.DATABASE_URL || (isProduction ? '' : 'postgres://partita@localhost/partita')
  const settings = { ...serverEnvironment(), DATABASE_URL: database, PARTITA_HOST: host }
  const loaded = partita.configure(port === undefined ? settings : { ...settings, PARTITA_PORT: undefined })
  const problems = loaded.ok ? [] : [...loaded.problems]
  if (isProduction) problems.push(NOT_FOR_PRODUCTION)
  // A database that cannot be reached is explained when it is opened.
  if (process.env.DATABASE_URL)
    problems.push(...(await checkDatabaseSafety(database, isProduction ? 'production' : 'development').catch(() => [])))
  if (problems.length > 0) throw refusalOf('the configuration cannot be used', problems)
}

const NOT_FOR_PRODUCTION =
  'PARTITA_ENVIRONMENT=production is not for `partita start`, which makes a demo company and simulates the rails: under Node 24 run `node server/src/main.ts migrate` once, then `api` and `worker`'

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535)
    throw new WrongUse(`"${text}" is not a port: give --port or PARTITA_PORT a number from 1 to 65535`)
  return port
}

async function requireFreePort(port: number, host: string): Promise<void> {
  try {
    await probePort(port, host)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE')
      throw new Refusal(`port ${port} is in use by another program: choose another with --port or PARTITA_PORT`)
    if (code === 'EACCES') throw new Refusal(`you may not use port ${port}: choose one from 1024 with --port or PARTITA_PORT`)
    throw new Refusal(`cannot listen on ${host} port ${port} (${code}): see --host and --port`)
  }
}

/** @returns the port that was bound: `port`, or a free one for 0. */
function probePort(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ port, host, exclusive: true }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}

/** A database that does not start again is tried so often, unless the disk is full: then for as long as it is. */
const DATABASE_TRIES = 5
const DATABASE_PAUSE_MS = 2_000

/** PostgreSQL restarts its own processes; this is for the case that all of it is killed, or ends for want of room. Its address stays the same. */
function keepDatabaseRunning(urls: DatabaseUrls, dataDirectory: string, output: Output, stop: StopRequest): NodeJS.Timeout {
  let server = urls.server
  let busy = false
  let failures = 0
  const look = async () => {
    if (!server || busy || stop.isRequested || server.isRunning()) return
    busy = true
    if (failures === 0) output.note('PostgreSQL ended unexpectedly; starting it again')
    try {
      server = await startEmbedded({ dataDirectory, joinRunning: true })
      if (failures > 0) output.note('PostgreSQL runs again')
      failures = 0
    } catch (error) {
      failures++
      const isFull = lacksRoom(dataDirectory)
      if (isFull && failures === 1)
        output.note(`the disk of ${dataDirectory} is full; PostgreSQL is started again when there is room`)
      if (!isFull && failures >= DATABASE_TRIES) stop.request(error as Error)
      else await delay(DATABASE_PAUSE_MS, undefined, { ref: false })
    }
    busy = false
  }
  return setInterval(look, WATCH_INTERVAL_MS)
}

type Services = { readonly server: Service; readonly rails: Service; ready(): Promise<void> }

type Parts = {
  readonly dataDirectory: string
  readonly urls: DatabaseUrls
  readonly port: number
  readonly host: string
  readonly url: string
  readonly bank: RunningBank
  readonly output: Output
  readonly stop: StopRequest
}

async function startServices({ dataDirectory, urls, port, host, url, bank, output, stop }: Parts): Promise<Services> {
  const railsPort = await probePort(0, '127.0.0.1')
  const railsUrl = `http://127.0.0.1:${railsPort}`
  const services: Service[] = []
  const common = {
    goodbyeMs: SERVER_GOODBYE_MS + 500,
    isHeldUp: () => lacksRoom(dataDirectory),
    onNote: output.note,
    onProcess: () => bank.recordChildren(services.map((service) => service.process).filter((found) => found !== undefined)),
    onGivenUp: (error: Refusal) => stop.request(error),
  }
  const rails = new Service({
    ...common,
    name: 'rails simulator',
    program: ['rails-simulator/src/main.ts', '--port', String(railsPort), '--journal', join(dataDirectory, 'rails.journal')],
    environment: {},
    logFile: join(dataDirectory, 'rails-simulator.log'),
  })
  const server = new Service({
    ...common,
    name: 'server',
    program: ['server/src/main.ts', 'all'],
    environment: {
      DATABASE_URL: urls.url,
      ...(urls.server && { PARTITA_DATABASE_FOLDER: urls.server.folder }),
      PARTITA_PORT: String(port),
      PARTITA_HOST: host,
      PARTITA_SHUTDOWN_MS: process.env.PARTITA_SHUTDOWN_MS ?? String(SERVER_GOODBYE_MS),
      RAILS_URL: railsUrl,
    },
    logFile: join(dataDirectory, 'server.log'),
  })
  services.push(rails, server)
  common.onProcess()
  const ready = async () => {
    await Promise.all([rails.ready(`${railsUrl}/health`, READY_MS_MAX), server.ready(`${url}/readyz`, READY_MS_MAX)])
  }
  return { server, rails, ready }
}

/** The server first: what it has accepted it may still send to the rails. */
async function stopAll({ server, rails }: Services): Promise<void> {
  await server.stop()
  await rails.stop()
}

function welcome(url: string, demo: DemoCompany): string {
  const key = `Authorization: ${demo.organization_slug}:${demo.secret_key}`
  const main = demo.accounts.find((account) => account.main) ?? demo.accounts[0]
  return `
Partita runs at ${url}

  Demo company   ${demo.organization_slug}
  API key        ${demo.organization_slug}:${demo.secret_key}

Three commands to try:

  curl -H '${key}' ${url}/v2/organization

  curl -H '${key}' '${url}/v2/transactions?iban=${main?.iban}'

  curl -H '${key}' -H 'Content-Type: application/json' \\
    -d '{"iban":"${main?.iban}","amount":"250.00","debtor_name":"Jane Customer"}' ${url}/simulation/incoming_transfers

Ctrl-C stops it.
`
}
