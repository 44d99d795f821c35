import fc from 'fast-check'
import { isValidIBAN } from 'ibantools'
import { describe, expect, test } from 'vitest'
import { describeWithStandards, readStandard } from '../../../test/support/standards.ts'
import { buildIban, type IssuingCountry, isBic, isCreditorReference, isIban, maskIban, readIban } from './iban.ts'

const reason = (text: string) => {
  const read = readIban(text)
  return read.ok ? read.value : read.refusal
}

describe('reading an IBAN', () => {
  test.each([
    ['FR14 2004 1010 0505 0001 3M02 606', 'FR1420041010050500013M02606'],
    ['fr7630006000011234567890189', 'FR7630006000011234567890189'],
    ['DE89370400440532013000', 'DE89370400440532013000'],
    ['BE68539007547034', 'BE68539007547034'],
    ['GB29NWBK60161331926819', 'GB29NWBK60161331926819'],
    ['NL91ABNA0417164300', 'NL91ABNA0417164300'],
    ['IT60X0542811101000000123456', 'IT60X0542811101000000123456'],
    ['ES9121000418450200051332', 'ES9121000418450200051332'],
    ['PT50000201231234567890154', 'PT50000201231234567890154'],
    ['SM86U0322509800000000270100', 'SM86U0322509800000000270100'],
    ['MC5811222000010123456789030', 'MC5811222000010123456789030'],
    ['FR7630006000011234567890188', 'check_digits_wrong'],
    ['DE88370400440532013000', 'check_digits_wrong'],
    ['LT007180000000000000', 'check_digits_wrong'],
    ['', 'format_invalid'],
    ['DE8937040044053201300é', 'format_invalid'],
    ['ZZ89370400440532013000', 'country_unknown'],
    ['DE8937040044053201300', 'length_wrong'],
    ['DE89370400440532013A00', 'structure_wrong'],
  ])('%j: %s', (text, expected) => {
    expect(reason(text)).toBe(expected)
  })

  test('check digits 00, 01 and 99 are refused although their remainder is right', () => {
    // The remainder cannot tell 97, 98 and 2 from 00, 01 and 99.
    fc.assert(
      fc.property(fc.stringMatching(/^\d{18}$/), (bban) => {
        for (const digits of ['00', '01', '99']) expect(isIban(`DE${digits}${bban}`)).toBe(false)
      }),
    )
  })

  test('a wrong national key is named even when the check digits are right', () => {
    const wrong = buildIban('FR', '1999900001', 7n).slice(4, 25)
    for (let key = 1; key < 97; key += 1) {
      const bban = `${wrong}${String(key).padStart(2, '0')}`
      const found = [...Array(99).keys()]
        .map((d) => reason(`FR${String(d).padStart(2, '0')}${bban}`))
        .filter((r) => r !== 'check_digits_wrong')
      expect(found.length).toBe(1)
      expect(found[0] === 'national_check_digits_wrong' || `FR${found[0]?.slice(2, 4)}${bban}` === found[0]).toBe(true)
    }
  })
})

describeWithStandards('published examples', () => {
  test('of every country are read', () => {
    const lines = new TextDecoder().decode(readStandard('codelists/iban-examples.txt')).split('\n')
    const examples = lines.flatMap((line) => /^[A-Z]{2} .*#([A-Z]{2}\d{2} .+)$/.exec(line)?.[1] ?? [])
    expect(examples.length).toBeGreaterThan(30)
    // CS (Serbia and Montenegro) is no country any more.
    expect(examples.filter((example) => !isIban(example))).toEqual(['CS73 2600 0560 1001 6113 79'])
  })

  test('have the lengths of the registry', () => {
    const registry = JSON.parse(new TextDecoder().decode(readStandard('codelists/iban-registry.json'))) as Record<
      string,
      { iban_length: number; in_sepa_zone: boolean }
    >
    for (const [country, { iban_length, in_sepa_zone }] of Object.entries(registry)) {
      if (
        !in_sepa_zone ||
        ['AX', 'BL', 'GF', 'GG', 'GP', 'IM', 'JE', 'MF', 'MQ', 'NC', 'PF', 'PM', 'RE', 'TF', 'WF', 'YT'].includes(country)
      )
        continue
      expect([country, reason(`${country}00${'0'.repeat(iban_length - 4)}`)]).not.toEqual([country, 'length_wrong'])
    }
  })
})

const CODES: Record<IssuingCountry, string> = {
  FR: '1999900001', DE: '90010001', ES: '99010001', IT: '9990100001', NL: 'PART', BE: '999', PT: '99010001', AT: '99901',
} // biome-ignore format: a table

describe('making an IBAN', () => {
  test('gives one that we and ibantools accept, of that country and bank, another one for each number', () => {
    const country = fc.constantFrom(...(Object.keys(CODES) as IssuingCountry[]))
    fc.assert(
      fc.property(country, fc.bigInt(1n, 9_000_000n), fc.bigInt(1n, 9_000_000n), (of, a, b) => {
        const iban = buildIban(of, CODES[of], a)
        expect(reason(iban)).toBe(iban)
        expect(isValidIBAN(iban)).toBe(true)
        expect(iban.slice(0, 2)).toBe(of)
        expect(iban).toContain(CODES[of])
        expect(buildIban(of, CODES[of], b) === iban).toBe(a === b)
      }),
    )
  })

  test('accepts any bank code and letters nowhere but in the Dutch one', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{10}$/), fc.bigInt(1n, 99_999_999_999n), (bank, number) => {
        expect(isValidIBAN(buildIban('FR', bank, number))).toBe(true)
        expect(isValidIBAN(buildIban('IT', bank, number))).toBe(true)
      }),
    )
    expect(() => buildIban('FR', 'ABCDEFGHIJ', 1n)).toThrow()
    expect(() => buildIban('DE', '90010001', 10_000_000_000n)).toThrow(/too long/)
    expect(() => buildIban('DE', '90010001', 0n)).toThrow()
  })

  test('Dutch account numbers pass the eleven-test and do not repeat', () => {
    const seen = new Set<string>()
    for (let number = 1n; number <= 5_000n; number += 1n) {
      const account = buildIban('NL', 'PART', number).slice(8)
      expect([...account].reduce((sum, digit, index) => sum + Number(digit) * (10 - index), 0) % 11).toBe(0)
      seen.add(account)
    }
    expect(seen.size).toBe(5_000)
  })
})

describe('beside the IBAN', () => {
  test('masking keeps country and length only', () => {
    expect(maskIban('FR7630006000011234567890189')).toBe(`FR${'X'.repeat(25)}`)
    expect(maskIban('')).toBe('')
  })

  test.each([
    ['COBADEFF', true],
    ['COBADEFFXXX', true],
    ['AGRIFRPP882', true],
    ['12TSDE55', true],
    ['cobadeff', false],
    ['COBADEF', false],
    ['COBAZZFF', false],
    ['COBADEFFXX', false],
    ['NOTPROVIDED', false],
  ])('BIC %s: %s', (text, expected) => {
    expect(isBic(text)).toBe(expected)
  })

  test.each([
    ['RF18539007547034', true],
    ['rf18 5390 0754 7034', true],
    ['RF19539007547034', false],
    ['INV-1', false],
  ])('creditor reference %s: %s', (text, expected) => {
    expect(isCreditorReference(text)).toBe(expected)
  })
})
