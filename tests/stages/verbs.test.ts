// The six verbs composed into methods, run on a tiny CLIP and a stream of coloured squares.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { OpenDevice } from "../../src/device/device.ts";
import { openDevice } from "../../src/device/open.ts";
import { describe, get } from "../../src/failure.ts";
import { clip as clipArchitecture, type ClipConfig } from "../../src/model/clip.ts";
import type { Clip } from "../../src/model/model.ts";
import { initialModel } from "../../src/model/model.ts";
import { learner } from "../../src/model/learner.ts";
import { gatedLora, lora } from "../../src/model/adapters/lora.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { joint, sequentialLora, zeroShot } from "../../src/methods/baselines.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { evaluate } from "../../src/stages/evaluate.ts";
import { course, method, type Course, type Method } from "../../src/stages/learn.ts";
import { merge } from "../../src/stages/merge.ts";
import { imageToText } from "../../src/training/objective.ts";
import { sgd } from "../../src/training/optimizer.ts";
import { remembered, rowSpan } from "../../src/subspace/bases.ts";
import { outOf, project } from "../../src/stages/project.ts";
import { magnitude, rankSelect, softThreshold } from "../../src/stages/rankSelect.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { manifest, pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { imageCache } from "../../src/data/imageCache.ts";
import { damagedExample, type Example } from "../../src/data/example.ts";
import type { ClassStream, ClassTask } from "../../src/data/task.ts";

const test = suite("stages/verbs");

const config: ClipConfig = {
  embed: 16,
  initialLogitScale: 2.6,
  vision: { width: 16, mlpWidth: 32, layers: 1, heads: 2, activation: "quick_gelu", eps: 1e-5, imageSize: 8, patchSize: 4, channels: 3 },
  text: { width: 16, mlpWidth: 32, layers: 1, heads: 2, activation: "quick_gelu", eps: 1e-5, vocabulary: 130, context: 12, eosId: 129 },
};

const clip: Clip = initialModel(clipArchitecture, config, 3, {
  tokenizer: { encode: (text) => [...text].map((c) => c.charCodeAt(0) % 128), bos: 128, eos: 129, pad: 129 },
});

/** A square of one colour with a little texture that tells samples apart. */
const square = (name: string, label: number, colour: readonly [number, number, number], i: number): Example => ({
  id: `${name} ${label} ${i}`,
  label,
  image: {
    kind: "pixels",
    image: { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, k) => Math.min(255, colour[k % 3] + ((k * (i + 3)) % 17))) },
  },
});

const colours = (name: string, all: Readonly<Record<string, readonly [number, number, number]>>): ClassTask => {
  const examples = (n: number, from: number): readonly Example[] =>
    Object.values(all).flatMap((c, label) => Array.from({ length: n }, (_, i) => square(name, label, c, from + i)));
  return { name, classNames: Object.keys(all), templates: ["{c}"], train: TE.right(examples(8, 0)), test: TE.right(examples(5, 20)) };
};

const stream: ClassStream = {
  labelSpace: "task",
  tasks: [
    colours("warm", { red: [230, 20, 20], orange: [230, 140, 10], yellow: [230, 230, 20] }),
    colours("cold", { blue: [20, 20, 230], green: [20, 200, 30] }),
  ],
};

let device: OpenDevice;
const events: Event[] = [];
const runtime = (): Runtime => ({ device, seed: 5, images: imageCache(8), emit: (e) => void events.push(e) });
const learned = (m: Method): Promise<Course> => get(m.run(course(learner(clip), stream))(runtime()));

test.before(async () => {
  device = await get(openDevice());
});
test.after(() => device.close());

const quick = { steps: 80, batch: 8, rank: 4, lr: 3e-3, cropScale: 1 };

test("sequential LoRA learns the task that it was taught last, one row a task", async () => {
  events.length = 0;
  const after = await learned(sequentialLora(quick));
  assert.is(after.reports.length, 2);
  assert.ok(after.reports[1].row[1]! >= 90, `last task ${after.reports[1].row[1]} %`);
  assert.ok(after.reports.every((r) => r.mergeError! < 1e-4 && r.row.length === 2));
  assert.is(events.filter((e) => e.type === "step").length, 160);
  assert.equal(after.learner.seen, ["red", "orange", "yellow", "blue", "green"]);
  assert.is(clip.weights.get("logit_scale")!.data[0], Math.fround(2.6), "the model that was given is as it was");
});

