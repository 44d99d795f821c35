import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OverlongCheck, overlongIn } from './overlong.ts'

const MEBIBYTE = 1024 * 1024
const utf8 = (text: string) => Buffer.from(text)

test.each<[string, Buffer, string]>([
  ['a comment', utf8(`<?xml version="1.0"?>\n<!--${'<a>\n'.repeat(300_000)}--><a/>`), 'comments'],
  ['a comment in UTF-16', Buffer.from(`\ufeff<a>${' '.repeat(99)}<!--${'x'.repeat(MEBIBYTE)}`, 'utf16le'), 'comments'],
  [
    'a comment in UTF-16, the other way round',
    Buffer.from(`\ufeff<a><!--${'x'.repeat(MEBIBYTE)}`, 'utf16le').swap16(),
    'comments',
  ],
  ['many comments', utf8(`<a>${'<!-- a comment of some length, for nothing -->'.repeat(30_000)}</a>`), 'comments'],
  ['processing instructions', utf8(`<a>${'<?nothing at all, again and again?>'.repeat(40_000)}</a>`), 'processing instructions'],
  ['a CDATA section', utf8(`<a><![CDATA[${'<a>'.repeat(400_000)}]]></a>`), 'a CDATA section'],
  ['a text', utf8(`<a>${'x'.repeat(3 * MEBIBYTE)}</a>`), 'a text or tag'],
  ['a tag', utf8(`<a b="${'x'.repeat(3 * MEBIBYTE)}"/>`), 'a text or tag'],
  ['a line', utf8(`:20:${'x'.repeat(3 * MEBIBYTE)}`), 'a line'],
])('%s without end is refused', (_, bytes, what) => {
  expect(overlongIn(bytes)).toMatchObject({ code: 'too_large', message: `${what} of more than ${MEBIBYTE} bytes` })
})

test.each<[string, Buffer]>([
  [
    'many megabytes of small elements',
    utf8(`<a>${'<b>text</b><!-- c -->\n'.repeat(100)}${'<b c="d">text</b>\n'.repeat(300_000)}</a>`),
  ],
  ['many CDATA sections', utf8(`<a>${'<b><![CDATA[ <!-- no comment ]]></b>'.repeat(100_000)}</a>`)],
  ['many lines', utf8(':61:2603020302D12,50NTRFNONREF\n'.repeat(100_000))],
  ['what is broken in another way', utf8('<a><!-- never closed')],
  ['nothing', utf8('')],
])('%s is let pass', (_, bytes) => {
  expect(overlongIn(bytes)).toBeUndefined()
})

test('however a document comes in pieces, the verdict is the same', () => {
  const part = fc.constantFrom(
    '<a>',
    '</a>',
    'text',
    '<!--',
    '-->',
    '<?',
    '?>',
    '<![CDATA[',
    ']]>',
    '-',
    '<',
    '!',
    'x'.repeat(400_000),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), fc.array(fc.nat(40), { maxLength: 30 }), (parts, cuts) => {
      const bytes = utf8(`<a>${parts.join('')}`)
      const whole = new OverlongCheck()
      const inPieces = new OverlongCheck()
      let at = 0
      let found = false
      for (const cut of cuts) {
        found ||= inPieces.push(bytes.subarray(at, at + cut)) !== undefined
        at += cut
      }
      found ||= inPieces.push(bytes.subarray(at)) !== undefined
      const isComment = (check: OverlongCheck) => check.push(bytes)?.message.startsWith('a text') === false
      // A text's length is judged in steps of the pieces; comments and their like exactly, but for a mark's length.
      if (isComment(whole)) expect(found).toBe(true)
    }),
    { numRuns: 200 },
  )
})
