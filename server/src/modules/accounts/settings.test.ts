import { expect, test } from 'vitest'
import { bicOfCountry } from './settings.ts'

test('the made-up bank has a branch in each country, a bank of its own name has the BIC that it was given', () => {
  expect(bicOfCountry({ bic: 'PARTFRPPXXX' }, 'DE')).toBe('PARTDEPPXXX')
  expect(bicOfCountry({ bic: 'PARTFRPPXXX' }, 'FR')).toBe('PARTFRPPXXX')
  expect(bicOfCountry({ bic: 'COBADEFFXXX' }, 'FR')).toBe('COBADEFFXXX')
})
