import pg from 'pg'
import { Failure } from './errors.ts'
import { versionProblem } from './postgres/version.ts'

export type Environment = 'development' | 'test' | 'production'
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** The bank's own codes inside the national part of its IBANs, by country. */
export type BankCodes = Readonly<Record<BankCountry, string>>

/** Countries we issue IBANs of, and the form of the bank's code there: bank and branch together where the country has both. */
const BANK_CODE_FORMS = {
  FR: { pattern: /^\d{10}$/, form: '10 digits: code banque and code guichet', default: '1999900001' },
  DE: { pattern: /^\d{8}$/, form: '8 digits: Bankleitzahl', default: '90010001' },
  ES: { pattern: /^\d{8}$/, form: '8 digits: entidad and oficina', default: '99010001' },
  IT: { pattern: /^\d{10}$/, form: '10 digits: ABI and CAB', default: '9990100001' },
  NL: { pattern: /^[A-Z]{4}$/, form: '4 letters: bank identifier', default: 'PART' },
  BE: { pattern: /^\d{3}$/, form: '3 digits: bank', default: '999' },
  PT: { pattern: /^\d{8}$/, form: '8 digits: banco and balcão', default: '99010001' },
  AT: { pattern: /^\d{5}$/, form: '5 digits: Bankleitzahl', default: '99901' },
} as const
export type BankCountry = keyof typeof BANK_CODE_FORMS
export const BANK_COUNTRIES = Object.keys(BANK_CODE_FORMS) as BankCountry[]

export type Config = {
  readonly environment: Environment
  readonly host: string
  readonly port: number
  readonly database: {
    readonly url: string
    readonly poolSize: number
    readonly acquireTimeoutMs: number
    readonly statementTimeoutMs: number
  }
  readonly bank: { readonly name: string; readonly bic: string; readonly codes: BankCodes }
  readonly railsUrl: string
  readonly sandbox: boolean
  readonly stagingToken: string | undefined
  readonly metricsToken: string | undefined
  readonly logLevel: LogLevel
  readonly trustedProxies: readonly string[]
  readonly rateLimits: RateLimitConfig
  readonly load: LoadConfig
  readonly shutdown: { readonly drainMs: number; readonly deadlineMs: number }
}

/** Requests per client address; 0 switches a limit off. */
export type RateLimitConfig = {
  readonly per10Seconds: number
  readonly per10Minutes: number
  readonly unauthorizedPerHour: number
}

/** When to turn requests away: reads first, money last. */
export type LoadConfig = {
  readonly readsInFlightMax: number
  readonly writesInFlightMax: number
  readonly eventLoopLagMsMax: number
}

/** One setting: everything that there is to know about it stands in its line of `SETTINGS`. */
type Setting<T> = {
  readonly env: string
  /** Undefined: there is none, and the setting must be given. */
  readonly fallback: string | undefined
  readonly unit: string
  readonly reason: string
  readonly parse: (text: string) => T | Problem
}
type Problem = { readonly problem: string }
const isProblem = (value: unknown): value is Problem => typeof value === 'object' && value !== null && 'problem' in value

function setting<T>(
  env: string,
  fallback: string | undefined,
  unit: string,
  reason: string,
  parse: (text: string) => T | Problem,
): Setting<T> {
  return { env, fallback, unit, reason, parse }
}

