import { readXml } from '@partita/notation/xml'
import { findCamt, readCamt } from './camt.ts'
import { readCsv, type Seen } from './csv.ts'
import { type CsvMapping, checkedMapping } from './csv-mapping.ts'
import { markRepeats } from './identity.ts'
import { readMt940 } from './mt940.ts'
import { readOfx } from './ofx.ts'
import { ProblemList, STATEMENT_PROBLEMS, STATEMENT_REFUSALS, type StatementProblem, StatementRefused } from './problems.ts'
import { decodeText, withoutControls } from './text.ts'
import type { ParsedStatement, ParsedStatementFile } from './types.ts'

export type ParseOptions = Readonly<{
  /** How to read the file if it is CSV. It may be raw JSON from outside: it is checked. */
  csvMapping?: CsvMapping | Readonly<Record<string, unknown>>
  /** Bytes. Default 32 MiB. */
  maxBytes?: number
  /** XML elements. Default 1,000,000; a booking has about thirty. */
  maxElements?: number
}>

type Read = { format: string; statements: ParsedStatement[] }

/**
 * Reads an account statement file of any kind: camt.052, .053, .054, MT940, MT942, OFX 1 and 2, CSV. The kind is found from the content;
 * the name of the file is not asked.
 *
 * @returns the statements, with what had to be mended or assumed in `problems`; or a refusal with its line. Never throws on any input.
 */
export function parseStatementFile(bytes: Uint8Array, options: ParseOptions = {}): ParsedStatementFile {
  const problems = new ProblemList()
  const seen: Seen = { format: null }
  try {
    const { format, statements } = readAny(bytes, options, problems, seen)
    markRepeats(statements, problems)
    return { ok: true, format, statements, problems: problems.all(), ...(seen.csv && { csv: seen.csv }) }
  } catch (error) {
    if (!(error instanceof StatementRefused)) throw error
    return { ok: false, format: seen.format, problems: [error.problem, ...problems.all()], ...(seen.csv && { csv: seen.csv }) }
  }
}

function readAny(bytes: Uint8Array, options: ParseOptions, problems: ProblemList, seen: Seen): Read {
  const maxBytes = options.maxBytes ?? 32 * 1024 * 1024
  if (bytes.length > maxBytes) throw new StatementRefused('too_large', 1, `${bytes.length} bytes, at most ${maxBytes} are read`)
  const head = headOf(bytes)
  if (head.trim() === '') throw new StatementRefused('empty_file', 1, 'the file is empty')

  if (/<OFX\s*>|<\?OFX\b|^\W*OFXHEADER\s*:/i.test(head) && !/^\s*<(?!OFX|\?|!--)/i.test(head)) {
    seen.format = 'OFX'
    return readOfx(bytes, problems)
  }
  if (/^\s*</.test(head)) return readXmlFile(bytes, problems, seen, { ...options, maxBytes })
  refuseStrangers(bytes, head)
  if (
    /(?:^\s{0,2}|\{4:):(?:20|25P?):/m.test(head) &&
    /^\s{0,2}:(?:60[FM]|61|28C?|34F):/m.test(decodeText(bytes.subarray(0, 65_536)))
  ) {
    seen.format = 'MT940'
    return readMt940(withoutControls(decodeText(bytes, problems), problems), problems)
  }
  const mapping = options.csvMapping === undefined ? undefined : checkedMapping(options.csvMapping)
  const table = readCsv(bytes, mapping, problems, seen)
  if (table) return table
  const looksLikeTable = head.split('\n', 5).filter((line) => /[;,\t]/.test(line)).length >= 2
  const hint = looksLikeTable ? '; if it is CSV, a mapping must say what its columns mean' : ''
  throw new StatementRefused(
    'unknown_format',
    1,
    `neither camt.052/.053/.054, MT940/942, OFX nor a CSV whose columns are known${hint}`,
  )
}

function readXmlFile(
  bytes: Uint8Array,
  problems: ProblemList,
  seen: Seen,
  limits: { maxBytes: number; maxElements?: number },
): Read {
  const { maxBytes, maxElements = 1_000_000 } = limits
  const result = readXml(bytes, { lenient: true, maxBytes, maxElements })
  if (!result.ok) {
    const { code, line, message } = result.problem
    throw new StatementRefused(STATEMENT_REFUSALS.find((known) => known === code) ?? 'not_well_formed', line, message)
  }
  for (const problem of result.problems) {
    const code = STATEMENT_PROBLEMS.find((known) => known === problem.code)
    if (code) problems.add(code, problem.line, problem.message)
  }
  const messages = findCamt(result.root, problems)
  if (typeof messages === 'string') throw new StatementRefused('unknown_format', result.root.line, messages)
  const format = messages[0]?.format ?? 'camt'
  seen.format = format
  const statements = messages.flatMap((message) => readCamt(message, problems))
  if (statements.length === 0)
    throw new StatementRefused('no_statements', messages[0]?.element.line ?? 1, `${format} without a statement`)
  return { format, statements }
}

/** Why a file is no statement, when its first bytes tell: the rest need not be read. */
export function noStatement(head: Uint8Array): StatementProblem | undefined {
  const text = headOf(head)
  if (/^\s*<|OFX/i.test(text)) return undefined
  try {
    refuseStrangers(head, text)
    return undefined
  } catch (error) {
    if (error instanceof StatementRefused) return error.problem
    throw error
  }
}

const headOf = (bytes: Uint8Array): string =>
  decodeText(bytes.subarray(0, 4096))
    .replace(/^\ufeff/, '')
    .replace(/\0/g, '')

/** Kinds of files that people mistake for a statement, by name; and everything binary. */
function refuseStrangers(bytes: Uint8Array, head: string): void {
  const start = head.trimStart()
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  const kind = start.startsWith('%PDF')
    ? 'a PDF; banks offer the same statement as camt.053, MT940 or CSV'
    : start.startsWith('PK\u0003\u0004')
      ? 'a ZIP or spreadsheet file; unpack or export it first'
      : bytes[0] === 0x1f && bytes[1] === 0x8b
        ? 'compressed with gzip; unpack it first'
        : /^[{[]\s*(?:["{[\d\]}]|$)/.test(start) && !/^\{[1-5]:/.test(start)
          ? 'JSON'
          : /^0{5}\d{6}\d{3}0{0,2}\d{1,2}/.test(start) && /^1\d{4}/m.test(start.slice(100))
            ? 'Belgian CODA, which is not read'
            : /^11\d{18}\d{12}/.test(start) && /^\s*(?:22|33)/m.test(start.slice(60))
              ? 'Spanish AEB43 (Norma 43), which is not read'
              : !utf16 && bytes.subarray(0, 4096).filter((byte) => byte === 0).length > 8
                ? 'binary'
                : undefined
  if (kind !== undefined) throw new StatementRefused('unknown_format', 1, `the file is ${kind}`)
}
