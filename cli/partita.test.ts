import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

describe('the way in', () => {
  let clone = ''
  const write = (path: string, text: string) => {
    mkdirSync(join(clone, path, '..'), { recursive: true })
    writeFileSync(join(clone, path), text)
  }
  /** A clone with one package from the registry and one of its own, installed for the former only; npm only says that it was called. */
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'partita-clone-'))
    mkdirSync(join(clone, 'cli'))
    copyFileSync(new URL('./partita.mjs', import.meta.url), join(clone, 'cli/partita.mjs'))
    write('cli/src/main.ts', "process.stdout.write('started')\n")
    const packages = { 'node_modules/other': { version: '1.0.0' }, 'node_modules/own': { resolved: 'own', link: true } }
    write('package-lock.json', JSON.stringify({ packages }))
    write('own/package.json', '{}')
    write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/other': { version: '1.0.0' } } }))
    write('bin/npm', `#!/bin/sh\necho called >> ${join(clone, 'npm-called')}\n`)
    chmodSync(join(clone, 'bin/npm'), 0o755)
  })
  afterEach(() => rmSync(clone, { recursive: true }))

  const start = () => {
    const { npm_execpath: _, ...environment } = process.env
    const env = { ...environment, PATH: `${join(clone, 'bin')}:${process.env.PATH}`, NODE_COMPILE_CACHE: undefined }
    return spawnSync(process.execPath, [join(clone, 'cli/partita.mjs')], { env, encoding: 'utf8' }).stdout
  }
  const npmCalls = () => {
    try {
      return readFileSync(join(clone, 'npm-called'), 'utf8').trim().split('\n').length
    } catch {
      return 0
    }
  }

  test('installs when a package of our own has come in with a newer checkout, once', () => {
    expect([start(), npmCalls()]).toEqual(['started', 1])
    expect([start(), npmCalls()]).toEqual(['started', 1])
  })

  test('may not install when everything is there', () => {
    symlinkSync('../own', join(clone, 'node_modules/own'))
    expect([start(), npmCalls()]).toEqual(['started', 0])
  })
})
