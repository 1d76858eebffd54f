/** The sides of an Either in tests: what `get` is for effects. */
import * as E from "fp-ts/lib/Either.js";
import { describe, type Failure } from "../src/failure.ts";

/** The right side, or an error with the failure's sentence. */
export const right = <A>(e: E.Either<Failure, A>): A => {
  if (E.isLeft(e)) throw new Error(describe(e.left));
  return e.right;
};

/** The left side, or an error. */
export const left = <A>(e: E.Either<Failure, A>): Failure => {
  if (E.isRight(e)) throw new Error("a failure was expected");
  return e.left;
};
