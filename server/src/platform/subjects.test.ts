import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ref } from './subject.ts'
import { fingerprintOf, Subjects, subjectKind } from './subjects.ts'

const facts = fc.record({ title: fc.string(), facts: fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 }) })
const hex = (of: Parameters<typeof fingerprintOf>[0]) => fingerprintOf(of).toString('hex')

test('a fingerprint does not depend on the order of the facts', () => {
  fc.assert(
    fc.property(facts, ({ title, facts: given }) => {
      const turned = Object.fromEntries(Object.entries(given).reverse())
      expect(hex({ title, facts: turned })).toBe(hex({ title, facts: given }))
    }),
  )
})

test('no two different things that are agreed to have one fingerprint', () => {
  const canonical = ({ title, facts: given }: Parameters<typeof fingerprintOf>[0]) =>
    JSON.stringify([title, Object.entries(given).sort()])
  fc.assert(
    fc.property(facts, facts, (a, b) => {
      expect(hex(a) === hex(b)).toBe(canonical(a) === canonical(b))
    }),
  )
  expect(hex({ title: '', facts: { a: 'b', c: 'd' } })).not.toBe(hex({ title: '', facts: { a: 'b","c":"d' } }))
})

const parcels = (decided: string[]) =>
  subjectKind<'parcel'>({
    kind: 'parcel',
    describe: async (_, ids) =>
      new Map(ids.filter((id) => id !== 'lost').map((id) => [id, { title: `Parcel ${id}`, facts: { weight: '2 kg' } }])),
    decisions: {
      approved: async (_ctx, _tx, id) => void decided.push(`sent ${id}`),
      refused: async (_ctx, _tx, id, because) => void decided.push(`kept ${id}: ${because}`),
    },
  })
const letters = subjectKind<'letter'>({ kind: 'letter', describe: async () => new Map() })
const nothing = undefined as never
const parcel = (id: string) => ref('parcel', id as never)

test('subjects are described by the modules that own them, and those that are not there are left out', async () => {
  const subjects = new Subjects([parcels([]), letters])
  const described = await subjects.describe(nothing, [
    parcel('1'),
    parcel('lost'),
    ref('letter', '1' as never),
    ref('ghost', '1' as never),
  ])
  expect([...described]).toEqual([['parcel/1', { title: 'Parcel 1', facts: { weight: '2 kg' } }]])
})

test('a decision is carried out by the subject’s module, and only for kinds that are approved', async () => {
  const decided: string[] = []
  const subjects = new Subjects([parcels(decided), letters])
  await subjects.decisionsOf('parcel').approved(nothing, nothing, '1' as never)
  await subjects.decisionsOf('parcel').refused(nothing, nothing, '2' as never, 'too heavy')
  expect(decided).toEqual(['sent 1', 'kept 2: too heavy'])
  expect(() => subjects.decisionsOf('letter')).toThrow(/nothing that is approved/)
  expect(() => subjects.decisionsOf('ghost')).toThrow(/nothing that is approved/)
})

test('a kind is registered once', () => {
  expect(() => new Subjects([letters, letters])).toThrow(/two modules register/)
})
