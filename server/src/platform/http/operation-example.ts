/** A request without its method, which the operation knows. May name demo objects, see `fill` in server/test/api/examples.ts. */
export type ExampleRequest = {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/**
 * A correct request of an operation by the demo company, with which tests try it: they record its answer in `api/examples`, and send it with
 * every credential that must not do.
 */
export type OperationExample = ExampleRequest & {
  /** It names an object that another organization must not reach. */
  readonly named?: true
  /** Further requests whose answers are recorded, such as refusals. */
  readonly cases?: Readonly<Record<string, ExampleRequest>>
  /** Why its answer is not recorded. */
  readonly unrecorded?: string
}

/** The examples of a module's operations, by their ids. */
export type OperationExamples = Readonly<Record<string, OperationExample>>
