/** An answer, or a part of one, that is JSON already: for what is written often enough that building objects first would cost more than the rest. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** JSON of a value that may be JSON already. */
export const jsonOf = (value: object): string => (value instanceof JsonText ? value.text : JSON.stringify(value))
