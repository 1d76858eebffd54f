/** Stages compose as Kleisli arrows do, in both effects; they mutate nothing; and what cannot work does not type-check. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { emptyBasis, extend } from "../../src/linalg/orthonormal.ts";
import { networkOf } from "../../src/model/model.ts";
import { learner } from "../../src/model/learner.ts";
import { selected } from "../../src/subspace/selection.ts";
import type { Adapter } from "../../src/model/adapters/adapter.ts";
import { gatedLora, lora } from "../../src/model/adapters/lora.ts";
import { clip as clipArchitecture } from "../../src/model/clip.ts";
import { clipPreprocess } from "../../src/data/preprocess.ts";
import { adapt } from "../../src/stages/adapt.ts";
import type { Lesson, WithAdapters, WithBatches } from "../../src/training/lesson.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText, sum, textToImage } from "../../src/training/objective.ts";
import { adamW, sgd } from "../../src/training/optimizer.ts";
import { outOf, project } from "../../src/stages/project.ts";
import { magnitude, rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import { constantly, cosine, ramp } from "../../src/training/schedule.ts";
import { compose, identity, manifest, named, pipeline, type StepStage, type TaskStage } from "../../src/stages/stage.ts";
import { gradient, repeat, update, type Steps } from "../../src/stages/steps.ts";
import { traineeOf } from "../../src/training/step.ts";
import { train } from "../../src/training/train.ts";
import { recorder } from "../../src/training/tracing.ts";
import type { Trainee } from "../../src/training/trainee.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import { leafBook } from "../../src/tensor/leaves.ts";
import { fixture, readModel } from "../model/embeddings.ts";
import { deviceTest, numbers, orThrow, runTests, sameBits } from "../tensor/check.ts";
import { frozen } from "./frozen.ts";

// Laws --------------------------------------------------------------------------------------------------------------------------------------

/** A drawn stage: what it adds, whether it fails, and how many parts it is made of. */
interface Draw {
  readonly name: string;
  readonly add: number;
  readonly fails: boolean;
  readonly inner: readonly string[];
}

const draws: fc.Arbitrary<Draw> = fc.record({
  name: fc.constantFrom("encode", "adapt", "project", "merge"),
  add: fc.integer({ min: -9, max: 9 }),
  fails: fc.boolean(),
  inner: fc.array(fc.constantFrom("a", "b"), { maxLength: 3 }),
});
/** Failures are rare enough for most compositions to reach their end. */
const three = fc.tuple(draws, draws, draws).chain((stages) => fc.nat(4).map((bad) => stages.map((s, i) => ({ ...s, fails: s.fails && bad === i }))));

const failure = (name: string): Failure => ({ _tag: "BadOption", option: name, detail: "failed" });

/** A stage of tracing: it records, and adds or fails. */
const stepOf = ({ name, add, fails, inner }: Draw): StepStage<number, number> => {
  const atom = (part: string, value: number): StepStage<number, number> => ({
    scale: "step",
    name: part,
    options: { value },
    parts: [],
    run: (n) => (tracing) => {
      tracing.hyper(`${part} of ${n}`, [() => value]);
      return fails ? E.left(failure(part)) : E.right(3 * n + value);
    },
  });
  return inner.length === 0
    ? atom(name, add)
    : named(
        name,
        { add },
        inner.map((part, i) => atom(part, add + i)).reduce((x, y) => compose(x, y)),
      );
};

const taskOf = ({ name, add, fails, inner }: Draw): TaskStage<number, number> => {
  const atom = (part: string, value: number): TaskStage<number, number> => ({
    scale: "task",
    name: part,
    options: { value },
    parts: [],
    run: (n) => (runtime) => async () => {
      runtime.emit({ type: "skipped", id: `${part} of ${n}`, detail: String(runtime.seed) });
      await Promise.resolve();
      return fails ? E.left(failure(part)) : E.right(3 * n + value);
    },
  });
  return inner.length === 0
    ? atom(name, add)
    : named(
        name,
        { add },
        inner.map((part, i) => atom(part, add + i)).reduce((x, y) => compose(x, y)),
      );
};

