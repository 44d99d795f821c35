/** Why a document is refused, or what had to be mended to read it. */
export type XmlProblem = Readonly<{ code: XmlProblemCode; line: number; message: string }>

export type XmlProblemCode =
  | 'too_large'
  | 'too_deep'
  | 'too_many_elements'
  | 'too_many_attributes'
  | 'document_type_forbidden'
  | 'encoding_unknown'
  | 'encoding_broken'
  | 'not_well_formed'
  // only with `lenient`, as problems beside a result
  | 'encoding_mismatch'
  | 'control_characters_replaced'
  | 'leading_space_skipped'
  | 'namespace_prefix_undeclared'

/** Ends the reading of a document; caught by `readXml` only. */
export class Refused extends Error {
  readonly problem: XmlProblem
  constructor(code: XmlProblemCode, line: number, message: string) {
    super(message)
    this.problem = { code, line, message }
  }
}

/** One-based line of an index. */
export function lineAt(text: string, index: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1
  return line
}
