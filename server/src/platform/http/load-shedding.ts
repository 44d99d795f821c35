import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { LoadConfig } from '../config.ts'

/** Reads go first: a list can be asked for again, a payment somebody waits for is worth more. `never`: health checks. */
export type ShedClass = 'reads' | 'writes' | 'never'

const SAMPLE_MS = 200
/** Reads that are always served side by side, however slow each is: a slow machine is not an overloaded one. */
const READS_MIN = 32
/**
 * How long reads may take on average before fewer are served at once: what a person waits for. With 100 ms, a burst of 200 lists on two
 * busy cores was half turned away, though all of it could be served within two seconds.
 */
const READ_TARGET_MS = 1_000

/**
 * Turns requests away while there is still time to answer the others.
 *
 * Reads: as many at once as keeps their mean time at its target. The number falls by a fifth per sample while they take longer and rises
 * again when they don't (additive increase, multiplicative decrease), so a burst on an idle bank is served whole and a flood is not
 * allowed to make everybody wait. Writes share commits and have a plain limit. An event loop that stays late stops reads, and much
 * later writes; a single long pause does not.
 */
export class LoadShedder {
  readonly #load: LoadConfig
  readonly #delay = monitorEventLoopDelay({ resolution: 10 })
  readonly #timer: NodeJS.Timeout
  readonly #inFlight = { reads: 0, writes: 0 }
  #readsLimit: number
  #reads = { count: 0, totalMs: 0 }
  #lagMs = 0

  constructor(load: LoadConfig) {
    this.#load = load
    this.#readsLimit = load.readsInFlightMax
    this.#delay.enable()
    this.#timer = setInterval(() => this.sample(this.#delay.max / 1e6), SAMPLE_MS)
    this.#timer.unref()
  }

  /** Admits a request, which must be released when it is answered. @returns false to turn it away. */
  admit(kind: ShedClass): boolean {
    if (kind === 'never') return true
    const { writesInFlightMax, eventLoopLagMsMax } = this.#load
    const admitted =
      kind === 'reads'
        ? this.#inFlight.reads < this.#readsLimit && this.#lagMs < eventLoopLagMsMax
        : this.#inFlight.writes < writesInFlightMax && this.#lagMs < eventLoopLagMsMax * 4
    if (admitted) this.#inFlight[kind]++
    return admitted
  }

  release(kind: ShedClass, durationMs: number): void {
    if (kind === 'never') return
    this.#inFlight[kind]--
    if (kind === 'reads') {
      this.#reads.count++
      this.#reads.totalMs += durationMs
    }
  }

  get inFlight(): number {
    return this.#inFlight.reads + this.#inFlight.writes
  }

  /** Smoothed lateness of the event loop. */
  get lagSeconds(): number {
    return this.#lagMs / 1_000
  }

  /** Ends one sample: `worstLagMs` is how late the event loop ran a timer at worst since the last. */
  sample(worstLagMs: number): void {
    this.#delay.reset()
    this.#lagMs = this.#lagMs * 0.7 + worstLagMs * 0.3
    const { count, totalMs } = this.#reads
    this.#reads = { count: 0, totalMs: 0 }
    const max = this.#load.readsInFlightMax
    const isSlow = count > 0 && totalMs / count > READ_TARGET_MS
    this.#readsLimit = isSlow
      ? Math.max(Math.min(READS_MIN, max), this.#readsLimit * 0.8)
      : Math.min(max, this.#readsLimit + READS_MIN)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }
}
