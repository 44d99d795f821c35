/** Something outside us failed (database away, pool empty, rail unreachable). Nothing has been written; `retryable` says whether trying again can help. */
export class Failure extends Error {
  override name = 'Failure'
  readonly retryable: boolean

  constructor(message: string, options: { cause?: unknown; retryable: boolean }) {
    super(message, { cause: options.cause })
    this.retryable = options.retryable
  }
}

/** The database did not give us a connection, lost it, or gave our transaction up. Answered as 503 with `Retry-After`. */
export class PlatformUnavailable extends Failure {
  override name = 'PlatformUnavailable'
  /** PostgreSQL's SQLSTATE, when it said why. */
  readonly code: string | undefined

  constructor(message: string, cause?: unknown) {
    super(message, { cause, retryable: true })
    this.code = sqlStateOf(cause)
  }
}

/** Somebody else wrote first what this transaction took for free: a key, a name. Rolled back and decided anew, it finds what the other wrote. */
export class Overtaken extends Failure {
  override name = 'Overtaken'

  constructor(message: string) {
    super(message, { retryable: true })
  }
}

/** SQLSTATE of an error thrown by PostgreSQL, if it is one. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}
