/**
 * A statement of ours with another ending, which is a statement of its own: prepared once as well, for where two differ by their last words.
 * ```ts
 * const source = statement`insert into … select … from unnest(${ids}::uuid[])`
 * await tx.rows(withEnding(source.parts, ' on conflict do nothing returning id'), ...source.values)
 * ```
 */
export function withEnding(parts: TemplateStringsArray, ending: string): TemplateStringsArray {
  const known = endings.get(parts)?.get(ending)
  if (known) return known
  const made = Object.assign([...parts.slice(0, -1), `${parts.at(-1)}${ending}`], { raw: parts.raw })
  const ofParts = endings.get(parts) ?? new Map<string, TemplateStringsArray>()
  endings.set(parts, ofParts.set(ending, made))
  return made
}

const endings = new WeakMap<TemplateStringsArray, Map<string, TemplateStringsArray>>()

export const statement = (parts: TemplateStringsArray, ...values: readonly unknown[]) => ({ parts, values })
