/** Gram matrices of what goes into linear layers: the features that subspaces of past tasks are made of. */
import { pipe } from "fp-ts/lib/function.js";
import type * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Matrix } from "../linalg/linalg.ts";
import { imageFeatures, textFeatures } from "../model/clip.ts";
import { hasText } from "../model/config.ts";
import { frozenParameters } from "../model/frozen.ts";
import { modules, type Module, type ModuleKind, type Tower } from "../model/parameters.ts";
import { plainScope, type Scope } from "../model/transformer.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { slice } from "../tensor/ops/window.ts";
import { floats, indices, reshape, type Tensor } from "../tensor/tensor.ts";
import { through, type Branch } from "../model/branch.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { sumOver, type PassOptions } from "../training/pass.ts";
import type { Runtime } from "../training/runtime.ts";

/** Which modules, which of their input's rows, and how batches add up. */
export interface InputOptions {
  readonly modules: readonly ModuleKind[];
  readonly towers: readonly Tower[];
  /** Every token of every sample, or its first: the class token of an image. */
  readonly tokens: "all" | "class";
  /**
   * `gram`: Σ x xᵀ over all rows of all batches. `code-mean`: batches are averaged position by position first, as in KeepLoRA's code (METHODS.md B.3.6).
   */
  readonly accumulate: "gram" | "code-mean";
  /** A part of the model that is not merged. */
  readonly through?: Branch;
}

/** What a manifest says of them: a branch by its name. */
export const inputsSaid = ({ through, ...options }: InputOptions): object => ({ ...options, ...(through === undefined ? {} : { through: through.name }) });

/** X Xᵀ [in, in] of a module's inputs X, by module; modules that share an input share the matrix. Only ratios of energies are used: its scale is free. */
export type Grams = ReadonlyMap<string, Matrix>;

/** The scope that tells of every input of the given modules. */
const watched = (base: Scope, all: readonly Module[], see: (module: string, x: Tensor) => void): Scope => {
  const names = new Set(all.map((m) => m.name));
  return {
    param: base.param,
    linear: (name, x, ...updates) => {
      if (names.has(name)) see(name, x);
      return base.linear(name, x, ...updates);
    },
  };
};

/** The rows of an input [batch, tokens, width] that count. */
const rows = (x: Tensor, tokens: "all" | "class"): Tensor => {
  const [batch, length, width] = x.shape;
  return tokens === "all" ? reshape(x, [batch * length, width]) : reshape(slice(x, 1, 0, 1), [batch, width]);
};

/** The grams of one tower. */
const ofTower =
  (lesson: Lesson & WithBatches, tower: Tower, o: InputOptions) =>
  (runtime: Runtime): TE.TaskEither<Failure, Grams> => {
    const {
      learner,
      batches: { shape, epoch, at, prompts },
    } = lesson;
    const { config, weights } = learner.model;
    const own = modules(config, o.modules, [tower]);
    const { channels, imageSize } = config.vision;
    const images = { at, batches: epoch, inputs: { pixels: floats([shape.images, channels, imageSize, imageSize]) } };
    const texts =
      prompts === undefined
        ? undefined
        : {
            at: () => TE.right({ ids: prompts.ids, ends: prompts.ends }),
            batches: 1,
            inputs: { ids: indices([prompts.count, prompts.length]), ends: indices([prompts.count]) },
          };
    const walk: Pick<PassOptions, "at" | "batches" | "inputs"> | undefined = tower === "vision" ? images : texts;
    if (own.length === 0 || walk === undefined) return TE.right(new Map());
    // The mean of one batch is that batch.
    const direct = o.accumulate === "gram" || walk.batches === 1;
    // The first module that sees an input stands for all that do.
    const first = new Map<string, string>();
    const widths = new Map<string, number>();
    return pipe(
      sumOver({
        weights,
        ...walk,
        of: ({ pixels, ids, ends }, constant) => {
          const seen = new Map<Tensor["node"], string>();
          const sums: Record<string, Tensor> = {};
          const plain = through(o.through, learner, plainScope(frozenParameters(config)), constant);
          const scope = watched(plain, own, (module, x) => {
            const known = seen.get(x.node) ?? module;
            seen.set(x.node, known);
            first.set(module, known);
            if (known !== module) return;
            const counted = rows(x, o.tokens);
            widths.set(module, counted.shape[1]);
            sums[module] = direct ? matmul(counted, counted, { ta: true }) : counted;
          });
          if (tower === "vision") imageFeatures(scope, config, pixels);
          else if (hasText(config)) textFeatures(scope, config, ids, ends);
          return sums;
        },
        read: (sums) => (direct ? sums : Object.fromEntries(Object.entries(sums).map(([m, x]) => [m, matmul(x, x, { ta: true })]))),
      })(runtime),
      TE.map((grams) => {
        const matrices = new Map(Object.entries(grams).map(([m, data]) => [m, { shape: [widths.get(m)!, widths.get(m)!] as const, data }]));
        return new Map(own.map(({ name }) => [name, matrices.get(first.get(name)!)!]));
      }),
    );
  };

/**
 * The grams of a task's inputs under the learner's model: images over one walk of whole batches, the prompts of its classes once, at all positions (padding
 * included, as in KeepLoRA's code: METHODS.md B.3.6).
 */
export const inputGrams =
  (lesson: Lesson & WithBatches, o: InputOptions): RTE.ReaderTaskEither<Runtime, Failure, Grams> =>
  (runtime) =>
    pipe(
      o.towers,
      TE.traverseSeqArray((tower) => ofTower(lesson, tower, o)(runtime)),
      TE.map((parts) => new Map(parts.flatMap((part) => [...part]))),
    );
