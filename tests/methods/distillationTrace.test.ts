/** LwF, ZSCL, WiSE-FT and experience replay step by step against a torch reference that was written from METHODS.md H (tests/fixtures/distillation_trace.py). */
import * as assert from "uvu/assert";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { allParameters } from "../../src/model/adapters/inFull.ts";
import type { Learner } from "../../src/model/learner.ts";
import { networkOf } from "../../src/model/model.ts";
import { originalWeights } from "../../src/model/original.ts";
import { averageWeights } from "../../src/stages/averageWeights.ts";
import { ofClasses } from "../../src/stages/captions.ts";
import { merge, type MergeOptions } from "../../src/stages/merge.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import { all } from "../../src/subspace/selection.ts";
import { unflatten } from "../../src/tensor/layout.ts";
import { averaged } from "../../src/training/averages.ts";
import * as objective from "../../src/training/objective.ts";
import { sgd } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { fixture, goldenOf, readModel, textsOf, wholesOf } from "../model/embeddings.ts";
import { adaptTraced, batchesOf, imagesAt, learnerOf, lessonOf, near, rowAt, runStage, type Golden } from "./trace.ts";

const [count, classes] = [3, [3, 2, 2]];
const adapter = allParameters({ except: ["logit_scale"] });
const shown = [
  "visual_projection.weight",
  "vision_model.encoder.layers.1.self_attn.v_proj.bias",
  "vision_model.post_layernorm.weight",
  "text_model.encoder.layers.0.mlp.fc1.bias",
];
const descent = update(sgd({ lr: constantly(0.005) }));
const smoothed = objective.smoothedImageToText(0.2);
const bothWays = (teacher: "before" | "original") =>
  objective.sum(objective.imageToTextDistillation({ teacher }), objective.textToImageDistillation({ teacher }));

const goldens = async () => {
  const [golden, shared] = [await goldenOf("distillation-trace.safetensors"), await goldenOf("duallora-trace.safetensors")];
  return { golden, shared, model: await readModel(fixture("clip-gelu")) };
};

type Clip = Awaited<ReturnType<typeof goldens>>["model"];

/** The batches of a golden task, in its own order or another. */
const batchesIn = (model: Clip, shared: Golden, position: number, order?: HostTensor): TrainingBatches => {
  const name = `task${position + 1}`;
  const first = classes.slice(0, position).reduce((a, b) => a + b, 0);
  const task = { pixels: shared(`${name}.pixels`), labels: shared(`${name}.labels`), ids: shared(`clip.${name}.prompt_ids`), first };
  return batchesOf(model.config, task, { order: order ?? shared(`${name}.batches`) });
};

/** One task of a recipe. */
interface Taught {
  readonly key: string;
  readonly position: number;
  readonly steps: Steps<any>;
  readonly batches: TrainingBatches;
  /** The names of the terms in the order of the reference. */
  readonly terms: readonly string[];
  readonly merged: MergeOptions;
}

/** Learns a task, and holds parameters, how far each has come, and losses against the reference after every step, and the weights behind the task. */
const learn = async (device: Device, golden: Golden, from: Learner, { key, position, steps, batches, terms, merged }: Taught): Promise<Learner> => {
  const of = (name: string): HostTensor => golden(`${key}.task${position + 1}.${name}`);
  const net = networkOf(from.model);
  const layout = adapter.layouts(net).weights;
  const lesson = { ...lessonOf(from, classes, position), batches };
  const { states, losses } = await adaptTraced(device, lesson, { adapter, steps });
  assert.is(states.length, count);
  for (const { step, values } of states) {
    const at = `${key}, task ${position + 1}, step ${step}`;
    const now = unflatten(layout, values.weights);
    for (const name of shown) near(now.get(name)!.data, rowAt(of(name), step - 1).data, `${at}: ${name}`);
    const far = [...now.keys()].sort().map((name) => Math.hypot(...now.get(name)!.data.map((x, i) => x - from.model.weights.get(name)!.data[i])));
    near(far, rowAt(of("norms"), step - 1).data, `${at}: how far the parameters have come`);
  }
  losses.forEach((recorded, i) => {
    const want = rowAt(of("loss"), i).data;
    near([recorded.loss], [want.reduce((a, b) => a + b)], `${key}, task ${position + 1}, step ${i}: the loss`, 2e-4);
    terms.forEach((name, j) => near([recorded[name]], [want[j]], `${key}, task ${position + 1}, step ${i}: ${name}`));
  });
  const after = await runStage(device, merge(all, merged), { ...lesson, adapters: { adapter, values: averaged(states[count - 1]) } });
  assert.ok(after.mergeError <= 1e-5, `${key}: the merge changes features by ${after.mergeError}`);
  return after.learner;
};

