import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { integer, setting, settings } from './settings.ts'

const DATABASE_URL = 'postgres://partita@127.0.0.1:5432/partita'
const greeting = settings(
  { patience: { seconds: setting('PARTITA_GREETING_SECONDS', '30', 'seconds', 'how long a guest waits', integer(1, 60)) } },
  ({ patience }, { isProduction }) =>
    isProduction && patience.seconds > 50 ? ['PARTITA_GREETING_SECONDS must be 50 at most in production'] : [],
)
const other = settings({})

test('a module reads its own settings, typed as they were declared', () => {
  const loaded = loadConfig({ DATABASE_URL, PARTITA_GREETING_SECONDS: '45' }, [greeting])
  const seconds: number | undefined = loaded.ok ? loaded.config.of(greeting).patience.seconds : undefined
  expect(seconds).toBe(45)
})

test('a module that is not on the list has no settings to read', () => {
  const loaded = loadConfig({ DATABASE_URL }, [greeting])
  expect(() => loaded.ok && loaded.config.of(other)).toThrow(/no module on the list/)
})

test('a setting of a module that is not on the list is a misspelt one', () => {
  const loaded = loadConfig({ DATABASE_URL, PARTITA_GREETING_SECONDS: '45' }, [])
  expect(loaded).toEqual({ ok: false, problems: ['PARTITA_GREETING_SECONDS is not a setting'] })
})

test('problems of the platform and of modules are told together', () => {
  const loaded = loadConfig({ PARTITA_GREETING_SECONDS: '0' }, [greeting])
  expect(loaded.ok ? [] : loaded.problems).toEqual([
    expect.stringMatching(/^DATABASE_URL is missing/),
    'PARTITA_GREETING_SECONDS must be a whole number from 1 to 60',
  ])
})

test('a rule about values that are wrong together stands with the module', () => {
  const env = { DATABASE_URL, PARTITA_GREETING_SECONDS: '55' }
  expect(loadConfig(env, [greeting])).toMatchObject({ ok: true })
  const inProduction = loadConfig({ ...env, PARTITA_ENVIRONMENT: 'production' }, [greeting])
  expect(inProduction.ok ? [] : inProduction.problems).toContain('PARTITA_GREETING_SECONDS must be 50 at most in production')
})
