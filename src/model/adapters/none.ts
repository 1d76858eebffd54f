/** No adapter at all: the model as it is, on which a head may stand. */
import type { Adapter } from "./adapter.ts";
import { noUpdate } from "./update.ts";

/** An adapter without parameters. */
export const noAdapter: Adapter<never> = {
  name: "none",
  options: {},
  layouts: () => ({}),
  trained: [],
  initial: () => ({}),
  scope: (_, base) => base,
  update: () => noUpdate,
  ranks: () => new Map(),
};
