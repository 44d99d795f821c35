import { describe, expect, test } from 'vitest'
import { partita } from '../bank.ts'

const SECRET = '9f2c7be41d0a865e3b71c04f8a6d92e5'
const DEVELOPMENT = { DATABASE_URL: 'postgres://partita@127.0.0.1:5432/partita' }
const PRODUCTION = {
  PARTITA_ENVIRONMENT: 'production',
  DATABASE_URL: `postgres://partita:${SECRET}@db.example.com/partita?sslmode=verify-full`,
  RAILS_URL: 'https://rails.example.com',
  PARTITA_BIC: 'ABCDFRPPXXX',
  PARTITA_METRICS_TOKEN: SECRET,
}

const problemsOf = (env: NodeJS.ProcessEnv): string[] => {
  const loaded = partita.configure(env)
  return loaded.ok ? [] : loaded.problems
}

test('a database URL is all that trying it out needs, and the sandbox is then on', () => {
  const loaded = partita.configure(DEVELOPMENT)
  expect(loaded).toMatchObject({
    ok: true,
    config: { environment: 'development', sandbox: true, port: 4100, shutdown: { drainMs: 0 } },
  })
})

test('a careful production configuration is accepted, and the sandbox is then off', () => {
  const loaded = partita.configure(PRODUCTION)
  expect(loaded).toMatchObject({ ok: true, config: { sandbox: false, metricsToken: SECRET, shutdown: { drainMs: 5_000 } } })
})

test('every problem is reported at once', () => {
  const problems = problemsOf({ PARTITA_PORT: 'eighty', PARTITA_BIC: 'XX', PARTITA_LOG_LEVEL: 'loud' })
  expect(problems).toHaveLength(4)
  expect(problems.join('\n')).toMatch(/DATABASE_URL[\s\S]*|PARTITA_PORT/)
})

test('a problem with a secret does not repeat the secret', () => {
  const problems = problemsOf({
    ...PRODUCTION,
    PARTITA_METRICS_TOKEN: 'hunter2',
    DATABASE_URL: 'postgres://partita:hunter2@db.example.com/x',
  })
  expect(problems.length).toBeGreaterThan(0)
  expect(problems.join('\n')).not.toContain('hunter2')
})

test('every setting has a unit and a reason', () => {
  for (const setting of partita.describeSettings()) {
    expect(setting.unit, setting.env).not.toBe('')
    expect(setting.reason, setting.env).not.toBe('')
  }
})

const withPassword = (password: string) => PRODUCTION.DATABASE_URL.replace(SECRET, password)