/** Everything that running shows: the result, and the effects in their order. */
const ofStep = (stage: StepStage<number, number>, n: number): unknown => {
  const noted = recorder(leafBook(), { steps: 1 });
  return { result: stage.run(n)(noted.tracing), effects: [...noted.hypers.keys()] };
};
const ofTask = async (stage: TaskStage<number, number>, n: number): Promise<unknown> => {
  const effects: unknown[] = [];
  const result = await stage.run(n)({ device: undefined as never, seed: 7, images: imageCache(0), emit: (event) => void effects.push(event) })();
  return { result, effects };
};

test("at the scale of a step: identity is neutral, composition associates, in what it does and in what it says", () => {
  fc.assert(
    fc.property(three, fc.integer({ min: -99, max: 99 }), (drawn, n) => {
      const [f, g, h] = drawn.map(stepOf);
      const same = (x: StepStage<number, number>, y: StepStage<number, number>): void => {
        assert.equal(ofStep(x, n), ofStep(y, n));
        assert.equal(manifest(x), manifest(y));
      };
      same(compose(identity<"step", number>("step"), f), f);
      same(compose(f, identity<"step", number>("step")), f);
      same(compose(compose(f, g), h), compose(f, compose(g, h)));
      same(pipeline(f, g, h), compose(compose(f, g), h));
      same(compose(named("whole", {}, compose(f, g)), h), pipeline(named("whole", {}, pipeline(f, g)), h));
    }),
  );
});

test("at the scale of a task: the same", async () => {
  await fc.assert(
    fc.asyncProperty(three, fc.integer({ min: -99, max: 99 }), async (drawn, n) => {
      const [f, g, h] = drawn.map(taskOf);
      const same = async (x: TaskStage<number, number>, y: TaskStage<number, number>): Promise<void> => {
        assert.equal(await ofTask(x, n), await ofTask(y, n));
        assert.equal(manifest(x), manifest(y));
      };
      await same(compose(identity<"task", number>("task"), f), f);
      await same(compose(f, identity<"task", number>("task")), f);
      await same(compose(compose(f, g), h), compose(f, compose(g, h)));
      await same(pipeline(f, g, h), compose(compose(f, g), h));
      await same(compose(named("whole", {}, compose(f, g)), h), pipeline(named("whole", {}, pipeline(f, g)), h));
    }),
  );
});

test("what follows a failure is not run", async () => {
  const [bad, good] = [
    { name: "adapt", add: 1, fails: true, inner: [] },
    { name: "merge", add: 2, fails: false, inner: [] },
  ];
  assert.equal(ofStep(compose(stepOf(bad), stepOf(good)), 1), { result: E.left(failure("adapt")), effects: ["adapt of 1"] });
  const ran = (await ofTask(compose(taskOf(bad), taskOf(good)), 1)) as { readonly effects: readonly unknown[] };
  assert.is(ran.effects.length, 1);
});

test("a manifest is plain data: names and options of the parts, in order", () => {
  const steps = repeat(
    20,
    gradient(sum(imageToText, textToImage)),
    update(adamW({ lr: cosine(5e-4), betas: [0.9, 0.9999] })),
    rankSelect(softThreshold(ramp(0.005))),
  );
  const said = manifest(named("codyra step", { count: steps.count }, steps.step));
  assert.equal(JSON.parse(JSON.stringify(said)), {
    name: "codyra step",
    options: { count: 20 },
    parts: [
      { name: "gradient", options: { objective: "sum(imageToText, textToImage)" } },
      {
        name: "update",
        options: { adamW: { lr: { cosine: { peak: 5e-4, warmup: 0, floor: 0, reached: false } }, betas: [0.9, 0.9999], eps: 1e-8, weightDecay: 0 } },
      },
      {
        name: "rankSelect",
        options: { softThreshold: { kappa: { ramp: { peak: 0.005, dense: 0.5, levels: 50, reference: 500, scaled: true } }, shrink: "paper" } },
      },
    ],
  });
});

// Immutability --------------------------------------------------------------------------------------------------------------------------------

