/** What a run came to: as far as it went, its matrix and its weights, one tensor behind the other; or a failure in a sentence. */
export type Came =
  | { readonly interrupted: boolean; readonly matrix: readonly (readonly (number | null)[])[]; readonly weights: readonly number[] }
  | { readonly failed: string };
