/** The parts of DAC (METHODS.md C) on their own: votes, routers, the AGO loss, what is merged and remembered, dropout, templates, and sizes. */
import fc from "fast-check";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import { mergeUpdate } from "../../src/model/adapters/update.ts";
import { initialModel } from "../../src/model/model.ts";
import { network } from "../../src/model/architecture.ts";
import type { Layer } from "../../src/model/network.ts";
import { clip, type ClipConfig } from "../../src/model/clip.ts";
import { textEncoder } from "../../src/model/inputs.ts";
import { networkOf } from "../../src/model/model.ts";
import { prompts } from "../../src/stages/captions.ts";
import type { Learner } from "../../src/model/learner.ts";
import { mostUsed } from "../../src/subspace/selection.ts";
import { trainableParameters, type GroupValues } from "../../src/model/adapters/adapter.ts";
import { expertPool, gatedLora } from "../../src/model/adapters/lora.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { bytesKept } from "../../src/model/memory.ts";
import { contrastive, type Objective } from "../../src/training/objective.ts";
import { adamW, type Optimizer } from "../../src/training/optimizer.ts";
import { mostVoted, overlap } from "../../src/subspace/overlap.ts";
import { past, pastOf } from "../../src/subspace/past.ts";
import { project } from "../../src/stages/project.ts";
import { batchVote, rankSelect, type BatchVoteOptions } from "../../src/stages/rankSelect.ts";
import { constantly } from "../../src/training/schedule.ts";
import { dropout, gradient, repeat, update } from "../../src/stages/steps.ts";
import { recorder } from "../../src/training/tracing.ts";
import type { Trainee, TrainingBatches } from "../../src/training/trainee.ts";
import type { Example } from "../../src/data/example.ts";
import type { ClassTask } from "../../src/data/task.ts";
import { unflatten, type Layout } from "../../src/tensor/layout.ts";
import { leafBook } from "../../src/tensor/leaves.ts";
import { add, scale, sub } from "../../src/tensor/ops/elementwise.ts";
import type { Tensors } from "../../src/tensor/program.ts";
import { detach, type Tensor } from "../../src/tensor/tensor.ts";
import { textsOf } from "../model/embeddings.ts";
import { tinyClip, tinyConfig as config } from "../fixtures/tinyClip.ts";
import { checkOp, deviceTest, evaluate, numbers, orThrow, runTests, sameBits, wholes, type Doubles } from "../tensor/check.ts";
import { columnsOf, learnerOf, lessonOf, near, rowsOf, runStage, runtimeOf, startingAt, traced, updateOf } from "./trace.ts";

type Router = NonNullable<BatchVoteOptions["router"]>;
type Group = "A" | "B" | "router" | "counts";

const [rank, active, merged, images] = [6, 3, 2, 4];
const adapter = expertPool({ rank, scale: 1 / rank });
const model = initialModel(clip, config, 1);
const net = networkOf(model);
const { weights } = model;
const layouts = adapter.layouts(net);

/** Indices of the k largest; of equals the lowest. */
const top = (x: readonly number[], k: number): readonly number[] =>
  x.map((_, i) => i).filter((i) => x.filter((other, j) => other > x[i] || (other === x[i] && j < i)).length < k);

/** Factors and votes of one module from its input [samples, tokens, in]. */
const vote = (experts: number, router: Router, { x, weight, bias }: Tensors): { readonly gates: Tensor; readonly votes: Tensor } => {
  const { tracing } = recorder(leafBook(), { steps: 1 });
  const views = new Map([
    ["m.weight", weight],
    ["m.bias", bias],
  ]);
  const trainee = batchVote(experts, { router }).apply({ groups: { router: { views } }, forward: {} } as unknown as Trainee, tracing);
  const gates = trainee.forward.gates!({ name: "m" } as Layer, x);
  return { gates, votes: tracing.tallied("counts", "m")! };
};

