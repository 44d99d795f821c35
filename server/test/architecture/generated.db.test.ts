import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_FILE, renderAccess } from '../../../tools/access.ts'
import { renderEvents } from '../../../tools/events.ts'
import { codegenOptions, EVENTS_FILE, SCHEMA_FILE, SCHEMA_TYPES } from '../../../tools/generated-files.ts'
import { dumpSchema } from '../../../tools/schema-dump.ts'
import { partita } from '../../src/bank.ts'
import { defineEvent, Uuid } from '../../src/platform/events/definition.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

const HINT = 'run `npm run generate` and commit what it writes'

describe('what is generated from the migrations', () => {
  test('schema.sql is what all migrations together make', async () => {
    expect(await dumpSchema(test_.admin as never), HINT).toBe(readFileSync(SCHEMA_FILE, 'utf8'))
  })

  test('a table that is not in schema.sql is noticed', async () => {
    await test_.admin.query('create table platform.planted (id integer)')
    expect(await dumpSchema(test_.admin as never)).not.toBe(readFileSync(SCHEMA_FILE, 'utf8'))
    await test_.admin.query('drop table platform.planted')
  })

  test.each(SCHEMA_TYPES)('the query types of $schema are those of its tables', (types) => {
    const codegen = join(import.meta.dirname, '../../../node_modules/kysely-codegen/dist/cli/bin.js')
    const options = [...codegenOptions(test_.adminUrl, types), '--verify']
    const done = spawnSync(process.execPath, [codegen, ...options], { encoding: 'utf8' })
    expect(done.status, `${HINT}\n${done.stdout}${done.stderr}`).toBe(0)
  })
})

describe('what is generated from the definitions of events', () => {
  test('docs/events.md is what the modules declare', () => {
    expect(renderEvents(partita.modules), HINT).toBe(readFileSync(EVENTS_FILE, 'utf8'))
  })

  test('an event that is not in docs/events.md is noticed', () => {
    const planted = defineEvent('planted.happened.v1', Type.Object({ id: Uuid('it') }), { aggregate: 'id', describe: 'Planted.' })
    const modules = [...partita.modules, { name: 'planted', events: [planted] }]
    expect(renderEvents(modules, () => '{}')).not.toBe(readFileSync(EVENTS_FILE, 'utf8'))
  })
})

describe('what is generated from the operations', () => {
  test('docs/access.md is who may do what', async () => {
    expect(await renderAccess(), HINT).toBe(readFileSync(ACCESS_FILE, 'utf8'))
  })
})
