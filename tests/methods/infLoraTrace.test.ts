/**
 * InfLoRA step by step against torch: with the energy of its authors' code, and their memory with its complement (tests/fixtures/inflora_memory.py), and with
 * that of GPM (tests/fixtures/baselines_trace.py).
 */
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import type { Basis } from "../../src/linalg/linalg.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import type { Learner } from "../../src/model/learner.ts";
import { networkOf } from "../../src/model/model.ts";
import { merge } from "../../src/stages/merge.ts";
import { project } from "../../src/stages/project.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { extended, featureBasis, growing, remembered, type Bases, type EnergyThreshold } from "../../src/subspace/bases.ts";
import { residualInputs } from "../../src/subspace/directions.ts";
import { unflatten } from "../../src/tensor/layout.ts";
import type { Lesson, Merged, WithAdapters, WithBatches } from "../../src/training/lesson.ts";
import { imageToText } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import { fixture, goldenOf, readModel } from "../model/embeddings.ts";
import { deviceTest, orThrow, runTests } from "../tensor/check.ts";
import { adaptTraced, batchesOf, columnsOf, given, learnerOf, lessonOf, near, projector, rowAt, rowsOf, runStage } from "./trace.ts";

const [rank, count, layer] = [4, 3, "vision_model.encoder.layers."];
const inputs = { modules: ["k", "v"], towers: ["vision"], tokens: "all", accumulate: "gram" } as const;
const steps = repeat(count, gradient(imageToText), update(adamW({ lr: constantly(1e-2) })));

/** What a file holds of InfLoRA's tasks. */
interface Reference {
  readonly classes: readonly number[];
  readonly energy: EnergyThreshold;
  /** A tensor of a task. */
  readonly of: (position: number, name: string) => HostTensor | undefined;
  readonly losses: (position: number) => ArrayLike<number>;
  /** Holds what a layer remembers after a task against the file. */
  readonly remembers: (position: number, name: string, after: Basis, before: Basis | undefined) => void;
}

/** Trains the tasks, and holds what is designed, trained, merged and remembered in each against the reference. */
const follow = async (device: Device, { classes, energy, of, losses, remembers }: Reference): Promise<void> => {
  const shared = await goldenOf("duallora-trace.safetensors");
  const model = await readModel(fixture("clip-gelu"));
  const net = networkOf(model);
  let now: Learner = learnerOf(model);
  for (const position of classes.keys()) {
    const name = `task${position + 1}`;
    const first = classes.slice(0, position).reduce((a, b) => a + b, 0);
    const task = { pixels: shared(`${name}.pixels`), labels: shared(`${name}.labels`), ids: shared(`clip.${name}.prompt_ids`), first };
    const images = task.labels.shape[0];
    const walk = batchesOf(model.config, task, { order: { shape: [images / 6, 6], data: Float32Array.from({ length: images }, (_, i) => i) } });
    const training = batchesOf(model.config, task, { order: shared(`${name}.batches`) });
    const designed = pipeline(given(walk), project(residualInputs({ rank, ...inputs })), given(training));
    const lesson = await runStage(device, designed, lessonOf(now, classes, position));
    const adapter = lora({ rank, ...inputs, directions: lesson.directions });
    const { states, losses: own } = await adaptTraced(device, lesson, { adapter, steps });
    near(
      own.map(({ loss }) => loss),
      losses(position),
      `task ${position + 1}: losses`,
    );
    const layouts = adapter.layouts(net);
    for (const { step, values } of [{ step: 0, values: adapter.initial(net, now.model.weights, 8, position) }, ...states]) {
      const B = unflatten(layouts.B, values.B);
      for (const [name, A] of unflatten(layouts.A, values.A)) {
        const [goldenA, goldenB] = [of(position, `${name}.A`), of(position, `${name}.B`)];
        if (goldenA === undefined || goldenB === undefined) continue;
        const what = `task ${position + 1}, step ${step}: of ${name}`;
        const [rows, wanted] = [rowsOf(A), rowsOf(goldenA)];
        const signs = rows.map((row, r) => Math.sign(row.reduce((s, x, i) => s + x * wanted[r][i], 0)));
        rows.forEach((row, r) =>
          near(
            row.map((x) => x * signs[r]),
            wanted[r],
            `row ${r} of A, ${what}`,
          ),
        );
        near(
          B.get(name)!.data.map((x, i) => x * signs[i % rank]),
          rowAt(goldenB, step).data,
          `B, ${what}`,
        );
      }
    }
    const after = await runStage<Lesson & WithBatches & WithAdapters<any>, Lesson & Merged>(
      device,
      pipeline(merge(), given(walk), project(featureBasis({ ...inputs, energy }))),
      { ...lesson, adapters: { adapter, values: states[count - 1].values } },
    );
    assert.ok(after.mergeError <= 1e-5, `the merge changes features by ${after.mergeError}`);
    now = after.learner;
    for (const name of [`${layer}1.self_attn.k_proj`, `${layer}2.self_attn.v_proj`]) {
      const want = of(position, `${name}.weight`);
      if (want !== undefined) near(now.model.weights.get(`${name}.weight`)!.data, want.data, `task ${position + 1}: merged ${name}`);
    }
    for (const { name } of layouts.A.entries) remembers(position, name, remembered(now).get(name)!, remembered(lesson.learner).get(name));
  }
};

