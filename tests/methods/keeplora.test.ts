/** What holds for KeepLoRA whatever it learns (METHODS.md B.3.7), its options, its edges, and its published sizes. */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { matrixOf, type Basis } from "../../src/linalg/linalg.ts";
import { keeplora, keeploraPlus, keeploraPlusPlus, keeploraPlusPlusCls, type KeepLoraOptions } from "../../src/methods/keeplora.ts";
import { depthScale } from "../../src/model/adapters/scale.ts";
import { clip as clipArchitecture, type ClipConfig } from "../../src/model/clip.ts";
import { networkOf, type Clip } from "../../src/model/model.ts";
import { attentionLinears } from "../../src/model/blocks.ts";
import { initialWeights } from "../../src/model/weights.ts";
import { network } from "../../src/model/architecture.ts";
import { layersOf, type Layer } from "../../src/model/network.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { trainableParameters, type GroupValues, type Head } from "../../src/model/adapters/adapter.ts";
import { cosineHead } from "../../src/model/adapters/heads.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { featureBasis, principalWeights, remember, remembered, share, type Bases } from "../../src/subspace/bases.ts";
import { residualGradient } from "../../src/subspace/directions.ts";
import { encode } from "../../src/stages/encode.ts";
import { course, type Method } from "../../src/stages/learn.ts";
import type { Lesson, WithBatches, WithDirections } from "../../src/training/lesson.ts";
import { bytesKept } from "../../src/model/memory.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText } from "../../src/training/objective.ts";
import { adamW, sgd, type Optimizer } from "../../src/training/optimizer.ts";
import { project } from "../../src/stages/project.ts";
import { classMeans } from "../../src/subspace/prototypes.ts";
import { constantly } from "../../src/training/schedule.ts";
import { compose, manifest } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { unflatten } from "../../src/tensor/layout.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip, tinyConfig } from "../fixtures/tinyClip.ts";
import { deviceTest, numbers, orThrow, runTests, sameBits } from "../tensor/check.ts";
import { adaptTraced, batchesOf, given, learnerOf, lessonOf, near, nearRelative, rowsOf, runStage, runtimeOf, updateOf } from "./trace.ts";

/** The tiny CLIP with so many blocks in each tower. */
const ofDepth = (layers: number): ClipConfig => ({ ...tinyConfig, vision: { ...tinyConfig.vision, layers }, text: { ...tinyConfig.text, layers } });

const config = ofDepth(2);
const weights = initialWeights(clipArchitecture, config, 4);
const model = { architecture: clipArchitecture, config, weights };
const net = networkOf(model);
const selection = { modules: attentionLinears, towers: "all" } as const;
const all = layersOf(net, selection);
const [rank, scale, images] = [3, 1 / 3, 5];

/** Two batches of random images of so many classes, of which the last `missing` have no image. */
const batches = (position: number, classes: number, { count = 2, missing = 0 } = {}): TrainingBatches => {
  const { context, eosId } = config.text;
  const prompt = (c: number): readonly number[] => {
    const words = Array.from({ length: 1 + (c % 3) }, (_, i) => 7 + 31 * c + 5 * i + position);
    return [...words, eosId, ...new Array<number>(context - words.length - 1).fill(0)];
  };
  const indices = Array.from({ length: count * images }, (_, i) => i);
  return batchesOf(
    config,
    {
      pixels: numbers([count * images, 3, config.vision.imageSize, config.vision.imageSize], 20 + position),
      labels: { shape: [indices.length], data: Float32Array.from(indices, (i) => i % (classes - missing)) },
      ids: { shape: [classes, context], data: Float32Array.from(Array.from({ length: classes }, (_, c) => prompt(c)).flat()) },
    } as Parameters<typeof batchesOf>[1],
    { order: { shape: [count, images], data: Float32Array.from(indices) } },
  );
};

interface Choice {
  readonly start: "svd" | "zero";
  readonly depth: number;
}

const variants: Readonly<Record<string, Choice>> = { KeepLoRA: { start: "svd", depth: 1 }, "KeepLoRA++": { start: "zero", depth: 0.2 } };

const scaleOf = ({ depth }: Choice) => depthScale({ base: scale, from: depth });
const adapterOf = ({ directions }: WithDirections, choice: Choice) => lora({ ...selection, rank, directions, scale: scaleOf(choice) });
const stepsOf = (count: number, optimizer: Optimizer) => repeat(count, gradient(imageToText), update(optimizer));
const chooseA = (device: Device, lesson: Lesson & WithBatches, start: Choice["start"], most = rank): Promise<Lesson & WithBatches & WithDirections> =>
  runStage(device, project(residualGradient({ ...selection, rank: most, objective: imageToText, start })), lesson);
