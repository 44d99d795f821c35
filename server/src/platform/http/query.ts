import { type TSchema, Type } from 'typebox'
import { type ApiError, atParameter, HttpRefusal } from './api-error.ts'
import type { Paging } from './paging.ts'

/** A query string as read: each key, without its brackets, with all the values it was given. */
export type RawQuery = ReadonlyMap<string, readonly string[]>

const PAIRS_MAX = 1_000

/**
 * Reads a query string. `status=a`, repeated `status=`, `status[]=` and `status[0]=` all end under `status`, since clients send all of
 * them for the same filter (qonto-api.md §5.5). A broken escape is kept as it is written: it will match nothing.
 */
export function parseQueryString(text: string): RawQuery {
  const query = new Map<string, string[]>()
  if (text === '') return query
  for (const pair of text.split('&', PAIRS_MAX)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals)).replace(/\[\d{0,4}\]$/, '')
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    const values = query.get(name)
    if (values) values.push(value)
    else query.set(name, [value])
  }
  return query
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

type Problem = { readonly problem: ApiError }
const problem = (code: string, detail: string, parameter: string): Problem => ({ problem: atParameter(code, detail, parameter) })
const isProblem = (value: unknown): value is Problem => typeof value === 'object' && value !== null && 'problem' in value

/** One parameter of a list: how it is documented, read, and what it is when absent. */
export type Parameter<T> = {
  readonly schema: TSchema
  readonly isList: boolean
  /** @param values never empty, no empty text among them. */
  readonly read: (values: readonly string[], name: string) => T | Problem
  readonly fallback: T
  /** Another name that clients use; its own wins where both are given. */
  readonly alias?: string
}

const only = (values: readonly string[]): string => values[0] as string

/** Text without control characters, which PostgreSQL would not take either. */
export const text = (description: string): Parameter<string | undefined> => ({
  schema: Type.Optional(Type.String({ description })),
  isList: false,
  read: (values, name) => (hasControlCharacter(only(values)) ? problem('invalid', `${name} is invalid`, name) : only(values)),
  fallback: undefined,
})

const hasControlCharacter = (value: string): boolean => /\p{Cc}/u.test(value)

export const oneOf = <const T extends string>(allowed: readonly T[], description: string): Parameter<T | undefined> => ({
  schema: Type.Optional(Type.String({ enum: [...allowed], description })),
  isList: false,
  read: (values, name) => {
    const value = only(values) as T
    return allowed.includes(value) ? value : problem('not_in_list', `${name} must be one of: ${allowed.join(', ')}`, name)
  },
  fallback: undefined,
})

/** Values from a closed list; comma lists are taken apart. */
export const listOf = <const T extends string>(
  allowed: readonly T[],
  fallback: readonly T[],
  description: string,
): Parameter<readonly T[]> => ({
  schema: Type.Optional(
    Type.Array(Type.String({ enum: [...allowed] }), { description, ...(fallback.length > 0 ? { default: [...fallback] } : {}) }),
  ),
  isList: true,
  read: (values, name) => {
    const items = itemsOf(values)
    return items.every((item): item is T => (allowed as readonly string[]).includes(item))
      ? items.length > 0
        ? [...new Set(items)]
        : fallback
      : problem('not_in_list', `${name} must be one of: ${allowed.join(', ')}`, name)
  },
  fallback,
})

/** Values from a list that may grow: one that we do not know matches nothing and is no error. */
export const openListOf = (known: readonly string[], description: string): Parameter<readonly string[]> => ({
  schema: Type.Optional(Type.Array(Type.String({ examples: [...known] }), { description })),
  isList: true,
  read: (values, name) => {
    const items = itemsOf(values)
    return items.some(hasControlCharacter) ? problem('invalid', `${name} is invalid`, name) : [...new Set(items)]
  },
  fallback: [],
})

