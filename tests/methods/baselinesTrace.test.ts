/** The LoRA baselines step by step against a torch reference that was written from METHODS.md H (tests/fixtures/baselines_trace.py). */
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { changedEntries } from "../../src/methods/cLora.ts";
import { directionsOf, keepDirections } from "../../src/methods/sdLora.ts";
import { layersOf } from "../../src/model/network.ts";
import { networkOf } from "../../src/model/model.ts";
import type { Learner } from "../../src/model/learner.ts";
import { selected } from "../../src/subspace/selection.ts";
import type { Adapter } from "../../src/model/adapters/adapter.ts";
import { decoupledLora } from "../../src/methods/decoupledLora.ts";
import { gatedLora, lora } from "../../src/model/adapters/lora.ts";
import type { Lesson, Merged, WithAdapters, WithBatches } from "../../src/training/lesson.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText, sum, weighted, type Objective } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { overlap } from "../../src/subspace/overlap.ts";
import { past, pastOf } from "../../src/subspace/past.ts";
import { project } from "../../src/stages/project.ts";
import { rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import { constantly, rising } from "../../src/training/schedule.ts";
import { pipeline, type TaskStage } from "../../src/stages/stage.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { fixture, goldenOf, readModel } from "../model/embeddings.ts";
import { adaptTraced, batchesOf, columnsOf, learnerOf, lessonOf, near, rowAt, rowsOf, runStage, startingAt, type Golden } from "./trace.ts";

type Taught = Lesson & WithBatches & WithAdapters<any>;
type Key = "olora" | "inflora" | "sdlora" | "clora" | "sora";

const [rank, count, classes] = [4, 3, [3, 2]];
const where = { modules: ["q", "v"], towers: "all" } as const;
const shown = ["vision_model.encoder.layers.1.self_attn.q_proj", "text_model.encoder.layers.1.self_attn.v_proj"];
const optimizer = update(adamW({ lr: constantly(1e-2) }));
const stepsOf = (penalty: readonly Objective<any>[] = []): Steps<any> => repeat(count, gradient(sum(imageToText, ...penalty)), optimizer);

/** What differs from method to method. */
interface Recipe {
  readonly key: Key;
  readonly steps: Steps<any>;
  /** The name of the penalty among the losses. */
  readonly penalty?: string;
  /** The adapter with its own initial values. */
  readonly adapter: (from: Learner) => Adapter<any>;
  /** The groups that start where the reference's do; what else starts is compared. */
  readonly drawn: readonly string[];
  /** Behind `adapt`. */
  readonly after: TaskStage<Taught, Lesson & WithBatches & Merged>;
}

/** A golden task of the stream that all baselines share. */
const taskOf = (shared: Golden, position: number) => {
  const name = `task${position + 1}`;
  return {
    pixels: shared(`${name}.pixels`),
    labels: shared(`${name}.labels`),
    ids: shared(`clip.${name}.prompt_ids`),
    first: classes.slice(0, position).reduce((a, b) => a + b, 0),
  };
};

/** Trains the two tasks as a recipe says, and holds states, losses and merged weights against the reference; `then` sees the learner after each task. */
const follow = async (device: Device, golden: Golden, recipe: Recipe, then: (after: Learner, position: number) => void): Promise<void> => {
  const { key, steps, penalty, drawn, after } = recipe;
  const shared = await goldenOf("duallora-trace.safetensors");
  const model = await readModel(fixture("clip-gelu"));
  const net = networkOf(model);
  let now = learnerOf(model);
  for (const position of classes.keys()) {
    const of = (name: string): HostTensor => golden(`${key}.task${position + 1}.${name}`);
    const batches = batchesOf(model.config, taskOf(shared, position), { order: shared(`task${position + 1}.batches`) });
    const own = recipe.adapter(now);
    const layouts = own.layouts(net);
    const start = Object.fromEntries(drawn.map((group) => [group, flatten(layouts[group], (name) => rowAt(of(`${name}.${group}`), 0).data)]));
    const adapter = startingAt(own, { ...own.initial(net, now.model.weights, 8, position), ...start });
    const lesson = { ...lessonOf(now, classes, position), batches };
    const { states, losses } = await adaptTraced<any, any>(device, lesson, { adapter, steps });
    assert.is(states.length, count);
    for (const { step, values } of [{ step: 0, values: adapter.initial(net, now.model.weights, 8, position) }, ...states]) {
      for (const group of adapter.trained) {
        for (const [name, { data }] of unflatten(layouts[group], values[group])) {
          near(data, rowAt(of(`${name}.${group}`), step).data, `${key}, task ${position + 1}, step ${step}: ${group} of ${name}`);
        }
      }
    }
    losses.forEach(({ loss, ...terms }, i) => {
      const [entropy, extra] = rowAt(of("loss"), i).data;
      near([loss], [entropy + extra], `${key}, task ${position + 1}, step ${i}: the loss`);
      if (penalty !== undefined) near([terms.imageToText, terms[penalty]], [entropy, extra], `${key}, task ${position + 1}, step ${i}: its terms`);
    });
    const merged = await runStage(device, after, { ...lesson, adapters: { adapter, values: states[count - 1].values } });
    assert.ok(merged.mergeError <= 1e-5, `${key}: the merge changes features by ${merged.mergeError}`);
    now = merged.learner;
    for (const name of shown) near(now.model.weights.get(`${name}.weight`)!.data, of(`${name}.weight`).data, `${key}, task ${position + 1}: merged ${name}`);
    then(now, position);
  }
};

/** What is remembered of a factor is the reference's of all tasks so far, as it was after their last steps. */
const nearPast = (golden: Golden, key: Key, factor: "A" | "B", after: Learner, position: number): void => {
  const remembered = pastOf(factor, after);
  assert.is(remembered.size, layersOf(networkOf(after.model), where).length);
  for (const [name, rows] of remembered) {
    const want = Array.from({ length: position + 1 }, (_, t) => rowAt(golden(`${key}.task${t + 1}.${name}.${factor}`), count)).flatMap((state) =>
      (factor === "A" ? rowsOf(state) : columnsOf(state)).flatMap((row) => [...row]),
    );
    near(rows.data, want, `${key}, task ${position + 1}: the past ${factor} of ${name}`);
  }
};

deviceTest("O-LoRA: parameters, penalties, memory and merges of two tasks are torch's", async (device) => {
  const golden = await goldenOf("baselines-trace.safetensors");
  const penalty = overlap("A", { layers: "sum" });
  await follow(
    device,
    golden,
    {
      key: "olora",
      steps: stepsOf([weighted(0.5, penalty)]),
      penalty: penalty.name,
      adapter: () => lora({ rank, ...where }),
      drawn: ["A"],
      after: pipeline(project(past("A")), merge()),
    },
    (after, position) => nearPast(golden, "olora", "A", after, position),
  );
});

deviceTest("C-LoRA: parameters, penalties, memory and merges of two tasks are torch's", async (device) => {
  const golden = await goldenOf("baselines-trace.safetensors");
  await follow(
    device,
    golden,
    {
      key: "clora",
      steps: stepsOf([weighted(5e4, changedEntries)]),
      penalty: changedEntries.name,
      adapter: () => lora({ rank, ...where }),
      drawn: ["A"],
      after: pipeline(project(past("A")), project(past("B")), merge()),
    },
    (after, position) => {
      nearPast(golden, "clora", "A", after, position);
      nearPast(golden, "clora", "B", after, position);
    },
  );
});

deviceTest(
  "SD-LoRA with one magnitude a task for all layers, as its authors have it: losses, magnitudes and W + ΔW of two tasks are torch's",
  async (device) => {
    const [golden, shared] = [await goldenOf("baselines-trace.safetensors"), await goldenOf("duallora-trace.safetensors")];
    const model = await readModel(fixture("clip-gelu"));
    const net = networkOf(model);
    let now = learnerOf(model);
    for (const position of classes.keys()) {
      const of = (name: string): HostTensor => golden(`sdlora.shared.task${position + 1}.${name}`);
      const own = decoupledLora(directionsOf(now), { rank, ...where });
      const layouts = own.layouts(net);
      assert.equal(
        layouts.alpha.entries.map(({ shape }) => shape),
        [[position + 1]],
      );
      const A = flatten(layouts.A, (name) => rowAt(golden(`sdlora.task${position + 1}.${name}.A`), 0).data);
      const adapter = startingAt(own, { ...own.initial(net, now.model.weights, 8, position), A });
      const batches = batchesOf(model.config, taskOf(shared, position), { order: shared(`task${position + 1}.batches`) });
      const lesson = { ...lessonOf(now, classes, position), batches };
      const { states, losses } = await adaptTraced<any, any>(device, lesson, { adapter, steps: stepsOf() });
      near(
        losses.map(({ loss }) => loss),
        columnsOf(of("loss"))[0],
        `task ${position + 1}: losses`,
      );
      for (const { step, values } of states) {
        const [[, alpha]] = unflatten(layouts.alpha, values.alpha);
        near(alpha.data, rowAt(of("alpha"), step).data, `task ${position + 1}, step ${step}: magnitudes`);
      }
      const after: TaskStage<Taught, Lesson & WithBatches & Merged> = pipeline(project(keepDirections()), merge());
      const merged = await runStage(device, after, { ...lesson, adapters: { adapter, values: states[count - 1].values } });
      now = merged.learner;
      for (const name of shown) near(now.model.weights.get(`${name}.weight`)!.data, of(`${name}.weight`).data, `task ${position + 1}: W + ΔW of ${name}`);
    }
  },
);

deviceTest("SD-LoRA with magnitudes by layer: directions, magnitudes, memory and W + ΔW of two tasks are torch's", async (device) => {
  const golden = await goldenOf("baselines-trace.safetensors");
  await follow(
    device,
    golden,
    {
      key: "sdlora",
      steps: stepsOf(),
      adapter: (from) => decoupledLora(directionsOf(from), { rank, ...where, magnitudes: "by-layer" }),
      drawn: ["A"],
      after: pipeline(project(keepDirections()), merge()),
    },
    (after, position) => {
      const all = directionsOf(after);
      assert.is(all.size, layersOf(networkOf(after.model), where).length);
      for (const [name, directions] of all) {
        assert.is(directions.length, position + 1);
        const last = (t: number, group: string): Float32Array => rowAt(golden(`sdlora.task${t + 1}.${name}.${group}`), count).data;
        const alpha = last(position, "alpha");
        directions.forEach(({ A, B, factor }, t) => {
          near(A.data, last(t, "A"), `A of task ${t + 1} in ${name}`);
          near(B.data, last(t, "B"), `B of task ${t + 1} in ${name}`);
          // Only directions of earlier tasks are normalised.
          const norm = t === position ? 1 : Math.hypot(...last(t, "A")) * Math.hypot(...last(t, "B"));
          near([factor * norm], [alpha[t]], `magnitude of task ${t + 1} in ${name}, after task ${position + 1}`);
        });
      }
    },
  );
});

deviceTest("SoRA: parameters, gates and merges of two tasks are torch's", async (device) => {
  const golden = await goldenOf("baselines-trace.safetensors");
  await follow(
    device,
    golden,
    {
      key: "sora",
      steps: repeat(count, gradient(imageToText), optimizer, rankSelect(softThreshold(rising(0.2)))),
      adapter: () => gatedLora({ rank, ...where, scale: 8 / rank }),
      drawn: ["A", "gate"],
      after: merge(selected),
    },
    () => undefined,
  );
});

runTests();
