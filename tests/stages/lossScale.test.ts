/** The scale of the loss in mixed precision: it changes no bit where nothing is too small or too large, and what is too large changes nothing else. */
import * as E from "fp-ts/lib/Either.js";
import * as assert from "uvu/assert";
import type { Stream } from "../../src/data/task.ts";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { gatedLora } from "../../src/model/adapters/lora.ts";
import { learner } from "../../src/model/learner.ts";
import { networkOf, type Model } from "../../src/model/model.ts";
import { encode } from "../../src/stages/encode.ts";
import { rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { meanGradient } from "../../src/subspace/gradients.ts";
import { instantiate, type HostRecord } from "../../src/tensor/executable.ts";
import { leafBook } from "../../src/tensor/leaves.ts";
import { add, affine } from "../../src/tensor/ops/elementwise.ts";
import { updateScale, where } from "../../src/tensor/ops/lossScale.ts";
import { sgdUpdate } from "../../src/tensor/ops/optimizer.ts";
import { optimise } from "../../src/tensor/passes/optimise.ts";
import { plan } from "../../src/tensor/plan.ts";
import { trace, type Program } from "../../src/tensor/program.ts";
import { target } from "../../src/kernels/target.ts";
import type { Training } from "../../src/training/keeper.ts";
import { lossScale } from "../../src/training/lossScale.ts";
import { imageToText, weighted } from "../../src/training/objective.ts";
import { adamW, sgd } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import { traceStep } from "../../src/training/step.ts";
import { train, type TrainOptions } from "../../src/training/train.ts";
import { left, right } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests, sameBits, traced, using } from "../tensor/check.ts";
import { mixedTest, mixedTests, overflowing } from "../tensor/mixedTest.ts";
import { floats } from "../../src/tensor/tensor.ts";
import { resident } from "../../src/device/resident.ts";

const adapter = gatedLora({ rank: 2 });
const model: Model = await tinyClip();
const task = patternTask("warm", ["red", "orange", "pink"], 1);
const count = 6;

