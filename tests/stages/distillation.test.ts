/** Distillation, reference pictures, averaged and interpolated weights: in parts, computed again, in mixed precision, gone on with, and where something lacks. */
import * as assert from "uvu/assert";
import { test } from "uvu";
import * as fc from "fast-check";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import type { Tensors } from "../../src/formats/hostTensor.ts";
import { allParameters } from "../../src/model/adapters/inFull.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { interpolatedUpdate, mergeUpdate, type Update } from "../../src/model/adapters/update.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { networkOf } from "../../src/model/model.ts";
import { originalWeights } from "../../src/model/original.ts";
import { lwf } from "../../src/methods/lwf.ts";
import { zscl } from "../../src/methods/zscl.ts";
import { runMethod } from "../../src/runs/run.ts";
import { averageWeights } from "../../src/stages/averageWeights.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { merge, type MergeOptions } from "../../src/stages/merge.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { all } from "../../src/subspace/selection.ts";
import type { Checkpoint, Training } from "../../src/training/keeper.ts";
import { matching } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { left } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, relativeError, runTests, sameBits } from "../tensor/check.ts";
import { mixedTest } from "../tensor/mixedTest.ts";

const stream = {
  labelSpace: "task",
  tasks: [patternTask("warm", ["red", "orange", "pink"], 1), patternTask("cold", ["blue", "green"], 2)],
  reference: patternTask("grey", ["black", "white"], 3),
} as const;
const plain = { steps: 3, batch: 5, rank: 2, lr: 1e-2, cropScale: 1, tuned: "lora" } as const;
const quick = { ...plain, averageEvery: 2 } as const;

/** The weights behind two tasks. */
const weightsBehind = async (method: ReturnType<typeof zscl>, runtime: Runtime): Promise<Tensors> =>
  (await get(runMethod(method, learner(await tinyClip()), stream)(runtime))).learner.model.weights;

const nearEachOther = (some: Tensors, others: Tensors, limit: number): void => {
  for (const [name, { data }] of others) assert.ok(relativeError(some.get(name)!.data, Float64Array.from(data)) < limit, name);
};

deviceTest("ZSCL and LwF learn in parts what they learn at once, and with blocks that are computed again the same", async (device) => {
  for (const method of [zscl(quick), lwf(plain)]) {
    const whole = await weightsBehind(method, runtimeOf(device));
    // A part of a batch of five has no more than three reference pictures beside it.
    nearEachOther(await weightsBehind(method, { ...runtimeOf(device), accumulate: 2 }), whole, 1e-3);
    if (method.name === "zscl") nearEachOther(await weightsBehind(method, { ...runtimeOf(device), recompute: "blocks" }), whole, 1e-5);
  }
});

mixedTest("ZSCL in mixed precision learns what it learns in f32, to a hundredth, and averages only steps that were made", async (...devices) => {
  const [exact, mixed] = await Promise.all(devices.map((device) => weightsBehind(zscl({ ...quick, lr: 1e-3 }), runtimeOf(device))));
  nearEachOther(mixed, exact, 1e-2);
});

deviceTest("one average of the weights is taken in a step: a second is refused", async (device) => {
  const average = averageWeights({ every: 2 });
  const steps = repeat(2, gradient(matching), update(adamW({ lr: constantly(1e-2) })), average, average);
  const twice = pipeline(encode({ batch: 4, steps: 2 }), adapt({ adapters: lora({ rank: 2 }), steps }));
  const lesson = { learner: learner(await tinyClip()), task: stream.tasks[0], position: 0, stream, learned: 1 };
  const failed = left(await twice.run(lesson)(runtimeOf(device))());
  assert.match(describe(failed), /averageWeights.*the weights of this step are averaged already; one average can be taken/);
});

/** Trains the first task with averages; `keep` sees the state after every step. */
const averagedOver = (device: Device, from: Learner, keep: Runtime["keep"]) => {
  const stage = pipeline(
    encode({ batch: 4, steps: 5 }),
    adapt({ adapters: lora({ rank: 2 }), steps: repeat(5, gradient(matching), update(adamW({ lr: constantly(1e-2) })), averageWeights({ every: 3 })) }),
  );
  return stage.run({ learner: from, task: stream.tasks[0], position: 0, stream, learned: 1 })({ ...runtimeOf(device), keep });
};

const keeping = (checkpoint: Checkpoint<any>, from?: Training<any>): Runtime["keep"] => ({
  lesson: () => TE.right(undefined),
  training: () => ({ ...(from === undefined ? {} : { from }), checkpoint }),
});

