import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { identify } from '../../../server/src/platform/processes.ts'
import { withTestFolder } from './test-folder.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'partita-home-'))
  vi.stubEnv('TMPDIR', home)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true, force: true })
})

test('a run has a folder of its own, and nothing of it is left, also when it is interrupted', async () => {
  const interrupted = withTestFolder(async (folder) => {
    mkdirSync(join(folder, 'left', 'behind'), { recursive: true })
    throw new Error('interrupted')
  })
  await expect(interrupted).rejects.toThrow('interrupted')
  expect(readdirSync(home)).toEqual([])
})

test('what a killed run left goes with the next; what belongs to a run that goes on stays', async () => {
  const folders = [
    ['partita-tests-killed', { pid: process.pid, startedAt: 'another boot/1' }],
    ['partita-tests-alive', identify(process.pid)],
    ['somebody-elses', { pid: 1, startedAt: 'another boot/1' }],
  ] as const
  for (const [name, owner] of folders) {
    mkdirSync(join(home, name))
    writeFileSync(join(home, name, 'owner.json'), JSON.stringify(owner))
  }
  await withTestFolder(async (folder) => expect(existsSync(folder)).toBe(true))
  expect(readdirSync(home).sort()).toEqual(['partita-tests-alive', 'somebody-elses'])
})
