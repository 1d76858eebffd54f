/** What is particular to each LoRA baseline (METHODS.md H), and every method by its name on a tiny CLIP and a tiny ViT. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { changedEntries, cLora } from "../../src/methods/cLora.ts";
import { infLora } from "../../src/methods/infLora.ts";
import { oLora } from "../../src/methods/oLora.ts";
import { directionsOf, sdLora } from "../../src/methods/sdLora.ts";
import { sora } from "../../src/methods/sora.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import type { GroupValues } from "../../src/model/adapters/adapter.ts";
import { gatedLora, lora } from "../../src/model/adapters/lora.ts";
import { network } from "../../src/model/architecture.ts";
import { clip as clipArchitecture } from "../../src/model/clip.ts";
import { readModel, type Model } from "../../src/model/model.ts";
import { remembered } from "../../src/subspace/bases.ts";
import { residualInputs } from "../../src/subspace/directions.ts";
import { encode } from "../../src/stages/encode.ts";
import type { Method } from "../../src/stages/learn.ts";
import type { Objective } from "../../src/training/objective.ts";
import { overlap } from "../../src/subspace/overlap.ts";
import { past, pastOf } from "../../src/subspace/past.ts";
import { project } from "../../src/stages/project.ts";
import { runMethod, type Run } from "../../src/runs/run.ts";
import type { Event } from "../../src/training/runtime.ts";
import { ramp, rising } from "../../src/training/schedule.ts";
import { compose, manifest, pipeline } from "../../src/stages/stage.ts";
import { recorder } from "../../src/training/tracing.ts";
import type { Encoded } from "../../src/training/trainee.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { unflatten, type Layout } from "../../src/tensor/layout.ts";
import { leafBook } from "../../src/tensor/leaves.ts";
import type { Tensors } from "../../src/tensor/program.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip, tinyConfig as config } from "../fixtures/tinyClip.ts";
import { fixture } from "../model/embeddings.ts";
import { checkOp, deviceTest, failureOf, numbers, runTests, sameBits, type Doubles, type Value } from "../tensor/check.ts";
import { keepsAdapters, learnerOf, lessonOf, near, projector, rowsOf, runStage, runtimeOf, updateOf } from "./trace.ts";

const stream: ClassStream = {
  labelSpace: "task",
  tasks: [patternTask("warm", ["red", "orange"], 1), patternTask("cold", ["blue", "green"], 2), patternTask("grey", ["black", "white"], 3)],
};
const two: ClassStream = { ...stream, tasks: stream.tasks.slice(0, 2) };
const quick = { steps: 3, batch: 4, rank: 2, lr: 1e-2, cropScale: 1 };

interface Followed extends Run {
  readonly events: readonly Event[];
  /** The learner after each lesson. */
  readonly learners: readonly Learner[];
}

const follow = async (device: Device, method: Method, from: Model, over: ClassStream = two): Promise<Followed> => {
  const events: Event[] = [];
  const run = await get(runMethod(method, learner(from), over)({ ...runtimeOf(device), emit: (e) => void events.push(e) }));
  return { ...run, events, learners: events.flatMap((e) => (e.type === "lesson" ? [e.learner] : [])) };
};

const weightOf = ({ model }: Pick<Learner, "model">, name: string): HostTensor => model.weights.get(`${name}.weight`)!;

// Penalties, on two modules with two past tasks.

const adapter = lora({ rank: 3, modules: ["q"] });
const net = network(clipArchitecture, config);
const layouts = adapter.layouts(net);
const names = layouts.A.entries.map(({ name }) => name);

/** Random factors. */
const factors = (seed: number): GroupValues<"A" | "B"> => {
  const of = ({ length }: Layout, which: number): Float32Array => numbers([length], 2 * seed + which).data as Float32Array;
  return { A: of(layouts.A, 0), B: of(layouts.B, 1) };
};

