import { hash } from 'node:crypto'
import { Overtaken } from './errors.ts'
import * as binary from './postgres/binary-arrays.ts'
import type { Tx } from './postgres/database.ts'
import { ok, type Result } from './result.ts'

/** How long a successful answer is given again for the same key (the Qonto contract's rule). Afterwards the key counts as new. */
export const IDEMPOTENCY_WINDOW_MS = 30 * 60 * 1_000

/** A key, which means nothing to another organization or operation. */
export type KeyName = {
  readonly organizationId: string
  /** Method and path. */
  readonly operation: string
  readonly key: string
}

/** What is answered under a key: kept when the command succeeds, never when it is refused, so that the caller can mend it and use the same key. */
export type StoredAnswer = { readonly status: number; readonly body: unknown; readonly requestHash: Buffer }

/** The key that a command came with, and how its success is answered: the command knows its value, the route how that is written. */
export type KeyClaim<Value> = KeyName & {
  readonly requestHash: Buffer
  readonly answer: (value: Value) => Pick<StoredAnswer, 'status' | 'body'>
  /** Made by us for a request that came without, so that it, too, can be asked again after a lost connection: nobody can have used it before. */
  readonly isOurs?: boolean
}

/** `replay`: the key was used before; this is the answer given then, and nothing happened now. */
export type Keyed<Value> =
  | { readonly value: Value; readonly replay?: undefined }
  | { readonly replay: StoredAnswer; readonly value?: undefined }

/** Hash of a request's content, to notice that a key came back with another one. */
export const requestHash = (content: string): Buffer => hash('sha256', content, 'buffer')

export const answerOf = <Value>(claim: KeyClaim<Value>, value: Value): StoredAnswer => ({
  ...claim.answer(value),
  requestHash: claim.requestHash,
})

/** The answers stored under keys, as long as their time is not over. @returns per key, in order. */
export async function findAnswers(tx: Tx, keys: readonly KeyName[], now: Date): Promise<(StoredAnswer | undefined)[]> {
  const answers: (StoredAnswer | undefined)[] = new Array(keys.length).fill(undefined)
  if (keys.length === 0) return answers
  const stored = await tx.rows<StoredAnswer & { position: number }>`
    select w.position::int, r.status, r.body, r.request_hash as "requestHash"
      from unnest(
        ${binary.uuidArray(keys.map((k) => k.organizationId))}::uuid[], ${binary.textArray(keys.map((k) => k.operation))}::text[],
        ${binary.textArray(keys.map((k) => k.key))}::text[]
      ) with ordinality as w(organization_id, operation, key, position)
      join platform.idempotency_record r using (organization_id, operation, key)
     where r.created_at > ${windowStart(now)}`
  for (const { position, ...answer } of stored) answers[position - 1] = answer
  return answers
}

/**
 * Stores answers with the effects that they speak of: last in the transaction, or at least where everything that may be refused has been.
 * A key that another open transaction stores makes us wait for its outcome.
 *
 * @param answers no key twice.
 * @throws Overtaken when somebody stored one of the keys since we looked. Rolled back and begun again, `findAnswers` has his answer: a key
 *   that is not ours is never taken for ours because its record cannot be seen.
 */
export async function storeAnswers(tx: Tx, answers: readonly (KeyName & StoredAnswer)[], now: Date): Promise<void> {
  if (answers.length === 0) return
  const stored = await tx.run`
    insert into platform.idempotency_record as r (organization_id, operation, key, request_hash, status, body, created_at)
    select organization_id, operation, key, request_hash, status, body::json, ${now}
      from unnest(
        ${binary.uuidArray(answers.map((a) => a.organizationId))}::uuid[], ${binary.textArray(answers.map((a) => a.operation))}::text[],
        ${binary.textArray(answers.map((a) => a.key))}::text[], ${binary.byteaArray(answers.map((a) => a.requestHash))}::bytea[],
        ${binary.int2Array(answers.map((a) => a.status))}::smallint[], ${binary.textArray(answers.map((a) => JSON.stringify(a.body)))}::text[]
      ) as w(organization_id, operation, key, request_hash, status, body)
     order by organization_id, operation, key
    on conflict (organization_id, operation, key) do update
      set request_hash = excluded.request_hash, status = excluded.status, body = excluded.body, created_at = excluded.created_at
      where r.created_at <= ${windowStart(now)}`
  if (stored < answers.length) throw new Overtaken('an idempotency key was used by somebody else meanwhile')
}

const windowStart = (now: Date): Date => new Date(now.getTime() - IDEMPOTENCY_WINDOW_MS)

/** The answer stored under one key: for a request that cannot itself be carried out. */
export const findAnswer = async (tx: Tx, key: KeyName, now: Date): Promise<StoredAnswer | undefined> =>
  (await findAnswers(tx, [key], now))[0]

/**
 * Does `work` once per key, in the caller's transaction. Of equal requests at once one acts, and the others wait for it and repeat its
 * answer; after a refusal, which is not kept, the next one is decided by itself.
 */
export async function onceByKey<Value, Refusal>(
  tx: Tx,
  claim: KeyClaim<Value>,
  now: Date,
  work: () => Promise<Result<Value, Refusal>>,
): Promise<Result<Keyed<Value>, Refusal>> {
  const { organizationId, operation, key } = claim
  await tx.run`select pg_advisory_xact_lock(hashtextextended(${`${organizationId} ${operation} ${key}`}, 0))`
  const replay = await findAnswer(tx, claim, now)
  if (replay) return ok({ replay })
  const done = await work()
  if (!done.ok) return done
  await storeAnswers(tx, [{ organizationId, operation, key, ...answerOf(claim, done.value) }], now)
  return ok({ value: done.value })
}

/** Forgets answers older than the window, a bounded number a call. */
export const pruneIdempotency = (tx: Tx, now: Date, limit = 5_000): Promise<number> => tx.run`
  delete from platform.idempotency_record where ctid in (
    select ctid from platform.idempotency_record where created_at <= ${windowStart(now)} limit ${limit})`
