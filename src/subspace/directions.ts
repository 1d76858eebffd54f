/** Directions that a task's adapters may act on, chosen before they are trained. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import { emptyBasis, extend, matrixOf, outside, svd, type Basis, type Matrix, type Svd } from "../linalg/linalg.ts";
import type { LayerDirections } from "../model/adapters/lowRank.ts";
import { remembered } from "./bases.ts";
import { describeGradients, meanGradient, type GradientOptions } from "./gradients.ts";
import { inputGrams, describeInputs, type InputOptions } from "./inputs.ts";
import type { Lesson, WithBatches, WithDirections } from "../training/lesson.ts";
import type { TaskProjection } from "./projection.ts";

/** What the rows of X have outside of a basis: its `rank` leading left singular vectors and values, and its right ones. */
const leading = (x: Matrix, rank: number, basis = emptyBasis(x.shape[1])): E.Either<Failure, Pick<Svd, "u" | "s"> & Pick<Basis, "columns">> =>
  pipe(
    svd(outside(x, basis), rank),
    // Directions of small singular values carry some of what rounds in large ones, and that may lie in the span of the basis.
    E.map(({ u, s, v }) => ({ u, s, columns: extend(basis, v).columns.slice(basis.columns.length) })),
  );

/** Vectors as the rows of a tensor [k, d], times a factor. */
const rowsOf = (vectors: readonly Float32Array[], d: number, factor = 1): HostTensor => {
  const data = new Float32Array(vectors.length * d);
  vectors.forEach((v, i) => v.forEach((x, j) => (data[i * d + j] = factor * x)));
  return { shape: [vectors.length, d], data };
};

/** Options of {@link residualGradient}. */
export interface ResidualGradientOptions<N extends string = never> extends GradientOptions<N> {
  readonly rank: number;
  /** Where B starts: at 0 (KeepLoRA++), or at diag(σ) Vᵀ of the gradient's decomposition (KeepLoRA's first form). */
  readonly start: "zero" | "svd";
}

/**
 * Directions of the task's own gradient outside of what is protected (KeepLoRA, arXiv 2601.19659; METHODS.md B.3.2): G is the mean gradient of the
 * objective with respect to each weight, Ĝ = G − M Mᵀ G on the input side, and A the `rank` leading singular vectors of Ĝ there; fewer where Ĝ has a lower
 * rank, none where it is zero. Fails with `BadMatrix` where a gradient is not finite.
 */
export const residualGradient = <L extends Lesson & WithBatches, N extends string = never>(
  options: ResidualGradientOptions<N>,
): TaskProjection<L, L & WithDirections, N> => ({
  scale: "task",
  name: "residualGradient",
  options: describeGradients(options),
  run: (lesson) =>
    pipe(
      meanGradient(lesson, options),
      RTE.chainEitherK((gradients) => {
        const bases = remembered(lesson.learner);
        return pipe(
          [...gradients],
          E.traverseArray(([name, g]) =>
            pipe(
              leading(g, options.rank, bases.get(name)),
              E.map(({ u, s, columns }): readonly [string, LayerDirections] => {
                const [out, width] = g.shape;
                const A = rowsOf(columns, width);
                if (options.start === "zero") return [name, { A }];
                return [name, { A, B: matrixOf({ d: out, columns: u.map((column, i) => Float32Array.from(column, (x) => x * s[i])) }) }];
              }),
            ),
          ),
        );
      }),
      RTE.map((found) => ({ ...lesson, directions: new Map(found) })),
    ),
});

/** Options of {@link residualInputs}. */
export interface ResidualInputsOptions extends InputOptions {
  readonly rank: number;
}

/**
 * Leading directions of the task's own inputs outside of what is protected (InfLoRA, arXiv 2404.00228; METHODS.md H): with C the mean of x xᵀ, A = U[:, :r]ᵀ/√3
 * from the decomposition of C − M Mᵀ C.
 */
export const residualInputs = <L extends Lesson & WithBatches>({ rank, ...inputs }: ResidualInputsOptions): TaskProjection<L, L & WithDirections> => ({
  scale: "task",
  name: "residualInputs",
  options: { rank, ...describeInputs(inputs) },
  run: (lesson) =>
    pipe(
      inputGrams(lesson, inputs),
      RTE.chainEitherK((grams) => {
        const bases = remembered(lesson.learner);
        return pipe(
          [...grams],
          // C is symmetric: taking M out of its rows and decomposing is the transposed of taking it out of its columns.
          E.traverseArray(([name, gram]) =>
            pipe(
              leading(gram, rank, bases.get(name)),
              E.map(({ columns }) => [name, { A: rowsOf(columns, gram.shape[1], 1 / Math.sqrt(3)) }] as const),
            ),
          ),
        );
      }),
      RTE.map((found) => ({ ...lesson, directions: new Map(found) })),
    ),
});
