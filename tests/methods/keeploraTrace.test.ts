/**
 * KeepLoRA and KeepLoRA++, both with a cosine head and without, against a torch reference that was written from METHODS.md B (tests/fixtures/keeplora_trace.py): two tasks, through
 * the stages that the methods are made of. Subspaces are compared as projectors and updates as s c B A, which no sign of a singular vector changes.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { depthScale } from "../../src/model/adapters/scale.ts";
import type { Directions } from "../../src/model/adapters/lowRank.ts";
import { attentionLinears } from "../../src/model/blocks.ts";
import { layersOf } from "../../src/model/network.ts";
import { networkOf } from "../../src/model/model.ts";
import { cosineHead } from "../../src/model/adapters/heads.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { featureBasis, principalWeights, remembered, share, type Bases } from "../../src/subspace/bases.ts";
import { residualGradient } from "../../src/subspace/directions.ts";
import type { Lesson, WithBatches, WithDirections } from "../../src/training/lesson.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { sumOver } from "../../src/training/pass.ts";
import { project } from "../../src/stages/project.ts";
import { classMeans } from "../../src/subspace/prototypes.ts";
import { oneCycle, oneCycleMomentum } from "../../src/training/schedule.ts";
import { compose, pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { traineeOf } from "../../src/training/step.ts";
import type { Training } from "../../src/training/keeper.ts";
import { recorder } from "../../src/training/tracing.ts";
import { encodeBatch, type TrainingBatches } from "../../src/training/trainee.ts";
import { unflatten, type Layout } from "../../src/tensor/layout.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { fixture, goldenOf, readModel, type Model } from "../model/embeddings.ts";
import {
  adaptTraced,
  batchesOf,
  columnsOf,
  given,
  learnerOf,
  lessonOf,
  near,
  nearRelative,
  over,
  projector,
  rowAt,
  rowsOf,
  runStage,
  runtimeOf,
  updateOf,
  type Golden,
} from "./trace.ts";

type Variant = "v1" | "v2";
type Key = "task1" | "task2";

const [rank, scale, horizon, steps, classes] = [4, 1 / 4, 10, 5, [4, 5]];
const selection = { modules: attentionLinears, towers: "all" } as const;
const depth = { v1: 1, v2: 0.2 };
const shown = [
  "vision_model.encoder.layers.0.self_attn.q_proj",
  "vision_model.encoder.layers.1.self_attn.out_proj",
  "text_model.encoder.layers.0.self_attn.k_proj",
  "text_model.encoder.layers.1.self_attn.v_proj",
];

/** The golden stops after a few of the steps that its schedules run over. */
const trained = (count: number) =>
  repeat(
    count,
    gradient(imageToText),
    update(adamW({ lr: over(horizon, oneCycle(1e-2)), betas: [over(horizon, oneCycleMomentum()), 0.999], weightDecay: 0.01 })),
  );
const adapters = (variant: Variant, { directions }: WithDirections) =>
  lora({ ...selection, rank, directions, scale: depthScale({ base: scale, from: depth[variant] }) });
const protectFeatures = (accumulate: "code-mean" | "gram") => featureBasis({ ...selection, tokens: "all", accumulate, energy: share(0.9) });

const opened = async (): Promise<{ readonly model: Model; readonly golden: Golden }> => ({
  model: await readModel(fixture("clip-gelu")),
  golden: await goldenOf("keeplora-trace.safetensors"),
});

/** The batches of passes and those of training. */
const batches = ({ config }: Model, golden: Golden, key: Key): Readonly<Record<"walk" | "training", TrainingBatches>> => {
  const golds = { pixels: golden(`${key}.pixels`), labels: golden(`${key}.labels`), ids: golden(`${key}.prompt_ids`) };
  return {
    walk: batchesOf(config, golds, { order: golden(`${key}.walk`) }),
    training: batchesOf(config, golds, { order: golden(`${key}.batches`) }),
  };
};

const names = (model: Model): readonly string[] => layersOf(networkOf(model), selection).map(({ name }) => name);