const protectWeights = (energy = { vision: 0.6, text: 0.3 }) => project(principalWeights({ modules: attentionLinears, energy }));
const protectFeatures = (accumulate: "code-mean" | "gram", energy: number) =>
  project(featureBasis({ ...selection, tokens: "all", accumulate, energy: share(energy) }));

/** The values of one module. */
const partsOf = (adapter: ReturnType<typeof adapterOf>, values: Readonly<Record<string, Float32Array>>, name: string): Readonly<Record<string, HostTensor>> =>
  Object.fromEntries(Object.entries(adapter.layouts(net)).map(([group, layout]) => [group, unflatten(layout, values[group]).get(name)!]));

/** s c (B − B₀) A of a module [out, in]. */
const deltaOf = (adapter: ReturnType<typeof adapterOf>, choice: Choice, values: GroupValues<"A" | "B">, module: Layer): Float64Array => {
  const { A, B, B0 } = partsOf(adapter, values, module.name);
  const moved = { ...B, data: B.data.map((b, i) => b - (B0?.data[i] ?? 0)) };
  return updateOf(moved, A, scaleOf(choice).of(module, net));
};

const weightsOf = (of: Learner, { name }: Layer): Float32Array => of.model.weights.get(`${name}.weight`)!.data;

/** X Yᵀ of lists of vectors, flat. */
const products = (xs: readonly ArrayLike<number>[], ys: readonly ArrayLike<number>[]): readonly number[] =>
  xs.flatMap((x) => ys.map((y) => Array.from(x).reduce((s, v, i) => s + v * y[i], 0)));
const identity = (n: number): readonly number[] => Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
const squares = (x: ArrayLike<number>): number => Array.from(x).reduce((s, v) => s + v * v, 0);

const orthonormal = (bases: Bases): void => {
  for (const [name, { d, columns }] of bases) {
    assert.ok(columns.length <= d, `${name}: ${columns.length} columns in R^${d}`);
    near(products(columns, columns), identity(columns.length), `M'ᵀ M' of ${name}`, 1e-5);
  }
};

for (const [title, choice] of Object.entries(variants))
  for (const accumulate of ["code-mean", "gram"] as const) {
    deviceTest(`${title}, ${accumulate}: two tasks start at the merged model and leave alone what is protected`, async (device) => {
      let now = learnerOf(model);
      for (const position of [0, 1]) {
        const walk = batches(position, 4);
        const lesson = await chooseA(device, await runStage(device, compose(protectWeights(), given(walk)), lessonOf(now, [4, 4], position)), choice.start);
        const bases = remembered(lesson.learner);
        orthonormal(bases);
        const widths = ({ name }: Layer): number => bases.get(name)!.columns.length;
        const adapter = adapterOf(lesson, choice);

        const values = adapter.initial(net, now.model.weights, 0, position);
        for (const module of all) {
          const { A, B } = partsOf(adapter, values, module.name);
          near(products(rowsOf(A), rowsOf(A)), identity(rank), `Aᵀ A of ${module.name}`, 1e-5);
          near(products(rowsOf(A), bases.get(module.name)!.columns), new Float64Array(rank * widths(module)), `M'ᵀ A of ${module.name}`, 1e-5);
          assert.is(squares(B.data) > 0, choice.start === "svd", `B of ${module.name} at step 0`);
        }
        const before = await runStage(device, merge(), { ...lesson, adapters: { adapter, values } });
        assert.ok(before.mergeError <= 1e-6, `at step 0 features differ by ${before.mergeError}`);
        for (const module of all) sameBits(weightsOf(before.learner, module), weightsOf(now, module), module.name);

        const after = await runStage(
          device,
          compose(adapt({ adapters: () => adapter, steps: stepsOf(4, adamW({ lr: constantly(0.1), weightDecay: 0.1 })) }), merge()),
          lesson,
        );
        for (const module of all) {
          const [old, merged] = [weightsOf(now, module), weightsOf(after.learner, module)];
          const delta: HostTensor = { shape: [module.out, module.in], data: merged.map((w, i) => w - old[i]) };
          const size = Math.sqrt(squares(delta.data));
          assert.ok(size > 1e-3, `${module.name} changes`);
          const { columns } = bases.get(module.name)!;
          const mix = numbers([columns.length], 5).data;
          const x = Float64Array.from({ length: module.in }, (_, i) => columns.reduce((s, column, j) => s + mix[j] * column[i], 0));
          near(products(rowsOf(delta), [x]), new Float64Array(module.out), `x ΔW of ${module.name}`, 1e-5 * size);
        }
        assert.ok(after.mergeError <= 1e-5, `the merge changes features by ${after.mergeError}`);
        now = (await runStage(device, protectFeatures(accumulate, 0.8), after)).learner;
        const longer = remembered(now);
        orthonormal(longer);
        for (const [name, { columns }] of bases) columns.forEach((column, i) => assert.is(longer.get(name)!.columns[i], column, `${name}: columns stay`));
        assert.ok(
          [...longer].some(([name, { columns }]) => columns.length > bases.get(name)!.columns.length),
          "features are new directions",
        );
      }
    });
  }