deviceTest("batch vote: first tokens vote, the lowest index first among equals; experts that do not exist are not missed", async (device) => {
  const table = fc.integer({ min: 1, max: 6 }).chain((width) =>
    fc.record({
      experts: fc.integer({ min: 1, max: 8 }),
      bias: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: width, maxLength: width }),
      scores: fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(table, async ({ experts, bias, scores }) => {
      const width = bias.length;
      const identity = Float32Array.from({ length: width ** 2 }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
      // The second token of every sample would vote otherwise.
      const x = Float32Array.from(scores.flatMap((row) => [...row, ...row.map((s) => 9 - 2 * s)]));
      const inputs = {
        x: { shape: [scores.length, 2, width], data: x },
        weight: { shape: [width, width], data: identity },
        bias: { shape: [width], data: Float32Array.from(bias) },
      };
      const got = await evaluate(device, inputs, (t) => ({ ...vote(experts, "frozen-random", t) }));
      const chosen = scores.map((row) =>
        top(
          row.map((s, i) => s + bias[i]),
          experts,
        ),
      );
      const votes = bias.map((_, i) => chosen.filter((set) => set.includes(i)).length);
      assert.equal([...got.votes], votes);
      assert.equal(
        [...got.gates],
        votes.map((_, i) => (top(votes, experts).includes(i) ? 1 : 0)),
      );
    }),
    { numRuns: 25 },
  );
});

const routerCase = { x: numbers([5, 3, 7], 1), weight: numbers([rank, 7], 2), bias: numbers([rank], 3) };

/** Mean probabilities of the experts, in float64. */
const meanProbabilities = ({ x, weight, bias }: Doubles): readonly number[] => {
  const all = Array.from({ length: 5 }, (_, sample) => {
    const e = Array.from(bias, (b, i) => Math.exp(b + Array.from({ length: 7 }, (_, j) => x[sample * 21 + j] * weight[i * 7 + j]).reduce((s, p) => s + p)));
    return e.map((p) => p / e.reduce((s, q) => s + q));
  });
  return all[0].map((_, i) => all.reduce((s, p) => s + p[i] / all.length, 0));
};

deviceTest("routers: prob-weighted weighs by mean probabilities, straight-through counts as frozen and has their gradient", async (device) => {
  const { frozen, straight } = await evaluate(device, routerCase, (t) => ({
    frozen: vote(active, "frozen-random", t).gates,
    straight: vote(active, "straight-through", t).gates,
  }));
  assert.is(
    frozen.reduce((n, g) => n + g),
    active,
  );
  sameBits(straight, frozen, "straight-through");
  await checkOp(device, "prob-weighted", {
    inputs: routerCase,
    op: (t) => vote(active, "prob-weighted", t).gates,
    reference: (x) => meanProbabilities(x).map((p, i) => frozen[i] * rank * p),
  });
  await checkOp(device, "straight-through", {
    inputs: routerCase,
    // The value of the mean probabilities with the gradient of the gates.
    op: (t) => {
      const mean = scale(vote(rank, "prob-weighted", t).gates, 1 / rank);
      const { gates } = vote(active, "straight-through", t);
      return add(gates, detach(sub(mean, gates)));
    },
    reference: meanProbabilities,
  });
});

deviceTest("a router without preference weighs the active experts by 1", async (device) => {
  const even = { ...routerCase, weight: numbers([rank, 7], 2, 0, 0), bias: numbers([rank], 3, 0, 0) };
  const { gates } = await evaluate(device, even, (t) => ({ gates: vote(active, "prob-weighted", t).gates }));
  near(gates, [1, 1, 1, 0, 0, 0], "the gates", 1e-6);
});

/** The same batch at every step: random images of three classes, and the prompt of each one's class. */
const batches: TrainingBatches = (() => {
  const labels = [0, 1, 0, 2];
  const { context, eosId } = config.text;
  const texts = textsOf(config.text, Uint32Array.from(labels.flatMap((y) => [1, 20 + 7 * y, 300 - y, eosId, ...new Array<number>(context - 4).fill(0)])));
  const targets = Float32Array.from(labels.flatMap((y) => labels.map((k) => (k === y ? 1 / labels.filter((l) => l === y).length : 0))));
  const { data: pixels } = numbers([images, config.vision.channels, config.vision.imageSize, config.vision.imageSize], 4, -2, 2);
  return {
    shape: { images, texts: texts.count, length: texts.length, previous: 0 },
    steps: 3,
    epoch: 1,
    at: () => TE.right({ pixels, ids: texts.ids, ends: texts.ends, targets, transposedTargets: targets }),
  };
})();

/** Numbers in every entry of a group, other ones in each. */
const filled = ({ entries, length }: Layout, of: (shape: readonly number[], entry: number) => ArrayLike<number>): Float32Array => {
  const flat = new Float32Array(length);
  entries.forEach(({ offset, shape }, i) => flat.set(of(shape, i), offset));
  return flat;
};

/** A pool that has learned something: B is not 0, and there are votes. */
const pool = (seed: number): GroupValues<Group> => ({
  ...adapter.initial(net, weights, seed, 0),
  B: filled(layouts.B, (shape, i) => numbers(shape, 100 * seed + i).data),
  counts: filled(layouts.counts, (shape, i) => wholes(shape, 100 * seed + i, 4).data),
});

/** Gives, instead of new parameters, the gradients. */
const revealed: Optimizer = { name: "revealed", options: {}, lr: constantly(0), update: (_, __, ___, g) => ({ flat: g, state: {} }) };

interface StepOptions {
  readonly objective?: Objective<any>;
  readonly optimizer?: Optimizer;
  readonly router?: Router;
  readonly experts?: number;
  readonly weights?: typeof weights;
  readonly memory?: Learner["memory"];
  readonly steps?: number;
}

/** Steps from given values. */
const stepped = (device: Device, values: GroupValues<Group>, options: StepOptions = {}) => {
  const { objective = contrastive, optimizer = revealed, router, experts = active, steps: count = 1, memory, weights: base = weights } = options;
  const steps = repeat(count, rankSelect(batchVote(experts, { router })), gradient(objective), update(optimizer));
  return traced(device, { model: { ...model, weights: base }, adapter, steps, batches, memory, from: { step: 0, values, moments: {} } });
};

const lossOf = async (device: Device, values: GroupValues<Group>, options: StepOptions = {}): Promise<number> =>
  (await stepped(device, values, options)).losses[0].loss;

deviceTest("counts: every image and every text votes in its own tower, in every step", async (device) => {
  const { states } = await stepped(device, pool(1), { optimizer: adamW({ lr: constantly(1e-2) }), steps: 3 });
  const all = [pool(1), ...states.map(({ values }) => values)].map(({ counts }) => unflatten(layouts.counts, counts));
  for (const { name, tower } of net.layers) {
    for (const step of [1, 2, 3]) {
      const votes = all[step].get(name)!.data.map((n, r) => n - all[step - 1].get(name)!.data[r]);
      assert.is(
        votes.reduce((n, v) => n + v),
        images * active,
        `${name}, step ${step}`,
      );
      assert.ok(votes.every((v) => v >= 0 && v <= images));
      // The texts of a causal tower have one first token: until their weights differ they vote alike (METHODS.md C.2).
      if (tower === "text")
        assert.ok(
          votes.every((v) => v === 0 || v === images),
          `${name}, step ${step}: ${votes}`,
        );
    }
  }
});

deviceTest("an expert that sleeps gets no gradient, whatever the router", async (device) => {
  const values = { ...pool(1), counts: new Float32Array(layouts.counts.length) };
  for (const router of ["frozen-random", "straight-through", "prob-weighted"] as const) {
    const after = (await stepped(device, values, { router })).states[0].values;
    const [A, B, counts] = [unflatten(layouts.A, after.A), unflatten(layouts.B, after.B), unflatten(layouts.counts, after.counts)];
    for (const [name, votes] of counts) {
      const awake = top([...votes.data], active);
      const [rows, columns] = [rowsOf(A.get(name)!), columnsOf(B.get(name)!)];
      for (const gradients of [rows, columns])
        gradients.forEach((g, r) =>
          assert.is(
            g.some((d) => d !== 0),
            awake.includes(r),
            `${router}: expert ${r} of ${name}`,
          ),
        );
    }
  }
});

deviceTest("the router: left alone as torch leaves what has no gradient, or trained", async (device) => {
  const values = pool(2);
  const decaying = { optimizer: adamW({ lr: constantly(1e-2), weightDecay: 0.5 }), steps: 2 };
  const frozen = await stepped(device, values, decaying);
  sameBits(frozen.states[1].values.router, values.router, "the frozen router");
  assert.equal(Object.keys(frozen.states[1].moments).sort(), ["A.m", "A.v", "B.m", "B.v"]);
  const straight = await stepped(device, values, { ...decaying, router: "straight-through" });
  assert.is(straight.losses[0].loss, frozen.losses[0].loss);
  assert.ok("router.m" in straight.states[1].moments);
  const gradients = (await stepped(device, values, { router: "straight-through" })).states[0].values.router;
  for (const [name, { data }] of unflatten(layouts.router, gradients))
    assert.ok(
      data.some((d) => d !== 0),
      name,
    );
});

deviceTest("prob-weighted: the slope of the loss along the router is its gradient's", async (device) => {
  const values = pool(2);
  const router = "prob-weighted";
  const g = (await stepped(device, values, { router })).states[0].values.router;
  const length = Math.hypot(...g);
  const h = 0.01;
  const at = (sign: number) => stepped(device, { ...values, router: values.router.map((x, i) => x + (sign * h * g[i]) / length) }, { router });
  const [up, down] = [await at(1), await at(-1)];
  sameBits(up.states[0].values.counts, down.states[0].values.counts, "the votes on both sides");
  const slope = (up.losses[0].loss - down.losses[0].loss) / (2 * h);
  assert.ok(Math.abs(slope - length) <= 1e-2 * length, `${slope}, not ${length}`);
});

/** A learner that has learned tasks with these values. */
const remembering = (device: Device, tasks: readonly GroupValues<Group>[]): Promise<Learner> =>
  tasks.reduce(
    async (before, values, position) => {
      const lesson = { ...lessonOf(await before, [3, 3, 3], position), adapters: { adapter, values } };
      return (await runStage(device, project(past("B")), lesson)).learner;
    },
    Promise.resolve(learnerOf(model)),
  );

deviceTest("the AGO loss pushes critical columns off the past ones they lean to, others not, and nothing from 0", async (device) => {
  const [values, { memory }] = [pool(3), await remembering(device, [pool(4), pool(5)])];
  const before = pastOf("B", { memory });
  for (const reduce of ["abs-sum", "mean"] as const) {
    const objective = overlap("B", { critical: mostVoted(merged), reduce });
    const { values: after } = (await stepped(device, values, { objective, memory })).states[0];
    const [own, counts] = [unflatten(layouts.B, values.B), unflatten(layouts.counts, after.counts)];
    for (const [name, gradients] of unflatten(layouts.B, after.B)) {
      const directions = rowsOf(before.get(name)!);
      assert.is(directions.length, 2 * rank);
      const critical = top([...counts.get(name)!.data], merged);
      const weight = 1 / layouts.B.entries.length / (reduce === "mean" ? directions.length * merged : 1);
      const columns = columnsOf(own.get(name)!);
      columnsOf(gradients).forEach((got, r) => {
        const want = new Float64Array(got.length);
        if (critical.includes(r)) {
          for (const direction of directions) {
            const sign = Math.sign(direction.reduce((s, p, i) => s + p * columns[r][i], 0));
            direction.forEach((p, i) => (want[i] += weight * sign * p));
          }
        }
        near(got, want, `${reduce}: column ${r} of ${name}`, 1e-6);
      });
    }
    // A and the router have no part in it.
    for (const group of ["A", "router"] as const) sameBits(after[group], values[group], group);

    const fresh = { ...values, B: new Float32Array(layouts.B.length) };
    const still = await stepped(device, fresh, { objective, memory });
    assert.ok(
      still.states[0].values.B.every((g) => g === 0),
      "no push at B = 0",
    );
  }
  assert.is(await lossOf(device, values, { objective: overlap("B") }), 0, "there is nothing to keep away from at the first task");
});

deviceTest("merge: the most used experts and no others; the rest is what the training mode has beside them", async (device) => {
  const values = pool(6);
  const chosen = mostUsed(merged).apply(layouts, values);
  const others = { ...values, B: values.B.map((b, i) => b - chosen.B[i]) };
  const [B, A, counts] = [unflatten(layouts.B, values.B), unflatten(layouts.A, values.A), unflatten(layouts.counts, values.counts)];
  for (const [name, kept] of unflatten(layouts.B, chosen.B)) {
    const best = top([...counts.get(name)!.data], merged);
    const columns = columnsOf(B.get(name)!);
    columnsOf(kept).forEach((column, r) => assert.equal(column, best.includes(r) ? columns[r] : new Float32Array(column.length), `${name} ${r}`));
  }
  const [part, whole] = [chosen, values].map((v) => mergeUpdate({ weights }, adapter.update(net, v)).weights);
  for (const [name, kept] of unflatten(layouts.B, chosen.B)) {
    const old = weights.get(`${name}.weight`)!.data;
    const update = updateOf(kept as never, A.get(name)! as never, 1 / rank);
    near(
      part.get(`${name}.weight`)!.data,
      update.map((u, i) => u + old[i]),
      name,
      1e-6,
    );
  }
  for (const [name, { data }] of mergeUpdate({ weights: part }, adapter.update(net, others)).weights) near(data, whole.get(name)!.data, name, 1e-6);
  const training = await lossOf(device, values, { experts: rank });
  near([await lossOf(device, others, { experts: rank, weights: part })], [training], "the loss with the others beside the merged", 1e-5);
  assert.ok(Math.abs((await lossOf(device, { ...values, B: new Float32Array(layouts.B.length) }, { weights: part })) - training) > 1e-3, "the others count");
});

deviceTest("dropout: the same masks for the same seed, task and step, others for others", async (device) => {
  const values = pool(7);
  const losses = async (p: number, seed: number, position: number): Promise<readonly number[]> => {
    const seen: number[] = [];
    const stage = adapt({
      adapters: startingAt(adapter, values),
      steps: repeat(3, dropout(p), rankSelect(batchVote(active)), gradient(contrastive), update(adamW({ lr: constantly(0) }))),
    });
    const lesson = { ...lessonOf(learnerOf(model), [3, 3], position), batches };
    await get(stage.run(lesson)({ ...runtimeOf(device), seed, emit: (e) => void (e.type === "step" && seen.push(e.losses.loss)) }));
    return seen;
  };
  const without = await losses(0, 8, 0);
  assert.is(new Set(without).size, 1, "the batch and the parameters are the same in every step");
  const first = await losses(0.2, 8, 0);
  assert.equal(await losses(0.2, 8, 0), first);
  const all = [...first, ...(await losses(0.2, 8, 1)), ...(await losses(0.2, 9, 0)), without[0]];
  assert.is(new Set(all).size, all.length, `${all}`);
});

deviceTest("a template is drawn for a run and a task; images have the prompts of their classes, and those of a class share a target", async (device) => {
  const tiny = await tinyClip();
  const tokens = textEncoder(tiny)!;
  const examples = Array.from(
    { length: 7 },
    (_, i): Example => ({
      id: `${i}`,
      label: i % 2,
      image: { kind: "pixels", image: { width: 16, height: 16, data: new Uint8Array(768).fill(30 * i) } },
    }),
  );
  const animals: ClassTask = {
    name: "animals",
    classNames: ["ant", "bee"],
    templates: ["a photo of a {c}.", "a {c}.", "the {c} in a game.", "art of the {c}."],
    train: TE.right(examples),
    test: TE.right([]),
  };
  const batch = 5;
  const templateOf = async (seed: number, position: number): Promise<number> => {
    const stage = encode({ batch, steps: 3, texts: "images", template: "random" });
    const lesson = { ...lessonOf(learnerOf(tiny), [2, 2, 2], position), task: animals };
    const {
      batches: { at, shape },
    } = await get(stage.run(lesson)({ ...runtimeOf(device), seed }));
    const wording = (template: string): readonly string[] => {
      const { ids, count, length } = tokens(prompts(template, animals.classNames));
      return Array.from({ length: count }, (_, i) => ids.slice(i * length, (i + 1) * length).join());
    };
    const found = new Set<number>();
    for (const step of [0, 1, 2]) {
      const { ids, targets, transposedTargets } = await get(at(step));
      const rows = Array.from({ length: batch }, (_, i) => ids.slice(i * shape.length, (i + 1) * shape.length).join());
      found.add(animals.templates.findIndex((template) => rows.every((row) => wording(template).includes(row))));
      const want = rows.flatMap((row) => rows.map((other) => (row === other ? Math.fround(1 / rows.filter((r) => r === row).length) : 0)));
      assert.equal([[...targets], [...transposedTargets]], [want, want]);
    }
    assert.is(found.size, 1, "one template for all steps");
    return [...found][0];
  };
  const drawn = async (): Promise<readonly number[]> => {
    const all: number[] = [];
    for (const seed of [1, 2, 3, 4]) for (const position of [0, 1, 2]) all.push(await templateOf(seed, position));
    return all;
  };
  const first = await drawn();
  assert.not(first.includes(-1));
  assert.ok(new Set(first).size > 1 && new Set(first.slice(0, 3)).size > 1, `runs and tasks differ: ${first}`);
  assert.equal(await drawn(), first);
});

const vitB16 = (): ClipConfig => orThrow(decodeConfig(clip, "config.json", { text_config: {}, vision_config: { patch_size: 16 } }));

test("published sizes on CLIP ViT-B/16: 4,978,368 parameters, 18.99 MiB; CoDyRA's 4,425,984", () => {
  const parameters = trainableParameters(expertPool(), network(clip, vitB16()));
  assert.is(parameters, 4_978_368);
  assert.is(((4 * parameters) / 2 ** 20).toFixed(2), "18.99");
  assert.is(trainableParameters(gatedLora({ rank: 16 }), network(clip, vitB16())), 4_425_984);
});

deviceTest("the AGO loss keeps 6.6 MB a task of CLIP ViT-B/16, 2.2 MB of critical columns, experts that never lived or not", async (device) => {
  const large = { adapter: expertPool(), config: vitB16() };
  const own = large.adapter.layouts(network(clip, large.config));
  const values = Object.fromEntries((["A", "B", "counts"] as const).map((group) => [group, new Float32Array(own[group].length)])) as GroupValues<Group>;
  const lesson = {
    ...lessonOf(learnerOf({ architecture: clip, config: large.config, weights: new Map() }), [3, 3], 0),
    adapters: { adapter: large.adapter, values },
  };
  for (const [stage, bytes] of [
    [project(past("B")), 6_635_520],
    [project(past("B", mostUsed(4))), 2_211_840],
  ] as const) {
    const once = await runStage(device, stage, lesson);
    assert.is(bytesKept(once.learner), bytes);
    const twice = await runStage(device, stage, { ...lesson, learner: once.learner });
    assert.is(bytesKept(twice.learner), 2 * bytes);
  }
});

runTests();
