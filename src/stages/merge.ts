/** `merge`: folds what lives of the adapters into the base weights. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { GroupValues } from "../model/adapters.ts";
import { imageFeatures, textFeatures } from "../model/clip.ts";
import { frozenParameters } from "../model/frozen.ts";
import { plainScope } from "../model/transformer.ts";
import type { Tensors as HostTensors } from "../formats/hostTensor.ts";
import { bind, type HostRecord } from "../tensor/executable.ts";
import { elementsOf, views, type Layout } from "../tensor/layout.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { trace } from "../tensor/program.ts";
import { floats, indices, leaf, type Tensor } from "../tensor/tensor.ts";
import { keepColumns } from "./components.ts";
import type { Lesson, Merged, WithAdapters, WithBatches } from "./learner.ts";
import type { Runtime } from "./runtime.ts";
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
  apply: (layouts, values) => ({
    ...values,
    B: keepColumns(layouts.B, values.B, (module, r) => values.gate[layouts.gate.entries[module].offset + r] !== 0),
  }),
};

/** Unit features of the images and texts of a batch under given weights, through an adapter or without one. */
const features = async <G extends string>(
  lesson: Lesson & WithBatches & WithAdapters<G>, weights: HostTensors, batch: HostRecord, values: GroupValues<G> | undefined, runtime: Runtime,
): Promise<E.Either<Failure, readonly Float32Array[]>> => {
  const { config } = lesson.learner.clip;
  const { adapter } = lesson.adapters;
  const { channels, imageSize } = config.vision;
  const { images, texts, length } = lesson.batches.shape;
  const inputs = { pixels: floats([images, channels, imageSize, imageSize]), ids: indices([texts, length]), ends: indices([texts]) };
  const program = trace({ inputs }, ({ inputs: { pixels, ids, ends } }) => {
    const layouts = adapter.layouts(config);
    const base = plainScope(frozenParameters(config));
    const viewsOf = (g: G): ReadonlyMap<string, Tensor> => views(layouts[g], leaf("state", g, floats([layouts[g].length])));
    const groups = Object.fromEntries((Object.keys(layouts) as G[]).map((g) => [g, viewsOf(g)])) as Record<G, ReadonlyMap<string, Tensor>>;
    const scope = values === undefined ? base : adapter.scope(config, base, groups);
    return E.right({ outputs: { images: normalize(imageFeatures(scope, config, pixels)), texts: normalize(textFeatures(scope, config, ids, ends)) } });
  });
  if (E.isLeft(program)) return program;
  const made = await bind(runtime.device, program.right, weights)();
  if (E.isLeft(made)) return made;
  const exe = made.right;
  try {
    const used = new Set(program.right.leaves.map((l) => l.name));
    const written = exe.write("state", Object.fromEntries(Object.entries<Float32Array>(values ?? {}).filter(([g]) => used.has(g))));
    if (E.isLeft(written)) return written;
    const ran = exe.run({ pixels: batch.pixels, ids: batch.ids, ends: batch.ends });
    if (E.isLeft(ran)) return ran;
    return await TE.sequenceSeqArray([exe.read("images"), exe.read("texts")])();
  } finally {
    exe.release();
  }
};

/**
 * Merges the chosen components, remembers the task's classes as seen, and measures what the merge changed: the largest difference of a
 * unit feature of the first batch's images and texts before and after. The weights are added in f64 and rounded once. Fails with `NotFinite` when the
 * merged model does not give finite features; the learner is then as it was.
 */
export const merge = <N extends string = never>(
  selection: Selection<N> = all as Selection<N>,
): TaskStage<Lesson & WithBatches & WithAdapters<N>, Lesson & Merged> =>
  taskStage("merge", { selection: selection.name }, (lesson) => (runtime) => async (): Promise<E.Either<Failure, Lesson & Merged>> => {
    const { learner, task, batches, adapters: { adapter, values } } = lesson;
    const { config, weights } = learner.clip;
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
    if (!now.every((list) => list.every(Number.isFinite))) return E.left({ _tag: "NotFinite", what: "The merged model", step: lesson.position });
    const layouts = Object.values(adapter.layouts(config));
    return E.right({
      ...lesson,
      learner: { ...learner, clip: { ...learner.clip, weights: merged }, seen: [...learner.seen, ...task.classNames] },
      trained: { trainableParameters: layouts.reduce((n, l) => n + elementsOf(l), 0), ranks: adapter.ranks(config, chosen) },
      mergeError,
    });
  });