deviceTest("one step of SGD projects the gradient on the span of A: ΔW = −η s² c² A Aᵀ G", async (device) => {
  const lesson = { ...lessonOf(learnerOf(model), [4], 0), batches: batches(0, 4, { count: 1 }) };
  // Nothing is protected: with all of its singular triplets B A is the gradient itself.
  const whole = (await chooseA(device, lesson, "svd", config.vision.width)).directions;
  const eta = 3;
  for (const choice of Object.values(variants)) {
    const chosen = await chooseA(device, lesson, choice.start);
    const adapter = adapterOf(chosen, choice);
    const {
      states: [{ values }],
    } = await adaptTraced(device, chosen, { adapter, steps: stepsOf(1, sgd({ lr: constantly(eta) })) });
    for (const module of all) {
      const [{ A, B }, { A: rows }] = [whole.get(module.name)!, chosen.directions.get(module.name)!];
      const G: HostTensor = { shape: [module.out, module.in], data: Float32Array.from(updateOf(B!, A)) };
      const along: HostTensor = { shape: [module.out, rank], data: Float32Array.from(products(rowsOf(G), rowsOf(rows))) };
      const want = updateOf(along, rows, -eta * scaleOf(choice).of(module, net) ** 2);
      nearRelative(deltaOf(adapter, choice, values, module), want, `${choice.start}: ΔW of ${module.name}`);
    }
  }
});

deviceTest("A spans the best approximation of the residual gradient: ‖Aᵀ Ĝ‖² is the sum of its largest squared singular values", async (device) => {
  const lesson = await runStage(device, compose(protectWeights(), given(batches(0, 4))), lessonOf(learnerOf(model), [4], 0));
  const whole = (await chooseA(device, lesson, "svd", config.vision.width)).directions;
  const { directions } = await chooseA(device, lesson, "zero");
  for (const { name, in: width, out } of all) {
    const { A, B } = whole.get(name)!;
    const [lengths, r] = [B!.shape[1], rank];
    assert.ok(lengths > rank && lengths <= width - remembered(lesson.learner).get(name)!.columns.length, `${name}: rank ${lengths} of Ĝ`);
    const sigma = Array.from({ length: lengths }, (_, j) => squares(Float64Array.from({ length: out }, (__, i) => B!.data[i * lengths + j])));
    assert.ok(
      sigma.every((s, i) => i === 0 || s <= sigma[i - 1]),
      `${name}: descending`,
    );
    const residual: HostTensor = { shape: [out, width], data: Float32Array.from(updateOf(B!, A)) };
    const got = squares(products(rowsOf(residual), rowsOf(directions.get(name)!.A)));
    nearRelative([got], [sigma.slice(0, r).reduce((s, x) => s + x)], name);
  }
});

