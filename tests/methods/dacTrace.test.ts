/** DAC step by step against a torch reference that was written from METHODS.md C (tests/fixtures/dac_trace.py). */
import * as TE from "fp-ts/lib/TaskEither.js";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { networkOf } from "../../src/model/model.ts";
import type { Learner } from "../../src/model/learner.ts";
import { all, mostUsed } from "../../src/subspace/selection.ts";
import type { GroupValues } from "../../src/model/adapters/adapter.ts";
import { expertPool } from "../../src/model/adapters/lora.ts";
import { entry, largest } from "../../src/subspace/components.ts";
import type { Lesson, WithAdapters, WithBatches } from "../../src/training/lesson.ts";
import { merge } from "../../src/stages/merge.ts";
import { contrastive, objective, sum, weighted, type Objective } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { mostVoted, overlap } from "../../src/subspace/overlap.ts";
import { past, pastOf } from "../../src/subspace/past.ts";
import { project } from "../../src/stages/project.ts";
import { batchVote, rankSelect } from "../../src/stages/rankSelect.ts";
import { cosine } from "../../src/training/schedule.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import { constant } from "../../src/tensor/ops/elementwise.ts";
import { fixture, goldenOf, readModel, textsOf, wholesOf, type Model } from "../model/embeddings.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { adaptTraced, columnsOf, imagesAt, learnerOf, lessonOf, near, over, rowAt, rowsOf, runStage, startingAt, type Golden, type Trace } from "./trace.ts";

const [rank, active, merged, horizon] = [6, 3, 2, 11];
const adapter = expertPool({ rank, scale: 1 / rank });
type Group = "A" | "B" | "router" | "counts";
type Key = "task1" | "task2";
type Taught = Lesson & WithBatches & WithAdapters<Group>;

/** The steps of `dac` (src/methods/dac.ts) without dropout, with what else is to be noted of every step. */
const steps = (...noted: readonly Objective<any>[]): Steps<any> =>
  repeat(
    5,
    rankSelect(batchVote(active)),
    gradient(sum(contrastive, weighted(0.1, overlap("B", { critical: mostVoted(merged) })), ...noted)),
    update(adamW({ lr: over(horizon, cosine(2e-2, { floor: 1e-6, reached: true })), weightDecay: 0.01 })),
  );

/** The task's batches: images, the prompt of every image's class, and T_ij = 1[y_i = y_j] / #{k: y_k = y_i}. */
const batchesOf = ({ config }: Model, golden: Golden, key: Key): TrainingBatches => {
  const [pixels, labels, order, prompts] = ["pixels", "labels", "batches", "prompt_ids"].map((name) => golden(`${key}.${name}`));
  const rows = rowsOf(prompts);
  const [count, images] = order.shape;
  const { length } = textsOf(config.text, wholesOf(prompts));
  return {
    shape: { images, texts: images, length, previous: 0 },
    steps: count,
    epoch: count,
    at: (step) => {
      const picked = rowAt(order, step).data;
      const own = Array.from(picked, (image) => labels.data[image]);
      const { ids, ends } = textsOf(config.text, Uint32Array.from(own.flatMap((label) => [...rows[label]])), length);
      const soft = Float32Array.from(own.flatMap((y) => own.map((other) => (other === y ? 1 / own.filter((k) => k === y).length : 0))));
      return TE.right({ pixels: imagesAt(pixels, picked), ids, ends, targets: soft, transposedTargets: soft });
    },
  };
};

/** A or B of a module after so many steps, where the fixture has them. */
const factorAt = (golden: Golden, key: Key, name: string, factor: "A" | "B", step: number) => {
  const states = golden(`${key}.${name}.lora_${factor}`);
  if (states.shape[0] === 2 && step % 5 !== 0) return undefined;
  return rowAt(states, states.shape[0] === 2 ? step / 5 : step);
};

