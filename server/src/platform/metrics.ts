import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What the process tells about itself at `/metrics`, in Prometheus's text format. */
export interface Metrics {
  /** One answered request. `route` is the pattern, never the path: paths carry ids and would make a series each. */
  observeRequest(method: string, route: string, status: number, seconds: number): void
  /** A value that is read when somebody asks, such as the outbox's lag. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void
  /** Values by one label, read when somebody asks; a `counter` only rises while the process lives. */
  series(kind: 'gauge' | 'counter', name: string, help: string, label: string, read: ReadSeries): void
  /** Everything as text, and its content type. */
  expose(): Promise<{ contentType: string; body: string }>
}

/** The value of each label. */
export type ReadSeries = () => ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>

/** @param options.process adds the process's own figures: memory, CPU, event-loop lag, garbage collection. One per process. */
export function createMetrics(options: { process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  // Looking a label set up costs more than observing it, and there are few.
  const children = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>()
  return {
    observeRequest(method, route, status, seconds) {
      const key = `${method} ${route} ${status}`
      let child = children.get(key)
      if (!child) {
        child = requests.labels({ method, route, status: String(status) })
        children.set(key, child)
      }
      child.observe(seconds)
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          // A gauge that cannot be read (database away) must not take the others with it.
          const value = await Promise.resolve()
            .then(read)
            .catch(() => Number.NaN)
          this.set(value)
        },
      })
    },
    series(kind, name, help, label, read) {
      const definition = { name, help, labelNames: [label], registers: [registry] }
      // Values that cannot be read (database away) are left out, and take no other with them.
      const values = () => Promise.resolve().then(read).catch((): ReadonlyMap<string, number> => new Map()) // biome-ignore format: one thought
      if (kind === 'gauge')
        new Gauge({
          ...definition,
          async collect() {
            this.reset()
            for (const [key, value] of await values()) this.set({ [label]: key }, value)
          },
        })
      else
        new Counter({
          ...definition,
          async collect() {
            this.reset()
            for (const [key, value] of await values()) this.inc({ [label]: key }, value)
          },
        })
    },
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}
