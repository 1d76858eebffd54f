/** Splits that are drawn from all images of a dataset. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { random } from "../random.ts";
import { listedOnce } from "./source.ts";
import type { Split, ClassTask } from "./task.ts";

/** The seed of ZSCL's splits (METHODS.md E.1). Our generator draws other numbers from it, so the images of a split differ from theirs. */
const splitSeed = 42;

/** What is drawn of all examples of a task of this name: the share for training, or the others, which are for testing. It is the same in every run. */
export const drawn = <A>(name: string, examples: readonly A[], share: number, training: boolean): readonly A[] => {
  const order = random(splitSeed, `split ${name}`).permutation(examples.length);
  const chosen = new Set(order.subarray(0, Math.round(share * examples.length)));
  return examples.filter((_, i) => chosen.has(i) === training);
};

/** Both splits of a task of this name, {@link drawn} from the images of `pool`. */
export const drawnSplits = (name: string, pool: Split, share: number): Pick<ClassTask, "train" | "test"> => {
  const part = (training: boolean): Split =>
    pipe(
      pool,
      TE.map((examples) => drawn(name, examples, share, training)),
    );
  return { train: listedOnce(part(true)), test: listedOnce(part(false)) };
};
