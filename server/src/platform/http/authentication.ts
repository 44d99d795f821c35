import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ApiError, HttpRefusal } from './api-error.ts'
import type { Principal } from './principal.ts'

/** A live credential as identity keeps it. */
export type Credential = { readonly login: string; readonly secretSha256: Buffer; readonly principal: Principal }

export type AuthenticationOptions = {
  /** Finds the live credential whose secret has this SHA-256. */
  readonly findCredential: (secretSha256: Buffer) => Promise<Credential | undefined>
  /** How long a credential found is believed without looking again, so for how long a revoked one may still pass. At most 5,000 ms. */
  readonly cacheMs: number
  /** When set, every call must carry it in `X-Qonto-Staging-Token`. */
  readonly stagingToken?: string | undefined
}

const CACHED_MAX = 10_000

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
 * An `onRequest` hook that lets a request pass with `Authorization: {login}:{secret}` and sets `request.principal`.
 *
 * A secret is looked up by its SHA-256, which takes the same time however much of it is right. What was found is remembered for
 * `cacheMs`, since a query per request would cost more than the rest of it; callers that miss together share one query.
 */
export function authenticate(options: AuthenticationOptions): (request: FastifyRequest, reply: FastifyReply, done: Done) => void {
  const cache = new Map<string, { credential: Credential; untilMs: number }>()
  const lookups = new Map<string, Promise<Credential | undefined>>()
  const { stagingToken } = options

  async function find(digest: Buffer, key: string): Promise<Credential | undefined> {
    const credential = await options.findCredential(digest)
    if (!credential || !timingSafeEqual(credential.secretSha256, digest)) return undefined
    for (const oldest of cache.keys()) {
      if (cache.size < CACHED_MAX) break
      cache.delete(oldest)
    }
    cache.set(key, { credential, untilMs: performance.now() + options.cacheMs })
    return credential
  }

  function accept(request: FastifyRequest, credential: Credential | undefined, login: string, done: Done): void {
    if (credential?.login === login) {
      request.principal = credential.principal
      done()
    } else done(invalidCredentials())
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
    const cached = cache.get(key)
    if (cached && cached.untilMs > performance.now()) return accept(request, cached.credential, login, done)
    cache.delete(key)
    let lookup = lookups.get(key)
    if (!lookup) {
      lookup = find(digest, key).finally(() => lookups.delete(key))
      lookups.set(key, lookup)
    }
    lookup.then((credential) => accept(request, credential, login, done), done)
  }
}

/** Compares a header with a secret in a time that does not tell how much of it was right. */
export const isSameSecret = (given: string | string[] | undefined, secret: string): boolean =>
  typeof given === 'string' && timingSafeEqual(sha256(given), sha256(secret))

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')