describe.each<[string, NodeJS.ProcessEnv, RegExp]>([
  ['no database', {}, /^DATABASE_URL is missing/],
  ['another database', { DATABASE_URL: 'mysql://localhost/partita' }, /^DATABASE_URL must be a URL/],
  ['a port that is none', { ...DEVELOPMENT, PARTITA_PORT: '65536' }, /^PARTITA_PORT/],
  ['a negative pool', { ...DEVELOPMENT, PARTITA_DATABASE_POOL: '-1' }, /^PARTITA_DATABASE_POOL/],
  ['a pool of a float', { ...DEVELOPMENT, PARTITA_DATABASE_POOL: '1e1' }, /^PARTITA_DATABASE_POOL/],
  ['an unknown environment', { ...DEVELOPMENT, PARTITA_ENVIRONMENT: 'prod' }, /^PARTITA_ENVIRONMENT must be one of/],
  ['an unknown log level', { ...DEVELOPMENT, PARTITA_LOG_LEVEL: 'trace' }, /^PARTITA_LOG_LEVEL/],
  ['a BIC of nine characters', { ...DEVELOPMENT, PARTITA_BIC: 'ABCDFRPPX' }, /^PARTITA_BIC/],
  ['a French bank code without a branch', { ...DEVELOPMENT, PARTITA_BANK_CODE_FR: '16798' }, /^PARTITA_BANK_CODE_FR must be 10 digits/],
  ['a Dutch bank code of digits', { ...DEVELOPMENT, PARTITA_BANK_CODE_NL: '1234' }, /^PARTITA_BANK_CODE_NL/],
  ['a rails URL without scheme', { ...DEVELOPMENT, RAILS_URL: 'localhost:4101' }, /^RAILS_URL/],
  ['a misspelt setting', { ...DEVELOPMENT, PARTITA_PROT: '4100' }, /^PARTITA_PROT is not a setting/],
  ['a weak staging token', { ...DEVELOPMENT, PARTITA_STAGING_TOKEN: 'changeme' }, /^PARTITA_STAGING_TOKEN/],
  ['a repeating metrics token', { ...DEVELOPMENT, PARTITA_METRICS_TOKEN: 'a'.repeat(40) }, /^PARTITA_METRICS_TOKEN.*repeats itself/],
  ['a staging token outside a sandbox', { ...DEVELOPMENT, PARTITA_SANDBOX: 'off', PARTITA_STAGING_TOKEN: SECRET }, /^PARTITA_STAGING_TOKEN is for a sandbox/],
  ['any proxy trusted', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '*' }, /^PARTITA_TRUSTED_PROXIES/],
  ['the whole internet trusted', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '10.0.0.1, 0.0.0.0/0' }, /must not trust everybody/],
  ['half of the internet trusted twice', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '0.0.0.0/1,128.0.0.0/1' }, /must not trust everybody/],
  ['half of the IPv6 internet trusted', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '::/1' }, /must not trust everybody/],
  ['a prefix that no address has', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '10.0.0.0/99' }, /^PARTITA_TRUSTED_PROXIES must be addresses/],
  ['an address that is none', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '10.0.0.999' }, /^PARTITA_TRUSTED_PROXIES must be addresses/],
  ['the whole IPv6 internet trusted', { ...DEVELOPMENT, PARTITA_TRUSTED_PROXIES: '::/0' }, /must not trust everybody/],
  ['a drain longer than the shutdown', { ...DEVELOPMENT, PARTITA_DRAIN_MS: '5000', PARTITA_SHUTDOWN_MS: '4000' }, /^PARTITA_DRAIN_MS must be less/],
  ['a shutdown longer than ten seconds', { ...DEVELOPMENT, PARTITA_SHUTDOWN_MS: '60000' }, /^PARTITA_SHUTDOWN_MS/],
  ['production with a sandbox', { ...PRODUCTION, PARTITA_SANDBOX: 'on' }, /^PARTITA_SANDBOX must be off/],
  ['production with debug logs', { ...PRODUCTION, PARTITA_LOG_LEVEL: 'debug' }, /^PARTITA_LOG_LEVEL/],
  ['production without logs', { ...PRODUCTION, PARTITA_LOG_LEVEL: 'silent' }, /^PARTITA_LOG_LEVEL/],
  ['production with open metrics', { ...PRODUCTION, PARTITA_METRICS_TOKEN: '' }, /^PARTITA_METRICS_TOKEN is missing/],
  ['production without rate limits', { ...PRODUCTION, PARTITA_RATE_LIMIT_10_SECONDS: '0' }, /^PARTITA_RATE_LIMIT/],
  ['production without a lock on guessing', { ...PRODUCTION, PARTITA_RATE_LIMIT_401_PER_HOUR: '0' }, /^PARTITA_RATE_LIMIT/],
  ['production with the test BIC', { ...PRODUCTION, PARTITA_BIC: '' }, /^PARTITA_BIC must be your own/],
  ['production without rails', { ...PRODUCTION, RAILS_URL: '' }, /^RAILS_URL is missing/],
  ['production with rails in clear', { ...PRODUCTION, RAILS_URL: 'http://rails.example.com' }, /^RAILS_URL must be https/],
  ['production with a database in clear', { ...PRODUCTION, DATABASE_URL: PRODUCTION.DATABASE_URL.replace('verify-full', 'prefer') }, /sslmode/],
  ['production without a database password', { ...PRODUCTION, DATABASE_URL: 'postgres://partita@db.example.com/partita?sslmode=require' }, /^DATABASE_URL’s password/],
  ['production with a database password that is a word', { ...PRODUCTION, DATABASE_URL: withPassword('Password1234567890') }, /^DATABASE_URL’s password/],
  ['production logging in as administrator', { ...PRODUCTION, DATABASE_URL: PRODUCTION.DATABASE_URL.replace('partita:', 'postgres:') }, /administrator/],
])('%s', (_, env, problem) => {
  test('is refused', () => {
    expect(problemsOf(env).filter((line) => problem.test(line))).toHaveLength(1)
  })
}) // biome-ignore format: a table, one bad configuration a line
