import { isIPv4 } from 'node:net'
import pg from 'pg'
import { Failure } from './errors.ts'
import { versionProblem } from './postgres/version.ts'
import {
  type AnySettings,
  addressRanges,
  auto,
  integer,
  isLoopback,
  linesOf,
  oneOf,
  onOff,
  optionalSecret,
  readFields,
  type SettingFields,
  type Settings,
  setting,
  settings,
  text,
  type UnsafeContext,
  url,
  type ValuesOf,
  weakness,
} from './settings.ts'

/** Every setting of the platform: variable, default, unit, and why it is what it is. Those of the modules stand with the modules. */
const FIELDS = {
  environment: setting('PARTITA_ENVIRONMENT', 'development', 'development | test | production', 'production refuses everything that is for trying out', oneOf('development', 'test', 'production')),
  host: setting('PARTITA_HOST', '127.0.0.1', 'address', 'nobody else can reach a bank that somebody is trying out; containers set 0.0.0.0', text(/^[\w.:-]{1,255}$/, 'an address to listen on')),
  port: setting('PARTITA_PORT', '4100', 'port, 0 for any free one', 'free on most machines', integer(0, 65_535)),
  workerPort: setting('PARTITA_WORKER_PORT', '0', 'port, 0 for any free one', 'where a process in the role worker serves /livez, /readyz and /metrics: any number of them on one machine unless told; in a container a fixed one', integer(0, 65_535)),
  database: {
    url: setting('DATABASE_URL', undefined, 'postgres://user:password@host:port/database', '`npm start` sets it when it starts PostgreSQL itself', url('postgres:', 'postgresql:')),
    poolSize: setting('PARTITA_DATABASE_POOL', '10', 'connections per role', 'a few times the cores of PostgreSQL; more only queue inside it', integer(1, 200)),
    acquireTimeoutMs: setting('PARTITA_DATABASE_ACQUIRE_MS', '1000', 'milliseconds', 'a request that waits longer for a connection is told to come back: the database is away, or more come than it can serve', integer(10, 60_000)),
    folder: setting('PARTITA_DATABASE_FOLDER', '', 'folder', 'where PostgreSQL keeps its data, if that is on this machine: while its disk is as good as full, writes are answered 503 and reads go on, for PostgreSQL itself ends when it cannot write. `npm start` sets it', text(/^(\/.*)?$/, 'the absolute path of a folder')),
    statementTimeoutMs: setting('PARTITA_DATABASE_STATEMENT_MS', '30000', 'milliseconds, 0 for none', 'longer than any statement of a request; imports and proofs have their own', integer(0, 3_600_000)),
  },
  sandbox: setting('PARTITA_SANDBOX', 'auto', 'on | off | auto', 'auto: off in production, else on. A sandbox can invent money and move the clock', onOff(({ isProduction }) => !isProduction)),
  stagingToken: setting('PARTITA_STAGING_TOKEN', '', 'secret', 'a sandbox that others can reach may ask for X-Qonto-Staging-Token on every call', optionalSecret(16)),
  metricsToken: setting('PARTITA_METRICS_TOKEN', '', 'secret', '/metrics tells what the bank is doing: production asks for a bearer token', optionalSecret(32)),
  logLevel: setting('PARTITA_LOG_LEVEL', 'info', 'debug | info | warn | error | silent', 'one line per request', oneOf('debug', 'info', 'warn', 'error', 'silent')),
  trustedProxies: setting('PARTITA_TRUSTED_PROXIES', '', 'addresses or CIDR ranges, comma separated', 'X-Forwarded-For counts only from these: rate limits are per client address', addressRanges('addresses or CIDR ranges, comma separated')),
  // Requests per client address; 0 switches a limit off.
  rateLimits: {
    per10Seconds: setting('PARTITA_RATE_LIMIT_10_SECONDS', '1000', 'requests per client address, 0 for no limit', 'the contract (qonto-api.md, section 7)', integer(0, 100_000_000)),
    per10Minutes: setting('PARTITA_RATE_LIMIT_10_MINUTES', '10000', 'requests per client address, 0 for no limit', 'the contract', integer(0, 100_000_000)),
    unauthorizedPerHour: setting('PARTITA_RATE_LIMIT_401_PER_HOUR', '200', 'answers of 401 per client address, 0 for no limit', 'the contract; also what stops guessing', integer(0, 100_000_000)),
  },
  connections: {
    max: setting('PARTITA_CONNECTIONS', 'auto', 'connections | auto', 'auto: half of what the system lets this process open, so that files and the database have room; when all are taken, the longest silent one makes room', auto(integer(10, 1_000_000), () => 0)),
    perAddress: setting('PARTITA_CONNECTIONS_PER_ADDRESS', '0', 'connections per client address, 0 for no limit', 'proxies bring everybody from one address: those that are trusted are never limited', integer(0, 1_000_000)),
  },
  requestMs: setting('PARTITA_REQUEST_MS', '5000', 'milliseconds', 'the budget of one request once it is read: then it is answered 503, whatever the database does. A hundred times what a payment takes, so that a stalled disk is waited for; shorter than clients wait before they give up', integer(100, 600_000)),
  // When to turn requests away: reads first, money last.
  load: {
    readsInFlightMax: setting('PARTITA_READS_IN_FLIGHT', '512', 'requests', 'a burst that is still answered within a second; under lasting load fewer are taken', integer(1, 100_000)),
    writesInFlightMax: setting('PARTITA_WRITES_IN_FLIGHT', '4096', 'requests', 'writes share commits, so many may wait for one; shed long after reads', integer(1, 100_000)),
    eventLoopLagMsMax: setting('PARTITA_EVENT_LOOP_LAG_MS', '1000', 'milliseconds', 'late on average by more, reads are turned away, by four times as much writes too; neighbours on a shared machine alone make it 250', integer(10, 60_000)),
  },
  shutdown: {
    drainMs: setting('PARTITA_DRAIN_MS', 'auto', 'milliseconds | auto', 'how long /readyz says no before we stop listening; auto: 5,000 in production, where a balancer must notice, else 0', auto(integer(0, 9_000), ({ isProduction }) => (isProduction ? 5_000 : 0))),
    deadlineMs: setting('PARTITA_SHUTDOWN_MS', '10000', 'milliseconds', 'after this what still runs is cut off: Kubernetes kills after 30 s', integer(100, 10_000)),
  },
} as const // biome-ignore format: a table, one setting a line

