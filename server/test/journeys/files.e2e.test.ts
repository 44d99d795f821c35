import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { describeWithStandards, standardsIn, standardsPath } from '../support/standards.ts'

const CLI = join(import.meta.dirname, '../../../cli/src/main.ts')

let db: TestDatabase
let folder: string
beforeAll(async () => {
  db = await createTestDatabase()
  folder = mkdtempSync(join(tmpdir(), 'partita-files-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await db.drop()
})

type Report = {
  file: string
  format: string | null
  status: string
  new: number
  duplicates: number
  statements: { entries: number; reconciles: boolean | null }[]
  problems: { code: string; line: number | null }[]
}

/** `partita import … --json`: its exit code and its one document. */
function partitaImport(...args: string[]): Promise<{ exit: number; reports: Report[] }> {
  const env = { ...process.env, DATABASE_URL: db.adminUrl, PARTITA_DATA: folder }
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'import', ...args, '--json'], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) =>
      resolve({ exit: error ? Number(error.code) : 0, reports: JSON.parse(stdout) as Report[] }),
    )
  })
}

const traces = async (): Promise<unknown> =>
  (
    await db.admin.query(`select (select count(*) from connections.imported_file) as files, (select count(*) from accounts.bank_account) as accounts,
      (select count(*) from feed.transaction) as transactions, (select sum(seq) from ledger.book) as seq`)
  ).rows[0]

function written(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const samples = (kind: string): string[] => standardsIn(`samples/${kind}`).map((name) => standardsPath(`samples/${kind}/${name}`))

describeWithStandards('partita import, as people run it', () => {
  test('one report per file, in order; a refused file does not stop the others', async () => {
    const [good] = samples('camt')
    const { exit, reports } = await partitaImport('/nowhere/statement.xml', good as string, ...samples('other-statements'))
    expect(exit).toBe(1)
    expect(reports.map((report) => report.status)).toEqual(['refused', 'imported', 'refused', 'refused'])
    expect(reports[1]).toMatchObject({ file: good, format: 'camt.053.001.02', new: 7, duplicates: 0 })
    for (const refused of reports.filter((report) => report.status === 'refused'))
      expect(refused.problems.length).toBeGreaterThan(0)
  })

  test('all the samples of banks, twice: the second time adds nothing', async () => {
    const files = [...samples('camt'), ...samples('mt940'), ...samples('ofx')]
    const first = (await partitaImport(...files)).reports
    const second = (await partitaImport(...files)).reports
    expect(first.map((report) => report.file)).toEqual(files)
    for (const [index, report] of second.entries()) {
      const entries = report.statements.reduce((sum, statement) => sum + statement.entries, 0)
      expect(report).toMatchObject({ status: first[index]?.status, new: 0, duplicates: entries })
    }
  })

  test('payments, invoices, hostile and broken files are refused by name and leave no trace', async () => {
    const finland = readFileSync(standardsPath('samples/camt/finland_camt.053.001.02.xml'), 'utf8')
    const files = [
      ...samples('pain').slice(0, 3),
      ...samples('einvoice/ubl').slice(0, 2),
      written(
        'external-entity.xml',
        `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${finland.replace(/<\?xml[^>]*>/, '')}`,
      ),
      written('deep.xml', '<a>'.repeat(200_000)),
      written('cut.xml', finland.slice(0, finland.length / 2)),
      written('empty.sta', ''),
    ]
    const before = await traces()
    const { exit, reports } = await partitaImport(...files)
    expect(exit).toBe(1)
    expect(reports.map((report) => report.status)).toEqual(files.map(() => 'refused'))
    for (const { problems } of reports) expect(problems[0]?.line).toBeGreaterThanOrEqual(1)
    expect(await traces()).toEqual(before)
  })

  test('with --strict what does not add up is refused and leaves no trace; what adds up is imported', async () => {
    const before = await traces()
    const broken = await partitaImport('--strict', standardsPath('samples/mt940/abnamro.sta'))
    expect(broken).toMatchObject({ exit: 1, reports: [{ status: 'refused', new: 0 }] })
    expect(broken.reports[0]?.problems[0]?.code).toBe('does_not_reconcile')
    expect(await traces()).toEqual(before)
    expect(await partitaImport('--strict', standardsPath('samples/mt940/edge_february-30.sta'))).toMatchObject({ exit: 0 })
  })

  test('a file that was imported is listed and shown as it came', async () => {
    const run = (...args: string[]): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const env = { ...process.env, DATABASE_URL: db.adminUrl, PARTITA_DATA: folder }
        const options = { env, maxBuffer: 64 * 1024 * 1024, encoding: 'buffer' } as const
        execFile(process.execPath, [CLI, 'import', ...args], options, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        )
      })
    const [sample] = samples('mt940')
    await partitaImport(sample as string)
    const files = JSON.parse(String(await run('--list-files', '--json'))) as { id: string; name: string; size: number }[]
    const kept = files.find(({ name }) => name === sample)
    const original = readFileSync(sample as string)
    expect(kept?.size).toBe(original.length)
    expect((await run('--show-file', kept?.id ?? '')).equals(original)).toBe(true)
    const out = join(folder, 'shown.sta')
    await run('--show-file', kept?.id ?? '', '--out', out)
    expect(readFileSync(out).equals(original)).toBe(true)
    await expect(run('--show-file', 'not-an-id')).rejects.toThrow('there is no imported file not-an-id')
    await expect(run()).rejects.toThrow('name at least one file')
  })

  test('an organization that does not exist is not made up', async () => {
    const env = { ...process.env, DATABASE_URL: db.adminUrl, PARTITA_DATA: folder }
    const exit = await new Promise((resolve) => {
      execFile(
        process.execPath,
        [CLI, 'import', samples('camt')[0] as string, '--organization', 'nobody'],
        { env },
        (error, _, stderr) => resolve([error?.code, stderr.includes('nobody')]),
      )
    })
    expect(exit).toEqual([1, true])
  })
})