/** K and V see the same input: references keep what is remembered for K. */
const ofKeys = (name: string): string => name.replace("v_proj", "k_proj");

const layers = [0, 1, 2].flatMap((block) => ["k", "v"].map((kind) => `${layer}${block}.self_attn.${kind}_proj`));

deviceTest("InfLoRA with the authors' memory: designed A, trained B, widths and subspaces of three tasks are torch's", async (device) => {
  const golden = await goldenOf("inflora-memory.safetensors");
  const shown = `${layer}1.self_attn.`;
  await follow(device, {
    classes: [3, 2, 2],
    energy: growing(0.95, 1, "squared"),
    of: (position, name) => (name.startsWith(shown) && !name.endsWith("weight") ? golden(`${position + 1}.${name}`) : undefined),
    losses: (position) => golden(`${position + 1}.loss`).data,
    remembers: (position, name, { d, columns }) => {
      assert.is(columns.length, rowAt(golden("widths"), position).data[layers.indexOf(name)], `task ${position + 1}: width of ${name}`);
      near(projector(columns, d), golden(`${position + 1}.${ofKeys(name)}.projector`).data, `task ${position + 1}: the subspace of ${name}`);
    },
  });
});

deviceTest("InfLoRA with GPM's energy: designed A, trained B, subspaces and merges of two tasks are torch's", async (device) => {
  const golden = await goldenOf("baselines-trace.safetensors");
  const of = (position: number, name: string): HostTensor => golden(`inflora.task${position + 1}.${name}`);
  await follow(device, {
    classes: [3, 2],
    energy: growing(0.85),
    of,
    losses: (position) => columnsOf(of(position, "loss"))[0],
    remembers: (position, name, { d, columns }, before) => {
      assert.is(columns.length, rowAt(golden("inflora.widths"), position).data[layers.indexOf(name)], `task ${position + 1}: width of ${name}`);
      const psi = columns.slice(before?.columns.length ?? 0);
      near(projector(psi, d), projector(columnsOf(of(position, `${ofKeys(name)}.psi`)), d), `task ${position + 1}: the subspace of ${name}`);
    },
  });
});

deviceTest("the memory of Gram matrices is the authors', also where they keep the complement", async () => {
  const golden = await goldenOf("inflora-memory.safetensors");
  for (const of of [0, 1, 2]) {
    const energy = growing(golden(`gram.${of}.lamb`).data[0], 1, "squared");
    let bases: Bases = new Map();
    for (const position of [0, 1, 2, 3]) {
      const gram = golden(`gram.${of}.${position + 1}`);
      bases = orThrow(extended(bases, new Map([["layer", gram]]), energy, { position, stream: { labelSpace: "task", tasks: Array(4) } }));
      const { d, columns } = bases.get("layer")!;
      assert.is(columns.length, golden(`gram.${of}.widths`).data[position], `case ${of}, task ${position + 1}`);
      near(projector(columns, d), golden(`gram.${of}.${position + 1}.projector`).data, `case ${of}, task ${position + 1}`);
    }
  }
});
runTests();
