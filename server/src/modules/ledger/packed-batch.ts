import { assert } from '../../platform/assert.ts'
import * as binary from '../../platform/postgres/binary-arrays.ts'
import type { Operation, Outcome } from './domain/operation.ts'
import { BATCH_MAX, POSTING_REFUSALS } from './domain/refusals.ts'

const KIND = { transfer: 1, hold: 2, post_hold: 3, void_hold: 4 } as const satisfies Record<Operation['kind'], number>

/** The operations of one call as the columns that `ledger.post_batch` takes: binary arrays, null where no operation needs the column. */
export type PackedBatch = {
  accounts: Buffer
  kinds: Buffer | null
  keys: Buffer
  debits: Buffer
  credits: Buffer
  amounts: Buffer
  currencies: Buffer
  codes: Buffer
  effectives: Buffer | null
  references: Buffer | null
  groups: Buffer | null
  holds: Buffer | null
  expiries: Buffer | null
  forces: Buffer | null
}

/** What `ledger.post_batch` answers, a place per operation. Without `o_status` all are posted, one after the other, and `o_seq` has the first place alone. */
export type PackedOutcomes = {
  o_status: number[] | null
  o_seq: bigint[]
  o_debit_balance: bigint[]
  o_debit_version: bigint[]
  o_credit_balance: bigint[]
  o_credit_version: bigint[]
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const INT8_MAX = 9_223_372_036_854_775_807n

/** Numbers accounts by first appearance, from 1: PostgreSQL then works with small integers instead of UUIDs. */
class Places {
  readonly #ids: string[] = []
  readonly #places = new Map<string, number>()

  of(id: string): number {
    let place = this.#places.get(id)
    if (place === undefined) {
      place = this.#ids.push(id)
      this.#places.set(id, place)
    }
    return place
  }

  /** The ids in ascending order, as their index has them, and the place of each there, by its place here. */
  sorted(): { ids: string[]; placeOf: Int32Array } {
    const ids = this.#ids.toSorted()
    const placeOf = new Int32Array(ids.length + 1)
    for (let i = 0; i < ids.length; i++) placeOf[this.#places.get(ids[i] as string) as number] = i + 1
    return { ids, placeOf }
  }
}

const sameThroughout = (values: readonly string[]): boolean => {
  for (const value of values) if (value !== values[0]) return false
  return true
}

/** @throws Bug on no operation or more than BATCH_MAX, a key that is not a UUID, or a group whose legs are not neighbours. */
export function packBatch(operations: readonly Operation[]): PackedBatch {
  const n = operations.length
  assert(n > 0 && n <= BATCH_MAX, `a batch has 1 to ${BATCH_MAX} operations, not ${n}`)
  const places = new Places()
  const kinds = new Uint8Array(n)
  const debits = new Int32Array(n)
  const credits = new Int32Array(n)
  const keys: string[] = new Array(n)
  const amounts: (bigint | undefined)[] = new Array(n)
  const currencies: string[] = new Array(n)
  const codes: string[] = new Array(n)
  const optional = new OptionalColumns(n)
  for (let i = 0; i < n; i++) {
    const operation = operations[i] as Operation
    assert(operation.key.length === 36, 'an operation key must be a UUID')
    keys[i] = operation.key
    kinds[i] = KIND[operation.kind]
    if (operation.kind === 'transfer') debits[i] = places.of(operation.debit)
    else if (operation.kind === 'hold') debits[i] = places.of(operation.account)
    if (operation.kind === 'transfer' || operation.kind === 'post_hold') credits[i] = places.of(operation.credit)
    const amount = operation.kind === 'void_hold' ? undefined : operation.amount
    assert(!amount || (amount.minor <= INT8_MAX && amount.minor >= -INT8_MAX), 'an amount must fit 64 bits')
    amounts[i] = amount?.minor
    // A hold posted whole, or voided, takes its currency from the hold; the neighbour's saves a second value in the column.
    currencies[i] = amount?.currency ?? currencies[i - 1] ?? 'XXX'
    codes[i] = operation.kind === 'void_hold' ? (codes[i - 1] ?? '-') : operation.code
    optional.read(operation, i)
  }
  const { ids, placeOf } = places.sorted()
  for (let i = 0; i < n; i++) {
    debits[i] = placeOf[debits[i] as number] as number
    credits[i] = placeOf[credits[i] as number] as number
  }
  return {
    accounts: binary.uuidArray(ids),
    kinds: kinds.every((kind) => kind === KIND.transfer) ? null : binary.int2Array(kinds),
    keys: binary.uuidArray(keys),
    debits: binary.int4Array(debits),
    credits: binary.int4Array(credits),
    amounts: binary.int8Array(amounts),
    currencies: binary.textArray(sameThroughout(currencies) ? currencies.slice(0, 1) : currencies),
    codes: binary.textArray(sameThroughout(codes) ? codes.slice(0, 1) : codes),
    ...optional.packed(),
  }
}

/** Columns that most batches do without. */
class OptionalColumns {
  readonly #length: number
  #effectives: (Date | undefined)[] | undefined
  #references: (string | undefined)[] | undefined
  #groups: (string | undefined)[] | undefined
  #holds: (string | undefined)[] | undefined
  #expiries: (Date | undefined)[] | undefined
  #forces: boolean[] | undefined
  readonly #endedGroups = new Set<string>()
  #group: string | undefined

  constructor(length: number) {
    this.#length = length
  }

  read(operation: Operation, i: number): void {
    if (operation.group !== this.#group) this.#changeGroup(operation.group)
    if (operation.group !== undefined) {
      this.#groups ??= new Array(this.#length).fill(undefined)
      this.#groups[i] = operation.group
    }
    if (operation.kind === 'post_hold' || operation.kind === 'void_hold') {
      this.#holds ??= new Array(this.#length).fill(undefined)
      this.#holds[i] = operation.hold
    }
    if (operation.kind === 'void_hold') return
    if (operation.reference !== undefined) {
      assert(UUID.test(operation.reference), 'a reference must be a UUID')
      this.#references ??= new Array(this.#length).fill(undefined)
      this.#references[i] = operation.reference
    }
    if (operation.kind === 'hold') {
      if (operation.expiresAt === undefined) return
      this.#expiries ??= new Array(this.#length).fill(undefined)
      this.#expiries[i] = operation.expiresAt
      return
    }
    if (operation.effectiveAt !== undefined) {
      this.#effectives ??= new Array(this.#length).fill(undefined)
      this.#effectives[i] = operation.effectiveAt
    }
    if (operation.kind === 'transfer' && operation.force) {
      this.#forces ??= new Array(this.#length).fill(false)
      this.#forces[i] = true
    }
  }

  packed(): Pick<PackedBatch, 'effectives' | 'references' | 'groups' | 'holds' | 'expiries' | 'forces'> {
    return {
      effectives: this.#effectives ? binary.timestamptzArray(this.#effectives) : null,
      references: this.#references ? binary.uuidArray(this.#references) : null,
      groups: this.#groups ? binary.uuidArray(this.#groups) : null,
      holds: this.#holds ? binary.uuidArray(this.#holds) : null,
      expiries: this.#expiries ? binary.timestamptzArray(this.#expiries) : null,
      forces: this.#forces ? binary.boolArray(this.#forces) : null,
    }
  }

  #changeGroup(next: string | undefined): void {
    if (this.#group !== undefined) this.#endedGroups.add(this.#group)
    assert(next === undefined || !this.#endedGroups.has(next), 'the legs of a group must be neighbours')
    this.#group = next
  }
}

const POSTED = 0
const REPLAYED = -1

/** The answer of `ledger.post_batch` as outcomes, in the order of the operations. */
export function unpackOutcomes(packed: PackedOutcomes): Outcome[] {
  const outcomes: Outcome[] = new Array(packed.o_debit_version.length)
  const first = packed.o_seq[0] as bigint
  for (let i = 0; i < outcomes.length; i++) {
    const status = packed.o_status ? (packed.o_status[i] as number) : POSTED
    const seq = packed.o_status ? (packed.o_seq[i] as bigint) : first + BigInt(i)
    outcomes[i] = status > POSTED ? refused(status) : posted(packed, i, seq, status === REPLAYED)
  }
  return outcomes
}

function refused(status: number): Outcome {
  const refusal = POSTING_REFUSALS[status - 1]
  assert(refusal, `post_batch answered an unknown status ${status}`)
  return { ok: false, refusal }
}

function posted(packed: PackedOutcomes, i: number, seq: bigint, replayed: boolean): Outcome {
  const debitVersion = packed.o_debit_version[i] as bigint
  const moved = debitVersion > 0n
  return {
    ok: true,
    value: {
      seq,
      replayed,
      debitBalance: moved ? (packed.o_debit_balance[i] as bigint) : null,
      debitVersion: moved ? debitVersion : null,
      creditBalance: moved ? (packed.o_credit_balance[i] as bigint) : null,
      creditVersion: moved ? (packed.o_credit_version[i] as bigint) : null,
    },
  }
}
