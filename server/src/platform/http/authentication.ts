import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { MemberActor } from '../actor.ts'
import { answerWithin, workUntil } from '../deadline.ts'
import { type ApiError, HttpRefusal, tooManyRequests } from './api-error.ts'
import type { TooMany } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling: set on every route inside the authenticated scope. */
    actor: MemberActor
  }
  interface FastifyContextConfig {
    /** Which requests are turned away first under load; by default reads are GET and writes everything else. */
    shed?: 'reads' | 'writes' | 'never'
  }
}

/** A live credential, and the member that it acts for. */
export type Credential = { readonly login: string; readonly secretSha256: Buffer; readonly actor: MemberActor }

/** Looks a secret up on behalf of an address, or says that this address has guessed too often. @param secret stands for it. */
export type SecretLookUp = <T>(address: string, secret: string, find: () => Promise<T>) => Promise<T | TooMany>

export type AuthenticationOptions = {
  /** Finds the live credentials whose secrets have these SHA-256, in their order. */
  readonly findCredentials: (secretsSha256: readonly Buffer[]) => Promise<readonly (Credential | undefined)[]>
  /** How long what was found, or not found, is believed without looking again: for so long may a revoked one still pass. At most 5,000 ms. */
  readonly cacheMs: number
  /** Bounds the guesses of an address, also those that come at once; they are not bounded unless given. */
  readonly lookUpSecret?: SecretLookUp
  /** When set, every call must carry it in `X-Qonto-Staging-Token`. */
  readonly stagingToken?: string | undefined
}

const CACHED_MAX = 10_000
/** Secrets that belong to nobody are kept apart: however many are tried, they push out no credential. */
const UNKNOWN_MAX = 10_000
/** A look-up takes well under a millisecond: a database that needs longer than this is away. */
const LOOKUP_MS_MAX = 1_000
/** Secrets asked for in one query. */
const LOOKUP_MAX = 500

// Some clients fall back from OAuth to the key when a whole word such as "unauthorized" stands in code or detail (qonto-api.md §4.1).
const NOT_AUTHENTICATED: ApiError = { code: 'unauthorized', detail: 'You must be authenticated to perform this action' }
const unauthorized = (...errors: ApiError[]) => new HttpRefusal(401, errors)
const headerMissing = () =>
  unauthorized({ code: 'authorization_header_missing', detail: 'authorization header missing' }, NOT_AUTHENTICATED)
const tokenInvalid = () =>
  unauthorized({ code: 'authorization_token_invalid', detail: 'authorization token invalid' }, NOT_AUTHENTICATED)
const invalidCredentials = () => unauthorized({ code: 'unauthorized', detail: 'Invalid credentials' })

type Done = (error?: Error) => void

/**
 * An `onRequest` hook that lets a request pass with `Authorization: {login}:{secret}` and sets `request.actor`.
 *
 * A secret is looked up by its SHA-256, which takes the same time however much of it is right. What was found is remembered for
 * `cacheMs`, since a query per request would cost more than the rest of it, and so is what was not found.
 */
