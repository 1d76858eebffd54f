/** What a run makes of a method's reports, shown with methods that need no device. */
import * as E from "fp-ts/lib/Either.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { Failure } from "../../src/failure.ts";
import type { LogRecord } from "../../src/report/log.ts";
import { progress } from "../../src/report/progress.ts";
import { learner } from "../../src/model/learner.ts";
import { method, skip, type Method } from "../../src/stages/learn.ts";
import { pool } from "../../src/stages/pool.ts";
import { decodeRunResult } from "../../src/report/resultCodec.ts";
import type { Answers, Evaluated, Lesson, MaybeMerged } from "../../src/training/lesson.ts";
import { runMethod } from "../../src/runs/run.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { named, pipeline, taskStage } from "../../src/stages/stage.ts";
import { watch } from "../../src/runs/watch.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { left, right } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";

const stream: ClassStream = {
  labelSpace: "task",
  tasks: ["a", "b", "c"].map((name) => ({ name, classNames: [name], templates: ["{c}"], train: TE.right([]), test: TE.right([]) })),
};
const zeroShot = [10, 20, 30];

/** A lesson that trains one step and scores 10 x task; `fail` is what the lesson of task c ends with. */
const lesson = (fail?: Failure) =>
  taskStage<Lesson, MaybeMerged & Evaluated>("lesson", undefined, (l) => (runtime) => async () => {
    if (fail !== undefined && l.task.name === "c") return E.left(fail);
    runtime.emit({ type: "training", task: l.task.name, position: l.position, steps: 1 });
    runtime.emit({ type: "step", task: l.task.name, position: l.position, step: 0, steps: 1, losses: { loss: 0.5 } });
    runtime.emit({ type: "evaluating", datasets: 3 });
    const row = stream.tasks.map((t, j) => {
      const accuracy = 10 * (l.position + 1) + j;
      runtime.emit({ type: "evaluation", dataset: t.name, correct: accuracy, total: 100, accuracy });
      return accuracy;
    });
    const trained = {
      trainableParameters: 7,
      ranks: new Map([
        ["m", 2],
        ["n", 4],
      ]),
    };
    return E.right({ ...l, row, trained, mergeError: 0 });
  });

const runtimeOf = (emit: (event: Event) => void = () => undefined): Runtime => ({
  device: { adapter: { line: "an adapter" }, precision: "f32" } as Device,
  seed: 4,
  emit,
  images: { get: () => undefined, set: () => undefined },
});

const run = async (m: Method, log: LogRecord[] = [], emit?: (event: Event) => void) =>
  runMethod(m, learner(await tinyClip()), stream, { from: { zeroShot: { row: zeroShot } }, facts: { model: "tiny" }, log: (r) => log.push(r) })(
    runtimeOf(emit),
  )();

test("a method that learns task after task has a row a task", async () => {
  const log: LogRecord[] = [];
  const { result, learner: reached, interrupted } = right(await run(method("m", { steps: 1 }, lesson()), log));
  assert.equal(result.matrix, [
    [10, 11, 12],
    [20, 21, 22],
    [30, 31, 32],
  ]);
  assert.equal(result.zeroShot, zeroShot);
  assert.equal([result.method, result.seed, result.adapter, result.trainableParameters], ["m", 4, "an adapter", 7]);
  assert.equal(result.options, { steps: 1, model: "tiny" });
  assert.equal(result.effectiveRank, [3, 3, 3]);
  assert.equal(reached.seen, ["a", "b", "c"]);
  assert.not.ok(interrupted);
  assert.equal(
    log.slice(0, 5).map((r) => `${r.type} ${r.task} ${r.dataset}`),
    ["step 1 a", "eval 1 a", "eval 1 b", "eval 1 c", "task 1 a"],
  );
});

test("a method that learns nothing has the zero-shot row at every time", async () => {
  const { result } = right(await run(named("zero", {}, skip)));
  assert.equal(result.matrix, [zeroShot, zeroShot, zeroShot]);
  assert.is(result.trainableParameters, 0);
  assert.equal(result.effectiveRank, [null, null, null]);
});