const platformSettings = settings(FIELDS, unsafeMixes)

type PlatformValues = ValuesOf<typeof FIELDS>
export type Environment = PlatformValues['environment']
export type LogLevel = PlatformValues['logLevel']
export type RateLimitConfig = PlatformValues['rateLimits']
export type LoadConfig = PlatformValues['load']
export type ConnectionConfig = PlatformValues['connections']

export type Config = PlatformValues & {
  /** The values of a module's settings. @throws Error when the configuration was read without them. */
  of<F extends SettingFields>(group: Settings<F>): ValuesOf<F>
}

/**
 * Reads the configuration once, from the environment given.
 *
 * @param groups the settings of every module.
 * @returns the configuration, or every problem in it at once, each naming the variable and what it should be. No secret is repeated.
 */
export function loadConfig(
  env: NodeJS.ProcessEnv,
  groups: readonly AnySettings[],
): { ok: true; config: Config } | { ok: false; problems: string[] } {
  const problems: string[] = []
  const context = { isProduction: (env[FIELDS.environment.env] ?? '').trim() === 'production' }
  const all = [platformSettings as AnySettings, ...groups]
  const values = new Map(all.map((group) => [group, readFields(group.fields, env, context, problems)]))
  problems.push(...unknownVariables(env, all))
  if (problems.length > 0) return { ok: false, problems }

  const platform = values.get(platformSettings) as PlatformValues
  const isGiven = (name: string) => (env[name] ?? '').trim() !== ''
  const unsafe = all.flatMap((group) =>
    group.unsafe(values.get(group) as never, { ...context, isSandbox: platform.sandbox, isGiven }),
  )
  if (unsafe.length > 0) return { ok: false, problems: unsafe }
  const of: Config['of'] = (group) => {
    if (!values.has(group)) throw new Error('these settings are of no module on the list')
    return values.get(group) as never
  }
  return { ok: true, config: { ...platform, of } }
}

// The command line's own: where it keeps data, and what it passes between its processes.
const KNOWN = new Set(['PARTITA_DATA', 'PARTITA_POSTGRES'])
const ALLOWED_PREFIXES = ['PARTITA_TEST_', 'PARTITA_CLI_', 'PARTITA_BENCH_']

/** The folder of the PostgreSQL of this machine that is to be run instead of the project's own; '' for none. Whoever starts one asks, commands and benchmarks alike. */
export const postgresOfMachine = (): string => process.env.PARTITA_POSTGRES?.trim() ?? ''

/** A misspelt variable would otherwise be a setting that silently does not apply. */
function unknownVariables(env: NodeJS.ProcessEnv, groups: readonly AnySettings[]): string[] {
  const known = new Set(groups.flatMap((group) => linesOf(group.fields)).map((line) => line.env))
  const isKnown = (name: string) =>
    known.has(name) || KNOWN.has(name) || ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix))
  return Object.keys(env)
    .filter((name) => name.startsWith('PARTITA_') && !isKnown(name))
    .map((name) => `${name} is not a setting`)
}