const nearEnd = (golden: Golden, key: string, { model }: Learner): void =>
  shown.forEach((name) => near(model.weights.get(name)!.data, golden(`${key}.end.${name}`).data, `${key}, behind the task: ${name}`));

const ways = ["imageToTextDistillation", "textToImageDistillation"];

deviceTest("LwF: parameters and losses of two tasks are torch's, with the model before each task as its teacher", async (device) => {
  const { golden, shared, model } = await goldens();
  const steps = repeat(count, gradient(objective.sum(smoothed, bothWays("before"))), descent);
  let now = learnerOf(model);
  for (const position of [0, 1]) {
    const batches = batchesIn(model, shared, position);
    now = await learn(device, golden, now, { key: "lwf", position, steps, batches, terms: [smoothed.name, ...ways], merged: {} });
  }
  assert.equal(now.memory, {});
});

deviceTest("ZSCL: reference pictures, the original teacher, consolidation and averages of two tasks are torch's", async (device) => {
  const { golden, shared, model } = await goldens();
  const own = objective.sum(smoothed, objective.consolidation);
  const steps = repeat(count, gradient(own, { reference: bothWays("original") }), descent, averageWeights({ every: 3 }));
  const terms = [smoothed.name, "consolidation", ...ways];
  let now = learnerOf(model);
  for (const position of [0, 1]) {
    const batches = { ...batchesIn(model, shared, position), reference: batchesIn(model, shared, 2, golden("reference.batches")) };
    now = await learn(device, golden, now, { key: "zscl", position, steps, batches, terms, merged: { keepOriginal: true } });
    nearEnd(golden, `zscl.task${position + 1}`, now);
    for (const [name, { data }] of originalWeights.of(now)) assert.equal(data, model.weights.get(name)!.data, name);
    assert.equal([...originalWeights.of(now).keys()].sort(), [...model.weights.keys()].filter((name) => name !== "logit_scale").sort());
  }
});

deviceTest("WiSE-FT: the weights behind two tasks are torch's, interpolated with those before the task or before the first one", async (device) => {
  const { golden, shared, model } = await goldens();
  const steps = repeat(count, gradient(smoothed), descent);
  const taught = (key: string, position: number, interpolation: MergeOptions["interpolation"]): Taught => {
    return { key, position, steps, batches: batchesIn(model, shared, position), terms: [], merged: { interpolation, keepOriginal: true } };
  };
  const one = await learn(device, golden, learnerOf(model), taught("wiseft", 0, { alpha: 0.8 }));
  nearEnd(golden, "wiseft.task1", one);
  nearEnd(golden, "wiseft.task2", await learn(device, golden, one, taught("wiseft", 1, { alpha: 0.8 })));
  nearEnd(golden, "original.task2", await learn(device, golden, one, taught("original", 1, { alpha: 0.8, with: "original" })));
});

deviceTest("experience replay: a batch with pictures of a past task, whose classes stand behind the task's own, is learned as in torch", async (device) => {
  const { golden, shared, model } = await goldens();
  const [own, replayed] = [shared("task2.batches"), golden("replay.batches")];
  const ids = [shared("clip.task2.prompt_ids"), shared("clip.task1.prompt_ids")].map(wholesOf);
  const captions = ofClasses(textsOf(model.config.text, Uint32Array.of(...ids[0], ...ids[1])));
  const batches: TrainingBatches = {
    shape: { images: 6, texts: captions.texts, length: captions.length, previous: 0 },
    steps: count,
    epoch: count,
    at: (step) => {
      const [now, past] = [rowAt(own, step).data.slice(0, 4), rowAt(replayed, step).data];
      const pixels = Float32Array.of(...imagesAt(shared("task2.pixels"), now), ...imagesAt(shared("task1.pixels"), past));
      const labels = [...now].map((i) => shared("task2.labels").data[i] - classes[0]);
      return TE.right({ pixels, ...captions.of(Uint32Array.of(...labels, ...[...past].map((i) => classes[1] + shared("task1.labels").data[i]))) });
    },
  };
  const steps = repeat(count, gradient(objective.matching), descent);
  const terms = ["imageToText", "textToImage"];
  await learn(device, golden, learnerOf(model), { key: "er", position: 1, steps, batches, terms, merged: {} });
});

runTests();
