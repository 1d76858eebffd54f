/** `merge`: folds what lives of the adapters into the base weights. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { trainableParameters, type GroupValues, type GroupViews, type Head } from "../model/adapters/adapter.ts";
import { imageFeatures, textFeatures } from "../model/clip.ts";
import { hasText } from "../model/config.ts";
import { frozenParameters } from "../model/frozen.ts";
import type { Model } from "../model/model.ts";
import { plainScope } from "../model/transformer.ts";
import type { Tensors as HostTensors } from "../formats/hostTensor.ts";
import { bind, type HostRecord } from "../tensor/executable.ts";
import { views, type Layout } from "../tensor/layout.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { trace } from "../tensor/program.ts";
import { floats, indices, leaf, type Tensor } from "../tensor/tensor.ts";
import { entry, keepColumns, largest } from "../subspace/components.ts";
import type { Lesson, Merged, WithAdapters, WithBatches } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Which components of the adapters go into the weights; `N` names the groups that the choice needs. */
export interface Selection<N extends string> {
  readonly name: string;
  readonly apply: <V extends GroupValues<N>>(layouts: Readonly<Record<N, Layout>>, values: V) => V;
}

/** Everything. */
export const all: Selection<never> = { name: "all", apply: (_, values) => values };
/** The components whose gate is not zero (CoDyRA, METHODS.md A.4). */
export const selected: Selection<"B" | "gate"> = {
  name: "selected",
  apply: (layouts, values) => keepColumns(layouts.B, values, (module, r) => values.gate[layouts.gate.entries[module].offset + r] !== 0),
};

/**
 * One branch of parallel adapters (DualLoRA merges its orthogonal branch alone, METHODS.md D.3): the B of every other branch is taken back to its start.
 */
export const branch = <K extends string>(name: K): Selection<`${K}.B`> => ({
  name: `branch(${name})`,
  apply: (_, values) => {
    const all: Readonly<Record<string, Float32Array>> = values;
    const other = (group: string): boolean => group.endsWith(".B") && group !== `${name}.B`;
    return Object.fromEntries(Object.entries(all).map(([g, v]) => [g, other(g) ? (all[`${g}0`] ?? new Float32Array(v.length)) : v])) as typeof values;
  },
});

/** The `count` components of every module with the most votes, the lowest index first among equals (DAC, METHODS.md C.5). */
export const mostUsed = (count: number): Selection<"B" | "counts"> => ({
  name: `mostUsed(${count})`,
  apply: (layouts, values) => {
    const used = layouts.counts.entries.map((_, module) => largest(entry(layouts.counts, values.counts, module), count));
    return keepColumns(layouts.B, values, (module, r) => used[module].has(r));
  },
});

/** Features of a batch under given weights, through an adapter or without one. */
const features = async <G extends string>(
  lesson: Lesson & WithBatches & WithAdapters<G>,
  weights: HostTensors,
  batch: HostRecord,
  values: GroupValues<G> | undefined,
  runtime: Runtime,
): Promise<E.Either<Failure, readonly Float32Array[]>> => {
  const { config } = lesson.learner.model;
  const { adapter } = lesson.adapters;
  const { channels, imageSize } = config.vision;
  const { images, texts, length } = lesson.batches.shape;
  const specs = { pixels: floats([images, channels, imageSize, imageSize]), ids: indices([texts, length]), ends: indices([texts]) };
  const inputs = hasText(config) ? specs : { pixels: specs.pixels };
  const program = trace({ inputs }, ({ inputs: { pixels, ids, ends } }) => {
    const layouts = adapter.layouts(config);
    const base = plainScope(frozenParameters(config));
    const viewsOf = (g: G): ReadonlyMap<string, Tensor> => views(layouts[g], leaf("state", g, floats([layouts[g].length])));
    const groups = Object.fromEntries((Object.keys(layouts) as G[]).map((g) => [g, viewsOf(g)])) as GroupViews<G>;
    const scope = values === undefined ? base : adapter.scope(config, base, groups);
    return E.right({
      outputs: {
        images: normalize(imageFeatures(scope, config, pixels)),
        ...(hasText(config) ? { texts: normalize(textFeatures(scope, config, ids, ends)) } : {}),
      },
    });
  });
  if (E.isLeft(program)) return program;
  const made = await bind(runtime.device, program.right, weights)();
  if (E.isLeft(made)) return made;
  const exe = made.right;
  try {
    const used = new Set(program.right.leaves.map((l) => l.name));
    const of = (record: HostRecord): HostRecord => Object.fromEntries(Object.entries(record).filter(([name]) => used.has(name)));
    const written = exe.write("state", of(values ?? {}));
    if (E.isLeft(written)) return written;
    const ran = exe.run(of(batch));
    if (E.isLeft(ran)) return ran;
    return await TE.sequenceSeqArray(Object.keys(program.right.outputs).map((name) => exe.read(name)))();
  } finally {
    exe.release();
  }
};

/** A head with the rows of another below its own. */
const extended = (head: Head | undefined, { rows, bias, ...rest }: Head): Head => ({
  ...rest,
  rows: Float32Array.from([...(head?.rows ?? []), ...rows]),
  bias: Float32Array.from([...(head?.bias ?? []), ...bias]),
});

/**
 * Merges the chosen components, adds the rows of a head to the learner's, remembers the task's classes as seen, and measures what the merge
 * changed: the largest difference of a unit feature of the first batch's images and texts before and after. The weights are added in f64 and
 * rounded once. Fails with `NotFinite` when the merged model does not give finite features; the learner is then as it was.
 */
export const merge = <N extends string = never>(
  selection: Selection<N> = all as Selection<N>,
): TaskStage<Lesson & WithBatches & WithAdapters<N>, Lesson & WithBatches & Merged> =>
  taskStage("merge", { selection: selection.name }, (lesson) => (runtime) => async (): Promise<E.Either<Failure, Lesson & WithBatches & Merged>> => {
    const {
      learner,
      task,
      position,
      stream,
      batches,
      adapters: { adapter, values },
    } = lesson;
    const { config, weights } = learner.model;
    const chosen = selection.apply(adapter.layouts(config), values);
    const merged = adapter.merge(config, weights, chosen);
    const batch = await batches.at(0)();
    if (E.isLeft(batch)) return batch;
    const before = await features(lesson, weights, batch.right, chosen, runtime);
    if (E.isLeft(before)) return before;
    const after = await features(lesson, merged, batch.right, undefined, runtime);
    if (E.isLeft(after)) return after;
    const [now, old] = [after.right, before.right];
    const mergeError = now.reduce((worst, list, k) => list.reduce((w, x, i) => Math.max(w, Math.abs(x - old[k][i])), worst), 0);
    if (!now.every((list) => list.every(Number.isFinite))) return E.left({ _tag: "NotFinite", what: "The merged model", step: position });
    const head = adapter.head?.(config, values);
    return E.right({
      task,
      position,
      stream,
      batches,
      learner: {
        ...learner,
        model: { ...learner.model, weights: merged } as Model,
        ...(head === undefined ? {} : { head: extended(learner.head, head) }),
        seen: [...learner.seen, ...task.classNames],
      },
      trained: { trainableParameters: trainableParameters(adapter, config), ranks: adapter.ranks(config, chosen) },
      mergeError,
    });
  });
