import { expect, test } from 'vitest'
import { permissionsOfRoles } from './permissions.ts'

test('a role holds what modules declare for it, and nothing else', () => {
  const of = permissionsOfRoles({
    'transfers.order': { describe: 'Order transfers.', roles: ['owner', 'manager'] },
    'labels.read': { describe: 'See labels.', roles: ['owner', 'manager', 'employee'] },
  })
  expect([...of('manager')]).toEqual(['transfers.order', 'labels.read'])
  expect([...of('employee')]).toEqual(['labels.read'])
  expect([...of('constructor')]).toEqual([])
})
