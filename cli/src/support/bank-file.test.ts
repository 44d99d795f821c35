import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noStatement } from '../../../server/src/formats/statements/index.ts'
import { readBankFile } from './bank-file.ts'

const MEGABYTE = 1024 * 1024
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'partita-test-file-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function fileOf(head: string, bytes = head.length): string {
  const file = join(folder, `${Math.random()}`)
  writeFileSync(file, head)
  truncateSync(file, bytes)
  return file
}

test.each<[string, string, string]>([
  ['a comment', '<?xml version="1.0"?><!--', 'too_large'],
  ['nothing but zeroes', '', 'unknown_format'],
  ['a PDF', '%PDF-1.7', 'unknown_format'],
])('of a hundred megabytes of %s, no more is read than shows what it is', (_, head, code) => {
  const file = fileOf(head, 100 * MEGABYTE)
  const memory = process.memoryUsage().rss
  const cpu = process.cpuUsage()
  expect(readBankFile(file, 256 * MEGABYTE, noStatement)).toMatchObject({ code })
  const { user, system } = process.cpuUsage(cpu)
  expect((user + system) / 1_000).toBeLessThan(50)
  expect(process.memoryUsage().rss - memory).toBeLessThan(64 * MEGABYTE)
})

test('what never ends is read no further than allowed', () => {
  expect(readBankFile('/dev/zero', 5 * MEGABYTE)).toMatchObject({ code: 'too_large' })
})

test('a file that is one is read whole', () => {
  const lines = ':61:2603020302D12,50NTRFNONREF\n'.repeat(100_000)
  expect(Buffer.from(readBankFile(fileOf(lines), 256 * MEGABYTE, noStatement) as Uint8Array).toString()).toBe(lines)
  expect(readBankFile(fileOf(''), 10)).toHaveLength(0)
  expect(() => readBankFile(join(folder, 'none'), 10)).toThrow('ENOENT')
})
