import type { ConsumerReport, DeliveryReport, SetAsideReport } from '../../../server/src/platform/events/administration.ts'
import { table } from './table.ts'

type Found = { readonly report: DeliveryReport; readonly events: readonly SetAsideReport[] }

/** `partita events list --json`. */
export const listDocument = ({ report, events }: Found) => ({
  outbox: { waiting: report.outbox.waiting, lag_seconds: report.outbox.lagSeconds },
  head: report.head,
  consumers: report.consumers.map((consumer) => ({
    consumer: consumer.name,
    types: consumer.types,
    position: consumer.position,
    lag: consumer.lag,
    lag_seconds: consumer.lagSeconds,
    set_aside: consumer.setAside,
    parked: consumer.parked,
    failing_since: consumer.failingSince,
    rests_until: consumer.restsUntil,
    last_error: consumer.lastError,
  })),
  set_aside: events.map((event) => ({
    consumer: event.consumer,
    event: event.eventId,
    position: event.position,
    type: event.type,
    aggregate: event.aggregateId,
    organization: event.organizationId,
    occurred_at: event.occurredAt,
    state: stateOf(event),
    attempts: event.attempts,
    first_failed_at: event.firstFailedAt,
    retry_at: event.retryAt,
    parked_at: event.parkedAt,
    reason: event.reason,
  })),
})

/** The same for people: a line per consumer, then what it set aside. */
export function listText({ report, events }: Found, now: Date): string {
  const { waiting, lagSeconds } = report.outbox
  const lines = [
    `archive: ${report.head} events; outbox: ${waiting === 0 ? 'empty' : `${waiting} wait, the oldest for ${Math.round(lagSeconds)} s`}`,
  ]
  if (report.consumers.length === 0) lines.push('no consumer is registered')
  lines.push(...table(report.consumers.map((consumer) => consumerLine(consumer, now))))
  lines.push(...events.flatMap((event) => eventLines(event, now)))
  if (events.length > 0)
    lines.push('"partita events retry <consumer> <event>" tries again, "partita events skip <consumer> <event>" gives it up')
  return lines.join('\n')
}

function consumerLine(consumer: ConsumerReport, now: Date): string[] {
  const { lag, setAside, parked, failingSince, restsUntil, lastError } = consumer
  const rest = restsUntil && restsUntil > now ? `, rests until ${restsUntil.toISOString()}` : ''
  return [
    consumer.name,
    `at ${consumer.position}`,
    lag === 0n ? 'level' : `${lag} behind, ${Math.round(consumer.lagSeconds)} s`,
    `${setAside} set aside`,
    `${parked} parked`,
    failingSince ? `FAILS since ${failingSince.toISOString()}${rest}: ${lastError}` : '',
  ]
}

const stateOf = (event: SetAsideReport): 'parked' | 'retrying' | 'waiting' =>
  event.parkedAt ? 'parked' : event.retryAt ? 'retrying' : 'waiting'

function eventLines(event: SetAsideReport, now: Date): string[] {
  const states = {
    parked: 'PARKED',
    retrying: `tried again in ${event.retryAt ? Math.max(0, Math.round((event.retryAt.getTime() - now.getTime()) / 1_000)) : 0} s`,
    waiting: 'waits behind an earlier one',
  }
  const failure = event.reason
    ? [`    ${event.attempts} attempts since ${event.firstFailedAt?.toISOString()}: ${event.reason}`]
    : []
  return [
    `  ${event.eventId}  ${event.consumer}  ${event.type}  ${states[stateOf(event)]}`,
    `    aggregate ${event.aggregateId}, position ${event.position}`,
    ...failure,
  ]
}
