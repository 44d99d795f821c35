// Replaced by `npm run generate`.
export interface DB {}
