import type { CommandContext } from './actor.ts'
import type { BankClock } from './clock.ts'
import type { Config } from './config.ts'
import type { Consumer } from './events/consumer.ts'
import type { EventDefinition } from './events/definition.ts'
import type { Operation } from './http/operation.ts'
import type { Id } from './ids.ts'
import type { Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'
import type { Pass } from './passes/pass.ts'
import type { Permissions } from './permissions.ts'
import type { Database, Tx } from './postgres/database.ts'
import type { AnySettings } from './settings.ts'
import type { AnySubjectKind } from './subjects.ts'

/** What every part of the bank stands on. Made once per process, by main.ts, the command line or a test. */
export type World = {
  readonly config: Config
  readonly database: Database
  readonly clock: BankClock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** One proof: its name, how often it fails, and the first few cases as text for a person. */
export type Proof = {
  readonly name: string
  readonly violations: number
  readonly examples: readonly string[]
  /** The books are right, but somebody should look. */
  readonly isWarning?: boolean
}

/**
 * A part of `partita verify`. Checks that say `prove` share one snapshot, so that a bank that goes on working meanwhile does not look torn
 * between two modules; `proveAlone` opens transactions of its own.
 */
export type Check = { readonly name: string } & (
  | { prove(tx: Tx): Promise<readonly Proof[]> }
  | {
      /** @returns how many ledger entries were looked at, too. */
      proveAlone(database: Database): Promise<{ readonly proofs: readonly Proof[]; readonly entries: number }>
    }
)

/** A value that `/metrics` reads when somebody asks. */
export type ModuleGauge = { readonly name: string; readonly help: string; read(): number | Promise<number> }

/**
 * The demo company while it is being made: modules tell their chapters in the order of their list, each on what those before it have made,
 * which it asks of their doors.
 */
export type DemoCompany = {
  readonly organizationId: Id<'organization'>
  readonly slug: string
  /** The first day of its six weeks. */
  readonly since: Date
  /** The same seed makes the same choices. */
  readonly seed: number
  /** The API key's secret: the one that was asked for, and then the one that it has. */
  secretKey: string | undefined
  /** Its people, the owner first, by the module that keeps them. */
  members: readonly Id<'membership'>[]
}

/** Everything that a module brings to a running process. Making it does nothing yet: a process takes what its role needs. */
export type ModuleParts = {
  /** What the module answers over HTTP. */
  readonly operations?: readonly Operation[]
  /** The same, where the bank is a sandbox. */
  readonly sandboxOperations?: readonly Operation[]
  /** What moves by itself, run by the worker. */
  readonly passes?: readonly Pass[]
  /** Who takes the events of other modules, run by the worker too. */
  readonly consumers?: readonly Consumer[]
  readonly gauges?: readonly ModuleGauge[]
  /** Its chapter of the demo company, by its own commands, in the transaction that makes the company. */
  readonly demo?: (ctx: CommandContext, tx: Tx, company: DemoCompany) => Promise<void>
  /** Resolves when everything that was accepted is answered. */
  readonly drain?: () => Promise<void>
}

/** A module's manifest: all that it brings. The platform takes modules as a list of these and knows none by name. */
export type Module = {
  readonly name: string
  /** Folder of its forward-only SQL files; a module without tables has none. */
  readonly migrations?: string
  readonly settings?: AnySettings
  readonly permissions?: Permissions
  /** The kinds of things that are its own, for whoever shows, approves or records them. */
  readonly subjects?: readonly AnySubjectKind[]
  /** Everything that it publishes. */
  readonly events?: readonly EventDefinition[]
  readonly checks?: readonly Check[]
  readonly create?: (world: World) => ModuleParts
}

export const defineModule = <const M extends Module>(module: M): M => module

/** A line of the list of modules: its name, whose door it may call, and how its manifest is loaded. */
export type ModuleLine = {
  readonly name: string
  readonly mayCall: readonly string[]
  readonly load: () => Promise<{ readonly default: Module }>
}

/**
 * Loads the manifests of all modules on a list, in its order.
 * @throws Error when a name is not the manifest's own, stands twice, or a module may call one that does not come before it.
 */
export async function loadModules(lines: readonly ModuleLine[]): Promise<Module[]> {
  const before = new Set<string>()
  for (const { name, mayCall } of lines) {
    const unknown = mayCall.filter((callable) => !before.has(callable))
    if (unknown.length > 0) throw new Error(`module ${name} may call ${unknown.join(', ')}, which must come before it`)
    if (before.has(name)) throw new Error(`module ${name} is listed twice`)
    before.add(name)
  }
  return Promise.all(
    lines.map(async ({ name, load }) => {
      const { default: module } = await load()
      if (module.name !== name) throw new Error(`the manifest of module ${name} calls itself ${module.name}`)
      return module
    }),
  )
}