/** What a learner remembers of tasks with these factors, and the inputs of a penalty on those of the next. */
const penalised = async (device: Device) => {
  const pasts = [factors(1), factors(2)];
  const keep = compose(project(past("A")), project(past("B")));
  let now = learnerOf({ architecture: clipArchitecture, config, weights: new Map() });
  for (const [position, values] of pasts.entries()) {
    now = (await runStage(device, keep, { ...lessonOf(now, [2, 2, 2], position), adapters: { adapter, values } })).learner;
  }
  const own = factors(3);
  const inputs: Record<string, Value> = {};
  for (const factor of ["A", "B"] as const) {
    for (const [name, value] of unflatten(layouts[factor], own[factor])) inputs[`${factor} of ${name}`] = value;
    for (const [name, value] of pastOf(factor, now)) inputs[`past ${factor} of ${name}`] = value;
  }
  const op =
    ({ terms: [{ loss }] }: Objective<any>) =>
    (given: Tensors) => {
      const group = (factor: string) => ({ views: new Map(names.map((name) => [name, given[`${factor} of ${name}`]])) });
      const tracing = { ...recorder(leafBook(), { steps: 1, memory: now.memory }).tracing, constant: (name: string) => given[name] };
      return loss({ trainee: { groups: { A: group("A"), B: group("B") } }, tracing } as unknown as Encoded);
    };
  return { inputs, op };
};

/** Σ over k of a[k, i] b[k, j] for all i and j of two lists of rows. */
const products = (a: Float64Array, b: Float64Array, [n, m]: readonly [number, number]): Float64Array => {
  const length = a.length / n;
  return Float64Array.from({ length: n * m }, (_, at) => {
    const [i, j] = [Math.floor(at / m), at % m];
    return Array.from({ length }, (__, k) => a[i * length + k] * b[j * length + k]).reduce((x, y) => x + y);
  });
};
const sumOf = (values: Float64Array, f: (x: number) => number): number => values.reduce((s, x) => s + f(x), 0);

deviceTest("O-LoRA's penalty and its gradient, as a sum of absolute values and of squares", async (device) => {
  const { inputs, op } = await penalised(device);
  for (const [reduce, f] of [
    ["abs-sum", Math.abs],
    ["square-sum", (x: number) => x * x],
  ] as const) {
    await checkOp(device, reduce, {
      inputs: Object.fromEntries(Object.entries(inputs).filter(([name]) => name.includes("A of"))),
      op: op(overlap("A", { reduce, layers: "sum" })),
      reference: (x: Doubles) => [names.reduce((s, name) => s + sumOf(products(x[`past A of ${name}`], x[`A of ${name}`], [6, 3]), f), 0)],
      wrt: names.map((name) => `A of ${name}`),
    });
  }
});

deviceTest("C-LoRA's penalty and its gradient", async (device) => {
  const { inputs, op } = await penalised(device);
  /** B A from B [out, r] and A [r, in], or from the columns of B [r, out]. */
  const change = (B: Float64Array, A: Float64Array, rank: number, columns: boolean): Float64Array => {
    const [out, width] = [B.length / rank, A.length / rank];
    const b = (row: number, r: number): number => (columns ? B[r * out + row] : B[row * rank + r]);
    return Float64Array.from({ length: out * width }, (_, at) =>
      Array.from({ length: rank }, (__, r) => b(Math.floor(at / width), r) * A[r * width + (at % width)]).reduce((x, y) => x + y),
    );
  };
  await checkOp(device, "changed entries", {
    inputs,
    op: op(changedEntries),
    reference: (x) => [
      names.reduce((s, name) => {
        const before = change(x[`past B of ${name}`], x[`past A of ${name}`], 6, true);
        return (
          s +
          sumOf(
            change(x[`B of ${name}`], x[`A of ${name}`], 3, false).map((d, i) => Math.abs(before[i]) * d),
            (d) => d * d,
          )
        );
      }, 0),
    ],
    wrt: names.flatMap((name) => [`A of ${name}`, `B of ${name}`]),
  });
});

