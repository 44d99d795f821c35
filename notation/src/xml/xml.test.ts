import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { child, children, node, path, readXml, textOf, writeXml } from './index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const read = (text: string, options = {}) => readXml(bytes(text), options)
const refusal = (text: string, options = {}) => {
  const result = read(text, options)
  return result.ok ? 'accepted' : `${result.problem.line} ${result.problem.code}`
}

describe('reading', () => {
  test('gives names, namespaces, attributes, text and lines', () => {
    const result = read(
      '<?xml version="1.0"?>\n<d:Doc xmlns:d="urn:x" v="1" d:w="2">\n  <A Ccy="EUR">1<!-- no -->2</A>\n  <B><![CDATA[<&]]>&amp;&#x41;</B><A/>\n</d:Doc>',
    )
    if (!result.ok) throw new Error(result.problem.message)
    const { root } = result
    expect([root.name, root.namespace, root.attributes.v, root.attributes['d:w']]).toEqual(['Doc', 'urn:x', '1', '2'])
    expect(children(root, 'A').map((a) => [textOf(a), a.attributes.Ccy, a.line])).toEqual([
      ['12', 'EUR', 3],
      [undefined, undefined, 4],
    ])
    expect(textOf(root, 'B')).toBe('<&&A')
    expect(path(root, 'B/C')).toBeUndefined()
    expect(child(root, 'B')?.line).toBe(4)
  })

  test('leaves values as they are written', () => {
    const result = read('<a><b>0012</b><b>1e3</b><b>0x1A</b><b>true</b></a>')
    expect(result.ok && children(result.root, 'b').map((b) => b.text)).toEqual(['0012', '1e3', '0x1A', 'true'])
  })

  test.each([
    ['UTF-8 with a mark', Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-8"?><a>é€</a>')],
    [
      'UTF-16 little endian',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a>é€</a>', 'utf16le')]),
    ],
    ['UTF-16 without a mark', Buffer.from('<?xml version="1.0" encoding="UTF-16LE"?><a>é€</a>', 'utf16le')],
    ['UTF-16 big endian', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<a>é€</a>', 'utf16le')]).swap16()],
    ['Windows-1252', Buffer.from('<?xml version="1.0" encoding="windows-1252"?><a>\xe9\x80</a>', 'latin1')],
    ['ISO-8859-15', Buffer.from("<?xml version='1.0' encoding='ISO-8859-15'?><a>\xe9\xa4</a>", 'latin1')],
  ])('reads %s', (_, content) => {
    const result = readXml(content)
    expect(result.ok && result.root.text).toBe('é€')
  })

  test('reads the other encodings of Europe', () => {
    const text = (encoding: string, byte: number) => {
      const result = readXml(
        Buffer.from(`<?xml version="1.0" encoding="${encoding}"?><a>${String.fromCharCode(byte)}</a>`, 'latin1'),
      )
      return result.ok && result.root.text
    }
    expect(['iso-8859-7', 'windows-1251', 'iso-8859-9', 'windows-1250'].map((name) => text(name, 0xf0))).toEqual([
      'π',
      'р',
      'ğ',
      'đ',
    ])
  })

  test('refuses an encoding it does not know and bytes that are not what they say', () => {
    expect(refusal('<?xml version="1.0" encoding="cp037"?><a/>')).toBe('1 encoding_unknown')
    const latin = readXml(Buffer.from('<a>\xe9</a>', 'latin1'))
    expect(latin.ok || latin.problem.code).toBe('encoding_broken')
  })
})

describe('hostile documents', () => {
  test.each([
    [
      'an external entity',
      '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<a>&x;</a>',
      '2 document_type_forbidden',
    ],
    [
      'an entity bomb',
      '<!-- <a> -->\n<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
      '2 document_type_forbidden',
    ],
    ['a public document type', '<!DOCTYPE html><html/>', '1 document_type_forbidden'],
    ['an unknown entity', '<a>\n\n&nbsp;</a>', '3 not_well_formed'],
    ['a name from the prototype as entity', '<a>&constructor;</a>', '1 not_well_formed'],
    ['a bare ampersand, at its own line', '<a>\n<b>A & B</b>\n<c>;</c></a>', '2 not_well_formed'],
    ['truncation', '<a>\n<b>1</b>\n', '3 not_well_formed'],
    ['a second root', '<a/>\n<a/>', '2 not_well_formed'],
    ['nothing', '', '1 not_well_formed'],
    ['text', 'hello', '1 not_well_formed'],
    ['a control character', '<a>\n\u0001</a>', '2 not_well_formed'],
    ['an undeclared prefix', '<x:a/>', '1 not_well_formed'],
    ['100 MB', `<a>${' '.repeat(100_000_000)}</a>`, '1 too_large'],
    ['200,000 deep', '<a>'.repeat(200_000), '1 too_deep'],
    ['300 attributes', `<a ${Array.from({ length: 300 }, (_, i) => `b${i}=""`).join(' ')}/>`, '1 too_many_attributes'],
  ])('refuses %s', (_, text, expected) => {
    expect(refusal(text)).toBe(expected)
  })

  test('refuses them for next to nothing', () => {
    const hostile = [
      bytes('<a>'.repeat(200_000)),
      bytes(`<!DOCTYPE a [<!ENTITY x "${'x'.repeat(10_000_000)}">]><a>&x;</a>`),
      new Uint8Array(100_000_000),
    ]
    for (const content of hostile) {
      const before = process.cpuUsage()
      expect(readXml(content, { lenient: true }).ok).toBe(false)
      const used = process.cpuUsage(before)
      expect(used.user + used.system).toBeLessThan(400_000) // microseconds; measured 10,000 to 30,000 on an idle machine
    }
  })

  test('counts elements', () => {
    expect(refusal(`<a>${'<b/>'.repeat(11)}</a>`, { maxElements: 10 })).toBe('1 too_many_elements')
    expect(refusal(`<a>${'<b/>'.repeat(9)}</a>`, { maxElements: 10 })).toBe('accepted')
  })

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ unit: fc.constantFrom('<', '>', '/', 'a', '!', '-', '[', ']', '&', ';', '"', '=', ' ', '?', '\u0000') }),
        fc.boolean(),
        (raw, text, lenient) => {
          readXml(raw, { lenient })
          read(text, { lenient })
        },
      ),
    )
  })
})

