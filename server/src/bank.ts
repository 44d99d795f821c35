import { MODULES } from './modules.ts'
import { assert } from './platform/assert.ts'
import { describeSettings, loadConfig } from './platform/config.ts'
import { loadModules, type Module, type ModuleLine, type ModuleParts, type World } from './platform/module.ts'
import type { Permissions } from './platform/permissions.ts'
import { type Migration, migrationsIn, PLATFORM_MIGRATIONS } from './platform/postgres/migrations.ts'
import { Subjects } from './platform/subjects.ts'

/** The modules that a bank is put together from. */
export class Bank {
  readonly modules: readonly Module[]

  private constructor(modules: readonly Module[]) {
    this.modules = modules
  }

  static async of(lines: readonly ModuleLine[]): Promise<Bank> {
    return new Bank(await loadModules(lines))
  }

  /** Reads the configuration of the platform and of every module, or every problem in it at once. */
  configure(env: NodeJS.ProcessEnv): ReturnType<typeof loadConfig> {
    return loadConfig(env, this.#settings())
  }

  /** Every setting with its default, unit and reason. */
  describeSettings(): ReturnType<typeof describeSettings> {
    return describeSettings(this.#settings())
  }

  /** All migrations in the order they are applied: the platform's, then each module's after those that it may call. */
  migrations(): Migration[] {
    const folders = [
      PLATFORM_MIGRATIONS,
      ...this.modules.flatMap(({ name, migrations }) => (migrations ? [{ name, folder: migrations }] : [])),
    ]
    return folders.flatMap(migrationsIn)
  }

  /** Every permission that a module declares. */
  get permissions(): Permissions {
    const declared = this.modules.flatMap(({ permissions }) => Object.entries(permissions ?? {}))
    assert(new Set(declared.map(([name]) => name)).size === declared.length, 'two modules declare the same permission')
    return Object.fromEntries(declared)
  }

  /** Every kind of thing that records may be about. */
  get subjects(): Subjects {
    return new Subjects(this.modules.flatMap(({ subjects = [] }) => subjects))
  }

  /** What every module brings to this process. */
  parts(world: World): ModuleParts[] {
    return this.modules.flatMap((module) => module.create?.(world) ?? [])
  }

  #settings() {
    return this.modules.flatMap((module) => module.settings ?? [])
  }
}

/** The bank of this project. */
export const partita = await Bank.of(MODULES)
