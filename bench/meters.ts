import { readdirSync, readFileSync } from 'node:fs'
import type pg from 'pg'

/** What a stretch of work cost. */
export type Cost = { seconds: number; postgresCpuMicros: number; nodeCpuMicros: number; walBytes: number }

const TICK_MICROS = 10_000 // USER_HZ is 100 on every Linux that Node runs on

/** CPU time of the server and all its processes so far, those that have ended included. */
function postgresCpuMicros(serverPid: number): number {
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(name)
    if (!fields) continue
    const [parent, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]))
    if (Number(name) === serverPid) ticks += (user ?? 0) + (system ?? 0) + (endedUser ?? 0) + (endedSystem ?? 0)
    else if (parent === serverPid) ticks += (user ?? 0) + (system ?? 0)
  }
  return ticks * TICK_MICROS
}

/** The fields of /proc/<pid>/stat after the name, which may itself contain spaces: state, parent, … */
function statOf(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // it ended meanwhile
  }
}

/** Measures what happens until the returned function is called. */
export async function startMeters(admin: pg.Client, serverPid: number): Promise<() => Promise<Cost>> {
  const wal = async () => (await admin.query<{ lsn: string }>(`select pg_current_wal_lsn() as lsn`)).rows[0]?.lsn ?? '0/0'
  const walBefore = await wal()
  const nodeBefore = process.cpuUsage()
  const postgresBefore = postgresCpuMicros(serverPid)
  const startedAt = performance.now()
  return async () => {
    const seconds = (performance.now() - startedAt) / 1_000
    const node = process.cpuUsage(nodeBefore)
    const postgres = postgresCpuMicros(serverPid) - postgresBefore
    const diff = await admin.query<{ bytes: string }>('select pg_wal_lsn_diff($1, $2) as bytes', [await wal(), walBefore])
    return {
      seconds,
      postgresCpuMicros: postgres,
      nodeCpuMicros: node.user + node.system,
      walBytes: Number(diff.rows[0]?.bytes ?? 0),
    }
  }
}

/** Latencies in milliseconds. Fixed buckets of 10 µs up to 2 s, so that recording costs nothing while others are measured. */
export class Latencies {
  readonly #buckets = new Uint32Array(200_000)
  count = 0

  record(milliseconds: number): void {
    const bucket = Math.min(this.#buckets.length - 1, Math.trunc(milliseconds * 100))
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
    this.count++
  }

  quantile(share: number): number {
    let left = Math.ceil(this.count * share)
    for (let i = 0; i < this.#buckets.length; i++) {
      left -= this.#buckets[i] as number
      if (left <= 0) return (i + 0.5) / 100
    }
    return 0
  }
}