/** The adapter's values before the first step. */
const start = (model: Model, golden: Golden, key: Key): GroupValues<Group> => {
  const layouts = adapter.layouts(networkOf(model));
  return {
    A: flatten(layouts.A, (name) => factorAt(golden, key, name, "A", 0)!.data),
    B: flatten(layouts.B, (name) => factorAt(golden, key, name, "B", 0)!.data),
    router: flatten(layouts.router, (name) => golden(`${key}.${name.replace(/(weight|bias)$/, "router.$1")}`).data),
    counts: new Float32Array(layouts.counts.length),
  };
};

/** Holds the states and losses of a task against the reference. */
const nearTrace = (model: Model, golden: Golden, key: Key, { states, losses }: Trace<Group>): void => {
  const layouts = adapter.layouts(networkOf(model));
  const router = states[0].values.router;
  assert.equal(
    states.map(({ step }) => step),
    [1, 2, 3, 4, 5],
  );
  states.forEach(({ step, values }, i) => {
    const counts = unflatten(layouts.counts, values.counts);
    const before = i === 0 ? undefined : unflatten(layouts.counts, states[i - 1].values.counts);
    const [norms, want] = [rowAt(golden(`${key}.lora_norms`), step), rowAt(golden(`${key}.counts`), step)];
    for (const factor of ["A", "B"] as const) {
      for (const [module, { name }] of layouts[factor].entries.entries()) {
        const own = entry(layouts[factor], values[factor], module);
        const where = `${key}, step ${step}: ${factor} of ${name}`;
        near([Math.hypot(...own)], [rowAt(norms, module).data[factor === "A" ? 0 : 1]], `the norm of ${where}`);
        const state = factorAt(golden, key, name, factor, step);
        if (state !== undefined) near(own, state.data, where);
      }
    }
    [...counts].forEach(([name, { data }], module) => {
      const ascending = (set: ReadonlySet<number>): readonly number[] => [...set].sort((x, y) => x - y);
      const votes = data.map((n, r) => n - (before?.get(name)?.data[r] ?? 0));
      const of = (what: string): readonly number[] => [...rowAt(rowAt(golden(`${key}.${what}`), i), module).data];
      assert.equal([...data], [...rowAt(want, module).data], `${key}, step ${step}: counts of ${name}`);
      assert.equal(ascending(largest(votes, active)), of("active"), `${key}, step ${step}: active experts of ${name}`);
      assert.equal(ascending(largest(data, merged)), of("critical"), `${key}, step ${step}: critical experts of ${name}`);
    });
    assert.is(Buffer.compare(Buffer.from(values.router.buffer), Buffer.from(router.buffer)), 0, `${key}, step ${step}: the router`);
  });
  losses.forEach(({ loss, imageToText, textToImage, [`overlap(B, mostVoted(${merged}), abs-sum)`]: ago }, i) => {
    const [supervised, orthogonality] = rowAt(golden(`${key}.loss`), i).data;
    near([imageToText + textToImage, ago, loss], [supervised, 0.1 * orthogonality, supervised + 0.1 * orthogonality], `${key}, step ${i}: the losses`);
  });
};

interface Learned {
  readonly trace: Trace<Group>;
  readonly taught: Taught;
  readonly after: Learner;
}

/** Learns one task as `dac` does: trains, remembers, merges. */
const learned = async (device: Device, model: Model, golden: Golden, key: Key, from: Learner, noted: readonly Objective<any>[] = []): Promise<Learned> => {
  const lesson = { ...lessonOf(from, [3, 3], key === "task1" ? 0 : 1), batches: batchesOf(model, golden, key) };
  const trace = await adaptTraced(device, lesson, { adapter: startingAt(adapter, start(model, golden, key)), steps: steps(...noted) });
  const taught: Taught = { ...lesson, adapters: { adapter, values: trace.states[trace.states.length - 1].values } };
  const { learner: after } = await runStage(device, pipeline(project<Taught, Taught>(past("B", all)), merge(mostUsed(merged))), taught);
  return { trace, taught, after };
};

