import { readFileSync, writeFileSync } from 'node:fs'

/** One line of the table. Per transfer: CPU in microseconds, WAL in bytes. For reads, `transfersPerSecond` counts reads. */
export type BenchRow = {
  name: string
  books: number
  callers: number
  hot: boolean
  transfersPerSecond: number
  p50Ms: number
  p99Ms: number
  postgresCpuMicros: number
  nodeCpuMicros: number
  walBytes: number
  ratioToTpcB: number
  verified: boolean
}

/** A row whose books are still to be proved and set against TPC-B. */
export type Unproven = Omit<BenchRow, 'ratioToTpcB' | 'verified'> & { readonly isRead?: boolean }

export type BenchReport = {
  /** Version and compiler's optimization of the PostgreSQL that was measured. */
  postgres: string
  rows: BenchRow[]
}

const COLUMNS: readonly { title: string; of: (row: BenchRow) => string }[] = [
  { title: 'what', of: (row) => row.name },
  { title: 'books', of: (row) => (row.books === 0 ? '' : String(row.books)) },
  { title: 'callers', of: (row) => String(row.callers) },
  { title: 'one hot account', of: (row) => (row.hot ? 'yes' : '') },
  { title: 'per second', of: (row) => grouped(Math.round(row.transfersPerSecond)) },
  { title: '× TPC-B', of: (row) => (row.ratioToTpcB === 0 ? '' : rounded(row.ratioToTpcB, 1)) },
  { title: 'p50 ms', of: (row) => rounded(row.p50Ms, 2) },
  { title: 'p99 ms', of: (row) => rounded(row.p99Ms, 2) },
  { title: 'PostgreSQL CPU µs', of: (row) => rounded(row.postgresCpuMicros, 0) },
  { title: 'Node CPU µs', of: (row) => rounded(row.nodeCpuMicros, 0) },
  { title: 'WAL bytes', of: (row) => grouped(Math.round(row.walBytes)) },
  { title: 'proven', of: (row) => (row.verified ? 'yes' : 'NO') },
]

const grouped = (value: number): string => value.toLocaleString('en-US')
const rounded = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** The report as a Markdown table. */
export function toMarkdown(report: BenchReport): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(COLUMNS.map((column) => column.title)),
    line(['---', ...COLUMNS.slice(1).map(() => '---:')]),
    ...report.rows.map((row) => line(COLUMNS.map((column) => column.of(row)))),
  ].join('\n')
}

const START = '<!-- bench:start -->'
const END = '<!-- bench:end -->'

/** Puts `text` between the markers of a file. @throws Error when the file lacks them. */
export function writeBetweenMarkers(file: string, text: string): void {
  const before = readFileSync(file, 'utf8')
  const from = before.indexOf(START)
  const to = before.indexOf(END)
  if (from < 0 || to < from) throw new Error(`${file} has no ${START} … ${END}: add the two lines where the figures belong`)
  writeFileSync(file, `${before.slice(0, from + START.length)}\n${text}\n${before.slice(to)}`)
}
