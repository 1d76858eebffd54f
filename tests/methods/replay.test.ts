/** Experience replay: what is kept, what batches draw from it, of tasks that are classified and that are answered in words. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../../src/device/device.ts";
import type { AnswerTask, ClassTask, Stream, Task } from "../../src/data/task.ts";
import { mixed } from "../../src/data/walk.ts";
import { describe, get } from "../../src/failure.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { replay } from "../../src/methods/replay.ts";
import { decodePlain, encodePlain } from "../../src/runs/plainData.ts";
import { runMethod } from "../../src/runs/run.ts";
import { encode } from "../../src/stages/encode.ts";
import { keepExamples } from "../../src/stages/keepExamples.ts";
import { keptExamples, replayedIn } from "../../src/training/kept.ts";
import type { Event } from "../../src/training/runtime.ts";
import type { TrainingBatches } from "../../src/training/trainee.ts";
import { left } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { colourTask, tinyLlama, wordTokenizer } from "../fixtures/tinyLlama.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { runStage, runtimeOf } from "./trace.ts";

/** The learner that has kept some examples of each task. */
const kept = async (device: Device, from: Learner, tasks: readonly Task[], count: number): Promise<Learner> => {
  let now = from;
  for (const [position, task] of tasks.entries()) {
    now = (
      await runStage(device, keepExamples(count), { learner: now, task, position, stream: { tasks, labelSpace: "task" } as Stream, learned: position + 1 })
    ).learner;
  }
  return now;
};

/** The batches of a task behind others. */
const batchesOf = async (device: Device, from: Learner, tasks: readonly Task[], batch: number, share: number): Promise<TrainingBatches> => {
  const position = tasks.length - 1;
  const lesson = { learner: from, task: tasks[position], position, stream: { tasks, labelSpace: "task" } as Stream, learned: tasks.length };
  return (await runStage(device, encode({ batch, steps: { epochs: 1 }, replay: share }), lesson)).batches;
};

test("a share of a batch is replayed: at least one place where anything is kept, and never all", () => {
  const some = [{ task: "a", examples: [{ id: "q", prompt: "", pictures: [], answer: "" }] }];
  assert.equal(
    [
      [64, 0.25, some],
      [3, 0.1, some],
      [2, 0.9, some],
      [1, 0.5, some],
      [64, 0, some],
      [64, 0.25, []],
      [64, 0.25, [{ task: "a", examples: [] }]],
    ].map(([batch, share, of]) => replayedIn(batch as number, share as number, of as typeof some)),
    [16, 1, 1, 0, 0, 0, 0],
  );
});

test("a batch of one has no place for a past example: refused before anything runs", async () => {
  const { suits } = replay({ batch: 1, steps: 1 });
  const from = learner(await tinyClip());
  const stream: Stream = { tasks: [patternTask("a", ["x", "y"], 2)], labelSpace: "task" };
  const refused = suits!(from, stream);
  assert.ok(E.isLeft(refused));
  assert.match(describe(refused.left), /^batch: should be at least 2: one place for an example of the task, and one for a past one that is replayed$/);
  assert.ok(E.isRight(replay({ batch: 2, steps: 1 }).suits!(from, stream)));
  assert.is(sequentialLora({ batch: 1, steps: 1 }).suits!(from, stream)._tag, "Right");
});

test("two walks fill batches: every position of each is visited once, in order, whatever the shares", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.nat(8), fc.integer({ min: 1, max: 5 }), async (batch, nat, steps) => {
      const others = Math.min(nat, batch - 1);
      const walk = mixed(
        async (i) => E.right(`own ${i}`),
        async (i) => E.right(`other ${i}`),
        batch,
        others,
      );
      const found = await Promise.all(Array.from({ length: steps * batch }, async (_, i) => get(async () => walk(i))));
      for (const [name, each] of [
        ["own", batch - others],
        ["other", others],
      ] as const)
        assert.equal(
          found.filter((word) => word.startsWith(name)),
          Array.from({ length: steps * each }, (_, i) => `${name} ${i}`),
        );
    }),
    { numRuns: 50 },
  );
});

deviceTest("what is kept is drawn by the seed, without copies of pixels, and is plain data that a checkpoint holds", async (device) => {
  const tasks = [patternTask("one", ["a", "b"], 1), patternTask("two", ["c"], 2)];
  const [first, again] = [await kept(device, learner(await tinyClip()), tasks, 3), await kept(device, learner(await tinyClip()), tasks, 3)];
  const own = keptExamples.of(first);
  assert.equal(
    own.map(({ task, examples }) => [task, examples.length]),
    [
      ["one", 6],
      ["two", 3],
    ],
  );
  assert.equal(keptExamples.of(again), own);
  assert.equal(
    own[0].examples.map((example) => "label" in example && example.label),
    [0, 0, 0, 1, 1, 1],
  );
  const originals = await get(tasks[0].train);
  for (const example of own[0].examples) assert.ok(originals.includes(example as (typeof originals)[number]));
  const encoded = encodePlain(first.memory);
  const decoded = E.chainW((plain: Parameters<typeof decodePlain>[0]) => decodePlain(plain, { file: "memory.json", what: "a learner" }))(encoded);
  assert.equal(E.map(({ data }: { readonly data: unknown }) => data)(decoded), E.right(first.memory));
});