/** Holds the merge of a task against the reference. */
const nearMerge = (model: Model, golden: Golden, key: Key, { taught, after }: Learned): void => {
  const [before, now] = [taught.learner.model.weights, after.model.weights];
  const changes = networkOf(model).layers.map(({ name }) => {
    const [old, merged] = [before.get(`${name}.weight`)!.data, now.get(`${name}.weight`)!.data];
    return Math.hypot(...merged.map((w, i) => w - old[i]));
  });
  near(changes, golden(`${key}.change_norms`).data, `${key}: how far the weights moved`);
  for (const module of [
    "vision_model.encoder.layers.0.self_attn.q_proj",
    "vision_model.encoder.layers.2.mlp.fc2",
    "text_model.encoder.layers.0.mlp.fc1",
    "text_model.encoder.layers.1.self_attn.out_proj",
  ])
    near(now.get(`${module}.weight`)!.data, golden(`${key}.merged.${module}.weight`).data, `${key}: merged ${module}`);
};

/** The columns of B that are remembered of a task, by module: all, or those of its critical experts. */
const nearPast = (model: Model, golden: Golden, key: Key, of: Learner, first: number, which: "all" | "critical"): void => {
  networkOf(model).layers.forEach(({ name }, module) => {
    const columns = columnsOf(factorAt(golden, key, name, "B", 5)!);
    const critical = rowAt(rowAt(golden(`${key}.critical`), 4), module).data;
    const want = which === "all" ? columns : [...critical].map((r) => columns[r]);
    const got = rowsOf(pastOf("B", of).get(name)!).slice(first);
    assert.is(got.length, want.length, `${key}: ${which} past columns of ${name}`);
    want.forEach((column, i) => near(got[i], column, `${key}: ${which} past column ${i} of ${name}`));
  });
};

const reductions = ["abs-sum", "mean"] as const;

/** Notes other forms of the overlap, with what another learner remembers, and adds nothing to the loss. */
const noting = (which: string, { memory }: Learner): Objective<any> =>
  objective(`noted ${which}`, (e) => {
    for (const reduce of reductions) {
      const { constant: remembered } = e.tracing;
      const tracing = { ...e.tracing, memory, constant: (name: string, value: Parameters<typeof remembered>[1]) => remembered(`${which} ${name}`, value) };
      e.tracing.record(`${which}.${reduce}`, overlap("B", { critical: mostVoted(merged), reduce }).terms[0].loss({ ...e, tracing }));
    }
    return constant(0, []);
  });

deviceTest("two tasks: parameters, votes, losses, the merges, and all four forms of the overlap, are torch's", async (device) => {
  const [model, golden] = [await readModel(fixture("clip-gelu")), await goldenOf("dac-trace.safetensors")];
  const rate = cosine(2e-2, { floor: 1e-6, reached: true }).of(horizon);
  golden("lr").data.forEach((lr, i) => near([rate(i)], [lr], `the learning rate of step ${i}`, 1e-9));

  const first = await learned(device, model, golden, "task1", learnerOf(model));
  nearTrace(model, golden, "task1", first.trace);
  nearMerge(model, golden, "task1", first);
  nearPast(model, golden, "task1", first.after, 0, "all");
  const { learner: ofCritical } = await runStage(device, project(past("B", mostUsed(merged))), first.taught);
  nearPast(model, golden, "task1", ofCritical, 0, "critical");

  const second = await learned(device, model, golden, "task2", first.after, [noting("all", first.after), noting("critical", ofCritical)]);
  nearTrace(model, golden, "task2", second.trace);
  nearMerge(model, golden, "task2", second);
  nearPast(model, golden, "task2", second.after, rank, "all");
  for (const form of ["all", "critical"].flatMap((which) => reductions.map((reduce) => `${which}.${reduce}`)))
    near(
      second.trace.losses.map((noted) => noted[form]),
      golden(`task2.orth.${form}`).data,
      `the overlap ${form}`,
      1e-5,
    );
});

runTests();
