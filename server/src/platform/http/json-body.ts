import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { type ApiError, atPointer, HttpRefusal } from './api-error.ts'

/** JSON bodies and no others, in UTF-8 and as they are, without doubled members, prototypes, or text that cannot be stored or shown. */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    // Clients announce JSON with every method; where no body is declared, an empty one is none (qonto-api.md §50).
    if (body.length === 0 && !request.routeOptions.schema?.body) return done(null, undefined)
    const label = unreadLabel(request.headers)
    if (label) return done(new HttpRefusal(400, [{ code: 'bad_request', detail: label }]))
    // Decoding would put a replacement character in place of every byte that is none, and somebody's name would be changed in silence.
    if (!isUtf8(body as Buffer))
      return done(new HttpRefusal(400, [{ code: 'malformed_json', detail: 'The request body is not UTF-8' }]))
    const json = (body as Buffer).toString('utf8')
    parse(request, json, (error, value) => {
      if (error) return done(error)
      const problem = problemOf(value, json)
      if (problem) done(new HttpRefusal(422, [problem]))
      else done(null, value)
    })
  })
}

/** A body that announces another encoding than it is read in would be read as something that its sender did not write. */
function unreadLabel(headers: IncomingHttpHeaders): string | undefined {
  const coding = headers['content-encoding']
  if (coding !== undefined && !/^\s*identity\s*$/i.test(coding))
    return 'Content-Encoding must be absent: bodies are read as they are'
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1]
  return charset === undefined || /^utf-?8$/i.test(charset) ? undefined : 'The charset of the request body must be UTF-8'
}

/**
 * The first thing in a parsed body that no handler should see: text that no database stores or no screen shows, or a member that stands twice,
 * of which a proxy may read the one and we the other. Judged by the value, in one place, whatever the field.
 */
export function problemOf(value: unknown, json: string): ApiError | undefined {
  const walked = walk(value)
  if (typeof walked !== 'number') return walked
  return countMembers(json) === walked ? undefined : doubled(json)
}

// NUL and controls but tab and line breaks; marks that turn the direction of what follows, so that a name or an amount reads as another.
const UNSHOWABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** Whether a text can be stored (no half of a surrogate pair, no NUL) and shown as it is. */
export const isPlainText = (text: string): boolean => text.isWellFormed() && !UNSHOWABLE.test(text)

/** A value of the body, and where it stands. */
type Node = { readonly value: unknown; readonly name: string | number; readonly parent: Node | undefined }

/**
 * Looks at every text of a body. A list of what is still to be seen, not recursion: a field that we do not know may be as deep as it likes.
 * @returns how many members its objects have, or what is wrong.
 */
function walk(body: unknown): number | ApiError {
  let members = 0
  const waiting: Node[] = [{ value: body, name: '', parent: undefined }]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const { value } = node
    if (typeof value === 'string') {
      if (!isPlainText(value)) return unshowable(pathOf(node))
    } else if (Array.isArray(value)) {
      for (let index = value.length - 1; index >= 0; index--) waiting.push({ value: value[index], name: index, parent: node })
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        members++
        if (!isPlainText(name)) return unshowable(pathOf(node))
        if (typeof member === 'string' || (typeof member === 'object' && member !== null))
          waiting.push({ value: member, name, parent: node })
      }
    }
  }
  return members
}

function pathOf(node: Node): string {
  const names: string[] = []
  for (let at: Node | undefined = node; at?.parent; at = at.parent) names.unshift(escaped(String(at.name)))
  return names.map((name) => `/${name}`).join('')
}

const unshowable = (at: string): ApiError => {
  const field = at.slice(at.lastIndexOf('/') + 1) || 'the body'
  return atPointer('invalid', `${field} has characters that cannot be stored or shown`, at || '/')
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

const BACKSLASH = 92
const COLON = 58

/** Where a string that begins at `from` ends, the quotation mark included. The text is valid JSON. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); ; at = json.indexOf('"', at + 1)) {
    let escapes = 0
    while (json.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return at + 1
  }
}

const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 10 || code === 13

/** How many members the objects of a valid JSON text have as they are written: a string with a colon behind it is a name. */
function countMembers(json: string): number {
  let members = 0
  for (let at = json.indexOf('"'); at >= 0; at = json.indexOf('"', at)) {
    at = endOfString(json, at)
    while (isSpace(json.charCodeAt(at))) at++
    if (json.charCodeAt(at) === COLON) members++
  }
  return members
}

/** Finds the member that stands twice, for the answer: the slow way, taken only when there is one. */
function doubled(json: string): ApiError {
  const open: { names: Set<string>; at: string; name: string; index: number; isList: boolean }[] = []
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    const inside = open.at(-1)
    if (character === '{' || character === '[') {
      const where = inside ? `${inside.at}/${inside.isList ? inside.index : escaped(inside.name)}` : ''
      open.push({ names: new Set(), at: where, name: '', index: 0, isList: character === '[' })
    } else if (character === '}' || character === ']') open.pop()
    else if (character === ',' && inside) inside.index++
    else if (character === '"') {
      const end = endOfString(json, at)
      let next = end
      while (isSpace(json.charCodeAt(next))) next++
      if (json.charCodeAt(next) === COLON && inside) {
        inside.name = JSON.parse(json.slice(at, end)) as string
        if (inside.names.has(inside.name))
          return atPointer(
            'invalid',
            `${inside.name.slice(0, 100)} is given more than once`,
            `${inside.at}/${escaped(inside.name)}`,
          )
        inside.names.add(inside.name)
      }
      at = end - 1
    }
  }
  return { code: 'invalid', detail: 'a field is given more than once' }
}
