import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'

export type LoadOptions = {
  readonly host: string
  readonly port: number
  /** Keep-alive connections, each with one request in flight. */
  readonly connections: number
  readonly durationMs: number
  /** The next request, whole: request line, headers and body. */
  readonly nextRequest: () => string
}

export type LoadResult = {
  readonly seconds: number
  /** Answers by status code. */
  readonly statuses: ReadonlyMap<number, number>
  /** Milliseconds per answer, sorted. */
  readonly latenciesMs: Float64Array
}

/**
 * A closed-loop HTTP load over raw sockets: it must cost far less than the server that it measures, since both share the machine.
 * Answers must carry `Content-Length`.
 */
export async function runHttpLoad(options: LoadOptions): Promise<LoadResult> {
  const started = performance.now()
  const until = started + options.durationMs
  const statuses = new Map<number, number>()
  const latencies: number[] = []
  const note = (status: number, milliseconds: number) => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    latencies.push(milliseconds)
  }
  await Promise.all(Array.from({ length: options.connections }, () => drive(options, until, note)))
  return { seconds: (performance.now() - started) / 1_000, statuses, latenciesMs: Float64Array.from(latencies).sort() }
}

/** One connection: sends, waits for the whole answer, sends again. */
function drive(options: LoadOptions, until: number, note: (status: number, milliseconds: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(options.port, options.host)
    let sentAt = 0
    let pending = ''
    const send = () => {
      sentAt = performance.now()
      if (sentAt >= until) socket.end()
      else socket.write(options.nextRequest())
    }
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('connect', send)
    socket.on('data', (chunk: string) => {
      pending += chunk
      const length = answerLength(pending)
      if (length === undefined || pending.length < length) return
      note(Number(pending.slice(9, 12)), performance.now() - sentAt)
      pending = pending.slice(length)
      send()
    })
    socket.on('close', () => resolve())
    socket.on('error', reject)
  })
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i

/** Bytes of the first answer in the buffer, head and body; undefined while its head is incomplete. */
function answerLength(buffer: string): number | undefined {
  const headEnd = buffer.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const length = CONTENT_LENGTH.exec(buffer.slice(0, headEnd))?.[1]
  if (length === undefined) throw new Error('an answer without Content-Length')
  return headEnd + 4 + Number(length)
}
