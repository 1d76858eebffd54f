/** What is thrown where shapes do not fit, as a failure. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { ShapeError } from "./tensor.ts";

/** A `ShapeError` that is thrown while an effect runs is its failure, and so is an array too large for memory; anything else that is thrown is a defect. */
export const withShapeFailures =
  <A>(effect: () => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    try {
      return await effect()();
    } catch (error) {
      if (error instanceof ShapeError) return E.left({ _tag: "ShapeMismatch", op: error.op, detail: error.detail });
      // Arrays that the memory of the process cannot hold.
      if (error instanceof RangeError && /typed array length|allocation failed/.test(error.message))
        return E.left({ _tag: "OutOfMemory", detail: error.message });
      throw error;
    }
  };