/** A training of a few steps of an objective that is so many times the loss, with a threshold on its gates. */
const optionsOf = async (device: Device, factor: number, steps = count): Promise<TrainOptions<any>> => {
  const lesson = { learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" } as Stream, learned: 1 };
  const { batches } = await get(encode({ batch: 3, steps }).run(lesson)(runtimeOf(device)));
  // Of a factor that is large enough to overflow, squares overflow too.
  const lr = constantly(1e-1 / factor);
  const optimiser = factor === 1 ? adamW({ lr, weightDecay: 0.1 }) : sgd({ lr, momentum: 0.5 });
  return {
    model,
    adapter,
    steps: repeat(steps, gradient(weighted(factor, imageToText)), update(optimiser), rankSelect(softThreshold(constantly(1e-3)))),
    batches,
    from: { step: 0, values: adapter.initial(networkOf(model), model.weights, 0, 0), moments: {} },
  };
};

/** The states behind a training, and what was recorded of every step. */
const trained = async (device: Device, options: TrainOptions<any>) => {
  const records: Readonly<Record<string, number>>[] = [];
  const training = await get(train({ ...options, onSteps: (_, losses) => void records.push(...losses) })(runtimeOf(device)));
  return { training, scales: records.map(({ lossScale }) => lossScale), losses: records.map(({ loss }) => loss) };
};

/** The launches of a program that copy. */
const copiesOf = (program: Program, device: Device): number =>
  plan(optimise(program, target(device)), target(device)).launches.filter(({ launch }) => launch.kernel === "window").length;

const sameTraining = (a: Training<any>, b: Training<any>): void => {
  assert.is(a.step, b.step);
  assert.equal(Object.keys(a.moments).sort(), Object.keys(b.moments).sort());
  for (const [name, values] of [...Object.entries(a.values), ...Object.entries(a.moments)]) sameBits(values, (b.values[name] ?? b.moments[name])!, name);
};

deviceTest("a scaled loss gives the bits of the loss itself, where no number is too small or too large", async (device) => {
  const { batches, from, ...options } = await optionsOf(device, 1);
  const results: Readonly<Record<string, Float32Array>>[] = [];
  for (const precision of ["f32", "mixed"] as const) {
    const { program, recorder, constants } = right(traceStep({ ...options, step: options.steps.step, steps: count, batch: batches.shape, precision }));
    const used = new Set(program.leaves.map(({ name }) => name));
    const uploaded = right(
      resident(
        device,
        [...model.weights, ...constants].filter(([name]) => used.has(name)),
      ),
    );
    await using(
      device,
      program,
      async (exe) => {
        right(exe.write("state", from.values));
        for (let step = 0; step < count; step++) {
          const hypers = [...recorder.hypers].map(([name, at]) => [name, Float32Array.from(at, (schedule) => schedule(step))]);
          const inputs: HostRecord = { ...Object.fromEntries(hypers), ...right(await batches.at(step)()) };
          right(exe.run(Object.fromEntries(Object.entries(inputs).filter(([name]) => used.has(name)))));
        }
        const read = Object.keys(program.state).map(async (name) => [name, await get(exe.read(name))] as const);
        results.push(Object.fromEntries(await Promise.all(read)));
      },
      uploaded,
    );
    uploaded.release();
  }
  const [plain, { "loss scale": lossScale, ...scaled }] = results;
  assert.equal([...lossScale], [0, count]);
  for (const [name, values] of Object.entries(plain)) sameBits(scaled[name], values, name);
});

mixedTest("the mean gradient of a task has the bits of f32 in mixed precision, however small it is: it has no scale of the loss", async (...devices) => {
  const lesson = { learner: learner(model), task, position: 0, stream: { tasks: [task], labelSpace: "task" } as Stream, learned: 1 };
  const results = devices.map(async (device) => {
    const runtime = runtimeOf(device);
    const encoded = await get(encode({ batch: 3, steps: 1 }).run(lesson)(runtime));
    return get(meanGradient(encoded, { objective: weighted(1e-9, imageToText), modules: "all", towers: "all" })(runtime));
  });
  const [plain, mixed] = await Promise.all(results);
  assert.ok(plain!.size > 0 && [...plain!.values()].every(({ data }) => data.some((x) => x !== 0)));
  for (const [name, { data }] of plain!) sameBits(Float32Array.from(mixed!.get(name)!.data), Float32Array.from(data), name);
});

/** The same, behind a first step that changed nothing. */
const behindFirst = async (device: Device, options: TrainOptions<any>): Promise<TrainOptions<any>> => {
  const { training } = await trained(device, { ...options, until: 0 });
  return { ...options, from: { ...training, step: 1 } };
};

mixedTests("a step whose gradients are not finite changes nothing but the scale, which halves until they are", async (_, device) => {
  const factor = overflowing(device);
  const options = await behindFirst(device, await optionsOf(device, factor, 1 + count));
  const { training, scales, losses } = await trained(device, options);
  assert.is(scales[0], 2 ** 16);
  assert.is(scales.length, count);
  assert.ok(
    losses.every((loss) => loss > factor / 1e6 && Number.isFinite(loss)),
    `${losses}`,
  );
  scales.slice(1).forEach((scale, i) => assert.is(scale, scales[i]! / 2));
  for (const [name, values] of Object.entries(options.from.values)) sameBits(training.values[name], values, name);
  for (const [name, values] of Object.entries(training.moments)) {
    if (name === "loss scale") assert.equal([...values], [2 ** 16 / 2 ** count - 2 ** 16, 0]);
    else
      assert.ok(
        values.every((x) => x === 0),
        name,
      );
  }
  const more = await trained(device, await behindFirst(device, await optionsOf(device, factor, 1 + 15)));
  assert.ok(more.scales.at(-1)! > 1 && more.scales.at(-1) === more.scales.at(-2), `${more.scales}`);
  assert.not.equal(more.training.values.B, options.from.values.B);
});

mixedTests("the first step is made at the largest scale at which its gradients are finite; what follows has room for larger ones", async (_, device) => {
  const options = await optionsOf(device, overflowing(device));
  const { training, scales, losses } = await trained(device, options);
  const [first, ...others] = scales;
  assert.ok(first! > 4 && first! < 2 ** 16, `${scales}`);
  assert.equal(others, Array(count - 1).fill(first! / 4));
  assert.equal([...training.moments["loss scale"]], [first! / 4 - 2 ** 16, count]);
  assert.ok(new Set(losses).size === count && losses.every(Number.isFinite), `${losses}`);
  // One step is enough to learn something.
  const { training: one, scales: tried } = await trained(device, await optionsOf(device, overflowing(device), 1));
  assert.equal(tried, [first]);
  assert.not.equal(one.values.B, options.from.values.B);
  // At twice the scale they are not finite.
  const behind = await behindFirst(device, await optionsOf(device, overflowing(device), 3));
  const larger = { ...behind.from.moments, "loss scale": Float32Array.of(2 * first! - 2 ** 16, 0) };
  assert.equal((await trained(device, { ...behind, from: { ...behind.from, moments: larger } })).scales, [2 * first!, first!]);
});

mixedTests("a training that goes on has the scale of the one that was stopped, and its bits", async (_, device) => {
  const options = await optionsOf(device, overflowing(device) / 100, 10);
  const whole = await trained(device, options);
  const half = await trained(device, { ...options, until: 4 });
  const rest = await trained(device, { ...options, from: half.training });
  assert.equal([...half.scales, ...rest.scales], whole.scales);
  assert.ok(new Set(whole.scales).size > 1, `${whole.scales}`);
  sameTraining(rest.training, whole.training);
  sameTraining((await trained(device, options)).training, whole.training);
});

mixedTests("gradients that are finite at no scale end the training with a sentence", async (_, device) => {
  const options = await optionsOf(device, 3e38, 40);
  const failed: Failure = left(await train({ ...options, onSteps: () => undefined })(runtimeOf(device))());
  assert.is(failed._tag, "NotFinite");
  assert.match(describe(failed), /^(A gradient|The loss) is not finite at step \d+;/);
});

deviceTest("updates in place keep what was there by themselves, and copy nothing", async (device) => {
  const { batches, ...options } = await optionsOf(device, 1);
  const [plain, mixed] = (["f32", "mixed"] as const).map((precision) => {
    const { program } = right(traceStep({ ...options, step: options.steps.step, steps: count, batch: batches.shape, precision }));
    return { names: program.schedule.map((node) => (node.kind === "apply" ? node.op.name : "")), copies: copiesOf(program, device) };
  });
  assert.ok(plain.names.includes("adamw") && plain.names.includes("softThreshold") && mixed.names.includes("loss scale"));
  assert.not.ok(mixed.names.includes("where"));
  assert.is(mixed.copies, plain.copies);
});

deviceTest("a gradient that comes behind an update, and is not finite, takes that back; what is no update stays as well", async (device) => {
  const leaves = leafBook();
  const program = right(
    trace({}, () => {
      const scale = lossScale(leaves);
      const flat = floats([70]);
      const [p, m, counts] = ["p", "m", "counts"].map((name) => leaves.state(name, flat.shape));
      const [g, h, numbers] = [leaves.input("g", flat), leaves.input("h", flat), leaves.input("numbers", floats([4]))];
      assert.is(scale.fine(), undefined);
      const [once, moved] = sgdUpdate(scale.unscaled(g), numbers, p, m, scale.fine());
      const [twice, again] = sgdUpdate(scale.unscaled(h), numbers, once, moved, scale.fine());
      return E.right({ state: scale.settled({ p: twice, m: again, counts: add(counts, affine(p, 0, 1)) }) });
    }),
  );
  const filled = (x: number): Float32Array => new Float32Array(70).fill(x);
  await using(device, program, async (exe) => {
    const states = (): Promise<readonly number[]> => Promise.all(["p", "m", "counts"].map(async (name) => (await get(exe.read(name)))[69]));
    const numbers = Float32Array.of(2 ** 16, 1, 0, 1);
    // The first update is 1, the second what both have gathered.
    right(exe.run({ g: filled(1), h: filled(2), numbers }));
    assert.equal(await states(), [-4, 3 / 2 ** 16, 1]);
    for (const [g, h] of [
      [1, NaN],
      [Infinity, 1],
    ]) {
      right(exe.run({ g: filled(g), h: filled(h), numbers }));
      assert.equal(await states(), [-4, 3 / 2 ** 16, 1]);
    }
  });
});

deviceTest("the scale doubles after so many good steps in a row, and no further than the largest", async (device) => {
  const steps = { first: 8, largest: 32, patience: 3 };
  const program = traced({ state: { scale: floats([2]), x: floats([70]) }, inputs: { sum: floats([1]), y: floats([70]) } }, ({ state, inputs }) => {
    const { fine, state: scale } = updateScale(inputs.sum, state.scale, steps);
    return { state: { scale, x: where(fine, inputs.y, state.x) }, outputs: { fine } };
  });
  const exe = await get(instantiate(device, program));
  let [scale, good, x] = [8, 0, 0];
  const sums = [1, -2, 0, 3e38, 1, 2, 3, 4, 5, Infinity, 1, NaN, -Infinity, 1, 1, 1, 1];
  for (const [i, sum] of sums.entries()) {
    const fine = Number.isFinite(sum);
    right(exe.run({ sum: Float32Array.of(sum), y: new Float32Array(70).fill(fine ? i + 1 : NaN) }));
    good = fine ? good + 1 : 0;
    scale = fine ? (good >= 3 ? Math.min(2 * scale, 32) : scale) : scale / 2;
    if (good >= 3) good = 0;
    if (fine) x = i + 1;
    assert.equal([...(await get(exe.read("scale")))], [scale - 8, good], `after ${sum}`);
    assert.equal([...(await get(exe.read("fine")))], [fine ? 1 : 0]);
    assert.ok(
      (await get(exe.read("x"))).every((value) => value === x),
      `after ${sum}`,
    );
  }
  exe.release();
});

runTests();
