/** Checks of the input of decompositions. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";

/** A matrix in the memory of the process: row-major, shape [rows, columns]. */
export interface Matrix {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** The matrix's rows and columns; `BadMatrix` where it is none, where its data does not fill it, or where an element is not finite. */
export const checkMatrix = ({ shape, data }: Matrix): E.Either<Failure, readonly [number, number]> => {
  const [m, n] = shape;
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadMatrix", what: `matrix [${shape.join(", ")}]`, detail });
  if (shape.length !== 2) return bad("it does not have two dimensions");
  if (data.length !== m * n) return bad(`it has ${data.length} elements and not ${m * n}`);
  const at = data.findIndex((x) => !Number.isFinite(x));
  return at < 0 ? E.right([m, n]) : bad(`its element (${Math.floor(at / n)}, ${at % n}) is ${data[at]}`);
};

/** A share of an energy, in (0, 1]; `BadOption` elsewhere. */
export const checkEnergy = (energy: number): E.Either<Failure, number> =>
  energy > 0 && energy <= 1 ? E.right(energy) : E.left({ _tag: "BadOption", option: "energy", detail: `${energy} is not a share in (0, 1]` });
