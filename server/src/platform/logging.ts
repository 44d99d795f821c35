import { ecsFormat } from '@elastic/ecs-pino-format'
import pino from 'pino'
import { BufferedOutput } from './buffered-output.ts'
import type { LogLevel } from './config.ts'

/**
 * Everything that may stand in a log line, in Elastic Common Schema names. What is not on this list does not get out, however it got
 * into the call: a list of what to hide would miss tomorrow's secret. Bodies, headers, query strings, names, IBANs and amounts are
 * not on it; ids are.
 */
const ALLOWED_FIELDS = [
  'client.ip',
  'error.code',
  'error.message',
  'error.stack_trace',
  'error.type',
  'event.action',
  'event.duration',
  'event.outcome',
  'http.request.method',
  'http.response.bytes',
  'http.response.status_code',
  'http.route',
  'organization.id',
  'partita.attempts',
  'partita.book',
  'partita.case',
  'partita.count',
  'partita.credential',
  'partita.item',
  'partita.message_id',
  'partita.refusal',
  'partita.transfer_id',
  'trace.id',
  'url.full',
] as const
export type LogField = (typeof ALLOWED_FIELDS)[number]
const ALLOWED: ReadonlySet<string> = new Set(ALLOWED_FIELDS)

/** Durations are nanoseconds, as ECS has them. */
export type LogFields = { readonly [K in LogField]?: string | number | bigint | boolean | undefined }

/** A log of one line per thing that happened. The message is a fixed phrase; what varies stands in fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** `cause` is described by its type, code, stack and a message in which anything quoted, long or IBAN-like is blotted out. */
  error(message: string, cause?: unknown, fields?: LogFields): void
  /** Writes what is buffered; call it before the process ends. */
  flush(): void
}

export type LoggerOptions = {
  readonly level: LogLevel
  /** Process name in every line, such as `partita-api`. */
  readonly service: string
  /** Where lines go; standard output when absent. */
  readonly destination?: { write(line: string): unknown }
}

/**
 * Makes the process's log: JSON lines in ECS form. Standard output is buffered up to 32 KiB or 200 ms, so that a line costs no system call. A log
 * that cannot be written (disk full, reader gone) loses lines and nothing else: it must never end the process that it tells of.
 */
export function createLogger(options: LoggerOptions): Logger {
  const stdout = options.destination ? undefined : new BufferedOutput(1)
  const format = ecsFormat({ apmIntegration: false, convertReqRes: false, convertErr: false, serviceName: options.service })
  const log = pino({ ...format, level: options.level }, stdout ?? (options.destination as pino.DestinationStream))
  return {
    debug: (message, fields) => log.debug(onlyAllowed(fields), message),
    info: (message, fields) => log.info(onlyAllowed(fields), message),
    warn: (message, fields) => log.warn(onlyAllowed(fields), message),
    error: (message, cause, fields) => log.error({ ...onlyAllowed(fields), ...describeError(cause) }, message),
    flush: () => stdout?.flush(),
  }
}

/** A log that keeps nothing. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, flush: () => {} }

function onlyAllowed(fields: LogFields | undefined): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const name in fields) {
    if (!ALLOWED.has(name)) continue
    const value = fields[name as LogField]
    if (typeof value === 'bigint') kept[name] = Number(value)
    else if (typeof value !== 'object' && typeof value !== 'function' && value !== undefined) kept[name] = value
  }
  return kept
}

function describeError(cause: unknown): Record<string, unknown> {
  if (cause === undefined) return {}
  if (!(cause instanceof Error)) return { 'error.type': typeof cause, 'error.message': blot(String(cause)) }
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  const frames = (cause.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '))
  const origin = cause.cause === undefined ? '' : ` (because: ${blot(messageOf(cause.cause))})`
  return {
    'error.type': cause.name,
    'error.message': `${blot(cause.message)}${origin}`,
    'error.stack_trace': frames.slice(0, 20).join('\n'),
    ...(code === undefined ? {} : { 'error.code': code }),
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause))

/** Foreign text reaches error messages in quotes (PostgreSQL, JSON.parse) or as a long word (a token, an IBAN). */
export const blot = (message: string): string =>
  message
    .slice(0, 2_000)
    .replace(/"[^"]*"?|'[^']*'?|`[^`]*`?/g, '"…"')
    .replace(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){2,8}\b/gi, '…')
    .replace(/[A-Za-z0-9+/_=-]{24,}/g, '…')
    .replace(/\d{7,}/g, '…')
