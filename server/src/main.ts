import { buildApp, serveHealth } from './app.ts'
import { partita } from './bank.ts'
import { BankClock } from './platform/clock.ts'
import { type Config, checkDatabaseSafety } from './platform/config.ts'
import type { HttpServer } from './platform/http/server.ts'
import { createLogger, type Logger } from './platform/logging.ts'
import { createMetrics } from './platform/metrics.ts'
import type { ModuleParts, World } from './platform/module.ts'
import { openDatabase } from './platform/postgres/database.ts'
import { migrate } from './platform/postgres/migrate.ts'
import { SchemaUnfit, SchemaWatch, schemaProblem } from './platform/postgres/schema-check.ts'
import { Wakeups } from './platform/wake.ts'

const ROLES = ['api', 'worker', 'all', 'migrate'] as const
type Role = (typeof ROLES)[number]

const EXIT_FAILED = 1
const EXIT_WRONG_USE = 2
/** The database is not migrated, or by a newer release in a way that this one does not know: starting again does not help. */
const EXIT_SCHEMA = 3
const CLOCK_REFRESH_MS = 1_000

type Part = { readonly name: string; stop(): Promise<void> }

/**
 * One process of the bank: `node server/src/main.ts api|worker|all|migrate`, configured by its environment. It ends on SIGTERM, SIGINT, or when
 * the process that started it goes away (IPC), and tells that process `{ ready: true, url }` once it serves.
 * Exit codes: 0 stopped, 1 failed, 2 wrong configuration or use, 3 a schema that is not this release's.
 */
async function main(): Promise<void> {
  const role = roleOf(process.argv[2])
  const loaded = partita.configure(process.env)
  if (!loaded.ok) refuseToStart('The configuration cannot be used:', loaded.problems)
  const { config } = loaded
  const logger = createLogger({ level: config.logLevel, service: `partita-${role}` })
  stopOnBugs(logger)

  const unsafe = await checkDatabaseSafety(config.database.url, config.environment)
  if (unsafe.length > 0) refuseToStart('The database is not safe for money:', unsafe)
  if (role === 'migrate') return migrateAndTell(config, logger)
  const world = await connect(config, role, logger)
  const modules = partita.parts(world)
  for (const { gauges = [] } of modules) for (const { name, help, read } of gauges) world.metrics.gauge(name, help, read)
  const wakeups = new Wakeups({ database: world.database, url: config.database.url, logger, isListening: role !== 'api' })
  const schema = new SchemaWatch({ database: world.database, migrations: partita.migrations(), logger })
  const parts: Part[] = [
    { name: 'wakeups', stop: () => wakeups.stop() },
    { name: 'schema watch', stop: async () => schema.stop() },
  ]
  const shutdown = gracefulShutdown(config, logger, parts, world)

  const health = { unfit: () => schema.problem }
  if (role !== 'api') parts.unshift(await startTheWorker(world, modules, wakeups))
  const http = { parts: modules, permissions: partita.permissions }
  const server = role === 'worker' ? await serveHealth(world, health) : await buildApp(world, http, health)
  const url = await server.app.listen({ host: config.host, port: role === 'worker' ? config.workerPort : config.port })
  parts.unshift({ name: 'http', stop: () => drain(server, config, modules) })
  logger.info('started', { 'event.action': role, 'url.full': url })
  process.send?.({ ready: true, url })
  // Not `once`: a second Ctrl-C must not cut off the requests that the first lets finish.
  process.on('SIGTERM', shutdown).on('SIGINT', shutdown).on('disconnect', shutdown)
}

/** For a login that may prepare the database; the others need no such right. */
async function migrateAndTell(config: Config, logger: Logger): Promise<void> {
  const applied = await migrate(config.database.url, partita.migrations(), {
    onUnknown: (names) => process.stderr.write(`The database has had migrations of a newer release: ${names.join(', ')}\n`),
  })
  logger.info('migrated', { 'partita.count': applied.length })
  logger.flush()
}

function roleOf(argument: string | undefined): Role {
  const role = argument ?? 'all'
  if ((ROLES as readonly string[]).includes(role)) return role as Role
  refuseToStart(`There is no role ${role}. Use one of:`, ROLES)
}

function refuseToStart(why: string, problems: readonly string[]): never {
  process.stderr.write(`${why}\n${problems.map((problem) => `  - ${problem}\n`).join('')}`)
  process.exit(EXIT_WRONG_USE)
}

async function connect(config: Config, role: Role, logger: Logger): Promise<World> {
  const database = openDatabase({ ...config.database, applicationName: `partita ${role}` })
  const problem = await schemaProblem(database, partita.migrations())
  if (problem !== undefined) throw new SchemaUnfit(problem)
  const clock = new BankClock(database)
  await clock.refresh()
  return { config, database, clock, logger, metrics: createMetrics({ process: true }) }
}

/** Starts the worker's passes, loaded only where they run. */
async function startTheWorker(world: World, modules: readonly ModuleParts[], wakeups: Wakeups): Promise<Part> {
  const { startWorker } = await import('./worker.ts')
  const worker = startWorker(world, modules, wakeups)
  return { name: 'worker', stop: () => worker.stop() }
}

/** Stops serving without failing anybody: balancers are told first, open requests are answered, then the port is closed. */
async function drain(server: HttpServer, config: Config, modules: readonly ModuleParts[]): Promise<void> {
  server.startDraining()
  await new Promise((resolve) => setTimeout(resolve, config.shutdown.drainMs))
  await server.close()
  for (const module of modules) await module.drain?.()
}

function gracefulShutdown(config: Config, logger: Logger, parts: readonly Part[], { database, clock }: World): () => void {
  // Another process may move the bank's clock (sandbox); a second later everybody lives at the new time.
  const refresh = setInterval(() => {
    clock.refresh().catch((error) => logger.error('the bank’s clock could not be read', error))
  }, CLOCK_REFRESH_MS)
  let isStopping = false
  return () => {
    if (isStopping) return
    isStopping = true
    clearInterval(refresh)
    logger.info('stopping')
    const deadline = setTimeout(() => {
      logger.error('still busy at the deadline: cut off')
      logger.flush()
      process.exit(EXIT_FAILED)
    }, config.shutdown.deadlineMs - DEADLINE_MARGIN_MS)
    stopAll(parts)
      .then(() => database.close())
      .then(
        () => logger.info('stopped'),
        (error) => {
          logger.error('stopping failed', error)
          process.exitCode = EXIT_FAILED
        },
      )
      .finally(() => {
        clearTimeout(deadline)
        logger.flush()
        process.exit()
      })
  }
}

/** So that the process is gone by the deadline, and not only told to go. */
const DEADLINE_MARGIN_MS = 90

async function stopAll(parts: readonly Part[]): Promise<void> {
  for (const part of parts) await part.stop()
}

/** After an error that nobody expected the process's state cannot be trusted: it says why and ends, and is started again. */
function stopOnBugs(logger: Logger): void {
  const stop = (error: unknown) => {
    logger.error('a bug stops the process', error)
    logger.flush()
    process.exit(EXIT_FAILED)
  }
  process.on('uncaughtException', stop).on('unhandledRejection', stop)
}

main().catch((error: unknown) => {
  process.stderr.write(`Partita could not start: ${error instanceof Error ? error.message : error}\n`)
  process.exit(error instanceof SchemaUnfit ? EXIT_SCHEMA : EXIT_FAILED)
})