const itemsOf = (values: readonly string[]): string[] =>
  values.flatMap((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )

export const boolean = <const F extends boolean | undefined>(fallback: F, description: string): Parameter<boolean | F> => ({
  schema: Type.Optional(Type.Boolean({ description, ...(fallback === undefined ? {} : { default: fallback }) })),
  isList: false,
  read: (values, name) => {
    const value = only(values).toLowerCase()
    return value === 'true' || value === 'false'
      ? value === 'true'
      : problem('not_in_list', `${name} must be one of: true, false`, name)
  },
  fallback,
})

const instant = (edge: 'from' | 'to', description: string): Parameter<Date | undefined> => ({
  schema: Type.Optional(Type.String({ description, examples: ['2026-01-10T11:47:53.123Z'] })),
  isList: false,
  read: (values, name) => parseInstant(only(values), edge) ?? problem('invalid', `${name} is not a valid date`, name),
  fallback: undefined,
})

/** `updated_at_from` and `updated_at_to`, both inclusive. */
export const instants = <const N extends string>(name: N) =>
  ({
    [`${name}_from`]: instant(
      'from',
      `Only rows whose ${name} is at or after this ISO 8601 time. A date alone is the start of that day, UTC.`,
    ),
    [`${name}_to`]: instant(
      'to',
      `Only rows whose ${name} is at or before this ISO 8601 time. A date alone is the end of that day, UTC.`,
    ),
  }) as Record<`${N}_from` | `${N}_to`, Parameter<Date | undefined>>

// Extended (2026-01-10T11:47:53) and basic (20260110T114753), with less precision too; the zone is the last part.
const ISO_8601 =
  /^(\d{4})(-?)(\d{2})\2(\d{2})(?:[T ](\d{2})(?:(:?)(\d{2})(?:\6(\d{2})(?:[.,](\d{1,9}))?)?)?(?:Z|([+\- ])(\d{2}):?(\d{2})?)?)?$/i

/**
 * Reads an ISO 8601 time; without a zone it is UTC. A space is an offset's `+` that was not escaped. What is finer than a millisecond
 * is rounded into the range that the edge belongs to. @returns undefined when it is none.
 */
export function parseInstant(value: string, edge: 'from' | 'to'): Date | undefined {
  const match = ISO_8601.exec(value)
  if (!match) return undefined
  const [, year, , month, day, hour, , minute, second, fraction = '', sign, offsetHour, offsetMinute] = match
  const number = (digits: string | undefined) => (digits === undefined ? 0 : Number(digits))
  const isBetweenMilliseconds = edge === 'from' && /[1-9]/.test(fraction.slice(3))
  const milliseconds = number(fraction.padEnd(3, '0').slice(0, 3)) + (isBetweenMilliseconds ? 1 : 0)
  const offset = (number(offsetHour) * 60 + number(offsetMinute)) * (sign === '-' ? -1 : 1)
  const isInRange =
    number(year) >= 1 &&
    number(hour) <= 23 &&
    number(minute) <= 59 &&
    number(second) <= 59 &&
    number(offsetHour) <= 23 &&
    number(offsetMinute) <= 59
  const midnight = new Date(`${year}-${month}-${day}T00:00:00.000Z`)
  if (!isInRange || Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(8, 10) !== day) return undefined
  const wholeDay = hour === undefined && edge === 'to' ? 86_400_000 - 1 : 0
  return new Date(
    midnight.getTime() + ((number(hour) * 60 + number(minute) - offset) * 60 + number(second)) * 1_000 + milliseconds + wholeDay,
  )
}

export type Sort<T extends string> = { readonly by: T; readonly direction: 'asc' | 'desc' }

/** `sort_by=property:direction`; the direction may be left out and is then the default's. */
export const sortBy = <const T extends string>(
  properties: readonly T[],
  by: T,
  direction: 'asc' | 'desc',
): Parameter<Sort<T>> => ({
  schema: Type.Optional(
    Type.String({
      default: `${by}:${direction}`,
      examples: properties.map((property) => `${property}:desc`),
      description: `Property and direction: ${properties.join(', ')} with :asc or :desc.`,
    }),
  ),
  isList: false,
  read: (values, name) => {
    const [property, order = direction, ...rest] = only(values).split(':')
    if (!properties.includes(property as T))
      return problem('not_in_list', `${name} must be one of: ${properties.join(', ')}`, name)
    if ((order !== 'asc' && order !== 'desc') || rest.length > 0) {
      return problem('not_in_list', `${name} direction must be one of: asc, desc`, name)
    }
    return { by: property as T, direction: order }
  },
  fallback: { by, direction },
})

const PER_PAGE_MAX = 100

const wholeNumber = (fallback: number, max: number, description: string): Parameter<number> => ({
  schema: Type.Optional(Type.Integer({ minimum: 1, maximum: max, default: fallback, description })),
  isList: false,
  read: (values, name) => {
    const value = only(values)
    return /^\d{1,9}$/.test(value) && Number(value) >= 1 && Number(value) <= max
      ? Number(value)
      : problem('invalid', `${name} must be a number between 1 and ${max}`, name)
  },
  fallback,
})

/** `page`, which some clients call `current_page`, and `per_page`, for every list. */
export const paging = {
  page: { ...wholeNumber(1, 999_999_999, 'Which page, from 1. A page past the end is empty.'), alias: 'current_page' },
  per_page: wholeNumber(PER_PAGE_MAX, PER_PAGE_MAX, 'Rows of a page.'),
} satisfies Record<keyof Paging, Parameter<number>>

type Parameters = Readonly<Record<string, Parameter<unknown>>>
export type QueryOf<P extends Parameters> = {
  readonly [K in keyof P]: P[K]['fallback'] | Exclude<ReturnType<P[K]['read']>, Problem>
}

const otherName = (schema: TSchema, name: string): TSchema => {
  const { default: _, ...plain } = schema as TSchema & { default?: unknown }
  return Type.Optional({ ...plain, description: `Another name of ${name}, which wins.` } as TSchema)
}

/** The values given under a name, without empty ones; undefined when there is none. */
function presentAmong(given: RawQuery, name: string): readonly string[] | undefined {
  const present = given.get(name)?.filter((value) => value !== '')
  return present && present.length > 0 ? present : undefined
}

/**
 * A list's parameters, said once: `schema` documents them, `read` reads them. Parameters that are not among them are ignored, as are
 * those given empty.
 */
export function defineQuery<const P extends Parameters>(parameters: P) {
  const entries = Object.entries(parameters)
  return {
    schema: Type.Object(
      Object.fromEntries(
        entries.flatMap(([name, { schema, isList, alias }]): [string, TSchema][] => [
          [isList ? `${name}[]` : name, schema],
          ...(alias === undefined ? [] : [[alias, otherName(schema, name)] as [string, TSchema]]),
        ]),
      ),
    ),
    /** @throws HttpRefusal 422 with every problem at once. */
    read(raw: unknown): QueryOf<P> {
      const given = raw as RawQuery
      const problems: ApiError[] = []
      const values = entries.map(([name, parameter]) => {
        const present = presentAmong(given, name)
        const called = present || parameter.alias === undefined ? name : parameter.alias
        const asked = present ?? presentAmong(given, called)
        if (!asked) return [name, parameter.fallback]
        // Of a value that stands twice, a proxy may read the one and we the other.
        if (asked.length > 1 && !parameter.isList) {
          problems.push(atParameter('invalid', `${called} is given more than once`, called))
          return [name, parameter.fallback]
        }
        const value = parameter.read(asked, called)
        if (isProblem(value)) problems.push(value.problem)
        return [name, value]
      })
      if (problems.length > 0) throw new HttpRefusal(422, problems)
      return Object.fromEntries(values)
    },
  }
}
