import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { identifierProblem, isSepaText, toSepaText } from './sepa-text.ts'

describe('SEPA characters', () => {
  test.each([
    ['Müller & Söhne - "Café" №5', "Muller + Sohne - 'Cafe' .5"],
    ['Ærø Œuvre Łódź Đuro Þór Straße', 'Aro Ouvre Lodz Duro Tor Strase'],
    ['a_b;c[d]{e}|f\\g€', 'a-b,c(d)(e)/f/gE'],
    ['Ωμέγα Ψυχή', 'Omega PSychi'],
    ['Щастие Йордан', 'SHTastie Yordan'],
    ['  two\t\nlines\u00a0here ', 'two lines here'],
    ['e\u0301 and u\u0308', 'e and u'],
    ['smile 🙂!', 'smile ..'],
    ['zero\u200bwidth', 'zerowidth'],
    ["A/B-C?D:E(F)G.H,I'J+K", "A/B-C?D:E(F)G.H,I'J+K"],
    ['漢字', '..'],
    ['\u0301', '.'],
    ['', ''],
    ['   ', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(toSepaText(text)).toBe(expected)
  })

  test.each([
    ['Müller & Söhne - "Café" №5', "Mueller + Soehne - 'Cafe' .5"],
    ['Österreich ÖSTERREICH Straße', 'Oesterreich OESTERREICH Strasse'],
    ['u\u0308ber', 'ueber'],
  ])('German practice: %j becomes %j', (text, expected) => {
    expect(toSepaText(text, 'german')).toBe(expected)
  })

  test('every text becomes SEPA text, stays it, and never becomes empty', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.constantFrom('epc' as const, 'german' as const),
        (text, practice) => {
          const converted = toSepaText(text, practice)
          expect(isSepaText(converted)).toBe(true)
          expect(toSepaText(converted, practice)).toBe(converted)
          expect(converted === '').toBe(text.trim() === '')
        },
      ),
    )
  })

  test('SEPA text of one-blank words stays as it is', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9/\-?:().,'+]{1,8}$/)
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(toSepaText(words.join(' '))).toBe(words.join(' '))
      }),
    )
  })
})

describe('identifiers', () => {
  test.each([
    ['FACT-2026/118', undefined],
    ['NOTPROVIDED', undefined],
    ['A'.repeat(35), undefined],
    ['A'.repeat(36), 'too_long'],
    ['  ', 'empty'],
    ['/A', 'slash_at_the_edge'],
    ['A/', 'slash_at_the_edge'],
    ['A//B', 'double_slash'],
    ['A&B', 'characters_not_allowed'],
    ['Ä', 'characters_not_allowed'],
  ])('%j: %s', (text, expected) => {
    expect(identifierProblem(text)).toBe(expected)
  })
})
