import { hostname } from 'node:os'
import { systemClock } from './platform/clock.ts'
import { eventPasses } from './platform/events/passes.ts'
import { housekeeping } from './platform/housekeeping.ts'
import type { ModuleParts, World } from './platform/module.ts'
import { PassRunner } from './platform/passes/runner.ts'
import type { Wakeups } from './platform/wake.ts'

export type Worker = {
  /** Lets the runs in hand finish, then ends. */
  stop(): Promise<void>
}

/** Runs what moves by itself: the platform's own chores, the modules' passes and consumers. Any number of workers may run side by side. */
export function startWorker(world: World, parts: readonly ModuleParts[], wakeups: Wakeups): Worker {
  const passes = [
    ...housekeeping(world),
    ...eventPasses(
      world,
      parts.flatMap((part) => part.consumers ?? []),
    ),
    ...parts.flatMap((part) => part.passes ?? []),
  ]
  const processName = `${hostname()} ${process.pid}`
  return new PassRunner({ ...world, machine: systemClock, wakeups, processName }, passes)
}
