import type { XmlElement } from '@partita/notation/xml'
import { assert } from '../../platform/assert.ts'

/**
 * Checks a document against an ISO 20022 schema, without a native library and within the limits of the safe reader. What these schemas
 * use of XSD is little, so a schema is written down one type per line (continued lines are indented):
 *
 *   Name Part:Type Part:Type? Part:Type* Part:Type?*7     a sequence; `?` may be absent, `*` may repeat, up to 7 times
 *   Name |Part:Type |Part:Type                            a choice of one
 *   Name =TextType @Ccy:TextType                          text with one attribute
 *   Name *any                                             anything
 *   Name ~base facet=value …                              text: a base type of XSD and its facets
 */
export type Schema = ReadonlyMap<string, Type>

type Part = { readonly tag: string; readonly type: string; readonly optional: boolean; readonly max: number }
type Type =
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Part[] }
  | { readonly kind: 'attributed'; readonly text: string; readonly attribute: string; readonly attributeType: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'text'; readonly base: string; readonly check: (text: string) => boolean }

/** The first thing in a document that its schema does not allow. `type` names the schema's type when a value is wrong. */
export type SchemaProblem = Readonly<{ line: number; message: string; type?: string }>

export function compileSchema(notation: string): Schema {
  const lines = notation
    .replace(/\n {2}/g, ' ')
    .split('\n')
    .filter((line) => line !== '')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), compileType(line.slice(line.indexOf(' ') + 1))]))
}

function compileType(rule: string): Type {
  if (rule === '*any') return { kind: 'any' }
  if (rule.startsWith('~')) return compileText(rule.slice(1).split(' '))
  const attributed = /^=(\S+) @(\S+):(\S+)$/.exec(rule)
  if (attributed) {
    const [, text = '', attribute = '', attributeType = ''] = attributed
    return { kind: 'attributed', text, attribute, attributeType }
  }
  const parts = rule.split(' ').map((word): Part => {
    const match = /^\|?(\w+):(\w+)(\??)(\*?)(\d*)$/.exec(word)
    assert(match, `not in the notation: ${word}`)
    const [, tag = '', type = '', optional, repeats, max] = match
    return { tag, type, optional: optional === '?', max: max ? Number(max) : repeats === '*' ? Number.POSITIVE_INFINITY : 1 }
  })
  return { kind: rule.startsWith('|') ? 'choice' : 'sequence', parts }
}

const DATE = /^-?\d{4,}-\d{2}-\d{2}(Z|[+-]\d{2}:\d{2})?$/
const DATE_TIME = /^(-?\d{4,}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)$/

const BASES: Readonly<Record<string, (text: string) => boolean>> = {
  string: () => true,
  boolean: (text) => /^(true|false|0|1)$/.test(text),
  date: (text) => DATE.test(text) && isCalendarDate(text),
  dateTime: (text) => isDateTime(text),
  decimal: (text) => DECIMAL.test(text),
}

function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text)
  if (!match) return false
  const [, date = '', hours, minutes, seconds, fraction = ''] = match
  const midnight = hours === '24' && minutes === '00' && seconds === '00' && !/[1-9]/.test(fraction)
  return isCalendarDate(date) && (midnight || (Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60))
}

function isCalendarDate(text: string): boolean {
  const [year = '', month = '', day = ''] = text
    .replace(/^-/, '')
    .slice(0, text.indexOf('-', 4) + 6)
    .split(/-/)
  const first = Number(month)
  if (first < 1 || first > 12 || Number(day.slice(0, 2)) < 1) return false
  const leap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0)
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][first - 1] ?? 0
  return Number(day.slice(0, 2)) <= days
}

function compileText([base = '', ...facets]: readonly string[]): Type {
  const isBase = BASES[base]
  assert(isBase, `base type ${base} is not known`)
  const checks = facets
    .filter((facet) => facet !== '')
    .map((facet) => facetCheck(facet.slice(0, facet.indexOf('=')), facet.slice(facet.indexOf('=') + 1)))
  // XSD trims every base but string before it looks.
  const look = base === 'string' ? (text: string) => text : (text: string) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
  return { kind: 'text', base, check: (text) => isBase(look(text)) && checks.every((check) => check(look(text))) }
}

function facetCheck(name: string, value: string): (text: string) => boolean {
  const digits = (text: string) => text.replace(/^[+-]/, '').split('.')
  switch (name) {
    case 'minLength':
      return (text) => [...text].length >= Number(value)
    case 'maxLength':
      return (text) => text.length <= Number(value) || [...text].length <= Number(value)
    case 'length':
      return (text) => [...text].length === Number(value)
    case 'pattern': {
      const pattern = new RegExp(`^(?:${value})$`)
      return (text) => pattern.test(text)
    }
    case 'enumeration': {
      const values = new Set(value.split('|'))
      return (text) => values.has(text)
    }
    case 'minInclusive':
      assert(value === '0', 'only zero is used as a lower bound')
      return (text) => !text.startsWith('-') || !/[1-9]/.test(text)
    // Zeros that do not change the value do not count.
    case 'fractionDigits':
      return (text) => (digits(text)[1] ?? '').replace(/0+$/, '').length <= Number(value)
    case 'totalDigits':
      return (text) =>
        (digits(text)[0] ?? '').replace(/^0+/, '').length + (digits(text)[1] ?? '').replace(/0+$/, '').length <= Number(value)
    default:
      throw new Error(`facet ${name} is not known`)
  }
}

