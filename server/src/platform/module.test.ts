import { expect, test } from 'vitest'
import { loadModules, type ModuleLine } from './module.ts'

const line = (name: string, mayCall: string[] = [], own = name): ModuleLine => ({
  name,
  mayCall,
  load: async () => ({ default: { name: own } }),
})

test('modules are loaded in the order of their list', async () => {
  const modules = await loadModules([line('ledger'), line('accounts', ['ledger'])])
  expect(modules.map(({ name }) => name)).toEqual(['ledger', 'accounts'])
})

test.each([
  [
    'a module that may call one that comes after it',
    [line('accounts', ['ledger']), line('ledger')],
    /ledger, which must come before/,
  ],
  ['a module that may call one that is not there', [line('accounts', ['vault'])], /vault, which must come before/],
  ['a module that is listed twice', [line('ledger'), line('ledger')], /ledger is listed twice/],
  ['a manifest under another name', [line('ledger', [], 'leger')], /ledger calls itself leger/],
])('%s is refused', async (_, lines, problem) => {
  await expect(loadModules(lines)).rejects.toThrow(problem)
})
