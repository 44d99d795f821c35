import { MODULES as LIST } from './server/src/modules.ts'

const MODULES = 'server/src/modules'
const TEST = '\\.test\\.ts$'

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

export const forbidden = [
  rule(
    'door',
    "Import the other module's index.ts or events.ts.",
    { path: `^${MODULES}/([^/]+)/`, pathNot: TEST },
    {
      path: `^${MODULES}/[^/]+/`,
      pathNot: `^${MODULES}/($1/|[^/]+/(index|events)\\.ts$)`,
    },
  ),
  // Tests may open what they test.
  rule(
    'door-outside',
    'Outside the modules, too, only a door may be imported.',
    {
      path: '^(server/src|cli|bench|tools)/',
      pathNot: [`^${MODULES}/`, '^server/src/modules\\.ts$', TEST],
    },
    { path: `^${MODULES}/`, pathNot: `^${MODULES}/[^/]+/(index|events)\\.ts$` },
  ),
  rule(
    'manifests-by-the-list',
    'What a module brings is taken from its manifest, and the list of modules alone loads manifests.',
    { path: '^(server/src|cli|bench|tools)/', pathNot: ['^server/src/modules\\.ts$', TEST] },
    { path: `^${MODULES}/[^/]+/module\\.ts$` },
  ),
  rule(
    'on-the-list',
    'A module is known by its line in server/src/modules.ts.',
    { path: `^${MODULES}/`, pathNot: `^${MODULES}/(${LIST.map(({ name }) => name).join('|')})/` },
    {},
  ),
  ...LIST.map(({ name, mayCall }) =>
    rule(
      `may-call-${name}`,
      `${name} may call: ${mayCall.join(', ') || 'nobody'} (server/src/modules.ts)`,
      { path: `^${MODULES}/${name}/`, pathNot: TEST },
      {
        path: `^${MODULES}/[^/]+/index\\.ts$`,
        pathNot: `^${MODULES}/(${[name, ...mayCall].join('|')})/`,
      },
    ),
  ),
  rule(
    'events',
    'Events of other modules are for consumers.ts.',
    { path: `^${MODULES}/([^/]+)/`, pathNot: [TEST, '/consumers\\.ts$'] },
    {
      path: `^${MODULES}/[^/]+/events\\.ts$`,
      pathNot: `^${MODULES}/$1/`,
    },
  ),
  rule(
    'pure-domain',
    'A domain decides: it imports its own domain, the plain values of the platform and the rules of a scheme, nothing that does things.',
    {
      path: `^${MODULES}/([^/]+)/domain/`,
      pathNot: TEST,
    },
    {
      pathNot: `^(${MODULES}/$1/domain/|server/src/platform/(money|ids|result|assert|clock|moves|storable)\\.ts$|server/src/formats/payments/sepa-[a-z]+\\.ts$|node_modules/ibantools/)`,
      dependencyTypesNot: ['type-only'], // a type does nothing
    },
  ),
  rule(
    'declared-operations',
    'What a module answers over HTTP it declares as an operation; platform/http/mount.ts serves it, by the same steps for all.',
    { path: `^${MODULES}/`, pathNot: TEST },
    { path: 'node_modules/fastify/' },
  ),
  rule(
    'operations-above',
    'An operation asks a command or a query, which ask the store.',
    { path: `^${MODULES}/([^/]+)/operations/`, pathNot: TEST },
    { path: `^${MODULES}/$1/[a-z-]*store\\.ts$` },
  ),
  rule(
    'formats-know-nobody',
    'A wire format is a pure function: it knows no module, no database and no HTTP.',
    { path: '^server/src/formats/', pathNot: TEST },
    {
      path: '^server/src/',
      pathNot: '^server/src/(formats/|platform/[a-z-]+\\.ts$)',
    },
  ),
  rule(
    'platform-below',
    'The platform stands below the modules and the formats: turn the call around.',
    { path: '^server/src/platform/', pathNot: TEST },
    {
      path: '^server/src/',
      pathNot: '^server/src/platform/',
    },
  ),
  rule(
    'rails-apart',
    'The rails simulator is somebody else: only ISO 20022 over HTTP passes between it and us.',
    { path: '^rails-simulator/' },
    {
      path: '^(server|cli|bench|tools)/',
      // Its tests (`no-test-in-source` keeps the rest out) hold its messages against the same schemas as ours.
      pathNot: '^server/test/support/(standards|xsd)\\.ts$',
    },
  ),
  rule(
    'rails-schemes-apart',
    'A scheme of the rails knows the core and the messages; the core and the other schemes do not know it: schemes.ts names them.',
    { path: '^rails-simulator/src/([^/]+)/', pathNot: TEST },
    { path: '^rails-simulator/src/[^/]+/', pathNot: '^rails-simulator/src/($1|core|messages)/' },
  ),
  rule(
    'notation-below',
    'How values are written means nothing by itself: it stands below everybody and knows nobody.',
    { path: '^notation/' },
    { path: '^(server|rails-simulator|cli|bench|tools)/' },
  ),
  rule(
    'server-apart',
    'The server does not know what drives it, nor who is at the other end of the rails.',
    { path: '^server/src/', pathNot: TEST },
    {
      path: '^(rails-simulator|cli|bench|tools|server/test)/',
    },
  ),
  rule(
    'no-test-in-source',
    'Source must not need its tests.',
    { path: '/src/', pathNot: TEST },
    { path: [TEST, '^server/test/'] },
  ),
  rule('no-circular', 'Two files that need each other are one file, or three.', {}, { circular: true }),
  rule('resolvable', 'The import leads nowhere.', {}, { couldNotResolve: true }),
]

export const options = {
  doNotFollow: { path: 'node_modules' },
  tsPreCompilationDeps: true, // a type import is knowledge of the other side too
  parser: 'tsc',
  enhancedResolveOptions: {
    extensions: ['.ts', '.mjs', '.js', '.json'],
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default'],
  },
}

export default { forbidden, options }
