import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { HttpRefusal } from './api-error.ts'

// With escaped backslashes taken out, a `\u` that is left is an escape.
const NUL_OR_HALF_A_CHARACTER =
  /\\u0000|\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}/i

/** Whether a JSON text holds what no PostgreSQL text or jsonb can: NUL, or one half of a surrogate pair. Both can only be written as escapes. */
export const hasUnstorableText = (json: string): boolean =>
  json.includes('\u0000') || (json.includes('\\u') && NUL_OR_HALF_A_CHARACTER.test(json.replaceAll('\\\\', '')))

/** JSON bodies and no others, refused when they are not UTF-8, try to reach a prototype, or hold text that cannot be stored. */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    // Decoding would put a replacement character in place of every byte that is none, and somebody's name would be changed in silence.
    if (!isUtf8(body as Buffer)) {
      done(new HttpRefusal(400, [{ code: 'malformed_json', detail: 'The request body is not UTF-8' }]))
      return
    }
    const json = (body as Buffer).toString('utf8')
    if (hasUnstorableText(json)) {
      done(
        new HttpRefusal(422, [
          { code: 'invalid', detail: 'the body has characters that are none: NUL or half a surrogate pair' },
        ]),
      )
    } else parse(request, json, done)
  })
}
