import assert from 'node:assert/strict'
import { test } from 'vitest'
import { newId } from './ids.ts'
import { ref, type SubjectRef } from './subject.ts'

test('a subject is an id together with the kind that brands it', () => {
  const id = newId<'credit_transfer'>()
  const subject: SubjectRef = ref('credit_transfer', id)
  assert.deepEqual(subject, { kind: 'credit_transfer', id })
})

test('an id of another kind does not name it', () => {
  // @ts-expect-error An internal transfer's id is no credit transfer's.
  assert.ok(ref('credit_transfer', newId<'internal_transfer'>()))
})
