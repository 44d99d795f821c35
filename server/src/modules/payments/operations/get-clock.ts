import type { Clock } from '../../../platform/clock.ts'
import { operation } from '../../../platform/http/operation.ts'
import { ok } from '../../../platform/result.ts'
import { ClockAnswer, clockToWire } from '../wire.ts'

export const getClock = (clock: Clock) =>
  operation({
    id: 'getClock',
    route: 'GET /simulation/clock',
    tag: 'Simulation',
    summary: 'The bank’s time.',
    access: { credentials: ['api_key', 'session'], scope: 'none', permission: 'none' },
    sca: 'none',
    idempotency: 'none',
    audit: 'none',
    answer: ClockAnswer,
    refusals: {},
    read: () => ok(undefined),
    run: async () => ok(clock.now()),
    write: clockToWire,
  })