describe('lenient reading', () => {
  test('mends what banks send and names it with its line', () => {
    const result = read('\n<?xml version="1.0"?>\n<a x:y="1">12\u00013&#x1F;<b>1</b></a>\u0000', { lenient: true })
    expect(result.ok && result.root.text).toBe('12 3 ')
    expect(result.ok && result.problems.map((p) => `${p.line} ${p.code}`)).toEqual([
      '3 control_characters_replaced',
      '1 leading_space_skipped',
      '3 namespace_prefix_undeclared',
    ])
  })

  test('reads Latin text announced as UTF-8', () => {
    const result = readXml(Buffer.from('<?xml version="1.0" encoding="UTF-8"?>\n<a>\xe9</a>', 'latin1'), { lenient: true })
    expect(result.ok && [result.root.text, result.problems[0]?.code, result.problems[0]?.line]).toEqual([
      'é',
      'encoding_mismatch',
      2,
    ])
  })

  test('still refuses what is broken', () => {
    expect(refusal('<a>\n<b></a>', { lenient: true })).toBe('2 not_well_formed')
    expect(refusal('<a', { lenient: true })).toBe('1 not_well_formed')
  })
})

test('what is written is read back', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('<', '&', '"', "'", '\r', '\n', '\t', ']]>', 'é', '€', '\ud800', '\u0001'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  })
  fc.assert(
    fc.property(text, text, (content, value) => {
      const written = writeXml(node('a', [node('b', content, { v: value }), undefined], { xmlns: 'urn:x' }))
      const result = read(written)
      if (!result.ok) throw new Error(result.problem.message)
      const legal = (s: string) => s.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, ' ')
      expect(child(result.root, 'b')?.text).toBe(legal(content))
      expect(child(result.root, 'b')?.attributes.v).toBe(legal(value))
    }),
  )
})

describe('text that somebody has decoded', () => {
  test('is read as it stands, whatever encoding it announces', () => {
    const result = readXml('\ufeff<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>')
    expect(result.ok && textOf(result.root)).toBe('é')
  })

  test('may not be larger than the limit, nor hold a document type', () => {
    expect(readXml('<a/>', { maxBytes: 3 })).toMatchObject({ ok: false, problem: { code: 'too_large' } })
    expect(readXml('<!DOCTYPE a><a/>')).toMatchObject({ ok: false, problem: { code: 'document_type_forbidden' } })
  })
})

test('a compact document is the same document on one line', () => {
  const root = node('A', [node('B', 'x & "y"', { c: '"' }), node('D', ''), node('E', [node('F', '1')])])
  expect(writeXml(root, { compact: true })).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<A><B c="&quot;">x &amp; "y"</B><D/><E><F>1</F></E></A>\n',
  )
})