deviceTest("bases of the whole space leave nothing to learn: adapters stay zero, and no number is NaN", async (device) => {
  for (const choice of Object.values(variants)) {
    const now = learnerOf(model);
    const lesson = await chooseA(
      device,
      await runStage(device, compose(protectWeights({ vision: 1, text: 1 }), given(batches(0, 4))), lessonOf(now, [4], 0)),
      choice.start,
    );
    for (const { name, in: width } of all) assert.is(remembered(lesson.learner).get(name)!.columns.length, width, name);
    const adapter = adapterOf(lesson, choice);
    const { states, losses } = await adaptTraced(device, lesson, { adapter, steps: stepsOf(3, adamW({ lr: constantly(0.1) })) });
    assert.ok(losses.every(({ loss }) => Number.isFinite(loss)));
    for (const { values } of states)
      for (const [group, flat] of Object.entries(values))
        assert.ok(
          flat.every((x) => x === 0),
          group,
        );
    const merged = await runStage(device, merge(), { ...lesson, adapters: { adapter, values: states[2].values } });
    for (const module of all) sameBits(weightsOf(merged.learner, module), weightsOf(now, module), module.name);
    assert.equal([...new Set(merged.trained.ranks.values())], [0]);
    const after = await runStage(device, protectFeatures("code-mean", 1), merged);
    assert.equal(remembered(after.learner), remembered(lesson.learner));
  }
});

deviceTest("a gradient of low rank gives fewer directions, and one class none", async (device) => {
  // Two texts at most have two end tokens, and in the last block nothing else has an effect.
  const last = "text_model.encoder.layers.1.self_attn.out_proj";
  for (const [classes, directions] of [
    [2, 2],
    [1, 0],
  ] as const) {
    for (const choice of Object.values(variants)) {
      const lesson = await chooseA(device, { ...lessonOf(learnerOf(model), [classes], 0), batches: batches(0, classes) }, choice.start);
      const found = lesson.directions.get(last)!.A.shape[0];
      assert.ok(found <= directions, `${classes} classes: ${found} directions`);
      const adapter = adapterOf(lesson, choice);
      const {
        states: [, , { values }],
        losses,
      } = await adaptTraced(device, lesson, { adapter, steps: stepsOf(3, adamW({ lr: constantly(0.1) })) });
      assert.ok(losses.every(({ loss }) => Number.isFinite(loss)));
      const { A, B } = partsOf(adapter, values, last);
      assert.equal(
        rowsOf(A).map((row) => squares(row) > 0),
        Array.from({ length: rank }, (_, r) => r < found),
      );
      assert.ok(
        B.data.every((b, i) => i % rank < found || b === 0),
        "components without a direction stay zero",
      );
      assert.is(adapter.ranks(net, values).get(last), found);
      assert.ok(classes > 1 || values.B.every((b) => b === 0), "one class has nothing to tell");
    }
  }
});

deviceTest("a class without an image starts with a row of zeros in the cosine head, and trains", async (device) => {
  const lesson = await chooseA(device, { ...lessonOf(learnerOf(model), [4], 0), batches: batches(0, 4, { missing: 1 }) }, "zero");
  const { prototypes } = await runStage(device, project(classMeans<typeof lesson>()), lesson);
  const rows = rowsOf({ shape: [4, config.embed], data: prototypes });
  near(rows.map(squares), [1, 1, 1, 0], "lengths", 1e-6);
  const adapter = cosineHead(prototypes, 4, adapterOf(lesson, variants["KeepLoRA++"]));
  const { states, losses } = await adaptTraced(device, lesson, { adapter, steps: stepsOf(3, adamW({ lr: constantly(0.01) })) });
  assert.ok(losses.every(({ loss }) => Number.isFinite(loss)));
  assert.ok(states[2].values.head.every(Number.isFinite));
  assert.ok(losses[2].loss < losses[0].loss, "the loss falls");
});

const stream: ClassStream = {
  labelSpace: "task",
  tasks: [patternTask("first", ["ant", "bee", "cat"], 1, { train: 4, test: 1 }), patternTask("second", ["dog", "eel"], 2, { train: 4, test: 1 })],
};

const clip = async (): Promise<Clip> => ({ ...(await tinyClip()), config, weights });

const quick: KeepLoraOptions = { steps: 2, batch: 4, rank, lr: 0.01, energy: { vision: 0.5, text: 0.3 }, featureEnergy: 0.8 };

/** The learner after the first tasks of the stream. */
const learned = async (device: Device, method: Method, tasks: number): Promise<Learner> => {
  const some = { ...stream, tasks: stream.tasks.slice(0, tasks) };
  const { learner: after, reports } = await get(method.run(course(learner(await clip()), some))(runtimeOf(device)));
  assert.is(reports.length, tasks);
  assert.ok(reports.every(({ mergeError }) => mergeError! <= 1e-5));
  return after;
};

