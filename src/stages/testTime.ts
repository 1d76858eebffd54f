/** Test-time training: before a picture is answered, an adapter is trained on views of it, and starts anew for the next one. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { viewBatches, type Batch } from "../data/batches.ts";
import { decoderOf } from "../data/decode.ts";
import type { Example } from "../data/example.ts";
import type { ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { readoutOf } from "../model/architecture.ts";
import { transformOf } from "../model/inputs.ts";
import { networkOf } from "../model/model.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { size } from "../tensor/tensor.ts";
import { ahead } from "../training/ahead.ts";
import { firstScale } from "../training/lossScale.ts";
import { skippedReporter } from "../training/runtime.ts";
import { hypersAt } from "../training/train.ts";
import { untilFinite } from "../training/untilFinite.ts";
import type { Adaptation } from "./adaptation.ts";
import { collected, type ImageFeatures } from "./imageFeatures.ts";
import { found } from "./programs.ts";
import { manifest } from "./stage.ts";
import type { Steps } from "./steps.ts";
import { chosenOf, withPrograms, type Adapting, type Programs } from "./testTimePrograms.ts";
import { patchesOf, visibleOf } from "./visiblePatches.ts";

/** Options of {@link testTimeTraining}. */
export interface TestTimeOptions extends Omit<Adaptation, "name" | "options" | "steps"> {
  /** The steps of one picture's training, a number of them; each sees the views that are confident before it. */
  readonly steps: Steps<any>;
}

/**
 * Trains adapters on views of every picture before it is answered (TPT, arXiv 2209.07511; LoRA-TTT, METHODS.md H). The model must read texts: views are
 * compared with those of the classes that the picture is answered among.
 *
 * ```ts
 * const adaptation = stage.testTimeTraining({
 *   adapters: adapter.lora({ rank: 16, modules: ["q", "k", "v", "out"], towers: ["vision"], last: 2, scale: 2 }),
 *   steps: stage.repeat(1, stage.gradient(objective.meanEntropy), stage.update(optimizer.adamW({ lr: schedule.constantly(1e-3), weightDecay: 0.2 }))),
 *   views: 64,
 *   augment: data.flipped(data.randomResizedCrop(0.08, 1)),
 *   confident: 0.1,
 * });
 * assert.deepEqual(stage.evaluate({}, { adaptation }).inference, { adaptation });
 * ```
 */
export const testTimeTraining = (options: TestTimeOptions): Adaptation => {
  const { adapters, steps, views, confident, hidden = 0, seed = 0 } = options;
  return {
    ...options,
    name: "testTimeTraining",
    options: { [adapters.name]: adapters.options, steps: steps.count, step: manifest(steps.step), views, confident, hidden, seed },
  };
};

/** Adapts to one picture from its views, the first of which it is, and reads what the model then gives for it. */
const adaptedTo = async (
  { learner, adaptation }: Adapting,
  { asking, training, answering, recorder: { hypers } }: Programs,
  start: HostRecord,
  { pixels }: Batch,
): Promise<E.Either<Failure, Readonly<Record<string, Float32Array>>>> => {
  const { steps, views, seed = 0 } = adaptation;
  const [chosen, patches, length] = [chosenOf(adaptation), patchesOf(learner, adaptation), pixels.length / views];
  const picture = (view: number): Float32Array => pixels.subarray(view * length, (view + 1) * length);
  const confident = new Float32Array(chosen * length);
  const ready = training.write(start);
  if (E.isLeft(ready)) return ready;
  let scale = firstScale;
  for (let step = 0; step < (steps.count as number); step++) {
    const ran = asking.run({ pixels });
    if (E.isLeft(ran)) return ran;
    const read = await asking.read(found)();
    if (E.isLeft(read)) return read;
    const order = [...read.right.keys()].sort((a, b) => read.right[a] - read.right[b]);
    order.slice(0, chosen).forEach((view, i) => confident.set(picture(view), i * length));
    const trained = await untilFinite(training, { ...hypersAt({ hypers }, step), ...visibleOf(chosen, patches, seed, step), pixels: confident }, step, scale);
    if (E.isLeft(trained)) return trained;
    scale = trained.right;
  }
  const answered = answering.run({ pixels: picture(0) });
  return E.isLeft(answered) ? answered : answering.readAll(Object.keys(answering.program.outputs))();
};

/**
 * Features of a task's examples, each after a training on its own views; for a learner and an adaptation that are {@link adaptable}. What it costs is told
 * first. Fails as pictures and devices do.
 */
export const adaptedImages = (
  adapting: Adapting,
  task: Pick<ClassTask, "name" | "decode">,
  examples: readonly Example[],
): TE.TaskEither<Failure, ImageFeatures> => {
  const { learner, runtime, adaptation } = adapting;
  const { adapters, steps, views, augment, seed = 0 } = adaptation;
  const { model } = learner;
  const net = networkOf(model);
  const times = Number(steps.count) === 1 ? "a step" : `${steps.count} steps`;
  const pictures = examples.length === 1 ? "1 picture, which is" : `${examples.length} pictures, each of which is`;
  const detail = `${task.name}: ${pictures} answered after ${times} of training on ${chosenOf(adaptation)} of ${views} views`;
  runtime.emit({ type: "note", detail });
  const { images: cache, onCorrupt } = runtime;
  const source = viewBatches({ examples, decode: decoderOf(task), transform: transformOf(model), cache, onCorrupt, views, augment, seed });
  return withPrograms(
    adapting,
    readoutOf(model.architecture),
  )((programs) => async () => {
    const zeros = Object.fromEntries(
      programs.training.program.leaves
        .filter(({ role }) => role === "state")
        .map(({ name: state, outputs: [{ shape }] }) => [state, new Float32Array(size(shape))]),
    );
    const start = { ...zeros, ...adapters.initial(net, model.weights, seed, 0) };
    const noted = Object.keys(programs.answering.program.outputs).filter((output) => output !== found);
    const { add, all } = collected(task.name, examples.length, 1, net.width, noted);
    const { next, more } = ahead(source.at, 0, source.steps, ({ pixels }) => pixels.byteLength);
    for (let step = 0; step < source.steps; step++) {
      if (runtime.signal?.aborted) return E.left({ _tag: "Interrupted" });
      const loaded = await next();
      if (E.isLeft(loaded)) return loaded;
      more();
      const { count, labels, ids } = loaded.right;
      if (count === 0) continue;
      const read = await adaptedTo(adapting, programs, start, loaded.right);
      if (E.isLeft(read)) return read;
      const own = { ...loaded.right, count: 1, labels: labels.subarray(0, 1), ids: ids.slice(0, 1) };
      const added = add(
        own,
        [found, ...noted].map((output) => read.right[output]),
      );
      if (E.isLeft(added)) return added;
    }
    skippedReporter(runtime)(source.skipped());
    return E.right(all());
  });
};