/** Bases are the golden's: their widths, and their spans. */
const nearBases = (model: Model, bases: Bases, widths: ArrayLike<number>, want: (name: string) => HostTensor | undefined, what: string): void =>
  names(model).forEach((name, i) => {
    const { d, columns } = bases.get(name)!;
    assert.is(columns.length, widths[i], `${what}: width of ${name}`);
    const basis = want(name);
    if (basis !== undefined) near(projector(columns, d), projector(columnsOf(basis, widths[i]), d), `${what}: the subspace of ${name}`);
  });

/** The update s c B A of every module is the golden's at a row of its states. */
const nearUpdates = (
  model: Model,
  golden: Golden,
  variant: Variant,
  key: Key,
  values: Training<"A" | "B">["values"],
  adapter: ReturnType<typeof adapters>,
  row: number,
): void => {
  const { A, B } = adapter.layouts(networkOf(model));
  const [a, b] = [unflatten(A, values.A), unflatten(B, values.B)];
  for (const name of names(model)) {
    const want = updateOf(rowAt(golden(`${variant}.${key}.${name}.lora_B`), row), goldenA(golden, variant, key, name), scale);
    nearRelative(updateOf(b.get(name)!, a.get(name)!, scale), want, `${variant}, ${key}, step ${row}: c B A of ${name}`);
  }
};

/** Task 1's A is the same in both variants. */
const goldenA = (golden: Golden, variant: Variant, key: Key, name: string): HostTensor => golden(`${key === "task1" ? "v1" : variant}.${key}.${name}.lora_A`);

/** A spans what the golden's does, and the columns of B are as long as its singular values. */
const nearDirections = (model: Model, golden: Golden, variant: Variant, key: Key, directions: Directions): void =>
  names(model).forEach((name, i) => {
    const { A, B } = directions.get(name)!;
    const [want, d] = [goldenA(golden, variant, key, name), A.shape[1]];
    near(projector(rowsOf(A), d), projector(rowsOf(want), d), `${variant}, ${key}: A Aᵀ of ${name}`);
    const values = rowAt(golden(`${variant}.${key}.singular_values`), i).data.subarray(0, rank);
    near(
      columnsOf(B!).map((column) => Math.hypot(...column)),
      values,
      `${variant}, ${key}: singular values of ${name}`,
    );
  });

const protectWeights = project(principalWeights({ modules: attentionLinears, energy: { vision: 0.85, text: 0.2 } }));

const chosen = <L extends Lesson & WithBatches>(device: Device, lesson: L, start: "svd" | "zero"): Promise<L & WithDirections> =>
  runStage(device, project(residualGradient<L>({ ...selection, rank, objective: imageToText, start })), lesson);

for (const variant of ["v1", "v2"] as const) {
  deviceTest(`${variant}: subspaces, gradients, five steps, merged weights and features of two tasks are torch's`, async (device) => {
    const { model, golden } = await opened();
    const widths = (row: number): Float32Array => rowAt(golden(`${variant}.widths`), row).data;
    const basis = (name: string): HostTensor | undefined => (variant === "v2" || shown.includes(name) ? golden(`${variant}.${name}.basis`) : undefined);
    let now = learnerOf(model);
    for (const [position, key] of (["task1", "task2"] as const).entries()) {
      const { walk, training } = batches(model, golden, key);
      const before = await runStage(device, compose(protectWeights, given(walk)), lessonOf(now, classes, position));
      nearBases(model, remembered(before.learner), widths(position), basis, `before ${key}`);

      const decomposed = await chosen(device, before, "svd");
      nearDirections(model, golden, variant, key, decomposed.directions);
      const lesson = { ...(variant === "v1" ? decomposed : await chosen(device, before, "zero")), batches: training };
      const adapter = adapters(variant, lesson);
      nearUpdates(model, golden, variant, key, adapter.initial(networkOf(model), now.model.weights, 0, 0), adapter, 0);

      const { states, losses } = await adaptTraced(device, lesson, { adapter, steps: trained(steps) });
      assert.is(states.length, steps);
      for (const { step, values } of states) nearUpdates(model, golden, variant, key, values, adapter, step);
      near(
        losses.map(({ loss }) => loss),
        golden(`${variant}.${key}.loss`).data,
        `${variant}, ${key}: losses`,
      );

      const merged = await runStage(
        device,
        pipeline(adapt({ adapters: (l: typeof lesson) => adapters(variant, l), steps: trained(steps) }), merge(), given(walk)),
        lesson,
      );
      assert.ok(merged.mergeError <= 1e-5, `the merge changes features by ${merged.mergeError}`);
      const { weights } = merged.learner.model;
      names(model).forEach((name, i) => {
        const [old, { data }] = [now.model.weights.get(`${name}.weight`)!.data, weights.get(`${name}.weight`)!];
        const length = golden(`${variant}.${key}.change_norms`).data[i];
        nearRelative([Math.hypot(...data.map((w, j) => w - old[j]))], [length], `${variant}, ${key}: change of ${name}`);
        if (shown.includes(name)) near(data, golden(`${variant}.${key}.merged.${name}.weight`).data, `${variant}, ${key}: merged ${name}`, 1e-6);
      });

      if (variant === "v2" && key === "task1") {
        const all = await runStage(device, project(protectFeatures("gram")), merged);
        nearBases(
          model,
          remembered(all.learner),
          golden("gram.widths").data,
          (name) => (shown.includes(name) ? golden(`gram.${name}.basis`) : undefined),
          "gram, after task1",
        );
      }
      now = (await runStage(device, project(protectFeatures("code-mean")), merged)).learner;
      nearBases(model, remembered(now), widths(position + 1), basis, `${variant}, after ${key}`);
    }
  });
}

