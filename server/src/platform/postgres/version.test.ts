import { expect, test } from 'vitest'
import { tooOld } from './version.ts'

test.each(['18.4', '18.0 (Debian 18.0-1)', '19beta1', '20.1'])('PostgreSQL %s is new enough', (version) => {
  expect(tooOld(version)).toBeUndefined()
})

test.each(['15.18 (Debian 15.18-0+deb12u1)', '17.6', '9.6.24'])('PostgreSQL %s is refused by its number', (version) => {
  expect(tooOld(version)).toMatch(new RegExp(`needs PostgreSQL 18 or newer, and this is ${version.split(' ')[0]}$`))
})
