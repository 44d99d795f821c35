import { addDays, type LocalDate } from '../../../platform/clock.ts'

/** Whether the euro settlement system is open: not on Saturday and Sunday, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB). */
export function isTargetDay(date: LocalDate): boolean {
  const weekday = new Date(`${date}T00:00:00.000Z`).getUTCDay()
  if (weekday === 0 || weekday === 6) return false
  if (['01-01', '05-01', '12-25', '12-26'].includes(date.slice(5))) return false
  const easter = easterSunday(Number(date.slice(0, 4)))
  return date !== addDays(easter, -2) && date !== addDays(easter, 1)
}

/** The day itself when the settlement system is open on it, else the next one on which it is. */
export function nextTargetDay(date: LocalDate): LocalDate {
  let day = date
  while (!isTargetDay(day)) day = addDays(day, 1)
  return day
}

/** Gregorian computus; the letters are those of its usual statement (sepa.md §2). */
function easterSunday(year: number): LocalDate {
  const a = year % 19
  const b = Math.trunc(year / 100)
  const c = year % 100
  const d = Math.trunc(b / 4)
  const e = b % 4
  const f = Math.trunc((b + 8) / 25)
  const g = Math.trunc((b - f + 1) / 3)
  const h = (19 * a + b - d - g + 15) % 30
  const i = Math.trunc(c / 4)
  const k = c % 4
  const l = (32 + 2 * e + 2 * i - h - k) % 7
  const m = Math.trunc((a + 11 * h + 22 * l) / 451)
  const dayOfMarch = h + l - 7 * m + 22 // 1 is 1 March, 32 is 1 April
  return addDays(`${year}-03-01`, dayOfMarch - 1)
}
