/** CoDyRA step by step against a torch reference that was written from METHODS.md A.3 and A.4 (tests/fixtures/codyra_trace.py). */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import type { Tensors } from "../../src/formats/hostTensor.ts";
import { mergeUpdate } from "../../src/model/adapters/update.ts";
import { networkOf } from "../../src/model/model.ts";
import type { GroupValues } from "../../src/model/adapters/adapter.ts";
import { gatedLora } from "../../src/model/adapters/lora.ts";
import { imageToText, sum, textToImage } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { cosine, ramp } from "../../src/training/schedule.ts";
import { rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import type { Training } from "../../src/training/keeper.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";
import { fixture, goldenOf, readModel, type Model } from "../model/embeddings.ts";
import { batchesOf, near, rowAt, tolerance, traced, type Golden, type Trace } from "../methods/trace.ts";

type Group = "A" | "B" | "gate";
const suffixes = { A: "lora_A", B: "lora_B", gate: "gate" } as const;
const groups = Object.keys(suffixes) as readonly Group[];
const adapter = gatedLora({ rank: 4 });
const horizon = 10;

const steps = (shrink: "paper" | "code"): Steps<"gate" | "output:logitsPerText"> =>
  repeat(
    horizon,
    gradient(sum(imageToText, textToImage)),
    update(adamW({ lr: cosine(5e-3), betas: [0.9, 0.9999] })),
    rankSelect(softThreshold(ramp(0.005), { shrink })),
  );

/** The task's batches, as the fixture lists them; `first` classes came before. */
const codyraBatches = (model: Model, golden: Golden, task: "task1" | "task2", first: number): TrainingBatches =>
  batchesOf(
    model.config,
    { pixels: golden(`${task}.pixels`), labels: golden(`${task}.labels`), ids: golden(`${task}.prompt_ids`), first },
    { order: golden(`${task}.batches`), previous: first },
  );

/** State `row` of the fixture, laid out as the adapter's groups. */
const stateAt = (model: Model, golden: Golden, task: string, row: number): GroupValues<Group> => {
  const layouts = adapter.layouts(networkOf(model));
  return Object.fromEntries(
    groups.map((group) => [group, flatten(layouts[group], (name) => rowAt(golden(`${task}.${name}.${suffixes[group]}`), row).data)]),
  ) as GroupValues<Group>;
};

/** Trains and keeps the state after every step. */
const traceRun = (
  device: Device,
  model: Model,
  weights: Tensors,
  batches: TrainingBatches,
  from: Training<Group>,
  until: number,
  shrink: "paper" | "code",
  every = 1,
): Promise<Trace<Group>> => traced(device, { model: { ...model, weights }, adapter, steps: steps(shrink), batches, from, until }, every);

const start = (model: Model, golden: Golden, task: string): Training<Group> => ({ step: 0, values: stateAt(model, golden, task, 0), moments: {} });

const nearState = (model: Model, golden: Golden, task: string, { step, values }: Training<Group>): void => {
  const want = stateAt(model, golden, task, step);
  for (const group of groups) {
    near(values[group], want[group], `${task}, step ${step}: ${group}`);
  }
};

const nearLosses = (golden: Golden, task: string, losses: Trace<Group>["losses"]): void => {
  const want = golden(`${task}.loss`);
  assert.is(losses.length, want.shape[0]);
  losses.forEach(({ loss, imageToText: first, textToImage: second }, i) => {
    const [a, b] = want.data.subarray(2 * i, 2 * i + 2);
    for (const [name, got, expected] of [
      ["L_i", first, a],
      ["L_t", second, b],
      ["loss", loss, a + b],
    ] as const) {
      assert.ok(Math.abs(got - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${task}, step ${i}: ${name} is ${got}, not ${expected}`);
    }
  });
};

deviceTest("task 1: parameters, gates and losses of ten steps, and the merge, are torch's", async (device) => {
  const [model, golden] = [await readModel(fixture("clip-gelu")), await goldenOf("codyra-trace.safetensors")];
  const { states, losses } = await traceRun(
    device,
    model,
    model.weights,
    codyraBatches(model, golden, "task1", 0),
    start(model, golden, "task1"),
    horizon,
    "paper",
  );
  assert.equal(
    states.map(({ step }) => step),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  states.forEach((state) => nearState(model, golden, "task1", state));
  nearLosses(golden, "task1", losses);

  const { values } = states[horizon - 1];
  const merged = mergeUpdate(model, adapter.update(networkOf(model), values)).weights;
  networkOf(model).layers.forEach(({ name }, i) => {
    const [before, after] = [model.weights.get(`${name}.weight`)!.data, merged.get(`${name}.weight`)!.data];
    const norm = Math.hypot(...after.map((w, j) => w - before[j]));
    const want = golden("merged.norms").data[i];
    assert.ok(Math.abs(norm - want) <= tolerance, `${name}: its change is ${norm} long, not ${want}`);
  });
  for (const module of [
    "vision_model.encoder.layers.0.self_attn.q_proj",
    "vision_model.encoder.layers.2.mlp.fc2",
    "text_model.encoder.layers.0.mlp.fc1",
    "text_model.encoder.layers.1.self_attn.out_proj",
  ]) {
    near(merged.get(`${module}.weight`)!.data, golden(`merged.${module}.weight`).data, `merged ${module}`);
  }
  for (const name of ["visual_projection.weight", "logit_scale"]) assert.is(merged.get(name), model.weights.get(name), `${name} is shared`);

  // The ranks are those of the reference: rounding decides none.
  const want = unflatten(adapter.layouts(networkOf(model)).gate, stateAt(model, golden, "task1", horizon).gate);
  const ranks = adapter.ranks(networkOf(model), values);
  for (const [name, { data }] of want) assert.is(ranks.get(name), data.filter((g) => g !== 0).length, name);
  assert.ok(
    [...ranks.values()].some((r) => r < 4),
    "some ranks are pruned",
  );
});

deviceTest("task 1 with the shrink of the authors' code", async (device) => {
  const [model, golden] = [await readModel(fixture("clip-gelu")), await goldenOf("codyra-trace.safetensors")];
  const layout = adapter.layouts(networkOf(model)).gate;
  const { states } = await traceRun(device, model, model.weights, codyraBatches(model, golden, "task1", 0), start(model, golden, "task1"), horizon, "code");
  for (const { step, values } of states) {
    for (const [name, { data }] of unflatten(layout, values.gate)) {
      near(data, rowAt(golden(`task1.code.${name}.gate`), step).data, `step ${step}: gate of ${name}`);
    }
  }
  const merged = mergeUpdate(model, adapter.update(networkOf(model), states[horizon - 1].values)).weights;
  const module = "vision_model.encoder.layers.0.self_attn.q_proj";
  near(merged.get(`${module}.weight`)!.data, golden(`merged.code.${module}.weight`).data, `merged ${module}`);
});

deviceTest("task 2, on the merged weights, with classes of task 1 in the mean", async (device) => {
  const [model, golden] = [await readModel(fixture("clip-gelu")), await goldenOf("codyra-trace.safetensors")];
  const merged = mergeUpdate(model, adapter.update(networkOf(model), stateAt(model, golden, "task1", horizon))).weights;
  const { states, losses } = await traceRun(device, model, merged, codyraBatches(model, golden, "task2", 3), start(model, golden, "task2"), 3, "paper");
  states.forEach((state) => nearState(model, golden, "task2", state));
  nearLosses(golden, "task2", losses);
});

deviceTest("stopped after three steps and resumed, a training ends with the same bits", async (device) => {
  const [model, golden] = [await readModel(fixture("clip-gelu")), await goldenOf("codyra-trace.safetensors")];
  const batches = codyraBatches(model, golden, "task1", 0);
  const run = (from: Training<Group>, until: number): Promise<Trace<Group>> => traceRun(device, model, model.weights, batches, from, until, "paper", horizon);
  const whole = (await run(start(model, golden, "task1"), horizon)).states[0];
  const third = (await run(start(model, golden, "task1"), 3)).states[0];
  assert.is(third.step, 3);
  // What is written down and read back is the same state.
  const kept: Training<Group> = structuredClone(third);
  const resumed = (await run(kept, horizon)).states[0];
  assert.is(resumed.step, whole.step);
  for (const group of groups) sameBits(resumed.values[group], whole.values[group], group);
  assert.equal(Object.keys(resumed.moments).sort(), ["A.m", "A.v", "B.m", "B.v", "gate.m", "gate.v"]);
  for (const [name, moment] of Object.entries(whole.moments)) sameBits(resumed.moments[name], moment, name);
});

interface Kappas {
  readonly kappaMax: number;
  readonly nLambda: number;
  readonly denseFraction: number;
  readonly sum: number;
  readonly reference: readonly number[];
  readonly scaled: Readonly<Record<string, readonly number[]>>;
  readonly unscaled: Readonly<Record<string, readonly number[]>>;
  readonly code: Readonly<Record<string, readonly number[]>>;
}

const kappas = JSON.parse(readFileSync(fixture("codyra-kappa.json"), "utf8")) as Kappas;
const options = { dense: kappas.denseFraction, levels: kappas.nLambda };

const nearSchedule = (steps: number, of: (step: number) => number, want: readonly number[], what: string): void => {
  assert.is(want.length, steps);
  want.forEach((k, i) => assert.ok(Math.abs(of(i) - k) <= 1e-8 * Math.max(k, kappas.kappaMax), `${what}, ${steps} steps, step ${i}: ${of(i)}, not ${k}`));
};

test("the threshold of 500 steps is the loop's, and its sum is 129.98 thresholds", () => {
  const of = ramp(kappas.kappaMax, options).of(500);
  nearSchedule(500, of, kappas.reference, "reference");
  const sum = kappas.reference.reduce((s, _, i) => s + of(i), 0);
  assert.ok(Math.abs(sum / kappas.kappaMax - 129.98) < 0.005);
  assert.is(of(250), 0);
  assert.ok(Math.abs(of(251) - kappas.kappaMax / 49) < 1e-15);
  assert.is(of(499), kappas.kappaMax);
});

test("other numbers of steps keep the ramp's shape and its sum; unscaled they keep its peak", () => {
  for (const [steps, want] of Object.entries(kappas.scaled)) {
    const of = ramp(kappas.kappaMax, options).of(Number(steps));
    nearSchedule(Number(steps), of, want, "scaled");
  }
  for (const [steps, want] of Object.entries(kappas.unscaled))
    nearSchedule(Number(steps), ramp(kappas.kappaMax, { ...options, scaled: false }).of(Number(steps)), want, "unscaled");
  for (const [steps, want] of Object.entries(kappas.code))
    nearSchedule(Number(steps), ramp(kappas.kappaMax, { ...options, reference: Number(steps) }).of(Number(steps)), want, "code");
  for (const steps of [1, 2, 3, 7, 99, 200, 333, 1000, 1234]) {
    const of = ramp(kappas.kappaMax, options).of(steps);
    const sum = Array.from({ length: steps }, (_, i) => of(i)).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum / kappas.sum - 1) < 1e-9, `${steps} steps: ${sum} instead of ${kappas.sum}`);
  }
});

test("half a cosine is torch's, from its peak down", () => {
  const golden = JSON.parse(readFileSync(fixture("optimizers.json"), "utf8")) as {
    readonly schedules: readonly {
      readonly name: string;
      readonly options: { readonly lr: number; readonly steps: number };
      readonly lr: readonly number[];
    }[];
  };
  const {
    options: { lr, steps },
    lr: want,
  } = golden.schedules.find(({ name }) => name === "cosine")!;
  const of = cosine(lr).of(steps);
  want.forEach((value, i) => assert.ok(Math.abs(of(i) - value) <= 1e-10, `step ${i}: ${of(i)}, not ${value}`));
});

runTests();