/** Every setting: variable, default, unit, and why it is what it is. */
const SETTINGS = {
  environment: setting('PARTITA_ENVIRONMENT', 'development', 'development | test | production', 'production refuses everything that is for trying out', oneOf('development', 'test', 'production')),
  host: setting('PARTITA_HOST', '127.0.0.1', 'address', 'nobody else can reach a bank that somebody is trying out; containers set 0.0.0.0', text(/^[\w.:-]{1,255}$/, 'an address to listen on')),
  port: setting('PARTITA_PORT', '4100', 'port, 0 for any free one', 'free on most machines', integer(0, 65_535)),
  databaseUrl: setting('DATABASE_URL', undefined, 'postgres://user:password@host:port/database', '`npm start` sets it when it starts PostgreSQL itself', url('postgres:', 'postgresql:')),
  poolSize: setting('PARTITA_DATABASE_POOL', '10', 'connections per role', 'a few times the cores of PostgreSQL; more only queue inside it', integer(1, 200)),
  acquireTimeoutMs: setting('PARTITA_DATABASE_ACQUIRE_MS', '5000', 'milliseconds', 'a request that waits longer for a connection is better told to come back; load shedding keeps the wait of an ordinary crowd to about a second', integer(10, 60_000)),
  statementTimeoutMs: setting('PARTITA_DATABASE_STATEMENT_MS', '30000', 'milliseconds, 0 for none', 'longer than any statement of a request; imports and proofs have their own', integer(0, 3_600_000)),
  bankName: setting('PARTITA_BANK_NAME', 'Partita Test Bank', 'text', 'shown on statements and IBAN certificates', text(/^[\p{L}\p{N} .,'&()/-]{1,70}$/u, 'a name of 1 to 70 characters')),
  bic: setting('PARTITA_BIC', 'PARTFRPPXXX', 'BIC, 8 or 11 characters', 'an unassigned BIC: nobody can be paid by mistake', text(/^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/, 'a BIC of 8 or 11 characters')),
  railsUrl: setting('RAILS_URL', 'http://127.0.0.1:4101', 'URL', 'where `npm start` puts the rails simulator', url('http:', 'https:')),
  sandbox: setting('PARTITA_SANDBOX', 'auto', 'on | off | auto', 'auto: off in production, else on. A sandbox can invent money and move the clock', oneOf('on', 'off', 'auto')),
  stagingToken: setting('PARTITA_STAGING_TOKEN', '', 'secret', 'a sandbox that others can reach may ask for X-Qonto-Staging-Token on every call', optionalSecret(16)),
  metricsToken: setting('PARTITA_METRICS_TOKEN', '', 'secret', '/metrics tells what the bank is doing: production asks for a bearer token', optionalSecret(32)),
  logLevel: setting('PARTITA_LOG_LEVEL', 'info', 'debug | info | warn | error | silent', 'one line per request', oneOf('debug', 'info', 'warn', 'error', 'silent')),
  trustedProxies: setting('PARTITA_TRUSTED_PROXIES', '', 'addresses or CIDR ranges, comma separated', 'X-Forwarded-For counts only from these: rate limits are per client address', list(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'addresses or CIDR ranges')),
  per10Seconds: setting('PARTITA_RATE_LIMIT_10_SECONDS', '1000', 'requests per client address, 0 for no limit', 'the contract (qonto-api.md, section 7)', integer(0, 100_000_000)),
  per10Minutes: setting('PARTITA_RATE_LIMIT_10_MINUTES', '10000', 'requests per client address, 0 for no limit', 'the contract', integer(0, 100_000_000)),
  unauthorizedPerHour: setting('PARTITA_RATE_LIMIT_401_PER_HOUR', '200', 'answers of 401 per client address, 0 for no limit', 'the contract; also what stops guessing', integer(0, 100_000_000)),
  readsInFlightMax: setting('PARTITA_READS_IN_FLIGHT', '512', 'requests', 'a burst that is still answered within a second; under lasting load fewer are taken', integer(1, 100_000)),
  writesInFlightMax: setting('PARTITA_WRITES_IN_FLIGHT', '4096', 'requests', 'writes share commits, so many may wait for one; shed long after reads', integer(1, 100_000)),
  eventLoopLagMsMax: setting('PARTITA_EVENT_LOOP_LAG_MS', '1000', 'milliseconds', 'late on average by more, reads are turned away, by four times as much writes too; neighbours on a shared machine alone make it 250', integer(10, 60_000)),
  drainMs: setting('PARTITA_DRAIN_MS', 'auto', 'milliseconds | auto', 'how long /readyz says no before we stop listening; auto: 5,000 in production, where a balancer must notice, else 0', auto(integer(0, 9_000))),
  deadlineMs: setting('PARTITA_SHUTDOWN_MS', '10000', 'milliseconds', 'after this what still runs is cut off: Kubernetes kills after 30 s', integer(100, 10_000)),
} as const // biome-ignore format: a table, one setting a line

const bankCode = (country: BankCountry) => {
  const { pattern, form, default: fallback } = BANK_CODE_FORMS[country]
  return setting(
    `PARTITA_BANK_CODE_${country}`,
    fallback,
    form,
    'an unassigned code: such an IBAN is valid and nobody has it',
    text(pattern, form),
  )
}

type Values = { [K in keyof typeof SETTINGS]: Exclude<ReturnType<(typeof SETTINGS)[K]['parse']>, Problem> }

/**
 * Reads the configuration once, from the environment given.
 * @returns the configuration, or every problem in it at once, each naming the variable and what it should be. No secret is repeated.
 */
export function loadConfig(env: NodeJS.ProcessEnv): { ok: true; config: Config } | { ok: false; problems: string[] } {
  const problems: string[] = []
  const read = <T>(one: Setting<T>): T | undefined => {
    const given = env[one.env] ?? ''
    const raw = given.trim() === '' ? one.fallback : given.trim()
    if (raw === undefined) {
      problems.push(`${one.env} is missing: ${one.unit}`)
      return undefined
    }
    const value = one.parse(raw)
    if (!isProblem(value)) return value
    problems.push(`${one.env} must be ${value.problem}`)
    return undefined
  }
  const values = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, one]) => [name, read(one as Setting<unknown>)]),
  ) as Values
  const codes = Object.fromEntries(BANK_COUNTRIES.map((country) => [country, read(bankCode(country))])) as BankCodes
  problems.push(...unknownVariables(env))
  if (problems.length > 0) return { ok: false, problems }

  const config = assemble(values, codes)
  const unsafe = unsafeMixes(config, env)
  return unsafe.length > 0 ? { ok: false, problems: unsafe } : { ok: true, config }
}

