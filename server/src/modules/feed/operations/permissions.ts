import type { Access } from '../../../platform/http/operation.ts'
import type { Permissions } from '../../../platform/permissions.ts'
import { ROLES } from '../../team/index.ts'

export const FEED_PERMISSIONS = {
  'accounts.read': { describe: 'See the organization and its accounts.', roles: ROLES },
  'transactions.read': { describe: 'See what happened on the accounts.', roles: ROLES },
  'labels.read': { describe: 'See the organization’s labels.', roles: ROLES },
} as const satisfies Permissions

/** Who may read, all else being equal: whoever was given the organization, with a role that sees this. */
export const reader = (permission: keyof typeof FEED_PERMISSIONS): Access => ({
  credentials: ['api_key', 'oauth', 'session'],
  scope: 'organization.read',
  permission,
})
