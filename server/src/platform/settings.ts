import { isIP } from 'node:net'

/** What a setting is read in: some defaults differ between trying out and production. */
export type SettingContext = { readonly isProduction: boolean }

/** One setting: everything that there is to know about it stands in its line. */
export type Setting<T> = {
  readonly env: string
  /** Undefined: there is none, and the setting must be given. */
  readonly fallback: string | undefined
  readonly unit: string
  readonly reason: string
  readonly parse: Parse<T>
}

export type Parse<T> = (text: string, context: SettingContext) => T | Problem
export type Problem = { readonly problem: string }

/** Settings by the name that code uses, nested where that reads better. */
export type SettingFields = { readonly [name: string]: Setting<unknown> | SettingFields }

/** The values of some settings: the shape is written once, in the settings themselves. */
export type ValuesOf<F> = { readonly [K in keyof F]: F[K] extends Setting<infer T> ? T : ValuesOf<F[K]> }

/** What a group's own rule may look at beside its values. */
export type UnsafeContext = SettingContext & {
  readonly isSandbox: boolean
  /** Whether this variable was given, rather than left at its default. */
  readonly isGiven: (env: string) => boolean
}

export type Settings<F extends SettingFields> = {
  readonly fields: F
  /** Values that are fine alone and dangerous together, or in production: each problem in words for the operator, without any secret. */
  readonly unsafe: (values: ValuesOf<F>, context: UnsafeContext) => readonly string[]
}

/** Any group, where only its lines matter. */
// biome-ignore lint/suspicious/noExplicitAny: a rule takes its own group's values, so no group is a group of something more general
export type AnySettings = Settings<any>

/** The settings of the platform, or of one module: declared once, with the rule that they have in common. */
export const settings = <const F extends SettingFields>(fields: F, unsafe: Settings<F>['unsafe'] = () => []): Settings<F> => ({
  fields,
  unsafe,
})

export function setting<T>(env: string, fallback: string | undefined, unit: string, reason: string, parse: Parse<T>): Setting<T> {
  return { env, fallback, unit, reason, parse }
}

export const isSetting = (field: Setting<unknown> | SettingFields): field is Setting<unknown> =>
  typeof (field as Setting<unknown>).parse === 'function'

/** Every line of a group. */
export const linesOf = (fields: SettingFields): Setting<unknown>[] =>
  Object.values(fields).flatMap((field) => (isSetting(field) ? [field] : linesOf(field)))

/** Reads a group from the environment. What cannot be read becomes a problem and stays undefined. */
export function readFields(fields: SettingFields, env: NodeJS.ProcessEnv, context: SettingContext, problems: string[]): unknown {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      isSetting(field) ? readOne(field, env, context, problems) : readFields(field, env, context, problems),
    ]),
  )
}

function readOne(one: Setting<unknown>, env: NodeJS.ProcessEnv, context: SettingContext, problems: string[]): unknown {
  const given = env[one.env]?.trim() ?? ''
  const raw = given === '' ? one.fallback : given
  if (raw === undefined) {
    problems.push(`${one.env} is missing: ${one.unit}`)
    return undefined
  }
  const value = one.parse(raw, context)
  if (!isProblem(value)) return value
  problems.push(`${one.env} must be ${value.problem}`)
  return undefined
}

export const isProblem = (value: unknown): value is Problem => typeof value === 'object' && value !== null && 'problem' in value

export function text(pattern: RegExp, what: string) {
  return (value: string): string | Problem => (pattern.test(value) ? value : { problem: what })
}

export function oneOf<const T extends readonly string[]>(...allowed: T) {
  return (value: string): T[number] | Problem => (allowed.includes(value) ? value : { problem: `one of: ${allowed.join(', ')}` })
}

export function integer(min: number, max: number) {
  return (value: string): number | Problem =>
    /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : { problem: `a whole number from ${min} to ${max}` }
}

/** `on`, `off`, or `auto`: then what is right for the environment. */
export function onOff(automatic: (context: SettingContext) => boolean) {
  return (value: string, context: SettingContext): boolean | Problem => {
    const choice = oneOf('on', 'off', 'auto')(value)
    if (isProblem(choice)) return choice
    return choice === 'auto' ? automatic(context) : choice === 'on'
  }
}

/** A value, or `auto`: then what is right for the environment. */
export function auto<T>(parse: (value: string) => T | Problem, automatic: (context: SettingContext) => T) {
  return (value: string, context: SettingContext): T | Problem => (value === 'auto' ? automatic(context) : parse(value))
}

export function url(...protocols: string[]) {
  return (value: string): string | Problem =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol)
      ? value
      : { problem: `a URL that starts with ${protocols.join(' or ')}` }
}

/** Addresses and CIDR ranges: `10.0.0.1, 10.1.0.0/16, fd00::/48`. */
export function addressRanges(what: string) {
  return (value: string): string[] | Problem => {
    const items = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
    return items.every(isRange) ? items : { problem: what }
  }
}

function isRange(item: string): boolean {
  const [address = '', prefix, ...rest] = item.split('/')
  const bits = isIP(address) === 4 ? 32 : 128
  return (
    isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  )
}

export function optionalSecret(lengthMin: number) {
  return (value: string): string | undefined | Problem => {
    if (value === '') return undefined
    const weak = weakness(value, lengthMin)
    return weak === undefined ? value : { problem: `a strong secret: it ${weak}` }
  }
}

/** What is wrong with a secret, in words that follow its name. */
export function weakness(secret: string, lengthMin: number): string | undefined {
  if (secret.length < lengthMin) return `must have ${lengthMin} characters or more`
  if (new Set(secret).size < 8) return 'repeats itself: make it at random, for example with openssl rand -hex 32'
  if (/password|changeme|secret|partita|123456|example/i.test(secret))
    return 'is a word that anybody tries first: make it at random'
  return undefined
}

/** Whether a host is this machine: what goes there needs no encryption. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host.startsWith('127.') || host === ''
