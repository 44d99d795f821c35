import { describe, expect, test } from 'vitest'
import { asId, derivedId, knownId, newId } from './ids.ts'

describe('ids', () => {
  test('new ids are UUID version 7, all different, and sort in the order they were made', () => {
    const ids = Array.from({ length: 20_000 }, () => newId<'test'>())
    expect(new Set(ids).size).toBe(ids.length)
    expect([...ids].sort()).toEqual(ids)
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true)
  })

  test('a derived id repeats for the same parts and differs for any other', () => {
    expect(derivedId('key', 'a', 1)).toBe(derivedId('key', 'a', 1))
    const others = [derivedId('key', 'a', 2), derivedId('other', 'a', 1), derivedId('key', 'a1'), derivedId('key', 'a', '1', '')]
    expect(new Set([derivedId('key', 'a', 1), ...others]).size).toBe(5)
    expect(asId(derivedId('key', 'a'))).toBeDefined()
  })

  test('reads ids in any case, and refuses what is no UUID', () => {
    const id = newId<'test'>()
    expect(asId(id.toUpperCase())).toBe(id)
    expect(asId('42')).toBeUndefined()
    expect(asId(`${id}0`)).toBeUndefined()
    expect(() => knownId('42')).toThrow()
  })
})
