import type { BankClock } from '../../../platform/clock.ts'
import { type ApiError, atPointer } from '../../../platform/http/api-error.ts'
import { exempt, operation, refused } from '../../../platform/http/operation.ts'
import { parseInstant } from '../../../platform/http/query.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { CLOCK_STEP_MAX_SECONDS, ClockAnswer, ClockBody, clockToWire } from '../wire.ts'

type BeforePresent = { readonly kind: 'before_present'; readonly present: Date }

export const moveClock = (clock: BankClock) =>
  operation({
    id: 'moveClock',
    route: 'POST /simulation/clock',
    tag: 'Simulation',
    summary: 'Move the bank’s one clock forward.',
    description:
      'The clock is the bank’s: it moves for all companies, with their due dates and the time that their idempotency keys are kept. All processes and the simulated rail follow within a second; what became due happens then. It never moves back.',
    access: { credentials: ['api_key', 'session'], scope: 'none', permission: 'none' },
    sca: exempt('simulated: no payment service is used'),
    idempotency: 'none',
    body: ClockBody,
    answer: ClockAnswer,
    refusals: {
      before_present: refused(422, ({ present }: BeforePresent) => [
        atPointer('invalid', `now must not be before ${present.toISOString()}: the clock only moves forward`, '/now'),
      ]),
    },
    read: ({ body }, { now }) => targetOf(body, now),
    run: async (_ctx, target) => {
      if ('advanceMs' in target) return ok(await clock.advance(target.advanceMs))
      return (await clock.moveTo(target.to))
        ? ok(clock.now())
        : refuse({ kind: 'before_present', present: clock.now() } satisfies BeforePresent)
    },
    write: clockToWire,
    // There is one clock, and it has no id.
    audit: () => undefined,
  })

type Target = { readonly to: Date } | { readonly advanceMs: number }

function targetOf({ now, advance_seconds }: ClockBody, present: Date): Result<Target, readonly ApiError[]> {
  if (now !== undefined && advance_seconds !== undefined) {
    return refuse([atPointer('present', 'advance_seconds must be absent when now is given', '/advance_seconds')])
  }
  if (advance_seconds !== undefined) return ok({ advanceMs: advance_seconds * 1_000 })
  if (now === undefined) return refuse([atPointer('missing_key', 'now or advance_seconds is missing', '/now')])
  const target = parseInstant(now, 'from')
  if (!target) return refuse([atPointer('invalid', 'now is not a valid date', '/now')])
  if (target.getTime() - present.getTime() > CLOCK_STEP_MAX_SECONDS * 1_000)
    return refuse([atPointer('invalid', 'now must not be more than ten years ahead', '/now')])
  return ok({ to: target })
}