deviceTest("O-LoRA and C-LoRA pay from the second task on", async (device) => {
  const clip = await tinyClip();
  const cases = [
    [oLora({ ...quick, penalty: "square-sum" }), "overlap(A, all, square-sum)"],
    [cLora({ ...quick, regularisation: 1e6 }), changedEntries.name],
  ] as const;
  for (const [method, penalty] of cases) {
    const { events } = await follow(device, method, clip);
    for (const e of events) {
      if (e.type !== "step") continue;
      const { loss, imageToText, textToImage, [penalty]: extra } = e.losses;
      near([loss], [imageToText + textToImage + extra], `${method.name}: the loss of step ${e.step}`, 1e-5);
      // C-LoRA's B is 0 before its first step.
      const free = e.position === 0 || (method.name === "c-lora" && e.step === 0);
      assert.is(extra > 0, !free, `${method.name}, task ${e.position + 1}, step ${e.step}: ${extra}`);
    }
  }
});

deviceTest("InfLoRA: A is orthonormal / √3 and outside of what is remembered, where an update changes nothing", async (device) => {
  const clip = await tinyClip();
  const { learners } = await follow(device, infLora({ ...quick, threshold: 0.6 }), clip);
  const inputs = { modules: ["k", "v"], towers: ["vision"], tokens: "all", accumulate: "gram" } as const;
  const lesson = { learner: learners[0], task: stream.tasks[1], position: 1, stream: two, learned: 2 };
  const { directions } = await runStage(device, pipeline(encode({ batch: 4, steps: 3 }), project(residualInputs({ rank: 2, ...inputs }))), lesson);
  const bases = remembered(learners[0]);
  assert.equal([...bases.keys()], [...directions.keys()]);
  for (const [name, { A }] of directions) {
    const { d, columns } = bases.get(name)!;
    assert.ok(columns.length > 0 && columns.length + 2 <= d, `${columns.length} of ${d} directions`);
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((s, x, i) => s + x * b[i], 0);
    const rows = rowsOf(A);
    near(
      rows.flatMap((a) => rows.map((b) => dot(a, b))),
      [1 / 3, 0, 0, 1 / 3],
      `A Aᵀ of ${name}`,
      1e-6,
    );
    near(
      rows.flatMap((a) => columns.map((c) => dot(a, c))),
      new Array(2 * columns.length).fill(0),
      `A Φ of ${name}`,
      1e-6,
    );

    const [before, after] = learners.map((l) => rowsOf(weightOf(l, name)));
    const change = after.map((row, i) => row.map((w, j) => w - before[i][j]));
    assert.ok(Math.max(...change.map((row) => Math.hypot(...row))) > 1e-3, `${name} has learned`);
    near(
      change.flatMap((row) => columns.map((c) => dot(row, c))),
      new Array(change.length * columns.length).fill(0),
      `ΔW Φ of ${name}`,
      1e-6,
    );
    // What is remembered grows: Φ of the first task is a part of that of the second.
    const now = remembered(learners[1]).get(name)!.columns;
    near(projector(now.slice(0, columns.length), d), projector(columns, d), `Φ of ${name}`, 0);
  }
});

deviceTest("SD-LoRA: directions stay, magnitudes change, and the weights are W₀ + Σ αᵢ dirᵢ + αₜ Bₜ Aₜ", async (device) => {
  const clip = await tinyClip();
  const { learners, result } = await follow(device, sdLora(quick), clip, stream);
  const [first, , last] = learners.map(directionsOf);
  assert.equal(
    [...last.keys()],
    lora({ modules: ["q", "v"] })
      .layouts(net)
      .A.entries.map(({ name }) => name),
  );
  for (const [name, directions] of last) {
    assert.is(directions.length, 3);
    for (const factor of ["A", "B"] as const) sameBits(directions[0][factor].data, first.get(name)![0][factor].data, `${factor} of the first task in ${name}`);
    const sum = Float64Array.from(clip.weights.get(`${name}.weight`)!.data);
    directions.forEach(({ A, B, factor }, t) => {
      updateOf(B, A, factor).forEach((x, i) => (sum[i] += x));
      const magnitude = factor * (t < 2 ? Math.hypot(...A.data) * Math.hypot(...B.data) : 1);
      assert.ok(magnitude > 0.7 && magnitude < 0.9 && magnitude !== 0.8, `magnitude of task ${t + 1} in ${name}: ${magnitude}`);
    });
    near(weightOf(learners[2], name).data, sum, `W of ${name}`, 1e-6);
  }
  assert.equal(
    result.ranks.map((ranks) => [...new Set(Object.values(ranks))]),
    [[2], [4], [6]],
  );
});

