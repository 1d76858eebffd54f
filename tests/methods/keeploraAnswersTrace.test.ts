/**
 * KeepLoRA and KeepLoRA++ for tasks that are answered in words against a torch reference that was written from METHODS.md B.3.9
 * (tests/fixtures/keeplora_answers_trace.py): two tasks of questions about pictures on a tiny LLaVA, through the stages that the methods are made of. Subspaces
 * are compared as projectors and updates as B A, which no sign of a singular vector changes.
 */
import * as TE from "fp-ts/lib/TaskEither.js";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import type { Adapter } from "../../src/model/adapters/adapter.ts";
import { wholeLayers } from "../../src/model/adapters/inFull.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { parallel } from "../../src/model/adapters/parallel.ts";
import { depthScale } from "../../src/model/adapters/scale.ts";
import { networkOf, readModel, type Model } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { merge } from "../../src/stages/merge.ts";
import { project } from "../../src/stages/project.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { principalWeights, remembered, share, type Bases } from "../../src/subspace/bases.ts";
import { residualGradient } from "../../src/subspace/directions.ts";
import { gradientBasis } from "../../src/subspace/gradients.ts";
import { unflatten } from "../../src/tensor/layout.ts";
import type { WithDirections } from "../../src/training/lesson.ts";
import { imageToText, unlessAnswers } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { cosine } from "../../src/training/schedule.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { fixture, goldenOf } from "../model/embeddings.ts";
import {
  adaptTraced,
  columnsOf,
  given,
  imagesAt,
  learnerOf,
  lessonOf,
  near,
  nearRelative,
  over,
  projector,
  rowAt,
  runStage,
  updateOf,
  type Golden,
} from "./trace.ts";

const [rank, scale, horizon] = [3, 2, 10];
const selection = { modules: "all", towers: ["language"] } as const;
const objective = unlessAnswers(imageToText);
const loss = { ...selection, objective, share: 0.5 };

/** Batches of a golden task's questions in a given order, over and over: as many as there are make a walk. */
const batchesOf = (
  golden: Golden,
  key: string,
  order: HostTensor,
  { imageToken, tokens }: { readonly imageToken: number; readonly tokens: number },
): TrainingBatches => {
  const [ids, lengths, begins, pixels] = ["ids", "length", "answer", "pixels"].map((name) => golden(`${key}.${name}`));
  const [count, texts] = order.shape;
  const longest = ids.shape[1];
  const answersOf = (question: number): number => lengths.data[question] - begins.data[question];
  const positions = Math.max(...Array.from({ length: count }, (_, i) => rowAt(order, i).data.reduce((n, question) => n + answersOf(question), 0)));
  return {
    shape: { images: texts, texts, length: longest, positions, previous: 0 },
    steps: count,
    epoch: count,
    at: (step) => {
      const picked = rowAt(order, step % count).data;
      const rows = [...picked].map((question) => rowAt(ids, question).data);
      const trained = [...picked].flatMap((question, row) =>
        Array.from({ length: answersOf(question) }, (_, k) => ({
          at: row * longest + begins.data[question] + k - 1,
          next: rows[row][begins.data[question] + k],
        })),
      );
      const filled = (values: readonly number[]): Uint32Array => Uint32Array.from({ length: positions }, (_, i) => values[i] ?? 0);
      let seen = 0;
      const picks = rows.flatMap((row) => [...row].map((id) => (id === imageToken ? ++seen : 0)));
      assert.is(seen, texts * tokens);
      return TE.right({
        ids: Uint32Array.from(rows.flatMap((row) => [...row])),
        starts: new Uint32Array(texts),
        positions: filled(trained.map(({ at }) => at)),
        next: filled(trained.map(({ next }) => next)),
        share: Float32Array.from({ length: positions }, (_, i) => (i < trained.length ? 1 / trained.length : 0)),
        picks: Uint32Array.from(picks),
        pixels: imagesAt(pixels, picked),
      });
    },
  };
};

const names = (model: Model): readonly string[] => layersOf(networkOf(model), selection).map(({ name }) => name);
const shown = (model: Model): readonly string[] => [0, 5, 8, 10, 13].map((i) => names(model)[i]);
const projectorParameters = [1, 2].flatMap((i) => ["weight", "bias"].map((what) => `multi_modal_projector.linear_${i}.${what}`));