function assemble(v: Values, codes: BankCodes): Config {
  const isProduction = v.environment === 'production'
  return {
    environment: v.environment,
    host: v.host,
    port: v.port,
    database: {
      url: v.databaseUrl,
      poolSize: v.poolSize,
      acquireTimeoutMs: v.acquireTimeoutMs,
      statementTimeoutMs: v.statementTimeoutMs,
    },
    bank: { name: v.bankName, bic: v.bic, codes },
    railsUrl: v.railsUrl,
    sandbox: v.sandbox === 'auto' ? !isProduction : v.sandbox === 'on',
    stagingToken: v.stagingToken,
    metricsToken: v.metricsToken,
    logLevel: v.logLevel,
    trustedProxies: v.trustedProxies,
    rateLimits: { per10Seconds: v.per10Seconds, per10Minutes: v.per10Minutes, unauthorizedPerHour: v.unauthorizedPerHour },
    load: {
      readsInFlightMax: v.readsInFlightMax,
      writesInFlightMax: v.writesInFlightMax,
      eventLoopLagMsMax: v.eventLoopLagMsMax,
    },
    shutdown: { drainMs: v.drainMs ?? (isProduction ? 5_000 : 0), deadlineMs: v.deadlineMs },
  }
}

const KNOWN = new Set<string>([
  ...Object.values(SETTINGS).map((one) => one.env),
  ...BANK_COUNTRIES.map((country) => bankCode(country).env),
  // The command line's own: where it keeps data, and what it passes between its processes.
  'PARTITA_DATA',
])
const ALLOWED_PREFIXES = ['PARTITA_TEST_', 'PARTITA_CLI_', 'PARTITA_BENCH_']

