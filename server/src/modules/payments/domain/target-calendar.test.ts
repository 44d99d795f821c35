import { expect, test } from 'vitest'
import { isTargetDay, nextTargetDay } from './target-calendar.ts'

test.each(['2026-04-03', '2026-04-06', '2026-05-01', '2026-12-25', '2027-01-01', '2027-03-26', '2027-03-29', '2026-03-07'])(
  'the settlement system is closed on %s',
  (date) => expect(isTargetDay(date)).toBe(false),
)

test.each(['2026-05-08', '2026-07-14', '2026-11-11', '2028-04-13'])('and open on %s', (date) =>
  expect(isTargetDay(date)).toBe(true),
)

test('what is sent on a closed day settles on the next open one', () => {
  expect(nextTargetDay('2026-04-02')).toBe('2026-04-02')
  expect(nextTargetDay('2026-04-03')).toBe('2026-04-07')
  expect(nextTargetDay('2026-12-25')).toBe('2026-12-28')
})
