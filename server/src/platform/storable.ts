/**
 * Whether PostgreSQL can hold a value's text, as text and as jsonb: no NUL and no half of a surrogate pair in any string, however deep, nor
 * in any name of a member.
 */
export function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000')
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isStorable)
  return Object.entries(value).every(([name, member]) => isStorable(name) && isStorable(member))
}
