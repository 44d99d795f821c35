import { userInfo } from 'node:os'
import { findOrganizationBySlug } from '../../../server/src/modules/team/index.ts'
import { operatorActor } from '../../../server/src/platform/actor.ts'
import type { Id } from '../../../server/src/platform/ids.ts'
import { seededDemo } from './demo-company.ts'
import { Refusal } from './refusal.ts'
import type { OpenDatabase } from './with-database.ts'

/** The organization with this slug; without one the demo company, which is made if need be. @throws Refusal when there is none. */
export async function findCompany(
  opened: OpenDatabase,
  slug: string | undefined,
  onNote: (message: string) => void,
): Promise<{ readonly id: Id<'organization'>; readonly slug: string }> {
  const wanted = slug ?? (await seededDemo(opened.database, opened.url, opened.dataDirectory, onNote)).organization_slug
  const id = await opened.database.read(operatorActor(userInfo().username, 'partita: which organization'), (tx) =>
    findOrganizationBySlug(tx, wanted),
  )
  if (!id) throw new Refusal(`there is no organization "${wanted}": see "partita demo" and "partita seed"`)
  return { id, slug: wanted }
}
