import type { XmlElement } from '@partita/notation/xml'
import type { FastifyInstance } from 'fastify'
import type { Booking } from '../messages/camt053.ts'
import type { Draft } from './draft.ts'
import type { Content, SchemeEvent } from './state.ts'

/** What the HTTP side does with a message besides remembering the events. */
export type Reply = 'taken' | 'connection_cut' | 'unavailable'

/** A message that could be read, and what it will do. */
export type ReadMessage<State, Event extends SchemeEvent, Out extends Content> = Readonly<{
  msgId: string
  decide(draft: Draft<State, Event, Out>): Reply
}>

/** A kind of message that a scheme takes from the bank. */
export type MessageKind<State, Event extends SchemeEvent, Out extends Content> = Readonly<{
  /** As in the namespace, such as `pacs.008.001.08`. */
  name: string
  /** Where two schemes take messages of one name: whether this one is ours. The first scheme that says so, or does not ask, gets it. */
  isOurs?(root: XmlElement, state: State): boolean
  /** @throws Incomplete when something is missing that an answer would need. */
  read(root: XmlElement): ReadMessage<State, Event, Out>
}>

/** What is known of one TxId: `executions` counts the times that its money moved, and must never be above one. */
export type TransactionView = Readonly<{
  tx_id: string
  received: number
  executions: number
  returns: number
  status: string | null
  reason: string | null
}>

/** What a scheme's own routes may use: the bank's time, its own state, and the way to change it. */
export type SchemeApi<State, Event extends SchemeEvent, Out extends Content> = Readonly<{
  now: string
  state: State
  /** Decides on a draft and remembers its events; resolves when they are on disk. */
  decide<T>(work: (draft: Draft<State, Event, Out>) => T): Promise<T>
}>

/**
 * One payment scheme (or card scheme, or network) on these rails: what it takes, what it remembers, what it can be asked to do. A scheme
 * is a folder beside this one, and a line in `schemes.ts`.
 */
export type Scheme<State = unknown, Event extends SchemeEvent = SchemeEvent, Out extends Content = Content> = Readonly<{
  name: string
  emptyState(): State
  /** Applies one of its own events. @returns false when the event is none of its own. */
  apply(state: State, event: Event): boolean
  messages: readonly MessageKind<State, Event, Out>[]
  /** Writes a message of its own as it goes over the wire; undefined when it is another scheme's. */
  write(content: Out): string | undefined
  /** Routes of its own, for what only this scheme can simulate. Each is called with the bank's time known. */
  routes?(app: FastifyInstance, api: SchemeApi<State, Event, Out>): void
  transaction?(state: State, txId: string, now: string): TransactionView | undefined
  /** Everything that it has settled with the bank up to now, in any order. */
  bookings?(state: State, now: string): readonly Booking[]
  /** For `GET /health`. */
  counts?(state: State): Readonly<Record<string, number>>
}>