deviceTest("a stream leaves bases of 4 d k bytes, and nothing else", async (device) => {
  const after = await learned(device, keeplora(quick), 2);
  const bases = remembered(after);
  orthonormal(bases);
  assert.equal(
    [...bases.keys()],
    all.map(({ name }) => name),
  );
  assert.equal(Object.keys(after.memory), ["bases"]);
  assert.is(after.head, undefined);
  assert.is(
    bytesKept(after),
    [...bases.values()].reduce((n, { d, columns }) => n + 4 * d * columns.length, 0),
  );
});

deviceTest("KeepLoRA+ and KeepLoRA++cls keep the rows of every task's head", async (device) => {
  for (const method of [keeploraPlus, keeploraPlusPlusCls]) {
    const headOf = async (tasks: number): Promise<Head> => (await learned(device, method({ ...quick, headScale: 20 }), tasks)).head!;
    const [one, two] = [await headOf(1), await headOf(2)];
    assert.equal([two.kind, two.scale, two.bias.length], ["cosine", 20, 5]);
    near(rowsOf({ shape: [5, config.embed], data: two.rows }).map(squares), [1, 1, 1, 1, 1], "rows start as unit vectors", 0.2);
    sameBits(two.rows.slice(0, one.rows.length), one.rows, "the first task's rows");
  }
});

deviceTest("KeepLoRA++ is KeepLoRA with another start and depth; towers, depth and alpha scale the update", async (device) => {
  const after = async (method: Method): Promise<readonly Float32Array[]> => {
    const reached = await learned(device, method, 1);
    return all.map((module) => weightsOf(reached, module));
  };
  const plusPlus = await after(keeploraPlusPlus(quick));
  assert.equal(await after(keeplora({ ...quick, start: "zero", depth: 0.2 })), plusPlus);
  assert.equal(await after(keeploraPlusPlus({ ...quick, start: "svd", depthTowers: [] })), await after(keeplora(quick)));
  assert.not.equal(await after(keeploraPlusPlus({ ...quick, depthTowers: "all" })), plusPlus);
  assert.not.equal(await after(keeploraPlusPlus({ ...quick, alpha: 2 })), plusPlus);
});