deviceTest("stages of a step leave the trainee that they are given as it is", async () => {
  const model = await readModel(fixture("clip-patch32"));
  const adapter = gatedLora({ rank: 2 });
  const { tracing } = recorder(leafBook(), { steps: 10 });
  const layouts = adapter.layouts(networkOf(model));
  const batch = { images: 2, texts: 3, length: 5, previous: 0 };
  const trainee = traineeOf({ model, adapter, batch }, tracing, (name, { length }) => tracing.state(name, [length]));
  const [
    {
      name: first,
      shape: [, width],
    },
  ] = layouts.A.entries;
  const basis = extend(emptyBasis(width), [Float64Array.from({ length: width }, (_, i) => i + 1)]);
  const run = <A, B, N extends string>(stage: StepStage<A, B, N>, a: A): B => {
    const { value, unchanged } = frozen(a);
    const after = orThrow(stage.run(value)(tracing));
    unchanged();
    return after;
  };
  const graded = run(gradient(sum(imageToText, textToImage)), trainee);
  const moved = run(project(outOf("A", new Map([[first, basis]]))), graded);
  for (const optimizer of [adamW({ lr: cosine(1e-3) }), sgd({ lr: constantly(0.1), momentum: 0.9 })]) {
    const updated = run(update(optimizer), moved);
    const selectedRanks = run(rankSelect(softThreshold(ramp(0.01))), updated);
    assert.is.not(selectedRanks.groups.gate.flat, trainee.groups.gate.flat);
    assert.is(selectedRanks.groups.A.flat, updated.groups.A.flat, "what a stage does not touch is shared");
  }
});

/** A lesson with batches, of data that nobody may change. */
const lessonOf = async (device: Device): Promise<{ readonly lesson: Lesson & WithBatches; readonly runtime: Runtime }> => {
  const { config, weights } = await readModel(fixture("clip-patch32"));
  const { imageSize, channels } = config.vision;
  const shape = { images: 2, texts: 3, length: 5, previous: 0 };
  const nobody = { encode: () => [], bos: 0, eos: 2, pad: 2 };
  const one = { name: "one", classNames: ["a", "b", "c"], templates: ["{c}"], train: TE.of([]), test: TE.of([]) };
  const batch = (at: number): Readonly<Record<string, Float32Array | Uint32Array>> => ({
    pixels: numbers([shape.images, channels, imageSize, imageSize], at).data,
    ids: Uint32Array.from({ length: 15 }, (_, i) => (i * 7 + 3) % 97),
    ends: Uint32Array.of(4, 8, 12),
    targets: Float32Array.of(1, 0, 0, 0, 1, 0),
    transposedTargets: Float32Array.of(1, 0, 0, 1, 0, 0),
  });
  const all = [0, 1, 2, 3].map(batch);
  const clip = { architecture: clipArchitecture, config, weights, tokenizer: nobody, preprocess: clipPreprocess(imageSize), files: new Map() };
  return {
    lesson: {
      learner: learner(clip),
      task: one,
      position: 0,
      stream: { tasks: [one], labelSpace: "task" },
      learned: 1,
      batches: { shape, steps: 4, epoch: 4, at: (n) => TE.of(all[n % all.length]) },
    },
    runtime: { device, seed: 3, images: imageCache(0), emit: () => undefined },
  };
};

const fourSteps = repeat(4, gradient(sum(imageToText, textToImage)), update(adamW({ lr: cosine(1e-2) })), rankSelect(softThreshold(ramp(0.01))));

deviceTest("stages of a task leave the lesson that they are given as it is, and associate to the bit", async (device) => {
  const { lesson, runtime } = await lessonOf(device);
  const given = frozen(lesson);
  const [first, second, third] = [
    adapt({ adapters: gatedLora({ rank: 2 }), steps: fourSteps }) as TaskStage<Lesson & WithBatches, Lesson & WithBatches & WithAdapters<"A" | "B" | "gate">>,
    rankSelect(magnitude(1)) as TaskStage<any, any>,
    merge(selected) as TaskStage<any, any>,
  ];
  const adapted = frozen(await get(first.run(given.value)(runtime)));
  given.unchanged();
  const chosen = frozen(await get(second.run(adapted.value)(runtime)));
  adapted.unchanged();
  const merged = await get(third.run(chosen.value)(runtime));
  chosen.unchanged();
  given.unchanged();
  assert.ok(merged.mergeError < 1e-4);

  const left = await get(compose(compose(first, second), third).run(lesson)(runtime));
  const right = await get(compose(first, compose(second, third)).run(lesson)(runtime));
  for (const [name, { data }] of merged.learner.model.weights as ReadonlyMap<string, { readonly data: Float32Array }>) {
    sameBits(left.learner.model.weights.get(name).data, data, name);
    sameBits(right.learner.model.weights.get(name).data, data, name);
  }
  const changed = [...lesson.learner.model.weights].filter(([name, t]) => merged.learner.model.weights.get(name) !== t).length;
  assert.is(changed, gatedLora().layouts(networkOf(lesson.learner.model)).A.entries.length, "only the weights of adapted modules are new");
});