/**
 * The first problem of a document, or undefined when it is valid.
 * @param judgedLater says by type and element which values are left to business rules, which name them better and refuse less.
 */
export function schemaProblem(
  schema: Schema,
  root: XmlElement,
  judgedLater: (type: string, tag: string) => boolean = () => false,
): SchemaProblem | undefined {
  return elementProblem({ schema, namespace: root.namespace, judgedLater }, root, 'Document')
}

type Context = {
  readonly schema: Schema
  readonly namespace: string
  readonly judgedLater: (type: string, tag: string) => boolean
}

function elementProblem(context: Context, element: XmlElement, typeName: string): SchemaProblem | undefined {
  const type = context.schema.get(typeName)
  assert(type, `type ${typeName} is not in the schema`)
  if (type.kind === 'any') return undefined
  const attribute = attributeProblem(context, element, type)
  if (attribute) return attribute
  if ('parts' in type) {
    if (/[^ \t\r\n]/.test(element.text)) return { line: element.line, message: `${element.name} holds text beside its elements` }
    return type.kind === 'sequence' ? sequenceProblem(context, element, type.parts) : choiceProblem(context, element, type.parts)
  }
  const inner = element.children[0]
  if (inner) return { line: inner.line, message: `${element.name} is text and cannot hold ${inner.name}` }
  return valueProblem(context, element, element.name, type.kind === 'text' ? typeName : type.text, element.text)
}

function attributeProblem(context: Context, element: XmlElement, type: Type): SchemaProblem | undefined {
  const expected = type.kind === 'attributed' ? type.attribute : undefined
  for (const name of Object.keys(element.attributes)) {
    // Attributes of other namespaces, such as xsi:schemaLocation, are for the reader's tools.
    if (name !== expected && !name.includes(':'))
      return { line: element.line, message: `${element.name} has no attribute ${name.slice(0, 40)}` }
  }
  if (type.kind !== 'attributed') return undefined
  const value = element.attributes[type.attribute]
  if (value === undefined) return { line: element.line, message: `${element.name} lacks its attribute ${type.attribute}` }
  return valueProblem(context, element, `${element.name}/@${type.attribute}`, type.attributeType, value)
}

function valueProblem(
  context: Context,
  element: XmlElement,
  shown: string,
  typeName: string,
  value: string,
): SchemaProblem | undefined {
  const type = context.schema.get(typeName)
  assert(type?.kind === 'text', `${typeName} is no type of text`)
  if (type.check(value) || context.judgedLater(typeName, element.name)) return undefined
  return { line: element.line, message: `${shown} "${value.trim().slice(0, 40)}" is no ${typeName}`, type: typeName }
}

function sequenceProblem(context: Context, element: XmlElement, parts: readonly Part[]): SchemaProblem | undefined {
  let at = 0
  for (const part of parts) {
    let count = 0
    for (; isPart(context, element.children[at], part) && count < part.max; at += 1, count += 1) {
      const problem = elementProblem(context, element.children[at] as XmlElement, part.type)
      if (problem) return problem
    }
    if (count === 0 && !part.optional) return missing(element, element.children[at], part.tag)
  }
  const extra = element.children[at]
  return extra ? unexpected(element, extra) : undefined
}

function choiceProblem(context: Context, element: XmlElement, parts: readonly Part[]): SchemaProblem | undefined {
  const [first, second] = element.children
  const part = parts.find((candidate) => isPart(context, first, candidate))
  if (!part || !first) return missing(element, first, parts.map((candidate) => candidate.tag).join(' or '))
  return elementProblem(context, first, part.type) ?? (second ? unexpected(element, second) : undefined)
}

const isPart = (context: Context, element: XmlElement | undefined, part: Part): boolean =>
  element !== undefined && element.name === part.tag && element.namespace === context.namespace

const missing = (element: XmlElement, instead: XmlElement | undefined, wanted: string): SchemaProblem => ({
  line: instead?.line ?? element.line,
  message: `${element.name} needs ${wanted}${instead ? ` where ${instead.name.slice(0, 40)} stands` : ''}`,
})

const unexpected = (element: XmlElement, extra: XmlElement): SchemaProblem => ({
  line: extra.line,
  message: `${extra.name.slice(0, 40)} is not expected here in ${element.name}`,
})
