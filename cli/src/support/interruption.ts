import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Ctrl-C, a closed terminal or a `kill` in a long command: `undo` gives back what it holds, then the process ends as one that the signal
 * ended. A terminal and npm both pass Ctrl-C on, so a second signal is no reason to leave things lying about.
 *
 * @returns `isOver`, for when the work is done: from then on a signal ends the process at once. After an interruption it never answers,
 *   since what the work still has to say (its database went away) is not news.
 */
export function endWhenInterrupted(undo: () => Promise<void>): { isOver(): Promise<void> } {
  let isInterrupted = false
  const interrupted = (signal: NodeJS.Signals) => {
    if (isInterrupted) return
    isInterrupted = true
    process.stderr.write(`\npartita: interrupted by ${signal}\n`)
    const end = () => process.exit(128 + constants.signals[signal])
    undo().then(end, end)
  }
  for (const signal of SIGNALS) process.on(signal, interrupted)
  return {
    isOver: async () => {
      if (isInterrupted) await new Promise(() => {})
      for (const signal of SIGNALS) process.off(signal, interrupted)
    },
  }
}
