import { createHash } from 'node:crypto'
import type { Tx } from './postgres/database.ts'

/** How long a successful answer is given again for the same key (the Qonto contract's rule). Afterwards the key counts as new. */
export const IDEMPOTENCY_WINDOW_MS = 30 * 60 * 1_000

/** A request that carries a key, with the answer it will get if it succeeds. */
export type KeyClaim = {
  readonly organizationId: string
  /** Method and path: a key means nothing beyond the operation it was sent to. */
  readonly operation: string
  readonly key: string
  readonly requestHash: Buffer
  readonly status: number
  readonly body: unknown
}

export type StoredAnswer = { readonly status: number; readonly body: unknown; readonly requestHash: Buffer }

/** Hash of a request's content, to notice that a key came back with another one. */
export const requestHash = (content: string): Buffer => createHash('sha256').update(content).digest()

/**
 * Takes the keys for this transaction, storing each answer with the effect it speaks of. A key that another open transaction has
 * taken makes us wait for its outcome, so of two equal requests at once one acts and the other repeats its answer.
 *
 * @param claims no key twice for the same organization and operation: callers give equal requests of one batch one claim.
 * @returns per claim, in order: `undefined` when the key is now ours (act, or `releaseKeys` on refusal), else the answer stored earlier.
 */
export async function claimKeys(tx: Tx, claims: readonly KeyClaim[], now: Date): Promise<(StoredAnswer | undefined)[]> {
  if (claims.length === 0) return []
  const claimed = await tx.rows<{ position: number }>`
    with wanted as (
      select * from unnest(
        ${claims.map((c) => c.organizationId)}::uuid[], ${claims.map((c) => c.operation)}::text[], ${claims.map((c) => c.key)}::text[],
        ${claims.map((c) => c.requestHash)}::bytea[], ${claims.map((c) => c.status)}::smallint[],
        ${claims.map((c) => JSON.stringify(c.body))}::json[]
      ) with ordinality as w(organization_id, operation, key, request_hash, status, body, position)
    ), taken as (
      insert into platform.idempotency_record as r (organization_id, operation, key, request_hash, status, body, created_at)
      select organization_id, operation, key, request_hash, status, body, ${now} from wanted order by organization_id, operation, key
      on conflict (organization_id, operation, key) do update
        set request_hash = excluded.request_hash, status = excluded.status, body = excluded.body, created_at = excluded.created_at
        where r.created_at <= ${new Date(now.getTime() - IDEMPOTENCY_WINDOW_MS)}
      returning organization_id, operation, key
    )
    select position::int from wanted join taken using (organization_id, operation, key)`
  const answers: (StoredAnswer | undefined)[] = new Array(claims.length).fill(undefined)
  if (claimed.length === claims.length) return answers

  const ours = new Set(claimed.map((row) => row.position - 1))
  const others = claims.map((claim, index) => ({ claim, index })).filter(({ index }) => !ours.has(index))
  const stored = await tx.rows<StoredAnswer & { position: number }>`
    select w.position::int, r.status, r.body, r.request_hash as "requestHash"
      from unnest(
        ${others.map((o) => o.claim.organizationId)}::uuid[], ${others.map((o) => o.claim.operation)}::text[],
        ${others.map((o) => o.claim.key)}::text[], ${others.map((o) => o.index)}::int[]
      ) as w(organization_id, operation, key, position)
      join platform.idempotency_record r using (organization_id, operation, key)`
  for (const row of stored) answers[row.position] = { status: row.status, body: row.body, requestHash: row.requestHash }
  return answers
}

/** The answer stored under a key, when its time is not over: for a request that cannot itself be carried out. */
export const findAnswer = (tx: Tx, of: Pick<KeyClaim, 'organizationId' | 'operation' | 'key'>, now: Date) =>
  tx.maybe<StoredAnswer>`
    select status, body, request_hash as "requestHash" from platform.idempotency_record
     where organization_id = ${of.organizationId} and operation = ${of.operation} and key = ${of.key}
       and created_at > ${new Date(now.getTime() - IDEMPOTENCY_WINDOW_MS)}`

/** Gives keys back whose request was refused: a failure is not kept, so that the caller can mend it and use the same key. */
export async function releaseKeys(
  tx: Tx,
  claims: readonly Pick<KeyClaim, 'organizationId' | 'operation' | 'key'>[],
): Promise<void> {
  if (claims.length === 0) return
  await tx.run`
    delete from platform.idempotency_record r
     using unnest(${claims.map((c) => c.organizationId)}::uuid[], ${claims.map((c) => c.operation)}::text[], ${claims.map((c) => c.key)}::text[])
           as w(organization_id, operation, key)
     where r.organization_id = w.organization_id and r.operation = w.operation and r.key = w.key`
}

/** Forgets answers older than the window, a bounded number a call. */
export const pruneIdempotency = (tx: Tx, now: Date, limit = 5_000): Promise<number> => tx.run`
  delete from platform.idempotency_record where ctid in (
    select ctid from platform.idempotency_record where created_at <= ${new Date(now.getTime() - IDEMPOTENCY_WINDOW_MS)} limit ${limit})`