deviceTest("SD-LoRA: a direction that is zero has no part, and is no NaN", async (device) => {
  const clip = await tinyClip();
  const { learners } = await follow(device, sdLora({ ...quick, lr: [0, 1e-2] }), clip);
  for (const [name, { data }] of clip.weights) sameBits(learners[0].model.weights.get(name)!.data, data, name);
  for (const [name, [zero, own]] of directionsOf(learners[1])) {
    assert.is(zero.factor, 0, name);
    assert.ok(own.factor > 0, name);
    assert.ok(weightOf(learners[1], name).data.every(Number.isFinite), name);
  }
});

test("SoRA: the threshold rises by equal parts to κ, and by default its sum is CoDyRA's", () => {
  const sums = [rising(0.0026), ramp(0.005)].map((schedule) => {
    const at = schedule.of(500);
    return Array.from({ length: 500 }, (_, step) => at(step)).reduce((a, b) => a + b);
  });
  assert.ok(Math.abs(sums[0] / sums[1] - 1) < 0.03, `${sums}`);
  near(
    Array.from({ length: 5 }, (_, step) => rising(1).of(5)(step)),
    [0.2, 0.4, 0.6, 0.8, 1],
    "κ",
    1e-15,
  );
});

deviceTest("SoRA: gates that nothing trains live where they are larger than all thresholds together", async (device) => {
  const clip = await tinyClip();
  const kappa = 0.3;
  const { result } = await follow(device, sora({ ...quick, lr: 0, kappa }), clip);
  const gated = gatedLora({ rank: 2 });
  result.ranks.forEach((ranks, position) => {
    const { gate } = gated.initial(net, clip.weights, runtimeOf(device).seed, position);
    const all = [...unflatten(gated.layouts(net).gate, gate)];
    assert.equal(ranks, Object.fromEntries(all.map(([name, { data }]) => [name, data.filter((g) => Math.abs(g) > kappa * (1 / 3 + 2 / 3 + 1)).length])));
  });
  const living = result.ranks.flatMap((ranks) => Object.values(ranks)).reduce((a, b) => a + b);
  assert.ok(living > 0 && living < 2 * 2 * 12, `${living} live`);
});

// Every method by its name.

const all: readonly MethodName[] = [
  "zero-shot",
  "sequential-lora",
  "joint",
  "replay",
  "lwf",
  "wise-ft",
  "zscl",
  "codyra",
  "keeplora",
  "keeplora++",
  "keeplora+",
  "keeplora++cls",
  "dac",
  "duallora",
  "o-lora",
  "inflora",
  "sd-lora",
  "c-lora",
  "sora",
  "glad",
  "color",
  "moram",
  "lora-ttt",
];

/** Those that keep their adapters beside the weights. */
const unmerged: readonly MethodName[] = ["color", "moram"];

/** Whether a value is plain data that JSON can hold. */
const isPlain = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object" || value === null) return value == null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
};

test("all methods have their names, and describe themselves in plain data", () => {
  assert.equal(Object.keys(methods).sort(), [...all].sort());
  for (const name of all) {
    const made = methods[name](quick);
    assert.is(made.name, name);
    assert.ok(isPlain(manifest(made)), `${name}: ${JSON.stringify(manifest(made))}`);
  }
});

/** What a learner with a head knows of both tasks after each, where that is not one task after another. */
const known: Readonly<Record<string, readonly (readonly boolean[])[]>> = {
  "zero-shot": [
    [false, false],
    [false, false],
  ],
  joint: [
    [false, false],
    [true, true],
  ],
};

/** By default they protect and train the text tower too. */
const needText: readonly MethodName[] = ["keeplora", "keeplora++", "keeplora+", "keeplora++cls"];

