import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BufferedOutput } from './buffered-output.ts'

test('lines arrive whole and in their order, the last ones when it is flushed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'partita-output-'))
  const file = join(folder, 'log')
  const fd = openSync(file, 'w')
  const output = new BufferedOutput(fd)
  const lines = Array.from({ length: 2_000 }, (_, at) => `${'é'.repeat(at % 50)} ${at}\n`)
  for (const line of lines.slice(0, 1_990)) output.write(line)
  await expect.poll(() => readFileSync(file, 'utf8').split('\n').length).toBe(1_991)
  for (const line of lines.slice(1_990)) output.write(line)
  output.flush()
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''))
  rmSync(folder, { recursive: true })
})

test('a disk that is full loses lines, and neither ends nor holds the process', async () => {
  const fd = openSync('/dev/full', 'w')
  const output = new BufferedOutput(fd)
  for (let at = 0; at < 100_000; at++) output.write('a line of the log\n')
  await new Promise((resolve) => setImmediate(resolve))
  output.write('one more\n')
  output.flush()
  closeSync(fd)
})
