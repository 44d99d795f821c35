/** A right that a role may hold. Each module declares its own; `roles` are the built-in ones that hold it. */
export type Permission = { readonly describe: string; readonly roles: readonly string[] }

/** Permissions by name, such as `transfers.order`. */
export type Permissions = Readonly<Record<string, Permission>>

/** What each role allows. A role that nobody gave anything, as one that does not exist, allows nothing. */
export function permissionsOfRoles(declared: Permissions): (role: string) => ReadonlySet<string> {
  const byRole = new Map<string, Set<string>>()
  for (const [name, { roles }] of Object.entries(declared)) {
    for (const role of roles) byRole.set(role, (byRole.get(role) ?? new Set()).add(name))
  }
  const nothing: ReadonlySet<string> = new Set()
  return (role) => byRole.get(role) ?? nothing
}
