import { newId } from '../ids.ts'
import * as binary from '../postgres/binary-arrays.ts'
import type { NewEvent } from './definition.ts'

/** Events that are about to be written, each with its id. */
export type EventColumns = ReturnType<typeof columnsOf>

export const columnsOf = (events: readonly NewEvent[]) => ({
  count: events.length,
  ids: binary.uuidArray(events.map(() => newId<'event'>())),
  topics: binary.textArray(events.map((e) => e.topic)),
  types: binary.textArray(events.map((e) => e.type)),
  aggregateIds: binary.uuidArray(events.map((e) => e.aggregateId)),
  organizationIds: binary.uuidArray(events.map((e) => e.organizationId)),
  payloads: binary.textArray(events.map((e) => JSON.stringify(e.payload))),
  occurredAt: binary.timestamptzArray(events.map((e) => e.occurredAt)),
})