deviceTest("training leaves its weights, its batches and the state it starts from as they are", async (device) => {
  const { lesson, runtime } = await lessonOf(device);
  const { model } = lesson.learner;
  const adapter = gatedLora({ rank: 2 });
  const from = { step: 0, values: adapter.initial(networkOf(model), model.weights, 1, 0), moments: {} };
  const options = frozen({ model, adapter, steps: fourSteps, batches: lesson.batches, from });
  const [once, again] = [await get(train(options.value)(runtime)), await get(train(options.value)(runtime))];
  options.unchanged();
  for (const name of ["A", "B", "gate"] as const) sameBits(again.values[name], once.values[name], name);
});

deviceTest("a stage that cannot work fails with a value, also where a type was forced", async (device) => {
  const { lesson, runtime } = await lessonOf(device);
  const wrong = { ...lesson, batches: { ...lesson.batches, shape: { images: 2, texts: 3, length: 14, previous: 0 } } };
  const ended = await adapt({ adapters: gatedLora({ rank: 2 }), steps: fourSteps }).run(wrong)(runtime)();
  assert.ok(E.isLeft(ended), "14 tokens do not fit a context of 13");
  assert.match(describe(ended.left), /slice|13/);
});

// Types ---------------------------------------------------------------------------------------------------------------------------------------

test("what cannot work does not type-check", () => {
  const prune = repeat(10, gradient(imageToText), update(sgd({ lr: constantly(0.1) })), rankSelect(softThreshold(ramp(0.005))));
  const plain = repeat(10, gradient(imageToText), update(sgd({ lr: constantly(0.1) })));
  const needs: Steps<"gate"> = prune;
  const fits: Steps<"A" | "B"> = plain;
  void needs;
  void fits;
  // Steps that select ranks by gates do not fit an adapter without gates.
  // @ts-expect-error
  const refused: Steps<"A" | "B"> = prune;
  void refused;
  adapt({ adapters: gatedLora(), steps: prune });
  adapt({ adapters: lora(), steps: plain });
  // @ts-expect-error
  adapt({ adapters: lora(), steps: prune });
  // The need survives composition with other steps.
  const longer = repeat(
    10,
    gradient(imageToText),
    update(sgd({ lr: constantly(0.1) })),
    rankSelect(softThreshold(ramp(0.005))),
    identity<"step", Trainee>("step"),
  );
  // @ts-expect-error
  adapt({ adapters: lora(), steps: longer });
  // A merge that asks for gates, after an adapter without them; and one that needs adapters, after a stage that gives none.
  compose(adapt({ adapters: gatedLora(), steps: prune }), merge(selected));
  compose(adapt({ adapters: lora(), steps: plain }), merge());
  // @ts-expect-error
  compose(adapt({ adapters: lora(), steps: plain }), merge(selected));
  // @ts-expect-error
  compose(identity<"task", Lesson & WithBatches>("task"), merge());
  // An update needs gradients.
  // @ts-expect-error
  repeat(10, update(sgd({ lr: constantly(0.1) })), gradient(imageToText));
  // A projection of a group that the adapter does not have.
  const projected = repeat(10, gradient(imageToText), project(outOf("gate", new Map())), update(sgd({ lr: constantly(0.1) })));
  // @ts-expect-error
  adapt({ adapters: lora(), steps: projected });
  const adapter: Adapter<"A" | "B"> = lora();
  assert.is(adapter.name, "lora");
});

runTests();
