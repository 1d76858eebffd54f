/** A batch that is computed in parts, with one update behind them, learns what the whole batch does. */
import * as assert from "uvu/assert";
import { randomResizedCrop } from "../../src/data/augment.ts";
import type { Stream, Task } from "../../src/data/task.ts";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { dac } from "../../src/methods/dac.ts";
import { keeplora } from "../../src/methods/keeplora.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { clip } from "../../src/model/clip.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel, type Model } from "../../src/model/model.ts";
import { cut } from "../../src/model/part.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import type { Method } from "../../src/stages/learn.ts";
import { pipeline, type TaskStage } from "../../src/stages/stage.ts";
import { dropout, gradient, repeat, update } from "../../src/stages/steps.ts";
import { runMethod } from "../../src/runs/run.ts";
import type { Lesson, WithAdapters } from "../../src/training/lesson.ts";
import { imageToText, matching, unlessAnswers, type Objective } from "../../src/training/objective.ts";
import { partsOfImages } from "../../src/training/parts.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { traceStep } from "../../src/training/step.ts";
import type { Recompute } from "../../src/tensor/program.ts";
import { left, right } from "../either.ts";
import { bytesOfPlan, h100, planned } from "../fixtures/gpu.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { colourTask, tinyLlama } from "../fixtures/tinyLlama.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, relativeError, runTests } from "../tensor/check.ts";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";

interface Learned {
  readonly losses: readonly number[];
  readonly values: Readonly<Record<string, Float32Array>>;
}

/** Some steps of LoRA with dropout and augmentation. */
const steps = (batch: number, more: object = {}): TaskStage<Lesson, Lesson & WithAdapters<"A" | "B">> =>
  pipeline(
    encode({ batch, steps: 3, augment: randomResizedCrop(0.7, 1), ...more }),
    adapt({
      adapters: lora({ rank: 2 }),
      steps: repeat(3, dropout(0.3), gradient(unlessAnswers(imageToText)), update(adamW({ lr: constantly(1e-2) }))),
    }),
  );

