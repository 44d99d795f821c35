import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { userInfo } from 'node:os'
import { fileContent, findImportedFile, type ImportedFile, importedFiles } from '../../../server/src/modules/connections/index.ts'
import { operatorActor } from '../../../server/src/platform/actor.ts'
import { asId, type Id } from '../../../server/src/platform/ids.ts'
import type { CommonOptions, ExitCode, Output } from './command.ts'
import { findCompany } from './find-company.ts'
import { Refusal } from './refusal.ts'
import { withDatabase } from './with-database.ts'

type Options = CommonOptions & { readonly organization?: string; readonly out?: string }

const operator = (organizationId: Id<'organization'>) => operatorActor(userInfo().username, 'partita import', [organizationId])

const opening = ({ data }: Options, output: Output) => ({ data, applicationName: 'partita import', onProgress: output.note })

/** The statement files that an organization has imported, latest first. */
export async function listImportedFiles(options: Options, output: Output): Promise<ExitCode> {
  const files = await withDatabase(opening(options, output), async (opened) => {
    const company = await findCompany(opened, options.organization, output.note)
    return opened.database.read(operator(company.id), (tx) => importedFiles(tx, company.id))
  })
  const rows = files.map(reportOf)
  const lines = rows.map(
    ({ id, imported_at, format, size, name }) => `${id}  ${imported_at}  ${format}  ${size ?? 'not kept'}  ${name}`,
  )
  output.result(rows, lines.length === 0 ? 'no file has been imported' : lines.join('\n'))
  return 0
}

const reportOf = ({ id, name, format, importedAt, size, sha256 }: ImportedFile) => ({
  id,
  name,
  format,
  imported_at: importedAt.toISOString(),
  size: size === null ? null : Number(size),
  sha256: sha256?.toString('hex') ?? null,
})

/** Writes a file out as it came, piece by piece, and proves by its digest that it is that one. */
export async function showImportedFile(id: string, options: Options, output: Output): Promise<ExitCode> {
  return withDatabase(opening(options, output), async (opened): Promise<ExitCode> => {
    const { database } = opened
    const company = await findCompany(opened, options.organization, output.note)
    const known = asId<'imported_file'>(id)
    const file = known && (await database.read(operator(company.id), (tx) => findImportedFile(tx, company.id, known)))
    if (!file) throw new Refusal(`there is no imported file ${id}: "partita import --list-files" shows those that there are`)
    if (!file.sha256) throw new Refusal(`the file ${file.name} was imported by an earlier release, which did not keep files`)
    const digest = createHash('sha256')
    const out = openOut(options.out)
    try {
      for await (const piece of fileContent(database, { organizationId: company.id, sha256: file.sha256 })) {
        digest.update(piece)
        writeAll(out, piece)
      }
    } finally {
      if (options.out !== undefined) closeSync(out)
    }
    if (!digest.digest().equals(file.sha256))
      throw new Refusal(`what is kept of ${file.name} is not the file that was imported: restore it from a backup`)
    const report = { ...reportOf(file), out: options.out ?? null }
    if (options.out !== undefined) output.result(report, `${options.out}: ${file.name}, ${file.size} bytes`)
    return 0
  })
}

const STANDARD_OUTPUT = 1

function openOut(out: string | undefined): number {
  if (out === undefined) return STANDARD_OUTPUT
  try {
    return openSync(out, 'w')
  } catch (error) {
    throw new Refusal(`${out} cannot be written (${(error as Error).message}): name a file in a folder that is there and yours`)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