deviceTest("images of past tasks stand behind those of the task, and their classes behind its classes", async (device) => {
  const clip = await tinyClip();
  const tasks: readonly ClassTask[] = [patternTask("one", ["a", "b"], 1), patternTask("two", ["c", "d", "e"], 2), patternTask("three", ["f", "g"], 3)];
  const now = await kept(device, { ...learner(clip), seen: ["a", "b", "c", "d", "e"] }, tasks.slice(0, 2), 4);
  const { shape, steps, epoch, at } = await batchesOf(device, now, tasks, 8, 0.25);
  assert.equal([shape.texts, shape.previous, shape.images], [2 + 2 + 3, 0, 8]);
  // 16 images of the task, six a step.
  assert.equal([steps, epoch], [3, 2]);
  const seen = new Set<number>();
  for (let step = 0; step < 3; step++) {
    const { targets } = await get(at(step));
    const labels = Array.from({ length: 8 }, (_, i) => targets.slice(i * 7, (i + 1) * 7).indexOf(1));
    assert.ok(labels.slice(0, 6).every((label) => label < 2) && labels.slice(6).every((label) => label >= 2), `${labels}`);
    for (const label of labels.slice(6)) seen.add(label);
  }
  const wanted = keptExamples.of(now).flatMap(({ examples }, task) => examples.map((example) => 2 + 2 * task + (example as { readonly label: number }).label));
  for (const label of seen) assert.ok(wanted.includes(label));
  const alone = await batchesOf(device, now, tasks, 8, 0);
  assert.equal([alone.shape.texts, alone.shape.previous, alone.steps], [2, 5, 2]);
});

deviceTest("a past task is the one of its name with the classes that it had; one that the stream lacks is told of", async (device) => {
  const clip = await tinyClip();
  const one = patternTask("one", ["a", "b"], 1);
  const two = patternTask("two", ["c", "d"], 2);
  const now = await kept(device, { ...learner(clip), seen: ["a", "b"] }, [one], 4);
  const encoding = (tasks: readonly Task[], from: Learner, notes: string[] = []) => {
    const lesson = { learner: from, task: two, position: tasks.length - 1, stream: { tasks, labelSpace: "task" } as Stream, learned: tasks.length };
    const emit = (event: Event): void => void (event.type === "note" && notes.push(event.detail));
    return encode({ batch: 8, steps: 1, replay: 0.25 }).run(lesson)({ ...runtimeOf(device), emit });
  };
  const renamed = (classNames: readonly string[]): Promise<string> => encoding([{ ...one, classNames }, two], now)().then((failed) => describe(left(failed)));
  assert.match(
    await renamed(["a", "x"]),
    /^replay: examples of one are kept, and one of this stream has other classes: class 1 was "b" and is "x"; give its classes/,
  );
  assert.match(await renamed(["a"]), /it had 2 classes and has 1/);
  // A checkpoint of an older version does not say which classes a task had.
  const older = keptExamples.keep(
    now,
    keptExamples.of(now).map(({ task, examples }) => ({ task, examples })),
  );
  for (const from of [now, older]) assert.is((await get(encoding([one, two], from))).batches.shape.texts, 4);
  const notes: string[] = [];
  assert.is((await get(encoding([two], now, notes))).batches.shape.texts, 2);
  assert.equal(notes, ["what is kept of one is not replayed: the stream has no such task"]);
});

deviceTest("questions of past tasks stand in every batch, asked as their own task asks them", async (device) => {
  const tasks: readonly AnswerTask[] = [{ ...colourTask("a", 0), chat: "the: {prompt}\n" }, colourTask("b", 1)];
  const now = await kept(device, learner(tinyLlama()), tasks.slice(0, 1), 2);
  const { shape, steps, at } = await batchesOf(device, now, tasks, 4, 0.5);
  assert.equal([shape.texts, steps], [4, 4]);
  for (let step = 0; step < steps; step++) {
    const { ids, share } = await get(at(step));
    const texts = Array.from({ length: 4 }, (_, row) => wordTokenizer.decode([...ids.slice(row * shape.length, (row + 1) * shape.length)]));
    assert.equal(
      texts.map((text) => text.startsWith("the: ")),
      [false, false, true, true],
    );
    assert.ok(Math.abs([...share].reduce((a, b) => a + b, 0) - 1) < 1e-6);
  }
});

deviceTest("a method that replays learns both kinds of tasks, and keeps so many examples of each class", async (device) => {
  const options = { steps: 3, batch: 4, rank: 2, perClass: 2 };
  const classes = [patternTask("one", ["a", "b"], 1), patternTask("two", ["c", "d"], 2)];
  const { learner: after } = await get(runMethod(replay(options), learner(await tinyClip()), { tasks: classes, labelSpace: "task" })(runtimeOf(device)));
  assert.equal(
    keptExamples.of(after).map(({ task, examples }) => [task, examples.length]),
    [
      ["one", 4],
      ["two", 4],
    ],
  );
});

runTests();