/** A misspelt variable would otherwise be a setting that silently does not apply. */
const unknownVariables = (env: NodeJS.ProcessEnv): string[] =>
  Object.keys(env)
    .filter(
      (name) => name.startsWith('PARTITA_') && !KNOWN.has(name) && !ALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix)),
    )
    .map((name) => `${name} is not a setting`)

/** Values that are fine alone and dangerous together. */
function unsafeMixes(config: Config, env: NodeJS.ProcessEnv): string[] {
  const problems: string[] = []
  const refuse = (when: boolean, problem: string) => when && problems.push(problem)
  refuse(config.shutdown.drainMs >= config.shutdown.deadlineMs, 'PARTITA_DRAIN_MS must be less than PARTITA_SHUTDOWN_MS')
  refuse(config.stagingToken !== undefined && !config.sandbox, 'PARTITA_STAGING_TOKEN is for a sandbox, and this is none')
  refuse(
    config.trustedProxies.some((range) => /\/0+$/.test(range)),
    'PARTITA_TRUSTED_PROXIES must not trust everybody: any client could then name any address and no rate limit would hold',
  )
  if (config.environment !== 'production') return problems

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
  refuse(config.bank.bic.startsWith('PARTFRPP'), 'PARTITA_BIC must be your own in production, the default is nobody’s')
  refuse(!(env.RAILS_URL ?? '').trim(), 'RAILS_URL is missing: production has no rails simulator')
  const rails = new URL(config.railsUrl)
  refuse(rails.protocol !== 'https:' && !isLoopback(rails.hostname), 'RAILS_URL must be https: in production')
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

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || host.startsWith('127.') || host === ''

/** What is wrong with a secret, in words that follow its name. */
function weakness(secret: string, lengthMin: number): string | undefined {
  if (secret.length < lengthMin) return `must have ${lengthMin} characters or more`
  if (new Set(secret).size < 8) return 'repeats itself: make it at random, for example with openssl rand -hex 32'
  if (/password|changeme|secret|partita|123456|example/i.test(secret))
    return 'is a word that anybody tries first: make it at random'
  return undefined
}

function text(pattern: RegExp, what: string) {
  return (value: string): string | Problem => (pattern.test(value) ? value : { problem: what })
}

function oneOf<const T extends readonly string[]>(...allowed: T) {
  return (value: string): T[number] | Problem => (allowed.includes(value) ? value : { problem: `one of: ${allowed.join(', ')}` })
}

function integer(min: number, max: number) {
  return (value: string): number | Problem =>
    /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : { problem: `a whole number from ${min} to ${max}` }
}

function auto<T>(parse: (value: string) => T | Problem) {
  return (value: string): T | undefined | Problem => (value === 'auto' ? undefined : parse(value))
}

function url(...protocols: string[]) {
  return (value: string): string | Problem =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol)
      ? value
      : { problem: `a URL that starts with ${protocols.join(' or ')}` }
}

function list(pattern: RegExp, what: string) {
  return (value: string): string[] | Problem => {
    const items = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
    return items.every((item) => pattern.test(item)) ? items : { problem: `${what}, comma separated` }
  }
}

function optionalSecret(lengthMin: number) {
  return (value: string): string | undefined | Problem => {
    if (value === '') return undefined
    const weak = weakness(value, lengthMin)
    return weak === undefined ? value : { problem: `a strong secret: it ${weak}` }
  }
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

/** Every setting with its default, unit and reason, for `--help` and the documentation. */
export const describeSettings = (): readonly { env: string; fallback: string | undefined; unit: string; reason: string }[] =>
  [...Object.values(SETTINGS), ...BANK_COUNTRIES.map(bankCode)].map(({ env, fallback, unit, reason }) => ({
    env,
    fallback,
    unit,
    reason,
  }))