/** Bases are the golden's: their widths, and the spans of those that are shown. */
const nearBases = (model: Model, golden: Golden, variant: string, bases: Bases, row: number): void => {
  const widths = rowAt(golden(`${variant}.widths`), row).data;
  names(model).forEach((name, i) => {
    const { d, columns } = bases.get(name)!;
    assert.is(columns.length, widths[i], `${variant}, ${row}: width of ${name}`);
    if (!shown(model).includes(name)) return;
    near(projector(columns, d), projector(columnsOf(golden(`${variant}.${name}.basis`), widths[i]), d), `${variant}, ${row}: the subspace of ${name}`);
  });
};

/** The language tower's LoRA with a frozen A, and the projector in full. */
const adapters = (variant: string, { directions }: WithDirections) =>
  parallel({
    projector: wholeLayers({ modules: "all", towers: ["projector"] }),
    lora: lora({ ...selection, rank, directions, scale: depthScale({ base: scale, from: variant === "plain" ? 1 : 0.2, towers: ["language"] }) }),
  });

const descent = (peak: number) => adamW({ lr: over(horizon, cosine(peak, { warmup: 2 })) });
const trained = repeat(4, gradient(objective), update(descent(1e-2), { "projector.weights": descent(2e-3) }));

for (const variant of ["plain", "depth"]) {
  deviceTest(`${variant}: subspaces, gradients, four steps, the projector and merged weights of two tasks are torch's`, async (device) => {
    const [model, golden] = [await get(readModel(fixture("llava-tiny"))), await goldenOf("keeplora-answers-trace.safetensors")];
    const facts = { imageToken: model.architecture.decoder!.pictures!.token(model.config), tokens: model.architecture.decoder!.pictures!.tokens(model.config) };
    const protect = principalWeights({ modules: "all", energy: { language: 0.6 }, counting: "below" });
    let now = learnerOf(model);
    for (const [position, key] of ["task1", "task2"].entries()) {
      const walk = golden(`${key}.walk`);
      const alone = batchesOf(golden, key, { ...walk, shape: [4, 1] }, facts);
      const before = await runStage(device, pipeline(project(protect), given(alone)), lessonOf(now, [0, 0], position));
      nearBases(model, golden, variant, remembered(before.learner), position);
      const chosen = await runStage(device, project(residualGradient<typeof before>({ ...loss, rank, start: "zero" })), before);
      const lesson = { ...chosen, batches: batchesOf(golden, key, golden(`${key}.batches`), facts) };
      const adapter = adapters(variant, lesson);

      const { states, losses } = await adaptTraced(device, lesson, { adapter, steps: trained });
      near(
        losses.map((l) => l.loss),
        golden(`${variant}.${key}.loss`).data,
        `${variant}, ${key}: losses`,
      );
      const layouts = adapter.layouts(networkOf(model));
      for (const { step, values } of states) {
        const [A, B] = [unflatten(layouts["lora.A"], values["lora.A"]), unflatten(layouts["lora.B"], values["lora.B"])];
        for (const name of shown(model)) {
          const want = updateOf(rowAt(golden(`${variant}.${key}.${name}.lora_B`), step - 1), golden(`${variant}.${key}.${name}.lora_A`));
          nearRelative(updateOf(B.get(name)!, A.get(name)!), want, `${variant}, ${key}, step ${step}: B A of ${name}`);
        }
      }

      const merged = await runStage(device, pipeline(adapt({ adapters: (): Adapter<any> => adapter, steps: trained }), merge(), given(alone)), lesson);
      assert.ok(merged.mergeError <= 1e-5, `the merge changes features by ${merged.mergeError}`);
      const { weights } = merged.learner.model;
      names(model).forEach((name, i) => {
        const [old, next] = [now.model.weights, weights].map((of) => of.get(`${name}.weight`)!.data);
        const length = golden(`${variant}.${key}.change_norms`).data[i];
        nearRelative([Math.hypot(...next.map((w, j) => w - old[j]))], [length], `${variant}, ${key}: change of ${name}`);
      });
      for (const name of projectorParameters) near(weights.get(name)!.data, golden(`${variant}.${key}.${name}`).data, `${variant}, ${key}: ${name}`);

      now = (await runStage(device, project(gradientBasis<typeof merged>({ ...loss, energy: share(0.9) })), merged)).learner;
      nearBases(model, golden, variant, remembered(now), position + 1);
    }
  });
}

runTests();
