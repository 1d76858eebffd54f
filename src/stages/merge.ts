/** `merge`: folds what lives of the adapters into the base weights. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { GroupValues } from "../model/adapters.ts";
import { imageFeatures } from "../model/clip.ts";
import { parameters } from "../model/parameters.ts";
import { plainScope } from "../model/transformer.ts";
import type { Tensors as HostTensors } from "../formats/hostTensor.ts";
import { instantiate, type HostRecord } from "../tensor/executable.ts";
import { elementsOf, views, type Layout } from "../tensor/layout.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { trace } from "../tensor/program.ts";
import { resident } from "../tensor/resident.ts";
import { floats, leaf, type Tensor } from "../tensor/tensor.ts";
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

/** Unit image features of a batch under given weights, through an adapter or without one. */
const features = async <G extends string>(
  lesson: Lesson & WithBatches & WithAdapters<G>, weights: HostTensors, pixels: HostRecord, values: GroupValues<G> | undefined, runtime: Runtime,
): Promise<E.Either<Failure, Float32Array>> => {
  const { config } = lesson.learner.clip;
  const { adapter } = lesson.adapters;
  const { channels, imageSize } = config.vision;
  const shapes = parameters(config);
  const leaves = new Map<string, Tensor>();
  const frozen = (name: string): Tensor => leaves.get(name) ?? leaves.set(name, leaf("frozen", name, floats(shapes.get(name)!))).get(name)!;
  const program = trace({ inputs: { pixels: floats([lesson.batches.shape.images, channels, imageSize, imageSize]) } }, ({ inputs }) => {
    const layouts = adapter.layouts(config);
    const base = plainScope(frozen);
    const viewsOf = (g: G): ReadonlyMap<string, Tensor> => views(layouts[g], leaf("state", g, floats([layouts[g].length])));
    const groups = Object.fromEntries((Object.keys(layouts) as G[]).map((g) => [g, viewsOf(g)])) as Record<G, ReadonlyMap<string, Tensor>>;
    const scope = values === undefined ? base : adapter.scope(config, base, groups);
    return E.right({ outputs: { features: normalize(imageFeatures(scope, config, inputs.pixels)) } });
  });
  if (E.isLeft(program)) return program;
  const uploaded = resident(runtime.device, [...weights].filter(([name]) => leaves.has(name)));
  if (E.isLeft(uploaded)) return uploaded;
  const made = await instantiate(runtime.device, program.right, uploaded.right)();
  if (E.isLeft(made)) {
    uploaded.right.release();
    return made;
  }
  const exe = made.right;
  try {
    const used = new Set(program.right.leaves.map((l) => l.name));
    const written = exe.write("state", Object.fromEntries(Object.entries<Float32Array>(values ?? {}).filter(([g]) => used.has(g))));
    if (E.isLeft(written)) return written;
    const ran = exe.run({ pixels: pixels.pixels });
    return E.isLeft(ran) ? ran : await exe.read("features")();
  } finally {
    exe.release();
    uploaded.right.release();
  }
};

/**
 * Merges the chosen components, remembers the task's classes as seen, and measures what the merge changed: the largest difference of a
 * unit image feature of the first batch before and after. The weights are added in f64 and rounded once. Fails with `NotFinite` when the
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
    const mergeError = after.right.reduce((worst, x, i) => Math.max(worst, Math.abs(x - before.right[i])), 0);
    if (!after.right.every(Number.isFinite)) return E.left({ _tag: "NotFinite", what: "The merged model", step: lesson.position });
    const layouts = Object.values(adapter.layouts(config));
    return E.right({
      ...lesson,
      learner: { ...learner, clip: { ...learner.clip, weights: merged }, seen: [...learner.seen, ...task.classNames] },
      trained: { trainableParameters: layouts.reduce((n, l) => n + elementsOf(l), 0), ranks: adapter.ranks(config, chosen) },
      mergeError,
    });
  });
