/** A broken assumption of ours. Never the caller's fault, never caught to be ignored: the work stops and the request answers 500. */
export class Bug extends Error {
  override name = 'Bug'
}

/** Stops the work when something that must hold does not. For what a caller can get wrong, return a refusal instead. */
export function assert(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new Bug(message)
}