test("CoDyRA prunes: some ranks live, and not all", async () => {
  const after = await learned(codyra(quick));
  const ranks = after.reports.flatMap((r) => [...r.trained!.ranks.values()]);
  const mean = ranks.reduce((a, b) => a + b, 0) / ranks.length;
  assert.ok(mean > 0.5 && mean < 3.5, `mean rank ${mean} of 4`);
  assert.ok(after.reports[1].row[1]! >= 80, `last task ${after.reports[1].row[1]} %`);
});

test("the same seed gives the same bits", async () => {
  const [a, b] = [await learned(codyra(quick)), await learned(codyra(quick))];
  for (const [name, { data }] of a.learner.model.weights) assert.equal(data, b.learner.model.weights.get(name)!.data, name);
});

test("joint training sees all tasks at once; zero-shot sees none", async () => {
  const all = await learned(joint({ ...quick, steps: 120 }));
  assert.is(all.reports.length, 1);
  assert.ok(
    all.reports[0].row.every((x) => x! >= 80),
    `${all.reports[0].row}`,
  );
  const none = await learned(zeroShot());
  assert.is(none.reports.length, 0);
  assert.is(none.learner.model, clip);
});

test("project remembers subspaces and keeps later gradients out of them; rankSelect keeps the largest components", async () => {
  const adapters = lora({ rank: 3 });
  const orthogonal = method(
    "orthogonal",
    {},
    pipeline(
      encode({ batch: 8, steps: 10 }),
      adapt({
        adapters,
        steps: repeat(10, gradient(imageToText), project(outOf("A")), update(sgd({ lr: constantly(0.5), momentum: 0.5 }))),
      }),
      rankSelect(magnitude(2)),
      project(rowSpan()),
      merge(),
      evaluate(),
    ),
  );
  const after = await learned(orthogonal);
  const bases = remembered(after.learner);
  assert.is(bases.size, 12);
  for (const [name, { d, columns }] of bases) {
    assert.is(columns.length, Math.min(d, 6), name);
    columns.forEach((p, i) =>
      columns.forEach((q, j) => {
        const dot = p.reduce((s, x, k) => s + x * q[k], 0);
        assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-6, `${name}: column ${i} · column ${j} = ${dot}`);
      }),
    );
  }
  const parts = manifest(orthogonal).parts![0] ?? manifest(orthogonal);
  assert.match(JSON.stringify(parts), /"rankSelect".*"magnitude".*"project".*"rowSpan"/);
});

test("a corrupt image stops the run, or is left out and counted", async () => {
  const failure = { _tag: "CorruptSample", path: "shard.tar", member: "7.png", detail: "not an image" } as const;
  const bad: Example = { ...damagedExample("shard.tar: 7.png", failure), label: 0 };
  const [first, ...rest] = stream.tasks;
  const broken: ClassStream = { ...stream, tasks: [{ ...first, train: TE.map((s: readonly Example[]) => [bad, ...s])(first.train) }, ...rest] };
  const run = (onCorrupt: "fail" | "skip"): Promise<E.Either<unknown, Course>> =>
    sequentialLora({ ...quick, steps: 8 }).run(course(learner(clip), broken))({ ...runtime(), onCorrupt })();
  events.length = 0;
  const stopped = await run("fail");
  assert.ok(E.isLeft(stopped));
  assert.match(describe(stopped.left as never), /shard\.tar: sample 7\.png/);
  assert.is(events.filter((e) => e.type === "skipped").length, 0, "what fails is not left out");
  events.length = 0;
  assert.ok(E.isRight(await run("skip")));
  assert.is(events.filter((e) => e.type === "skipped").length, 1);
});

test("what a composition needs is checked by the compiler", () => {
  const steps = repeat(1, gradient(imageToText), update(sgd({ lr: constantly(1) })), rankSelect(softThreshold(constantly(0.1))));
  adapt({ adapters: gatedLora(), steps });
  // @ts-expect-error a soft threshold needs gates, and plain LoRA has none
  adapt({ adapters: lora(), steps });
  // @ts-expect-error an update needs gradients
  repeat(1, update(sgd({ lr: constantly(1) })), rankSelect(softThreshold(constantly(0.1))));
  // @ts-expect-error a lesson begins without batches: encode gives them
  method("no batches", {}, pipeline(adapt({ adapters: gatedLora(), steps }), merge(), evaluate()));
  assert.ok(true);
});

test("an interrupted run says so", async () => {
  const stop = new AbortController();
  stop.abort();
  const result = await sequentialLora(quick).run(course(learner(clip), stream))({ ...runtime(), signal: stop.signal })();
  assert.ok(E.isLeft(result) && result.left._tag === "Interrupted");
});

test.run();
