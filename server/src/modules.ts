/**
 * The modules of the bank, in the order of who may call whom, which is also the order of their migrations. Adding one is its folder,
 * with a manifest `module.ts`, and one line here. `mayCall` names the doors that a module may open; boundaries are checked against it.
 */
export const MODULES = [
  { name: 'ledger', mayCall: [], load: () => import('./modules/ledger/module.ts') },
  { name: 'identity', mayCall: [], load: () => import('./modules/identity/module.ts') },
  { name: 'team', mayCall: ['identity'], load: () => import('./modules/team/module.ts') },
  { name: 'accounts', mayCall: ['ledger', 'team'], load: () => import('./modules/accounts/module.ts') },
  { name: 'feed', mayCall: ['accounts', 'ledger', 'team'], load: () => import('./modules/feed/module.ts') },
  { name: 'connections', mayCall: ['accounts', 'feed', 'ledger'], load: () => import('./modules/connections/module.ts') },
  { name: 'payments', mayCall: ['accounts', 'feed', 'ledger'], load: () => import('./modules/payments/module.ts') },
] as const