const headed = { v1: { title: "KeepLoRA+", key: "plus1", start: "svd" }, v2: { title: "KeepLoRA++cls", key: "plus", start: "zero" } } as const;

for (const variant of ["v1", "v2"] as const) {
  const { title, key, start: begin } = headed[variant];
  deviceTest(`${title}: prototypes, logits with the cosine head, and two steps are torch's`, async (device) => {
    const { model, golden } = await opened();
    const { walk, training } = batches(model, golden, "task1");
    const before = await chosen(device, await runStage(device, compose(protectWeights, given(walk)), lessonOf(learnerOf(model), classes, 0)), begin);
    const lesson = { ...(await runStage(device, project(classMeans<typeof before>()), before)), batches: training };
    near(lesson.prototypes, rowAt(golden(`${key}.head`), 0).data, "class means");

    const own = adapters(variant, lesson);
    const adapter = cosineHead(lesson.prototypes, classes[0], own);
    const net = networkOf(model);
    const start = adapter.initial(net, model.weights, 8, 0);
    // The update is 0 before the first step: the features are the model's.
    const { logits } = await get(
      sumOver({
        weights: model.weights,
        at: training.at,
        batches: 1,
        of: (leaves) => {
          const { tracing } = recorder(leaves, { steps: horizon });
          const flat = (group: "A" | "B" | "head", { length }: Layout) => leaves.constant(`${group} at its start`, { shape: [length], data: start[group] });
          const trainee = traineeOf({ model, adapter, batch: training.shape }, tracing, flat);
          return { logits: encodeBatch(trainee, tracing).logits };
        },
      })(runtimeOf(device)),
    );
    near(logits, golden(`${key}.logits`).data, "logits before the first step");

    const { states, losses } = await adaptTraced(device, lesson, { adapter, steps: trained(2) });
    near(
      losses.map(({ loss }) => loss),
      golden(`${key}.loss`).data,
      "losses",
    );
    for (const { step, values } of states) {
      near(adapter.head!(net, values).rows, rowAt(golden(`${key}.head`), step).data, `head after step ${step}`);
      const { A, B } = own.layouts(net);
      for (const name of shown) {
        const [a, b] = [unflatten(A, values.A).get(name)!, unflatten(B, values.B).get(name)!];
        const want = updateOf(rowAt(golden(`${key}.${name}.lora_B`), step), goldenA(golden, variant, "task1", name), scale);
        nearRelative(updateOf(b, a, scale), want, `step ${step}: c B A of ${name}`);
      }
    }
  });
}

test("the one-cycle of learning rate and momentum is torch's", async () => {
  const golden = await goldenOf("keeplora-trace.safetensors");
  const [lr, beta] = [oneCycle(1e-2).of(horizon), oneCycleMomentum().of(horizon)];
  near(
    Array.from({ length: horizon }, (_, i) => lr(i)),
    golden("lr").data,
    "lr",
    1e-8,
  );
  near(
    Array.from({ length: horizon }, (_, i) => beta(i)),
    golden("beta1").data,
    "beta1",
    1e-7,
  );
});

