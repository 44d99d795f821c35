import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantText } from './instant-text.ts'

/** As PostgreSQL writes a time in UTC: no decimals that say nothing. */
const written = (date: Date, micros = '') => {
  const fraction = `${date.toISOString().slice(20, 23)}${micros}`.replace(/0+$/, '')
  return `${date.toISOString().slice(0, 10)} ${date.toISOString().slice(11, 19)}${fraction && `.${fraction}`}+00`
}

test('a time as PostgreSQL writes it is the time as ISO 8601 has it, cut to milliseconds', () => {
  const dates = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(dates, fc.stringMatching(/^\d{3}$/), (date, micros) => {
      expect(instantText(written(date))).toBe(date.toISOString())
      expect(instantText(written(date, micros))).toBe(date.toISOString())
    }),
  )
})

test('a time of another zone is moved to UTC', () => {
  expect(instantText('2026-03-01 09:00:06.12+01')).toBe('2026-03-01T08:00:06.120Z')
})
