/** What traces of methods share: tasks, batches and lessons made of golden tensors, a training step by step, and comparisons that no sign disturbs. */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import { elements, type HostTensor } from "../../src/formats/hostTensor.ts";
import type { TextConfig } from "../../src/model/clip.ts";
import { targets } from "../../src/stages/captions.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import type { Adapter, GroupValues } from "../../src/model/adapters/adapter.ts";
import { networkOf, type Model } from "../../src/model/model.ts";
import { bank } from "../../src/model/bank.ts";
import { through, type Branch } from "../../src/model/branch.ts";
import type { Lesson, WithBatches } from "../../src/training/lesson.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import type { ScheduleOf } from "../../src/training/schedule.ts";
import { taskStage, type TaskStage } from "../../src/stages/stage.ts";
import type { Steps } from "../../src/stages/steps.ts";
import type { Training } from "../../src/training/keeper.ts";
import { train, type TrainOptions } from "../../src/training/train.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import type { ClassTask } from "../../src/data/task.ts";
import { largestDifference } from "../tensor/check.ts";
import { textsOf, wholesOf } from "../model/embeddings.ts";

/** Tensors of a golden file, by name. */
export type Golden = (name: string) => HostTensor;

/** How far traces may be from their references, unless a test says otherwise. */
export const tolerance = 1e-4;

/** Row `i` of a tensor along its first axis, where goldens keep the state after step i. */
export const rowAt = ({ shape: [, ...shape], data }: HostTensor, i: number): HostTensor => {
  const length = elements(shape);
  return { shape, data: data.slice(i * length, (i + 1) * length) };
};

/** Some of a task's images [n, 3, size, size], as one batch. */
export const imagesAt = (pixels: HostTensor, picked: ArrayLike<number>): Float32Array => {
  const length = elements(pixels.shape.slice(1));
  const batch = new Float32Array(picked.length * length);
  Array.from(picked).forEach((image, i) => batch.set(pixels.data.subarray(image * length, (image + 1) * length), i * length));
  return batch;
};

/** A golden task: its images, their labels, and its prompts; a ViT has none, and says how many classes there are. */
export interface GoldenTask {
  readonly pixels: HostTensor;
  readonly labels: HostTensor;
  /** [classes, context]. */
  readonly ids?: HostTensor;
  /** Default: the number of prompts. */
  readonly classes?: number;
  /** The label of the first class. Default 0. */
  readonly first?: number;
}

/** Options of {@link batchesOf}. */
export interface GoldenBatches {
  /** Indices of images [batches, images]. */
  readonly order: HostTensor;
  /** Steps that schedules run over. Default: the number of batches. */
  readonly steps?: number;
  /** Classes of earlier tasks. Default 0. */
  readonly previous?: number;
}

/** Batches of a golden task in a given order, over and over; as many as there are make a walk. Only what the model says of its texts is used. */
export const batchesOf = ({ text }: { readonly text?: TextConfig }, task: GoldenTask, { order, steps, previous = 0 }: GoldenBatches): TrainingBatches => {
  const { pixels, labels, ids, first = 0 } = task;
  const [count, images] = order.shape;
  const [texts, prompts] = ids !== undefined && text !== undefined ? [textsOf(text, wholesOf(ids)), textsOf(text, wholesOf(ids), text.context)] : [];
  const classes = task.classes ?? texts!.count;
  return {
    shape: { images, texts: classes, length: texts?.length ?? 0, previous },
    steps: steps ?? count,
    epoch: count,
    prompts,
    at: (step) => {
      const picked = rowAt(order, step % count).data;
      const own = Uint32Array.from(picked, (image) => labels.data[image] - first);
      return TE.right({ pixels: imagesAt(pixels, picked), ...targets(own, classes), ...(texts === undefined ? {} : { ids: texts.ids, ends: texts.ends }) });
    },
  };
};

/** A task in name alone: its batches come from elsewhere. */
const taskOf = (name: string, classes: number): ClassTask => ({
  name,
  classNames: Array.from({ length: classes }, (_, i) => `${name} class ${i}`),
  templates: ["{c}"],
  train: TE.right([]),
  test: TE.right([]),
});

/** A learner with a model of which nothing but architecture, configuration and weights is used. */
export const learnerOf = (model: Pick<Model, "architecture" | "config" | "weights">): Learner => learner(model as Model);

/** The lesson at a position of a stream of tasks with so many classes. */
export const lessonOf = (of: Learner, classes: readonly number[], position: number): Lesson => {
  const tasks = classes.map((count, i) => taskOf(`task ${i + 1}`, count));
  return { learner: of, task: tasks[position], position, stream: { tasks, labelSpace: "task" }, learned: position + 1 };
};

/** A stage that stands where `encode` would, or that gives what follows it other batches. */
export const given = <L extends Lesson>(batches: TrainingBatches): TaskStage<L, L & WithBatches> =>
  taskStage("given", undefined, (lesson) => RTE.of({ ...lesson, batches }));

