/** What a use case answers: its value, or one refusal, which is an expected outcome and not an error. */
export type Result<T, R> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: R }

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

export const refuse = <const R>(refusal: R): { readonly ok: false; readonly refusal: R } => ({ ok: false, refusal })
