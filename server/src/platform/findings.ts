import type { Proof } from './module.ts'

const EXAMPLES_MAX = 5

/** A proof in the making. */
export class Findings implements Proof {
  readonly name: string
  readonly isWarning: boolean
  violations = 0
  /** The first few, as text for a person. */
  readonly examples: string[] = []

  constructor(name: string, isWarning = false) {
    this.name = name
    this.isWarning = isWarning
  }

  add(example: string): void {
    this.violations++
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(example)
  }
}