/** An environment without a watcher. */
export const runtimeOf = (device: Device): Runtime => ({ device, seed: 8, emit: () => undefined, images: imageCache(0) });

/** Runs a stage at the scale of a task. */
export const runStage = <A, B>(device: Device, stage: TaskStage<A, B, any>, from: A): Promise<B> => get(stage.run(from)(runtimeOf(device)));

/** A schedule of a run of so many steps, whatever the number of steps that are taken: goldens stop early. */
export const over = (steps: number, schedule: ScheduleOf): ScheduleOf => ({ ...schedule, of: (_, position) => schedule.of(steps, position) });

/** The adapter with other initial values: a golden's. */
export const startingAt = <G extends string, T extends G>(adapter: Adapter<G, T>, values: GroupValues<G>): Adapter<G, T> => ({
  ...adapter,
  initial: () => values,
});

/** The states after some steps of a training, the last one among them, and what every step recorded. */
export interface Trace<G extends string> {
  readonly states: readonly Training<G>[];
  readonly losses: readonly Readonly<Record<string, number>>[];
}

/** Trains, and keeps the state after every `every` steps and after the last. */
export const traced = async <G extends string>(device: Device, options: Omit<TrainOptions<G>, "checkpoint" | "onSteps">, every = 1): Promise<Trace<G>> => {
  const states: Training<G>[] = [];
  const losses: Readonly<Record<string, number>>[] = [];
  await get(
    train({
      ...options,
      onSteps: (_, some) => void losses.push(...some),
      checkpoint: { every, save: (training) => TE.fromIO(() => void states.push(training)) },
    })(runtimeOf(device)),
  );
  return { states, losses };
};

/** What `adapt` trains in a lesson, step by step. */
export const adaptTraced = <G extends string, T extends G>(
  device: Device,
  { learner: own, position, batches }: Lesson & WithBatches,
  { adapter, steps, branch }: { readonly adapter: Adapter<G, T>; readonly steps: Steps<any>; readonly branch?: Branch },
): Promise<Trace<G>> => {
  const { model, memory } = own;
  return traced(device, {
    model,
    adapter,
    steps,
    batches,
    position,
    memory,
    from: { step: 0, values: adapter.initial(networkOf(model), model.weights, 8, position), moments: {} },
    base: (plain, tracing) => through(branch, own, plain, tracing.constant),
  });
};

/** Asserts that two arrays differ nowhere by more than `limit`. */
export const near = (got: ArrayLike<number>, want: ArrayLike<number>, what: string, limit = tolerance): void => {
  const off = largestDifference(got, want);
  assert.ok(off <= limit, `${what} is off by ${off}`);
};

/** Asserts the same with `tolerance` as a part of the largest value that is wanted: for small numbers, as updates are. */
export const nearRelative = (got: ArrayLike<number>, want: ArrayLike<number>, what: string): void =>
  near(got, want, what, tolerance * Array.from(want).reduce((most, x) => Math.max(most, Math.abs(x)), 0));

/** The rows of a matrix. */
export const rowsOf = ({ shape: [n, d], data }: HostTensor): readonly Float32Array[] => Array.from({ length: n }, (_, i) => data.subarray(i * d, (i + 1) * d));

/** The first `k` columns of a matrix. */
export const columnsOf = ({ shape: [n, width], data }: HostTensor, k = width): readonly Float32Array[] =>
  Array.from({ length: k }, (_, j) => Float32Array.from({ length: n }, (_, i) => data[i * width + j]));

/** Σ v vᵀ [d, d] of orthonormal vectors: their span, whatever their signs and their order. */
export const projector = (vectors: readonly ArrayLike<number>[], d: number): Float64Array => {
  const p = new Float64Array(d * d);
  for (const v of vectors) for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) p[i * d + j] += v[i] * v[j];
  return p;
};

/** scale · B A [out, in] of B [out, r] and A [r, in]: an update, whatever the signs of its components. */
export const updateOf = (B: HostTensor, A: HostTensor, scale = 1): Float64Array => {
  const [[out, rank], [, width]] = [B.shape, A.shape];
  const update = new Float64Array(out * width);
  for (let i = 0; i < out; i++) {
    for (let r = 0; r < rank; r++) {
      const b = scale * B.data[i * rank + r];
      for (let j = 0; j < width; j++) update[i * width + j] += b * A.data[r * width + j];
    }
  }
  return update;
};

/** Asserts that a learner keeps the adapters of so many tasks beside its weights, and that each task has learned something. */
export const keepsAdapters = (learner: Learner, tasks: number, what: string): void => {
  const kept = bank.of(learner);
  assert.is(kept.length, tasks, `${what}: adapters of tasks`);
  for (const [task, adapters] of kept.entries()) {
    assert.ok(
      [...adapters.values()].some(({ B }) => B.data.some((x) => x !== 0)),
      `${what}: the adapters of task ${task} are not zero`,
    );
    for (const [layer, { A, B }] of adapters)
      assert.ok(
        [A, B].every(({ data }) => data.every(Number.isFinite)),
        `${what}: ${layer}`,
      );
  }
};