deviceTest("adapters end as the mean of their start and of every so many steps, and with the same bits where a training goes on", async (device) => {
  const from = learner(await tinyClip());
  const states: Training<"A" | "B">[] = [];
  const save = (state: Training<any>) => TE.fromIO(() => void states.push(structuredClone(state)));
  const { adapters } = await get(averagedOver(device, from, keeping({ every: 1, save })));
  const start = adapters.adapter.initial(networkOf(from.model), from.model.weights, runtimeOf(device).seed, 0);
  for (const group of ["A", "B"] as const) {
    // Behind steps 0 and 3, and behind the last.
    const summands = [start[group], ...[1, 4, 5].map((step) => states.find((state) => state.step === step)!.values[group])];
    const mean = Float64Array.from(start[group], (_, i) => summands.reduce((sum, values) => sum + values[i], 0) / summands.length);
    assert.ok(relativeError(adapters.values[group], mean) < 1e-6, group);
  }
  for (const state of states) {
    const again = await get(averagedOver(device, from, keeping({ save: () => TE.right(undefined) }, state)));
    for (const group of ["A", "B"] as const) sameBits(again.adapters.values[group], adapters.values[group], `${group} from step ${state.step} on`);
  }
});

deviceTest("interpolated merges measure themselves, and the original weights are those before the first task", async (device) => {
  const model = await tinyClip();
  for (const adapters of [lora({ rank: 2 }), allParameters()] as const) {
    const stage = (options: MergeOptions) =>
      pipeline(
        encode({ batch: 4, steps: 2 }),
        adapt({ adapters: adapters as ReturnType<typeof lora>, steps: repeat(2, gradient(matching), update(adamW({ lr: constantly(1e-2) }))) }),
        merge(all, options),
      );
    const learn = async (from: Learner, position: number, options: MergeOptions) => {
      const lesson = { learner: from, task: stream.tasks[position], position, stream, learned: position + 1 };
      const merged = await get(stage(options).run(lesson)(runtimeOf(device)));
      assert.ok(merged.mergeError < 1e-4, `${adapters.name}: ${merged.mergeError}`);
      return merged.learner;
    };
    const first = await learn(learner(model), 0, { keepOriginal: true });
    const [plain, half] = [await learn(first, 1, {}), await learn(first, 1, { interpolation: { alpha: 0.5 } })];
    const back = await learn(first, 1, { interpolation: { alpha: 0.25, with: "original" } });
    for (const [name, { data }] of model.weights) {
      const [before, after] = [first, plain].map((one) => one.model.weights.get(name)!.data);
      const mean = Float64Array.from(before, (x, i) => (x + after[i]) / 2);
      assert.ok(relativeError(half.model.weights.get(name)!.data, mean) < 1e-6, name);
      const quarter = Float64Array.from(data, (x, i) => 0.75 * x + 0.25 * after[i]);
      assert.ok(relativeError(back.model.weights.get(name)!.data, quarter) < 1e-6, name);
      const kept = originalWeights.of(back).get(name);
      if (kept !== undefined) assert.equal(kept.data, data, name);
      else assert.is(back.model.weights.get(name), model.weights.get(name), name);
    }
    assert.equal(back.memory, first.memory);
  }
});

test("an interpolated update leads between the weights before and behind it", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 8, maxLength: 8 }), (alpha, numbers) => {
      const tensor = (...data: readonly number[]) => ({ shape: [1, data.length], data: Float32Array.from(data) });
      const [a, b, c, d, e, f, g, h] = numbers;
      const model = { weights: new Map([["one.weight", tensor(a, b)] as const, ["two.weight", tensor(c)] as const]) };
      const whole: Update = {
        factors: new Map([["one", { rank: 1, B: Float64Array.of(d), A: Float32Array.of(e, f) }]]),
        weights: new Map([["two.weight", tensor(g)]]),
      };
      const anchor = new Map([["one.weight", tensor(h, b)]]);
      for (const of of [new Map(), anchor]) {
        const behind = mergeUpdate(model, whole).weights;
        const between = mergeUpdate(model, interpolatedUpdate(model, whole, alpha, of)).weights;
        for (const [name, { data }] of between) {
          const from = (of.get(name) ?? model.weights.get(name)!).data;
          data.forEach((x, i) => assert.ok(Math.abs(x - ((1 - alpha) * from[i] + alpha * behind.get(name)!.data[i])) < 1e-5, name));
        }
      }
    }),
  );
});

deviceTest("an objective of reference pictures says what it lacks where there are none", async (device) => {
  const stage = pipeline(
    encode({ batch: 4, steps: 1 }),
    adapt({ adapters: lora({ rank: 2 }), steps: repeat(1, gradient(matching, { reference: matching }), update(adamW({ lr: constantly(1e-2) }))) }),
  );
  const lesson = { learner: learner(await tinyClip()), task: stream.tasks[0], position: 0, stream, learned: 1 };
  const failed = left(await stage.run(lesson)(runtimeOf(device))());
  assert.match(describe(failed), /there are no reference pictures beside the batch; encode with reference/);
});

runTests();
