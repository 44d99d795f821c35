import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'

/** An aggregate or element of OFX. An element has text, an aggregate children. */
export type OfxNode = { name: string; text: string; children: OfxNode[]; line: number }

const DEPTH_MAX = 60
const NODES_MAX = 1_000_000

/** Elements that are allowed to be empty and unclosed, so that what follows is not taken for their content. */
const ELEMENTS = new Set(
  'CODE SEVERITY MESSAGE DTSERVER LANGUAGE DTPROFUP DTACCTUP ORG FID TRNUID CLTCOOKIE CURDEF BANKID BRANCHID ACCTID ACCTTYPE ACCTKEY DTSTART DTEND TRNTYPE DTPOSTED DTUSER DTAVAIL TRNAMT FITID CORRECTFITID CORRECTACTION SRVRTID CHECKNUM REFNUM SIC PAYEEID NAME MEMO EXTDNAME BALAMT DTASOF CURRATE CURSYM ADDR1 ADDR2 ADDR3 CITY STATE POSTALCODE COUNTRY PHONE MKTGINFO USERKEY SESSCOOKIE'.split(
    ' ',
  ),
)

/** Aggregates that hold money or hold what does: never taken for an empty element, even when their end is missing. */
const AGGREGATES = new Set(
  'OFX BANKMSGSRSV1 CREDITCARDMSGSRSV1 STMTTRNRS CCSTMTTRNRS STMTRS CCSTMTRS BANKTRANLIST STMTTRN BANKACCTFROM CCACCTFROM LEDGERBAL AVAILBAL'.split(
    ' ',
  ),
)

/**
 * Reads OFX 1 (SGML: elements need not be closed) and OFX 2 (XML) into one kind of tree. Nothing is expanded but the usual entities.
 * An aggregate must be closed: a file that ends before `</OFX>` is truncated.
 *
 * @throws StatementRefused `document_type_forbidden`, `too_deep`, `too_many_elements`, `not_well_formed`, `truncated`.
 */
export function readOfxTree(source: string, problems: ProblemList): OfxNode {
  const start = source.search(/<OFX\s*>/i)
  if (start < 0) throw new StatementRefused('truncated', 1, 'an OFX header without <OFX>')
  refuseDeclarations(source)
  const closed = new Set([...source.matchAll(/<\/([A-Za-z0-9_.]+)\s*>/g)].map((match) => (match[1] ?? '').toUpperCase()))
  const root: OfxNode = { name: '', text: '', children: [], line: 1 }
  const stack: OfxNode[] = [root]
  let nodes = 0
  let line = lineNumber(source, start)
  let lineAt = start
  const lineOf = (index: number): number => {
    for (; lineAt < index; lineAt += 1) if (source.charCodeAt(lineAt) === 10) line += 1
    return line
  }
  // A comment, or a tag with the text behind it.
  const token =
    /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z][A-Za-z0-9_.]*)(?:\s[^<>]*)?(\/?)>([^<]*)|<\?[^>]*\?>|</g
  token.lastIndex = start
  for (let match = token.exec(source); match; match = token.exec(source)) {
    const [whole, cdata, slash, tag, selfClosed, after = ''] = match
    if (cdata !== undefined) {
      const open = stack.at(-1)
      if (open) open.text += cdata
      continue
    }
    if (tag === undefined) {
      // A lone `<` inside text, as in `<NAME>A < B`: it belongs to the element before it.
      const previous = stack.at(-1)?.children.at(-1)
      if (whole === '<' && previous)
        previous.text += `<${/^[^<]*/.exec(source.slice(match.index + 1, match.index + 200))?.[0] ?? ''}`.trimEnd()
      continue
    }
    const name = tag.toUpperCase()
    const at = lineOf(match.index)
    if (slash === '/') {
      closeAggregate(stack, name, at, problems)
      if (stack.length === 1) break
      continue
    }
    nodes += 1
    if (nodes > NODES_MAX) throw new StatementRefused('too_many_elements', at, `more than ${NODES_MAX} elements`)
    const text = decodeEntities(after)
    const node: OfxNode = { name, text, children: [], line: at }
    stack.at(-1)?.children.push(node)
    const isElement =
      !AGGREGATES.has(name) && (text.trim() !== '' || selfClosed === '/' || ELEMENTS.has(name) || !closed.has(name))
    if (!isElement) stack.push(node)
    if (stack.length > DEPTH_MAX)
      throw new StatementRefused('too_deep', at, `more than ${DEPTH_MAX} aggregates inside each other`)
  }
  if (stack.length > 1)
    throw new StatementRefused('truncated', lineOf(source.length), `the file ends inside <${stack.at(-1)?.name}>`)
  const ofx = root.children[0]
  if (!ofx) throw new StatementRefused('truncated', 1, 'there is no <OFX>')
  return ofx
}

function closeAggregate(stack: OfxNode[], name: string, line: number, problems: ProblemList): void {
  if (stack.at(-1)?.name === name) {
    stack.pop()
    return
  }
  // `</MEMO>` after `<MEMO>text`: the element was never on the stack.
  if (stack.at(-1)?.children.at(-1)?.name === name) return
  const depth = stack.findLastIndex((open) => open.name === name)
  if (depth > 0) throw new StatementRefused('not_well_formed', line, `</${name}> while <${stack.at(-1)?.name}> is open`)
  if (AGGREGATES.has(name)) throw new StatementRefused('not_well_formed', line, `</${name}> without <${name}>`)
  problems.add('text_ignored', line, `${quoted(`</${name}>`)} closes nothing`)
}

function refuseDeclarations(source: string): void {
  const at = source.search(/<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST)/i)
  if (at >= 0)
    throw new StatementRefused('document_type_forbidden', lineNumber(source, at), 'a document type (DTD) is not accepted')
}

const lineNumber = (source: string, index: number): number => source.slice(0, index).split('\n').length

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** Known entities and character references; any other `&` is the character itself, as many banks leave it unescaped. */
const decodeEntities = (text: string): string =>
  text.includes('&')
    ? text.replace(
        /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi,
        (whole, decimal?: string, hex?: string, name?: string) => {
          if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole
          const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
          return code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' '
        },
      )
    : text

/** The first node of that name directly inside. */
export const inside = (node: OfxNode | undefined, name: string): OfxNode | undefined =>
  node?.children.find((inner) => inner.name === name)

/** The text of an element directly inside; undefined when missing or empty. */
export const ofxText = (node: OfxNode | undefined, name: string): string | undefined =>
  inside(node, name)?.text.trim() || undefined

/** Every node of one of these names, at any depth, in order. */
export function everywhere(node: OfxNode, names: readonly string[]): OfxNode[] {
  return node.children.flatMap((inner) => (names.includes(inner.name) ? [inner] : everywhere(inner, names)))
}
