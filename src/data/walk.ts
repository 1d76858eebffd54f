/** The order in which examples are learned: a walk over all of them, epoch after epoch, drawn from a seed. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { random } from "../random.ts";
import type { OnCorrupt } from "./source.ts";

/** What stands at a position. */
export type Walk<A> = (position: number) => Promise<E.Either<Failure, A>>;

/** A walk whose batches are filled from two: the last `others` of every `batch` positions from the second, those before them from the first. */
export const mixed =
  <A>(own: Walk<A>, other: Walk<A>, batch: number, others: number): Walk<A> =>
  (position) => {
    const [step, place, first] = [Math.floor(position / batch), position % batch, batch - others];
    return place < first ? own(step * first + place) : other(step * others + place - first);
  };

/**
 * What `load` gives for the example at a position of the walk. The examples of epoch e are walked in an order drawn from (seed, e). With `skip` the place of
 * one that cannot be loaded goes to the next good one of its epoch's order, so that what stands at a position depends on the data and the seed alone; it fails
 * where no example can be loaded.
 */
export const walk = <Ex, A>(examples: readonly Ex[], seed: number, load: (example: Ex) => Promise<E.Either<Failure, A>>, onCorrupt: OnCorrupt): Walk<A> => {
  const n = examples.length;
  // The order of the epoch that was used last: neighbouring steps share it.
  let cached: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  const order = (epoch: number): Uint32Array => {
    if (cached?.epoch !== epoch) cached = { epoch, order: random(seed, "order", epoch).permutation(n) };
    return cached.order;
  };
  return async (position) => {
    const epoch = order(Math.floor(position / n));
    let last: E.Either<Failure, A> | undefined;
    for (let i = 0; i < n; i++) {
      last = await load(examples[epoch[(position + i) % n]]);
      if (E.isRight(last) || onCorrupt === "fail") return last;
    }
    return last!;
  };
};
