import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { foundDemoCompany } from './demo.ts'
import { ROLES } from './domain/organization.ts'
import { listMemberships } from './operations/list-memberships.ts'

export default defineModule({
  name: 'team',
  migrations: join(import.meta.dirname, 'migrations'),
  permissions: { 'members.read': { describe: 'See who the organization’s members are.', roles: ROLES } },
  create: () => ({ operations: [listMemberships], demo: foundDemoCompany }),
})