test("options reach the stages that they are about", () => {
  const options: KeepLoraOptions = {
    steps: 7,
    batch: 5,
    rank: 3,
    lr: 0.5,
    weightDecay: 0.25,
    cycleMomentum: false,
    energy: { vision: 0.7 },
    featureEnergy: 0.8,
    side: "output",
    counting: "below",
    accumulate: "gram",
    padding: "zero",
    modules: ["q"],
    towers: ["vision"],
  };
  const stages = (method: Method): readonly (readonly [string, any])[] => (manifest(method).parts ?? [])[0].parts!.map(({ name, options: o }) => [name, o]);
  const [[, weightsSide], [, encoded], [, gradients], [, trained], , [, features], ...rest] = stages(keeploraPlusPlus(options));
  assert.equal(weightsSide, { principalWeights: { modules: ["q"], energy: { vision: 0.7 }, side: "output", counting: "below" } });
  assert.equal([encoded.steps, encoded.batch], [7, 5]);
  const { rank: most, start, modules: kinds, towers } = gradients.residualGradient;
  assert.equal([most, start, kinds, towers], [3, "zero", ["q"], ["vision"]]);
  assert.match(JSON.stringify(trained), /"oneCycle":\{"peak":0\.5.*"weightDecay":0\.25/);
  assert.not.match(JSON.stringify(trained), /oneCycleMomentum/);
  assert.match(JSON.stringify(stages(keeplora())), /oneCycleMomentum/);
  assert.equal(features.featureBasis, {
    ...{ modules: ["q"], towers: ["vision"], tokens: "all", accumulate: "gram", padding: "zero" },
    energy: { share: { energy: 0.8 } },
  });
  assert.equal(
    rest.map(([name]) => name),
    ["evaluate"],
  );
  assert.equal(
    [keeplora, keeploraPlusPlus, keeploraPlus, keeploraPlusPlusCls].map((m) => stages(m())[2][1].residualGradient.start),
    ["svd", "zero", "svd", "zero"],
  );
  assert.equal(
    [keeplora, keeploraPlusPlus, keeploraPlus, keeploraPlusPlusCls].map((m) => stages(m())[1][1].steps),
    [{ epochs: 10 }, { epochs: 10 }, { epochs: 5 }, { epochs: 5 }],
  );
  assert.equal(
    [keeploraPlus, keeploraPlusPlusCls].map((m) => (m().options as { readonly depth: number }).depth),
    [1, 0.2],
  );
});

deviceTest("sides and countings of the weights' principal directions", async (device) => {
  const basesOf = async (options: Partial<Parameters<typeof principalWeights>[0]>): Promise<Bases> => {
    const stage = project(principalWeights({ modules: attentionLinears, energy: { vision: 0.6, text: 0.3 }, ...options }));
    return remembered((await runStage(device, stage, lessonOf(learnerOf(model), [4], 0))).learner);
  };
  const [input, output, below] = [await basesOf({}), await basesOf({ side: "output" }), await basesOf({ counting: "below" })];
  for (const module of all) {
    const W: HostTensor = { shape: [module.out, module.in], data: weightsOf(learnerOf(model), module) };
    const wt = matrixOf({ d: module.in, columns: rowsOf(W) });
    const [v, u] = [input, output].map((bases) => bases.get(module.name)!.columns[0]);
    // Both are of the largest singular value; each on its own side.
    nearRelative([squares(products(rowsOf(W), [v]))], [squares(products(rowsOf(wt), [u]))], module.name);
    assert.ok(squares(products(rowsOf(wt), [v])) < 0.99 * squares(products(rowsOf(W), [v])), `${module.name}: the sides differ`);
    const [reached, stayed] = [input, below].map((bases) => bases.get(module.name)!.columns);
    assert.is(stayed.length, Math.max(1, reached.length - 1));
    stayed.forEach((column, i) => sameBits(column, reached[i], module.name));
  }
});

deviceTest("prompts are seen at all positions, padding included", async (device) => {
  const {
    batches: { prompts, shape },
  } = await runStage(device, encode({ batch: 4, steps: 1 }), {
    ...lessonOf(learner(await clip()), [3], 0),
    task: stream.tasks[0],
  });
  assert.equal([prompts!.count, prompts!.length], [3, config.text.context]);
  assert.ok(shape.length < config.text.context, "a step needs no padding");
});

deviceTest("the output side of a weight that is not square is refused in words", async (device) => {
  const stage = project(principalWeights<Lesson>({ modules: "all", energy: { vision: 0.5 }, side: "output" }));
  const result = await stage.run(lessonOf(learnerOf(model), [4], 0))(runtimeOf(device))();
  assert.ok(E.isLeft(result));
  assert.match(
    describe(result.left),
    /^side: is output, which fits square weights alone, and vision_model\S*fc1 has \d+ inputs and \d+ outputs; side=input fits all/,
  );
});

test("an update's factor grows with depth in the towers that are named", () => {
  const factors = (options: Parameters<typeof depthScale>[0], tower: string, depth = 12): readonly number[] => {
    const deep = network(clipArchitecture, ofDepth(depth));
    return layersOf(deep, { modules: ["q"], towers: [tower] }).map((layer) => depthScale(options).of(layer, deep));
  };
  const published = [0.2, 0.2727, 0.3455, 0.4182, 0.4909, 0.5636, 0.6364, 0.7091, 0.7818, 0.8545, 0.9273, 1];
  near(factors({}, "vision"), published, "vision", 5e-5);
  assert.equal(factors({ base: 1 / 16 }, "text"), new Array(12).fill(1 / 16));
  near(factors({ towers: "all" }, "text"), published, "text", 5e-5);
  assert.equal(factors({}, "vision", 1), [1]);
});

test("published sizes on CLIP ViT-B/16: 983,040 trained parameters; bases of at most 113 MB and 50 MB", () => {
  const vitB16 = orThrow(decodeConfig(clipArchitecture, "config.json", { text_config: {}, vision_config: { patch_size: 16 } }));
  assert.is(trainableParameters(lora({ rank: 16, ...selection, directions: new Map() }), network(clipArchitecture, vitB16)), 983_040);
  const widest = (tower: string): number => {
    const bases = new Map(
      layersOf(network(clipArchitecture, vitB16), { ...selection, towers: [tower] }).map(({ name, in: d }): readonly [string, Basis] => [
        name,
        { d, columns: Array.from({ length: d }, () => new Float32Array(d)) },
      ]),
    );
    return bytesKept(remember(learnerOf({ architecture: clipArchitecture, config: vitB16, weights: new Map() }), bases));
  };
  assert.equal([widest("vision"), widest("text")], [48 * 768 ** 2 * 4, 48 * 512 ** 2 * 4]);
  assert.equal(
    [widest("vision"), widest("text")].map((bytes) => (bytes / 1e6).toFixed(0)),
    ["113", "50"],
  );
});

runTests();
