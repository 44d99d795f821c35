import type { ProblemList } from './problems.ts'
import { StatementRefused } from './problems.ts'

/**
 * Bytes of a text format without a reliable declaration: by byte order mark, then UTF-8 when it is valid, else Windows-1252, which holds
 * ISO-8859-1. An announced encoding decides between the single-byte ones.
 */
export function decodeText(bytes: Uint8Array, announced?: string): string {
  const [a, b] = bytes
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder(SINGLE_BYTE[announced?.toLowerCase() ?? ''] ?? 'windows-1252').decode(bytes)
  }
}

const SINGLE_BYTE: Readonly<Record<string, string>> = {
  '1250': 'windows-1250',
  '1251': 'windows-1251',
  '1253': 'windows-1253',
  'windows-1250': 'windows-1250',
  'iso-8859-2': 'iso-8859-2',
  '8859-2': 'iso-8859-2',
  'iso-8859-15': 'iso-8859-15',
  ibm850: 'windows-1252',
}

/** The encodings a CSV mapping may name. @throws StatementRefused for another one, or when the bytes are not in it. */
export function decodeAs(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof RangeError) throw new StatementRefused('mapping_invalid', 1, `encoding "${encoding}" is not known`)
    throw new StatementRefused('encoding_broken', 1, `the bytes are not ${encoding}`)
  }
}

const STRAY = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g
const FRAMING = /^[\u0001-\u0004\u001a]{1,8}|[\u0001-\u0004\u001a]{1,8}(?=\r?$)/gm

/** Control characters become spaces, so that no two numbers grow together; those that frame a transmission just go. */
export function withoutControls(source: string, problems: ProblemList): string {
  const text = source.replace(/^\ufeff/, '').replace(FRAMING, '')
  let count = 0
  let firstAt = 0
  const clean = text.replace(STRAY, (_, at: number) => {
    if (count === 0) firstAt = at
    count += 1
    return ' '
  })
  if (count > 0)
    problems.add(
      'control_characters_replaced',
      text.slice(0, firstAt).split('\n').length,
      `${count} control characters read as spaces`,
    )
  return clean
}

/** One line of text: runs of white space become one space, the ends are trimmed. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
