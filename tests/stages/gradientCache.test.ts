/** Gradient caching: a loss that compares the images of a batch with one another learns the same from parts of it. */
import * as assert from "uvu/assert";
import type { Stream, Task } from "../../src/data/task.ts";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { keeplora } from "../../src/methods/keeplora.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { learner } from "../../src/model/learner.ts";
import type { Model } from "../../src/model/model.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import type { Method } from "../../src/stages/learn.ts";
import { pipeline, type TaskStage } from "../../src/stages/stage.ts";
import { dropout, gradient, repeat, update } from "../../src/stages/steps.ts";
import { runMethod } from "../../src/runs/run.ts";
import type { Lesson, WithAdapters } from "../../src/training/lesson.ts";
import { ifGiven, matching, objective, type Objective } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { left } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { colourTask, tinyLlama } from "../fixtures/tinyLlama.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, relativeError, runTests } from "../tensor/check.ts";
import { mixedTest } from "../tensor/mixedTest.ts";

/** The losses of steps, and what they learned by name. */
interface Learned {
  readonly losses: Float64Array;
  readonly values: Readonly<Record<string, Float32Array>>;
}

const lessonOf = (model: Model, task: Task): Lesson => {
  return { learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" } as Stream, learned: 1 };
};

/** Runs something of a lesson, and gathers the losses of its steps. */
const learned = async (
  device: Device,
  more: Partial<Runtime>,
  run: (runtime: Runtime) => Promise<Readonly<Record<string, Float32Array>>>,
): Promise<Learned> => {
  const losses: number[] = [];
  const emit = (event: Event): void => void (event.type === "step" && losses.push(event.losses.loss));
  const values = await run({ ...runtimeOf(device), emit, ...more });
  return { losses: Float64Array.from(losses), values };
};

/** What a method changes of the weights of a model. */
const changed = (device: Device, method: Method, model: Model, task: Task, more: Partial<Runtime> = {}): Promise<Learned> =>
  learned(device, more, async (runtime) => {
    const { learner: after } = await get(runMethod(method, learner(model), { tasks: [task], labelSpace: "task" } as Stream)(runtime));
    const { weights } = after.model;
    const changes = [...weights].map(([name, { data }]) => [name, data.map((x, i) => x - model.weights.get(name)!.data[i])] as const);
    return Object.fromEntries(changes.filter(([, data]) => data.some((x) => x !== 0)));
  });

const nearEachOther = (parts: Learned, whole: Learned, tolerance = 1e-5): void => {
  assert.ok(whole.losses.length > 0);
  assert.ok(relativeError(parts.losses, whole.losses) < tolerance, `${parts.losses} and ${whole.losses}`);
  assert.equal(Object.keys(parts.values), Object.keys(whole.values));
  for (const [name, values] of Object.entries(whole.values)) {
    const error = relativeError(parts.values[name], values);
    assert.ok(error < 1000 * tolerance, `${name}: ${error}`);
  }
};

const [quick, warm] = [{ steps: 2, batch: 5, rank: 2, lr: 1e-3 }, patternTask("warm", ["red", "orange", "pink"], 1)];

deviceTest("methods on both towers learn from parts what they learn from the batch, also where blocks are computed again", async (device) => {
  const model = await tinyClip();
  const rows: readonly (readonly [Method, ...Partial<Runtime>[]])[] = [
    [codyra(quick), { accumulate: 2 }, { accumulate: 3, recompute: "blocks" }],
    [sequentialLora(quick), { accumulate: 5 }],
    [keeplora(quick), { accumulate: 2 }],
  ];
  for (const [method, ...some] of rows) {
    const whole = await changed(device, method, model, warm);
    for (const more of some) nearEachOther(await changed(device, method, model, warm, more), whole);
  }
});

mixedTest("in mixed precision, too, as far as that is exact", async (_, mixed) => {
  const [model, method] = [await tinyClip(), codyra(quick)];
  const whole = await changed(mixed, method, model, warm);
  const parts = await changed(mixed, method, model, warm, { accumulate: 2, recompute: "blocks" });
  assert.ok(relativeError(parts.losses, whole.losses) < 1e-3, `${parts.losses} and ${whole.losses}`);
});

/** Some steps of LoRA under dropout. */
const steps = (loss: Objective): TaskStage<Lesson, Lesson & WithAdapters<"A" | "B">> =>
  pipeline(
    encode({ batch: 5, steps: 3 }),
    adapt({ adapters: lora({ rank: 2 }), steps: repeat(3, dropout(0.3), gradient(loss), update(adamW({ lr: constantly(1e-2) }))) }),
  );

deviceTest("both times that a part is computed, dropout draws for it what it draws in the batch", async (device) => {
  const model = await tinyClip();
  const of = (accumulate: number): Promise<Learned> =>
    learned(device, { accumulate }, async (runtime) => (await get(steps(matching).run(lessonOf(model, warm))(runtime))).adapters.values);
  const whole = await of(1);
  nearEachOther(await of(2), whole);
});

deviceTest("a loss of more than the features of images is refused in a sentence that names recompute", async (device) => {
  const own = objective("own", ({ outputs }) => outputs.answerLoss, ["answerLoss"]);
  const refused = await steps(ifGiven(own)).run(lessonOf(tinyLlama(), colourTask("one", 0)))({ ...runtimeOf(device), accumulate: 2 })();
  assert.is(
    describe(left(refused)),
    "own: it compares the examples of a batch with one another by more than their features, so the batch cannot be computed in 2 parts: " +
      "instead of accumulate, recompute needs less memory",
  );
});

runTests();