/** What a method lacks in a ViT. */
const lacking = (name: MethodName): RegExp | undefined => {
  if (name === "replay") return /a vit reads no texts: its head has rows for the classes of a task alone/;
  if (name === "lwf" || name === "zscl") return /it needs imageEmbeds, which a vit does not give/;
  if (name === "lora-ttt") return /test-time training compares views of a picture with the texts of classes, and a vit reads none/;
  return needText.includes(name) ? /a vit has no tower text; it has vision/ : undefined;
};

for (const [kind, read] of [
  ["CLIP", tinyClip],
  ["ViT", () => get(readModel(fixture("vit-tiny")))],
] as const) {
  deviceTest(`every method learns two tasks with a tiny ${kind}, or says why not`, async (device) => {
    const model: Model = await read();
    for (const name of all) {
      const missing = kind === "ViT" ? lacking(name) : undefined;
      if (missing !== undefined) {
        const events: Event[] = [];
        const runtime = { ...runtimeOf(device), emit: (event: Event) => void events.push(event) };
        const failure = failureOf(await runMethod(methods[name](quick), learner(model), two)(runtime)());
        assert.match(describe(failure), missing, name);
        assert.equal(events, [], `${name} says so before anything is evaluated`);
        continue;
      }
      const { result, learner: after, learners } = await follow(device, methods[name](quick), model);
      const learned = learners.length > 0;
      // What is trained at test time is no part of the learner.
      const trained = learned && name !== "lora-ttt";
      const scored = result.matrix.map((row) => row.map((accuracy) => accuracy !== null));
      if (kind === "ViT") {
        assert.equal(
          scored,
          known[name] ?? [
            [true, false],
            [true, true],
          ],
          name,
        );
        assert.equal(result.zeroShot, [null, null], name);
        assert.is(after.head?.bias.length ?? 0, learned ? 4 : 0, name);
      } else {
        assert.equal(
          scored,
          [
            [name !== "joint", name !== "joint"],
            [true, true],
          ],
          name,
        );
      }
      assert.is(result.trainableParameters > 0, trained, name);
      assert.is(after.seen.length, learned ? 4 : 0, name);
      const changed = [...model.weights].some(([weight, { data }]) => after.model.weights.get(weight)!.data.some((w, i) => w !== data[i]));
      assert.is(changed, trained && !unmerged.includes(name), name);
      for (const [task, one] of learners.entries()) keepsAdapters(one, unmerged.includes(name) ? task + 1 : 0, name);
      for (const [weight, { data }] of after.model.weights) assert.ok(data.every(Number.isFinite), `${name}: ${weight}`);
      assert.ok(isPlain(result.options), `${name}: options of the result`);
    }
  });
}

deviceTest("what needs a text tower by default learns with a ViT where its options name the vision tower alone", async (device) => {
  const vit = await get(readModel(fixture("vit-tiny")));
  const seeing = { ...quick, towers: ["vision"], energy: { vision: 0.5 }, featureEnergy: 0.8 };
  for (const name of needText) {
    const { result, learner: after } = await follow(device, methods[name](seeing), vit);
    assert.equal(
      result.matrix.map((row) => row.map((accuracy) => accuracy !== null)),
      [
        [true, false],
        [true, true],
      ],
      name,
    );
    assert.is(after.head!.bias.length, 4, name);
    for (const [weight, { data }] of after.model.weights) assert.ok(data.every(Number.isFinite), `${name}: ${weight}`);
  }
});

deviceTest("the same seed gives the same bits", async (device) => {
  const clip = await tinyClip();
  for (const name of ["sd-lora", "inflora"] as const) {
    const [one, other] = [await follow(device, methods[name](quick), clip), await follow(device, methods[name](quick), clip)];
    for (const [weight, { data }] of one.learner.model.weights) sameBits(other.learner.model.weights.get(weight)!.data, data, `${name}: ${weight}`);
    assert.equal(other.result.matrix, one.result.matrix, name);
  }
});

runTests();
