import iconv from 'iconv-lite'
import type { ProblemList } from './problems.ts'
import { StatementRefused } from './problems.ts'

/**
 * Bytes of a text format without a reliable declaration: by byte order mark, then UTF-8 when it is valid, else a single-byte encoding: the
 * announced one, or Windows-1252, which holds ISO-8859-1, or the DOS code page 850 where the letters are written as DOS wrote them.
 */
export function decodeText(bytes: Uint8Array, problems?: ProblemList, announced?: string): string {
  const [a, b] = bytes
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const encoding = SINGLE_BYTE[announced?.toLowerCase() ?? ''] ?? guessedEncoding(bytes, problems)
    return isCodePage(encoding) ? iconv.decode(Buffer.from(bytes), encoding) : new TextDecoder(encoding).decode(bytes)
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
  '437': 'cp437',
  ibm437: 'cp437',
  '850': 'cp850',
  ibm850: 'cp850',
  '852': 'cp852',
  ibm852: 'cp852',
}

/**
 * In Windows-1252 these bytes are undefined, or marks that never stand between two letters (an opening quotation mark, a per mille sign); in
 * the DOS code pages they are letters: ü é â ä à ç ê ë ï ì Å É ô ö.
 */
const DOS_LETTERS = new Set([0x81, 0x82, 0x83, 0x84, 0x85, 0x87, 0x88, 0x89, 0x8b, 0x8d, 0x8f, 0x90, 0x93, 0x94, 0x95])
/** á in Windows-1252, ß in the DOS code pages: it tells nothing by itself. */
const EITHER = 0xe1

/** Windows-1252 unless its letters speak against it, with a problem where both can be meant. */
function guessedEncoding(bytes: Uint8Array, problems: ProblemList | undefined): string {
  let dos = 0
  let windows = 0
  let either = 0
  let line = 1
  let firstLine = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === 0x0a) line++
    if (byte < 0x80 || !isBesideLetters(bytes, at)) continue
    if (byte === EITHER) either++
    else if (DOS_LETTERS.has(byte)) dos++
    else if (byte >= 0xc0) windows++
    else continue
    firstLine ||= line
  }
  if (dos > 0 && windows === 0) {
    problems?.add('encoding_assumed', firstLine, 'the letters are those of a DOS code page; read as code page 850')
    return 'cp850'
  }
  if ((dos > 0 && windows > 0) || (either > 0 && windows === 0))
    problems?.add('encoding_assumed', firstLine, 'the letters may be those of a DOS code page; read as Windows-1252')
  return 'windows-1252'
}

/** Between two letters, or between a letter and another byte of the upper half: `M\x81ller`, `Gr\x81\xe1e`. */
const isBesideLetters = (bytes: Uint8Array, at: number): boolean =>
  isLetter(bytes[at - 1]) && isLetter(bytes[at + 1]) && (isPlainLetter(bytes[at - 1]) || isPlainLetter(bytes[at + 1]))

const isPlainLetter = (byte: number | undefined): boolean => byte !== undefined && /[A-Za-z]/.test(String.fromCharCode(byte))
const isLetter = (byte: number | undefined): boolean => byte !== undefined && (byte >= 0x80 || isPlainLetter(byte))

/** A DOS code page: it has a letter for every byte, and the platform's own decoder does not know it. */
const isCodePage = (encoding: string): boolean => /^(?:cp|ibm)\d{3}$/i.test(encoding) && iconv.encodingExists(encoding)

/** The encodings a CSV mapping may name. @throws StatementRefused for another one, or when the bytes are not in it. */
export function decodeAs(bytes: Uint8Array, encoding: string): string {
  if (isCodePage(encoding)) return iconv.decode(Buffer.from(bytes), encoding)
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