export function authenticate(options: AuthenticationOptions): (request: FastifyRequest, reply: FastifyReply, done: Done) => void {
  const { stagingToken, cacheMs, lookUpSecret = (_address, _secret, find) => find() } = options
  const known = new Remembered<Credential>(CACHED_MAX, cacheMs)
  const unknown = new Remembered<true>(UNKNOWN_MAX, cacheMs)
  const lookups = new Lookups(options.findCredentials)

  async function find(address: string, digest: Buffer, key: string): Promise<Credential | undefined> {
    const credential = await answerWithin(LOOKUP_MS_MAX, () => lookUpSecret(address, key, () => lookups.find(digest, key)))
    if (credential && 'retryAfterSeconds' in credential) throw tooManyRequests(credential.retryAfterSeconds)
    if (credential && timingSafeEqual(credential.secretSha256, digest)) {
      known.set(key, credential)
      return credential
    }
    unknown.set(key, true)
    return undefined
  }

  return (request, _reply, done) => {
    if (stagingToken !== undefined && !isSameSecret(request.headers['x-qonto-staging-token'], stagingToken)) {
      return done(unauthorized({ code: 'unauthorized', detail: 'X-Qonto-Staging-Token is missing or invalid' }))
    }
    const header = request.headers.authorization
    if (header === undefined || header === '') return done(headerMissing())
    const colon = header.indexOf(':')
    // No OAuth access token is valid here yet, and a scheme word means that the header is not in the key's form.
    if (colon < 1 || header.includes(' ')) return done(tokenInvalid())

    const login = header.slice(0, colon)
    const digest = sha256(header.slice(colon + 1))
    const key = digest.toString('latin1')
    const cached = known.get(key)
    if (cached) return accept(request, cached, login, done)
    if (unknown.get(key)) return done(invalidCredentials())
    find(request.ip, digest, key).then((credential) => accept(request, credential, login, done), done)
  }
}

function accept(request: FastifyRequest, credential: Credential | undefined, login: string, done: Done): void {
  if (credential?.login === login) {
    request.actor = credential.actor
    done()
  } else done(invalidCredentials())
}

/** Remembers each value for a while, and the newest ones only. */
class Remembered<T> {
  readonly #max: number
  readonly #forMs: number
  readonly #values = new Map<string, { readonly value: T; readonly untilMs: number }>()

  constructor(max: number, forMs: number) {
    this.#max = max
    this.#forMs = forMs
  }

  get(key: string): T | undefined {
    const kept = this.#values.get(key)
    if (!kept) return undefined
    if (kept.untilMs > performance.now()) return kept.value
    this.#values.delete(key)
    return undefined
  }

  set(key: string, value: T): void {
    if (this.#forMs <= 0) return
    for (const oldest of this.#values.keys()) {
      if (this.#values.size < this.#max) break
      this.#values.delete(oldest)
    }
    this.#values.set(key, { value, untilMs: performance.now() + this.#forMs })
  }
}

type Lookup = {
  readonly digest: Buffer
  readonly found: Promise<Credential | undefined>
  readonly settle: (credential: Credential | undefined | Promise<never>) => void
}

/**
 * Looks secrets up together: while one query is under way, the next ones gather. So a flood of guesses costs one connection and one query
 * at a time, and callers with the same secret share its answer.
 */
class Lookups {
  readonly #findAll: AuthenticationOptions['findCredentials']
  readonly #unanswered = new Map<string, Lookup>()
  #waiting: Lookup[] = []
  #isRunning = false

  constructor(findAll: AuthenticationOptions['findCredentials']) {
    this.#findAll = findAll
  }

  find(digest: Buffer, key: string): Promise<Credential | undefined> {
    let lookup = this.#unanswered.get(key)
    if (!lookup) {
      const { promise: found, resolve: settle } = Promise.withResolvers<Credential | undefined>()
      lookup = { digest, found, settle }
      this.#unanswered.set(key, lookup)
      this.#waiting.push(lookup)
      if (!this.#isRunning) void this.#run()
    }
    return lookup.found
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LOOKUP_MAX)
      const answers = await settled(
        workUntil(performance.now() + LOOKUP_MS_MAX, () => this.#findAll(batch.map(({ digest }) => digest))),
      )
      for (const [index, { digest, settle }] of batch.entries()) {
        this.#unanswered.delete(digest.toString('latin1'))
        settle(answers.status === 'fulfilled' ? answers.value[index] : Promise.reject(answers.reason))
      }
    }
    this.#isRunning = false
  }
}

const settled = async <T>(work: Promise<T>): Promise<PromiseSettledResult<T>> => (await Promise.allSettled([work]))[0]

/** Compares a header with a secret in a time that does not tell how much of it was right. */
export const isSameSecret = (given: string | string[] | undefined, secret: string): boolean =>
  typeof given === 'string' && timingSafeEqual(sha256(given), sha256(secret))

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')
