import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataFolder } from './data-folder.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'partita-test-data-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a new data folder is its owner’s alone: where root keeps it, others may pass through and not look', () => {
  const made = dataFolder(join(folder, 'new/bank'))
  expect(statSync(made).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700)
})

test('a folder that is there keeps the rights that somebody gave it', () => {
  const before = statSync(folder).mode
  expect(statSync(dataFolder(folder)).mode).toBe(before)
})
