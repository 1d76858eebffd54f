/** GLAD's steered gradients step by step against a torch reference that was written from METHODS.md H (tests/fixtures/glad_trace.py). */
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { networkOf } from "../../src/model/model.ts";
import { blended, sharpnessAware, withoutConflict, type Steering } from "../../src/stages/sharpness.ts";
import type { StepStage } from "../../src/stages/stage.ts";
import { dropout, gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { imageToText } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import { train } from "../../src/training/train.ts";
import type { Graded, Trainee } from "../../src/training/trainee.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";
import { mixedTests } from "../tensor/mixedTest.ts";
import { fixture, goldenOf, readModel } from "../model/embeddings.ts";
import { batchesOf, columnsOf, near, rowAt, runtimeOf, traced } from "./trace.ts";

const adapter = lora({ rank: 4, modules: ["q", "v"] });
const optimizer = update(adamW({ lr: constantly(1e-2) }));
const stepsOf = (graded: StepStage<Trainee, Graded>, p = 0): Steps<any> => repeat(3, dropout(p), graded, optimizer);

/** The start and the batches of the golden task. */
const golden = async () => {
  const [steered, shared] = [await goldenOf("glad-trace.safetensors"), await goldenOf("duallora-trace.safetensors")];
  const model = await readModel(fixture("clip-gelu"));
  const order: HostTensor = { shape: [3, 6], data: shared("task1.batches").data.slice(0, 18) };
  const task = { pixels: shared("task1.pixels"), labels: shared("task1.labels"), ids: shared("clip.task1.prompt_ids") };
  const batches = batchesOf(model.config, task, { order });
  const net = networkOf(model);
  const { A, B } = adapter.layouts(net);
  const values = { A: flatten(A, (name) => steered(`${name}.A`).data), B: new Float32Array(B.length) };
  return { steered, options: { model, adapter, batches, from: { step: 0, values, moments: {} } }, layouts: { A, B } };
};

const run = async (device: Device, steps: Steps<any>) => traced<any>(device, { ...(await golden()).options, steps });

for (const [name, rho, steering] of [
  ["mix", 0.05, blended(0.3)],
  ["project", 3, withoutConflict],
] as readonly (readonly [string, number, Steering])[]) {
  deviceTest(`GLAD: losses, sharpness and parameters of three steps are torch's where gradients are steered by ${name}`, async (device) => {
    const { steered, layouts } = await golden();
    const { states, losses } = await run(device, stepsOf(sharpnessAware(imageToText, { rho, steering })));
    const [here, more] = columnsOf(steered(`${name}.loss`));
    losses.forEach(({ loss, sharpness }, i) => near([loss, sharpness], [here[i], more[i]], `step ${i}: loss and sharpness`));
    assert.is(states.length, 3);
    states.forEach(({ values }, i) => {
      for (const group of ["A", "B"] as const)
        for (const [module, { data }] of unflatten(layouts[group], values[group]))
          near(data, rowAt(steered(`${name}.${module}.${group}`), i).data, `step ${i + 1}: ${group} of ${module}`);
    });
  });
}

deviceTest("the project steering met gradients that agree and that do not", async () => {
  const signs = [...(await goldenOf("glad-trace.safetensors"))("project.agreement").data].map(Math.sign);
  assert.ok(signs.includes(1) && signs.includes(-1), `${signs}`);
});

deviceTest("a share of 0 is plain descent, and both passes of a step meet the same dropout", async (device) => {
  const [plain, none] = [
    await run(device, stepsOf(gradient(imageToText), 0.3)),
    await run(device, stepsOf(sharpnessAware(imageToText, { steering: blended(0) }), 0.3)),
  ];
  for (const group of ["A", "B"]) near(none.states[2].values[group], plain.states[2].values[group], group, 1e-6);
  // With so small a step the loss there is the one here, unless other elements are dropped.
  const still = await run(device, stepsOf(sharpnessAware(imageToText, { rho: 1e-6 }), 0.3));
  still.losses.forEach(({ sharpness }, i) => near([sharpness], [0], `step ${i}`, 1e-4));
});

deviceTest("a batch in parts is steered as the whole is, and a training that goes on has the same bits", async (device) => {
  const { options } = await golden();
  const steps = stepsOf(sharpnessAware(imageToText), 0.3);
  const whole = await traced<any>(device, { ...options, steps });
  const inParts = await get(train({ ...options, steps })({ ...runtimeOf(device), accumulate: 2 }));
  for (const group of ["A", "B"] as const) near(inParts.values[group], whole.states[2].values[group], group);
  const further = await get(train({ ...options, steps, from: whole.states[0] })(runtimeOf(device)));
  for (const group of ["A", "B"] as const) sameBits(further.values[group], whole.states[2].values[group], group);
});

mixedTests("GLAD in mixed precision learns what it learns in f32, to a hundredth", async (...devices) => {
  const [f32, mixedOne] = await Promise.all(devices.map((device) => run(device, stepsOf(sharpnessAware(imageToText)))));
  mixedOne.losses.forEach(({ loss }, i) => near([loss], [f32.losses[i].loss], `step ${i}`, 0.05));
});

runTests();
