/** One way for a thing to change its state: from any of these, to that. */
export type Move<State extends string = string> = {
  readonly name: string
  readonly from: readonly State[]
  readonly to: State
}

export type Moves<State extends string, Name extends string> = {
  readonly [N in Name]: Move<State>
}

/**
 * A state machine as a value: each move's name with the states that it leaves and the one it reaches. A state that no move reaches is where
 * things begin; one that no move leaves is an end.
 *
 * ```ts
 * const MOVES = defineMoves({ submit: [['pending'], 'submitted'], settle: [['submitted', 'unknown'], 'settled'] })
 * await transition(tx, transfers, [id], MOVES.submit, { updatedAt: now })
 * ```
 */
export function defineMoves<State extends string, Name extends string>(
  moves: Readonly<Record<Name, readonly [from: readonly State[], to: State]>>,
): Moves<State, Name> {
  const named = {} as { [N in Name]: Move<State> }
  for (const name of Object.keys(moves) as Name[]) {
    const [from, to] = moves[name]
    named[name] = { name, from, to }
  }
  return named
}

/** Every state that the moves name, each once. */
export const statesOf = (moves: Readonly<Record<string, Move>>): string[] => [
  ...new Set(Object.values(moves).flatMap(({ from, to }) => [...from, to])),
]

/** The moves as a table of Markdown, for a module's README, which a test holds against it. */
export const drawMoves = (moves: Readonly<Record<string, Move>>): string =>
  [
    '| From | Move | To |',
    '|---|---|---|',
    ...Object.values(moves).map(({ name, from, to }) => `| ${from.join(', ')} | ${name} | ${to} |`),
  ].join('\n')