test("one lesson of all tasks has the last row alone, and counts as all tasks in the log", async () => {
  const log: LogRecord[] = [];
  const { result } = right(await run(named("joint", {}, pipeline(pool, method("l", {}, lesson()))), log));
  assert.equal(result.matrix, [
    [null, null, null],
    [null, null, null],
    [10, 11, 12],
  ]);
  assert.equal(result.effectiveRank, [null, null, 3]);
  assert.is(result.last, 11);
  assert.is(result.transfer, null);
  assert.ok(log.every((r) => r.task === 3));
});

test("a stop keeps the tasks that were finished, on their own datasets", async () => {
  const { result, learner: reached, interrupted } = right(await run(method("m", {}, lesson({ _tag: "Interrupted" }))));
  assert.ok(interrupted);
  assert.equal(result.datasets, ["a", "b"]);
  assert.equal(result.matrix, [
    [10, 11],
    [20, 21],
  ]);
  assert.equal(result.zeroShot, [10, 20]);
  assert.equal(reached.seen, ["a", "b"]);
});

test("a stop before the first task, and every other failure, is the failure", async () => {
  assert.is(left(await run(method("m", {}, lesson({ _tag: "NotFinite", what: "The loss", step: 1 }))))._tag, "NotFinite");
  assert.is(left(await run(taskStage("m", {}, () => RTE.left({ _tag: "Interrupted" }))))._tag, "Interrupted");
});

const given = (task: number, answer: (i: number) => number): Answers => ({
  ids: [0, 1].map((i) => `${task}/${i}`),
  labels: [task, task],
  answers: [0, 1].map(answer),
});

/** A lesson that answers all with the class of its task, and scores two probes, the second of which shrinks. */
const answering = taskStage<Lesson, MaybeMerged & Evaluated>("lesson", undefined, (l) => () => async () => {
  if (l.learner.seen.length === 2 && l.stream.labelSpace === "seen") return E.left({ _tag: "Interrupted" });
  const answers = l.stream.tasks.map((_, j) => given(j, () => l.position));
  return E.right({
    ...l,
    row: [1, 2, 3],
    answers,
    probes: [
      { accuracy: 40 - l.position, images: 5 },
      { accuracy: null, images: 0 },
    ],
    trained: { trainableParameters: 1, ranks: new Map() },
  });
});

const probed: ClassStream = {
  ...stream,
  labelSpace: "union",
  tasks: stream.tasks.map((task, j) => ({ ...task, classNames: [["a"], ["b", "B"], ["c", "a"]][j] })),
  probes: ["p", "q"].map((name) => ({ ...stream.tasks[0], name, classNames: ["x", "y", "X", "z"] })),
};
const before: Evaluated = {
  row: zeroShot,
  answers: stream.tasks.map((_, j) => given(j, () => 9)),
  probes: [
    { accuracy: 50, images: 5 },
    { accuracy: null, images: 0 },
  ],
  also: { task: zeroShot, seen: zeroShot },
};
const probeRun = async (m: Method, of = probed) =>
  await get(runMethod(m, learner(await tinyClip()), of, { from: { zeroShot: before }, evaluate: { also: ["task", "seen"] } })(runtimeOf()));

test("a result has probes after every task, classes, images, and what guessing reaches", async () => {
  const { result, answers, progress } = await probeRun(method("m", {}, answering));
  assert.equal(result.classes, [1, 2, 2]);
  assert.equal(result.images, [2, 2, 2]);
  // "B" is "b", and the third task has an "a", too.
  assert.equal(result.chance, [100 / 3, 100 / 3, 100 / 3]);
  assert.equal(result.also.task.chance, [100, 100, 50]);
  assert.equal(result.also.seen.chance, result.chance);
  assert.equal(result.probes, [
    { name: "p", classes: 4, images: 5, chance: 100 / 3, zeroShot: 50, after: [40, 39, 38] },
    { name: "q", classes: 4, images: 0, chance: 100 / 3, zeroShot: null, after: [null, null, null] },
  ]);
  assert.equal(answers[1], { dataset: "b", classNames: ["a", "b", "B", "c", "a"], ids: ["1/0", "1/1"], labels: [1, 1], learned: [1, 1], last: [2, 2] });
  assert.is(progress.zeroShot.answers, undefined);
  assert.equal(
    progress.reports.map((report) => report.answers!.map((of) => of !== null)),
    [
      [true, false, false],
      [false, true, false],
      [true, true, true],
    ],
  );
  right(decodeRunResult("x")(JSON.parse(JSON.stringify(result))));
});