for (const side of ["input", "output"] as const)
  for (const counting of ["reach", "below"] as const) {
    deviceTest(`widths of weights' bases: ${side}, ${counting}`, async (device) => {
      const { model, golden } = await opened();
      const protect = project(principalWeights({ modules: attentionLinears, energy: { vision: 0.85, text: 0.2 }, side, counting }));
      const { learner } = await runStage(device, protect, lessonOf(learnerOf(model), classes, 0));
      nearBases(model, remembered(learner), golden(`weights.${side}.${counting}`).data, () => undefined, "weights");
    });
  }

/** As the published numbers were made: the side of the outputs, one direction fewer, and 0 behind the end of prompts. */
const asCode = {
  protectWeights: project(principalWeights({ modules: attentionLinears, energy: { vision: 0.85, text: 0.2 }, side: "output", counting: "below" })),
  protectFeatures: featureBasis({ ...selection, tokens: "all", accumulate: "code-mean", padding: "zero", energy: share(0.9) }),
};

deviceTest("reading=code: subspaces, losses, merged weights and features of two tasks are torch's", async (device) => {
  const { model, golden } = await opened();
  const basis = (name: string): HostTensor | undefined => (shown.includes(name) ? golden(`code.${name}.basis`) : undefined);
  let now = learnerOf(model);
  for (const [position, key] of (["task1", "task2"] as const).entries()) {
    const { walk, training } = batches(model, golden, key);
    const before = await runStage(device, compose(asCode.protectWeights, given(walk)), lessonOf(now, classes, position));
    const { directions } = await chosen(device, before, "svd");
    const lesson = { ...before, directions, batches: training };
    names(model).forEach((name, i) => {
      const values = rowAt(golden(`code.${key}.singular_values`), i).data.subarray(0, rank);
      near(
        columnsOf(directions.get(name)!.B!).map((column) => Math.hypot(...column)),
        values,
        `${key}: singular values of ${name}`,
      );
    });
    const { losses } = await adaptTraced(device, lesson, { adapter: adapters("v1", lesson), steps: trained(steps) });
    near(
      losses.map(({ loss }) => loss),
      golden(`code.${key}.loss`).data,
      `${key}: losses`,
    );
    const merged = await runStage(
      device,
      pipeline(adapt({ adapters: (l: typeof lesson) => adapters("v1", l), steps: trained(steps) }), merge(), given(walk)),
      lesson,
    );
    names(model).forEach((name, i) => {
      const [old, { data }] = [now.model.weights.get(`${name}.weight`)!.data, merged.learner.model.weights.get(`${name}.weight`)!];
      nearRelative([Math.hypot(...data.map((w, j) => w - old[j]))], [golden(`code.${key}.change_norms`).data[i]], `${key}: change of ${name}`);
    });
    now = (await runStage(device, project(asCode.protectFeatures), merged)).learner;
    nearBases(model, remembered(now), rowAt(golden("code.widths"), position + 1).data, basis, `after ${key}`);
  }
});

for (const [row, padding] of (["tokenizer", "zero"] as const).entries()) {
  deviceTest(
    `features of texts with the padding of ${padding === "zero" ? "OpenAI's tokenizer" : "the folder's"}: widths and subspaces are torch's`,
    async (device) => {
      const { model, golden } = await opened();
      const texts = layersOf(networkOf(model), { modules: attentionLinears, towers: ["text"] }).map(({ name }) => name);
      const protect = featureBasis({ modules: attentionLinears, towers: ["text"], tokens: "all", accumulate: "code-mean", padding, energy: share(0.7) });
      const { walk } = batches(model, golden, "task1");
      const { learner } = await runStage(device, pipeline(protectWeights, given(walk), project(protect)), lessonOf(learnerOf(model), classes, 0));
      texts.forEach((name, i) => {
        const { d, columns } = remembered(learner).get(name)!;
        const width = rowAt(golden("padding.widths"), row).data[i];
        assert.is(columns.length, width, `width of ${name}`);
        if (shown.includes(name))
          near(projector(columns, d), projector(columnsOf(golden(`padding.${padding}.${name}.basis`), width), d), `the subspace of ${name}`);
      });
    },
  );
}

runTests();
