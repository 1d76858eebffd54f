/** No adapter at all: the model as it is, on which a head may stand. */
import type { Adapter } from "./adapter.ts";

/** An adapter without parameters. */
export const noAdapter: Adapter<never> = {
  name: "none",
  options: {},
  layouts: () => ({}),
  trained: [],
  initial: () => ({}),
  scope: (_, base) => base,
  merge: (_, weights) => weights,
  ranks: () => new Map(),
};
