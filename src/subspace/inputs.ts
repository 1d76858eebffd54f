/** Gram matrices of what goes into linear layers: the features that subspaces of past tasks are made of. */
import { pipe } from "fp-ts/lib/function.js";
import type * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Matrix } from "../linalg/linalg.ts";
import { layersOf, towersOf, type Layer, type LayerChoice, type Tower } from "../model/network.ts";
import type { BatchSize } from "../model/architecture.ts";
import { through, type Branch } from "../model/branch.ts";
import { networkOf, outputsOf } from "../model/model.ts";
import { frozenScope, type Scope } from "../model/scope.ts";
import type { TextBatch } from "../formats/tokenizer.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { mul } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { slice } from "../tensor/ops/window.ts";
import { floats, reshape, type Tensor } from "../tensor/tensor.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { sumOver } from "../training/pass.ts";
import type { Runtime } from "../training/runtime.ts";

/** Which layers, which of their input's rows, and how batches add up. */
export interface InputOptions extends LayerChoice {
  /** Every token of every sample, or its first: the class token of an image. */
  readonly tokens: "all" | "class";
  /**
   * `gram`: Σ x xᵀ over all rows of all batches. `code-mean`: batches are averaged position by position first, as in KeepLoRA's code (METHODS.md B.3.6).
   */
  readonly accumulate: "gram" | "code-mean";
  /** What stands behind the end of a prompt, where its positions count: what the tokenizer puts there (the default), or 0, as OpenAI's own does. */
  readonly padding?: "zero" | "tokenizer";
  /** A part of the model that is not merged. */
  readonly through?: Branch;
}

/** The options as a manifest shows them: a branch by its name. */
export const describeInputs = ({ through: branch, ...options }: InputOptions): object => ({
  ...options,
  ...(branch === undefined ? {} : { through: branch.name }),
});

/** X Xᵀ [in, in] of a layer's inputs X, by layer; layers that share an input share the matrix. Only ratios of energies are used: its scale is free. */
export type Grams = ReadonlyMap<string, Matrix>;

/** The scope that shows every input of the given layers. */
const watched = (base: Scope, layers: readonly Layer[], see: (layer: string, x: Tensor) => void): Scope => {
  const names = new Set(layers.map(({ name }) => name));
  return {
    ...base,
    linear: (name, x, ...updates) => {
      if (names.has(name)) see(name, x);
      return base.linear(name, x, ...updates);
    },
  };
};

/** The first token of every sample [batch, width], the class token of an image, of x [batch, tokens, width]; x itself where it has no tokens. */
export const firstToken = (x: Tensor): Tensor => {
  const [batch, , width] = x.shape;
  return x.shape.length === 2 ? x : reshape(slice(x, 1, 0, 1), [batch, width]);
};

/** The rows of an input [batch, tokens, width] or [batch, width] that count. */
const rowsOf = (x: Tensor, tokens: InputOptions["tokens"]): Tensor => {
  if (tokens === "class" || x.shape.length === 2) return firstToken(x);
  const [batch, length, width] = x.shape;
  return reshape(x, [batch * length, width]);
};

/** The rows of a decoder's inputs, with 0 for what fills up a batch: rows are those of tokens in a tower that reads texts, and those of pictures in another. */
const realRows = (rows: Tensor, { texts, length, images }: BatchSize, { inputs }: Tower, leaves: Leaves): Tensor => {
  if (inputs.includes("ids")) return mul(rows, leaves.input("real", floats([texts * length, 1])));
  const seen = leaves.input("seen", floats([images, 1, 1]));
  const width = rows.shape[1];
  return reshape(mul(reshape(rows, [images, rows.shape[0] / images, width]), seen), rows.shape);
};

/** The ids of prompts with 0 behind the end of each. */
const zeroPadded = ({ ids, ends, length }: TextBatch): Uint32Array => ids.map((id, i) => (i > ends[Math.floor(i / length)] ? 0 : id));

/** What one tower walks over: the prompts of the task's classes, once, where it reads nothing else; or the batches of a walk over the images. */
const walkOf = ({ batches }: WithBatches, inputs: readonly string[], padding: InputOptions["padding"]) => {
  const { shape, epoch, at, prompts } = batches;
  if (prompts === undefined || !inputs.every((name) => name in prompts)) return { at, batches: epoch, size: shape };
  const { ends, count: texts, length } = prompts;
  const ids = padding === "zero" ? zeroPadded(prompts) : prompts.ids;
  return { at: () => TE.right({ ids, ends }), batches: 1, size: { images: shape.images, texts, length } };
};

/** The grams of one tower. */
const ofTower =
  (lesson: Lesson & WithBatches, tower: string, options: InputOptions) =>
  (runtime: Runtime): TE.TaskEither<Failure, Grams> => {
    const { model } = lesson.learner;
    const net = networkOf(model);
    const layers = layersOf(net, { modules: options.modules, towers: [tower] });
    if (layers.length === 0) return TE.right(new Map());
    const { at, batches, size } = walkOf(lesson, net.towers[tower].inputs, options.padding);
    // The mean of one batch is that batch.
    const direct = options.accumulate === "gram" || batches === 1;
    // The first layer that sees an input stands for all that do.
    const first = new Map<string, string>();
    const widths = new Map<string, number>();
    return pipe(
      sumOver({
        weights: model.weights,
        at,
        batches,
        of: (leaves) => {
          const seen = new Map<Tensor["node"], string>();
          const sums: Record<string, Tensor> = {};
          const plain = through(options.through, lesson.learner, frozenScope(net, leaves.frozen), leaves.constant);
          const scope = watched(plain, layers, (layer, x) => {
            const representative = seen.get(x.node) ?? layer;
            seen.set(x.node, representative);
            first.set(layer, representative);
            if (representative !== layer) return;
            const all = rowsOf(x, options.tokens);
            const rows = model.architecture.decoder === undefined || options.tokens === "class" ? all : realRows(all, size, net.towers[tower], leaves);
            widths.set(layer, rows.shape[1]);
            sums[layer] = direct ? matmul(rows, rows, { ta: true }) : rows;
          });
          // Asking for the output traces the tower, and the scope sees its inputs.
          void outputsOf(model, leaves, size, scope)[net.towers[tower].output];
          return sums;
        },
        read: (sums) => (direct ? sums : Object.fromEntries(Object.entries(sums).map(([layer, x]) => [layer, matmul(x, x, { ta: true })]))),
      })(runtime),
      TE.map((grams) => {
        const matrices = new Map(Object.entries(grams).map(([layer, data]) => [layer, { shape: [widths.get(layer)!, widths.get(layer)!] as const, data }]));
        return new Map(layers.map(({ name }) => [name, matrices.get(first.get(name)!)!]));
      }),
    );
  };

/**
 * The grams of a task's inputs under the learner's model: images over one walk of whole batches, the prompts of its classes once, at all positions (padding
 * included, as in KeepLoRA's code: METHODS.md B.3.6); questions and their answers without what fills up.
 */
export const inputGrams =
  (lesson: Lesson & WithBatches, options: InputOptions): RTE.ReaderTaskEither<Runtime, Failure, Grams> =>
  (runtime) =>
    pipe(
      towersOf(networkOf(lesson.learner.model), options.towers),
      TE.traverseSeqArray((tower) => ofTower(lesson, tower, options)(runtime)),
      TE.map((parts) => new Map(parts.flatMap((part) => [...part]))),
    );