/** Values that are fine alone and dangerous together. */
function unsafeMixes(config: PlatformValues, { isProduction }: UnsafeContext): string[] {
  const problems: string[] = []
  const refuse = (when: boolean, problem: string) => when && problems.push(problem)
  refuse(config.shutdown.drainMs >= config.shutdown.deadlineMs, 'PARTITA_DRAIN_MS must be less than PARTITA_SHUTDOWN_MS')
  refuse(config.stagingToken !== undefined && !config.sandbox, 'PARTITA_STAGING_TOKEN is for a sandbox, and this is none')
  refuse(
    config.trustedProxies.some(isTooWide),
    'PARTITA_TRUSTED_PROXIES must not trust everybody, nor ranges wider than /8 (IPv4) or /16 (IPv6): any client could then name any address and no rate limit would hold',
  )
  return isProduction ? [...problems, ...unsafeInProduction(config)] : problems
}

/** No proxy has so many addresses: the smaller the prefix, the more of the internet is believed. */
function isTooWide(range: string): boolean {
  const [address = '', prefix] = range.split('/')
  return prefix !== undefined && Number(prefix) < (isIPv4(address) ? 8 : 16)
}

function unsafeInProduction(config: PlatformValues): string[] {
  const problems: string[] = []
  const refuse = (when: boolean, problem: string) => when && problems.push(problem)
  refuse(config.sandbox, 'PARTITA_SANDBOX must be off in production: a sandbox can invent money and move the clock')
  refuse(
    config.logLevel === 'debug' || config.logLevel === 'silent',
    'PARTITA_LOG_LEVEL must be info, warn or error in production',
  )
  refuse(config.metricsToken === undefined, 'PARTITA_METRICS_TOKEN is missing: production needs one, of 32 characters or more')
  const { per10Seconds, per10Minutes, unauthorizedPerHour } = config.rateLimits
  refuse(
    per10Seconds === 0 || per10Minutes === 0 || unauthorizedPerHour === 0,
    'PARTITA_RATE_LIMIT_… must not be 0 in production',
  )
  const database = new URL(config.database.url)
  const secure = /^(require|verify-ca|verify-full)$/.test(database.searchParams.get('sslmode') ?? '')
  refuse(!secure && !isLoopback(database.hostname), 'DATABASE_URL must say sslmode=verify-full (or require) in production')
  const password = decodeURIComponent(database.password)
  refuse(weakness(password, 16) !== undefined, `DATABASE_URL’s password ${weakness(password, 16)}`)
  refuse(
    ['postgres', 'root', 'admin'].includes(database.username),
    'DATABASE_URL must not log in as an administrator in production',
  )
  return problems
}

/**
 * Looks at the database we are about to trust. An older PostgreSQL cannot run our schema. Without these settings an acknowledged payment can be lost, so they are refused in every
 * environment; a login that row-level security does not bind is refused in production.
 * @returns every problem, in words for the operator.
 * @throws Failure when the database cannot be reached.
 */
export async function checkDatabaseSafety(databaseUrl: string, environment: Environment): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'partita safety check' })
  try {
    await client.connect()
    const unfit = await versionProblem(client)
    if (unfit) return [unfit]
    const settings = await client.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')`,
    )
    const role = await client.query<{ name: string; is_super: boolean; bypasses: boolean }>(
      `select rolname as name, rolsuper as is_super, rolbypassrls as bypasses from pg_roles where rolname = session_user`,
    )
    const problems = settings.rows
      .filter(({ setting }) => setting === 'off')
      .map(({ name }) => `PostgreSQL runs with ${name}=off: an acknowledged payment could be lost. Set it to on`)
    const login = role.rows[0]
    if (environment === 'production' && login && (login.is_super || login.bypasses)) {
      problems.push(
        `the database login ${login.name} ${login.is_super ? 'is a superuser' : 'has BYPASSRLS'}: row-level security would not bind it`,
      )
    }
    return problems
  } catch (error) {
    throw new Failure('the database cannot be reached', { cause: error, retryable: true })
  } finally {
    await client.end().catch(() => {})
  }
}

/** Every setting of these groups with its default, unit and reason, and the platform's own: for `--help` and the documentation. */
export const describeSettings = (
  groups: readonly AnySettings[],
): readonly { env: string; fallback: string | undefined; unit: string; reason: string }[] =>
  [platformSettings as AnySettings, ...groups]
    .flatMap((group) => linesOf(group.fields))
    .map(({ env, fallback, unit, reason }) => ({ env, fallback, unit, reason }))
