import { lineAt, Refused, type XmlProblem } from './problems.ts'

/** Names for what TextDecoder calls Windows-1252, and for UTF-8. ISO-8859-1 differs from it in unused controls only. */
const ENCODINGS: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  'us-ascii': 'windows-1252',
  ascii: 'windows-1252',
  'iso-8859-1': 'windows-1252',
  'iso8859-1': 'windows-1252',
  'iso_8859-1': 'windows-1252',
  latin1: 'windows-1252',
  cp1252: 'windows-1252',
}

/** Those that are as good as text: no encoding in which `<` could be something else. */
const OTHER_ENCODINGS = /^(?:utf-8|utf-16|utf-16le|utf-16be|windows-125[0-8]|iso-8859-(?:[2-9]|1[03-6])|koi8-[ru])$/

const encodingNamed = (name: string): string | undefined => ENCODINGS[name] ?? (OTHER_ENCODINGS.test(name) ? name : undefined)

/** Bytes to text by byte order mark, else by the XML declaration, else UTF-8. */
export function decodeXml(bytes: Uint8Array, lenient: boolean, problems: XmlProblem[]): string {
  const marked = markedEncoding(bytes)
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 400))
  const declared = /^\s*(?:\u00ef\u00bb\u00bf)?\s*<\?xml[^>]{0,300}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/
    .exec(head)?.[1]
    ?.toLowerCase()
  let encoding = marked ?? (declared === undefined ? 'utf-8' : encodingNamed(declared))
  if (encoding === undefined) throw new Refused('encoding_unknown', 1, `encoding "${declared}" is not read`)
  // Declared UTF-16 without the zero bytes of UTF-16: the declaration itself was readable, so it is wrong.
  if (!marked && encoding.startsWith('utf-16')) encoding = 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    if (!lenient || encoding !== 'utf-8') throw new Refused('encoding_broken', 1, `the bytes are not ${encoding}`)
    const text = new TextDecoder('windows-1252').decode(bytes)
    const line = lineAt(text, Math.max(0, text.search(/[\u0080-\uffff]/)))
    problems.push({ code: 'encoding_mismatch', line, message: 'the bytes are not UTF-8; read as Windows-1252' })
    return text
  }
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a === 0x3c && b === 0 && c === 0x3f && d === 0) return 'utf-16le'
  if (a === 0 && b === 0x3c && c === 0 && d === 0x3f) return 'utf-16be'
  return undefined
}

/** Everything XML 1.0 does not allow as a character: most controls, lone surrogates, two non-characters. */
export const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const isForbiddenCode = (code: number): boolean =>
  !(
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 32 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  )

export function mend(source: string, problems: XmlProblem[]): { text: string; skippedLines: number } {
  let firstAt = -1
  let count = 0
  const replace = (at: number): string => {
    if (firstAt < 0 || at < firstAt) firstAt = at
    count += 1
    return ' '
  }
  const plain = source.replace(FORBIDDEN, (_, at: number) => replace(at))
  let text = plain.replace(
    /&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));/g,
    (whole, hex: string | undefined, decimal: string | undefined, at: number) =>
      isForbiddenCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) ? replace(at) : whole,
  )
  if (count > 0) {
    const message = `${count} character${count === 1 ? '' : 's'} that XML forbids, read as space`
    problems.push({ code: 'control_characters_replaced', line: lineAt(plain, firstAt), message })
  }
  const lead = /^\s+(?=<)/.exec(text)?.[0]
  if (lead === undefined) return { text, skippedLines: 0 }
  text = text.slice(lead.length)
  if (text.startsWith('<?xml'))
    problems.push({ code: 'leading_space_skipped', line: 1, message: 'blanks before the XML declaration' })
  return { text, skippedLines: lineAt(lead, lead.length) - 1 }
}