test("a model that never learns, joint training and a run that was stopped have the probes and answers that they can have", async () => {
  const zero = await probeRun(named("zero", {}, skip));
  assert.equal(zero.result.probes[0].after, [50, 50, 50]);
  assert.equal(zero.result.also.seen.chance, [100, 50, 100 / 3]);
  assert.equal(zero.answers[2], { ...zero.answers[2], learned: [null, null], last: [9, 9] });
  const joint = await probeRun(named("joint", {}, pipeline(pool, method("l", {}, answering))));
  assert.equal(joint.result.probes[0].after, [null, null, 40]);
  assert.equal(joint.answers[0], { ...joint.answers[0], learned: [null, null], last: [0, 0] });
  const stopped = await probeRun(method("m", {}, answering), {
    ...probed,
    labelSpace: "seen",
    tasks: stream.tasks.map((task) => ({ ...task, classNames: [task.name] })),
  });
  assert.ok(stopped.interrupted);
  assert.equal(stopped.result.datasets, ["a", "b"]);
  assert.equal(stopped.result.probes[0].after, [40, 39]);
  assert.equal(stopped.result.chance, [50, 50]);
  assert.equal(
    stopped.answers.map(({ dataset, learned, last }) => [dataset, learned, last]),
    [
      ["a", [0, 0], [1, 1]],
      ["b", [1, 1], [1, 1]],
    ],
  );
});

test("a run that goes on from progress of an older version does not know what was not written then", async () => {
  const zero = right(await run(named("zero", {}, skip)));
  assert.equal(zero.result.images, []);
  assert.equal(zero.answers[0], { dataset: "a", classNames: ["a", "b", "c"], ids: [], labels: [], learned: [], last: [] });
});

test("a watcher shows a bar for the steps and one for the evaluation of every task", async () => {
  const written: string[] = [];
  const watcher = watch(progress({ sink: { write: (text: string) => written.push(text) }, now: () => 0 }));
  right(await run(method("m", {}, lesson()), [], watcher.event));
  assert.equal(written.slice(0, 2), ["learn a: 1 in 0.0 s, loss 0.500\n", "evaluate: 3 in 0.0 s, mean 11.0 %\n"]);
  assert.is(written.length, 6);
  watcher.event({ type: "evaluating", datasets: 3 });
  watcher.event({ type: "evaluation", dataset: "a", correct: 1, total: 2, accuracy: 50 });
  watcher.event({ type: "evaluation", dataset: "p", correct: 1, total: 4, accuracy: 25, probe: true });
  watcher.event({ type: "evaluation", dataset: "q", correct: 0, total: 0, accuracy: null, probe: true });
  assert.equal(written.splice(6), ["evaluate: 3 in 0.0 s, mean 50.0 %, probe p 25.0 %, probe q \u2013\n"]);
  watcher.event({ type: "skipped", id: "x.png", detail: "no image" });
  watcher.event({ type: "skipped", id: "x.png", detail: "no image" });
  assert.is(watcher.skipped(), 1);
  assert.equal(written.slice(6), ["skipped x.png: no image\n"]);
});

test("the preparation of a first step is spoken of where it takes long, and where nothing was said before", async () => {
  const written: string[] = [];
  const watcher = watch(progress({ sink: { write: (text: string) => written.push(text) }, now: () => 0 }), { patience: 5 });
  const training = { type: "training", task: "a", position: 0, steps: 2 } as const;
  const waited = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
  watcher.event(training);
  watcher.event({ type: "memory", task: "a", position: 0, weights: 1, rest: 1 });
  await waited();
  watcher.event(training);
  watcher.stop();
  await waited();
  const said = (): number => written.filter((line) => line.startsWith("preparing the first step")).length;
  assert.is(said(), 0);
  watcher.event(training);
  await waited();
  watcher.stop();
  assert.is(said(), 1);
});

test.run();