const learned = async (
  device: Device,
  model: Model,
  task: Task,
  stage: TaskStage<Lesson, Lesson & WithAdapters<any>>,
  accumulate: number,
): Promise<Learned> => {
  const losses: number[] = [];
  const emit = (event: Event): void => void (event.type === "step" && losses.push(event.losses.loss));
  const lesson = { learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" } as Stream, learned: 1 };
  const { adapters } = await get(stage.run(lesson)({ ...runtimeOf(device), emit, accumulate }));
  return { losses, values: adapters.values };
};

const nearEachOther = (parts: Learned, whole: Learned): void => {
  assert.is(parts.losses.length, whole.losses.length);
  assert.ok(relativeError(Float64Array.from(parts.losses), Float64Array.from(whole.losses)) < 1e-5, `${parts.losses} and ${whole.losses}`);
  for (const [name, values] of Object.entries(whole.values)) assert.ok(relativeError(parts.values[name], values) < 1e-3, name);
};

test("examples are cut into parts that differ by one at most", () => {
  assert.equal(cut(7, 3), [
    [0, 3],
    [3, 2],
    [5, 2],
  ]);
  assert.equal(
    cut(4, 4).map(([first]) => first),
    [0, 1, 2, 3],
  );
});

deviceTest("images in parts learn what their batch does, under dropout and augmentation, also where parts are not of one size", async (device) => {
  const [model, task] = [await tinyClip(), patternTask("warm", ["red", "orange", "pink"], 1)];
  for (const texts of ["classes", "images"] as const) {
    const whole = await learned(device, model, task, steps(5, { texts }), 1);
    for (const parts of [2, 5]) nearEachOther(await learned(device, model, task, steps(5, { texts }), parts), whole);
  }
});

deviceTest("answers of different lengths in parts have the shares of their batch", async (device) => {
  const whole = await learned(device, tinyLlama(), colourTask("one", 0), steps(5), 1);
  for (const parts of [2, 3]) nearEachOther(await learned(device, tinyLlama(), colourTask("one", 0), steps(5), parts), whole);
});

deviceTest("every row of a part sees its own pictures", async (device) => {
  const model = await get(readModel("tests/fixtures/llava-tiny"));
  const picture = (seed: number) => ({
    kind: "pixels" as const,
    image: { width: 28, height: 28, data: Uint8Array.from({ length: 3 * 28 * 28 }, (_, i) => (i * seed) % 256) },
  });
  const questions = [[picture(7)], [], [picture(3), picture(11)], [picture(5)]].map((pictures, i) => ({
    ...{ id: `${i}`, prompt: "is it?", answer: ["yes", "no", "nose", "not"][i], pictures },
  }));
  const all = TE.right(questions);
  const task: Task = { kind: "answer", name: "pictures", score: "exact", chat: "{prompt}\n", train: all, test: all };
  const whole = await learned(device, model, task, steps(4), 1);
  nearEachOther(await learned(device, model, task, steps(4), 2), whole);
});

const run = async (device: Device, method: Method, model: Model, tasks: readonly Task[], more: Partial<Runtime>) =>
  runMethod(method, learner(model), { tasks, labelSpace: "task" } as Stream)({ ...runtimeOf(device), ...more })();

const quick = { steps: 2, batch: 4, rank: 2, lr: 1e-3 };

deviceTest("what cannot be computed in parts is refused in a sentence that names recompute", async (device) => {
  const [images, answers] = [[patternTask("warm", ["red", "orange"], 1)], [colourTask("one", 0)]];
  const model = await tinyClip();
  const accumulate = 2;
  for (const method of [codyra(quick), sequentialLora(quick)]) right(await run(device, method, tinyLlama(), answers, { accumulate }));
  for (const [of, tasks] of [
    [model, images],
    [tinyLlama(), answers],
  ] as const) {
    assert.match(
      describe(left(await run(device, dac({ ...quick, active: 1 }), of, tasks, { accumulate }))),
      /^accumulate: all samples of a batch vote together, so .* 2 parts: recompute/,
    );
  }
  const failure: Failure = left(await run(device, keeplora(quick), model, images, { accumulate: 5 }));
  assert.is(describe(failure), "accumulate: a batch of 4 cannot be computed in 5 parts; give at most 4");
});

test("a step in parts needs less memory on a GPU, and the more so the more parts there are", () => {
  const tower = { width: 64, mlpWidth: 256, layers: 3, heads: 2, activation: "quick_gelu", eps: 1e-5 } as const;
  const config = {
    ...{ embed: 32, initialLogitScale: 2.6 },
    vision: { ...tower, imageSize: 64, patchSize: 8, channels: 3 },
    text: { ...tower, vocabulary: 100, context: 16, eosId: 99 },
  };
  const batch = { images: 32, texts: 4, length: 8, previous: 0 };
  const bytes = (count: number, loss: Objective, recompute?: Recompute): number => {
    const { step } = repeat(1, gradient(loss), update(adamW({ lr: constantly(1e-3) })));
    const { parts } = partsOfImages(batch, count);
    const model = { architecture: clip, config, weights: new Map() };
    const traced = traceStep({ model, adapter: lora({ rank: 4 }), step, steps: 1, batch, parts, recompute });
    const { all, frozen } = bytesOfPlan(planned(right(traced).program, h100));
    return all - frozen;
  };
  for (const loss of [imageToText, matching]) {
    const [whole, halves, eighths] = [1, 2, 8].map((count) => bytes(count, loss));
    assert.ok(halves < 0.65 * whole && eighths < 0.35 * whole, `${[whole, halves, eighths]}`);
    const [again, eighthsAgain] = [1, 8].map((count) => bytes(count, loss, "blocks"));
    assert.ok(eighthsAgain < eighths && eighthsAgain < 0.5 * again, `${[again, eighthsAgain, eighths]}`);
  }
});

runTests();
