import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { partita } from '../server/src/bank.ts'
import type { Operation } from '../server/src/platform/http/operation.ts'
import type { Permissions } from '../server/src/platform/permissions.ts'
import { allOperations } from './api-operations.ts'

export const ACCESS_FILE = join(import.meta.dirname, '../docs/access.md')

/** Who may ask for what, as the operations and permissions are declared. */
export const renderAccess = async (): Promise<string> => describeAccess(await allOperations(), partita.permissions)

function describeAccess(operations: readonly Operation[], permissions: Permissions): string {
  const roles = [...new Set(Object.values(permissions).flatMap((permission) => permission.roles))]
  return `# Who may do what

Made by \`npm run generate\` from what the operations and the modules declare; not edited by hand.
A credential acts for one member: it needs the scope, the member's role needs the permission. API keys have every scope.

## Operations

${table(
  ['Operation', 'Route', 'Credentials', 'Scope', 'Permission', 'Strong authentication', 'Idempotency', 'Audit'],
  operations.map(rowOf),
)}

## Permissions

${table(
  ['Permission', 'Allows to', ...roles],
  Object.entries(permissions).map(([name, { describe, roles: holders }]) => [
    name,
    describe,
    ...roles.map((role) => (holders.includes(role) ? 'yes' : '–')),
  ]),
)}
`
}

const rowOf = ({ id, route, access, sca, idempotency, audit }: Operation): string[] => [
  id,
  `\`${route}\``,
  access.credentials.join(', '),
  access.scope === 'none' ? '–' : access.scope,
  access.permission === 'none' ? '–' : access.permission,
  sca === 'none' ? '–' : sca.kind === 'exempt' ? `exempt: ${sca.ground}` : `bound: ${sca.action}`,
  idempotency === 'none' ? '–' : idempotency,
  audit === 'none' ? '–' : 'recorded',
]

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** Writes `docs/access.md`. */
export const writeAccess = async (): Promise<void> => writeFileSync(ACCESS_FILE, await renderAccess())

if (import.meta.main) await writeAccess()
