/** Probes and answers: what is scored beside the tasks, and what is written down of every image. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import type { LabelSpace, ClassStream, ClassTask } from "../../src/data/task.ts";
import { methods } from "../../src/methods/table.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { networkOf, readModel } from "../../src/model/model.ts";
import { runMethod } from "../../src/runs/run.ts";
import { accuracies, type EvaluateOptions } from "../../src/stages/evaluate.ts";
import { reported, type Evaluated, type Report } from "../../src/training/lesson.ts";
import type { Event } from "../../src/training/runtime.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const clip = await tinyClip();
const tasks = [patternTask("first", ["ant", "bee"], 1), patternTask("second", ["cat", "dog", "eel"], 2)];
// Its classes are those of a task, and one more.
const probes = [patternTask("probe", ["ant", "cat", "fox"], 3, { test: 6 }), patternTask("other", ["gnu", "hen"], 4)];
const stream: ClassStream = { labelSpace: "task", tasks, probes };
const spaces: readonly LabelSpace[] = ["task", "union", "seen"];

const scored = async (device: Device, of: ClassStream, options: EvaluateOptions = {}, from: Learner = learner(clip)): Promise<Evaluated> =>
  await get(accuracies(from, of, 1, options)(runtimeOf(device)));

const headOf = (classes: number): Learner["head"] => {
  const { width } = networkOf(clip);
  return { kind: "linear", scale: 1, rows: Float32Array.from({ length: classes * width }, (_, i) => Math.sin(i) * 5), bias: new Float32Array(classes) };
};

deviceTest("a probe is scored among its own classes in every label space, and changes no row", async (device) => {
  const alone = await Promise.all(probes.map((probe) => scored(device, { labelSpace: "task", tasks: [probe] })));
  const wanted = alone.map(({ row: [accuracy] }, k) => ({ accuracy, images: [18, 8][k] }));
  for (const space of spaces) {
    const without = await scored(device, { ...stream, labelSpace: space, probes: undefined }, { also: spaces });
    const { probes: found, ...rest } = await scored(device, { ...stream, labelSpace: space }, { also: spaces });
    assert.equal(found, wanted);
    assert.equal(rest, without);
  }
  const ensemble = { templates: "ensemble" } as const;
  const many = (task: ClassTask): ClassTask => ({ ...task, templates: ["{c}", "a {c}."] });
  const [one, two] = await Promise.all([
    scored(device, { labelSpace: "task", tasks: [many(probes[0])] }, ensemble),
    scored(device, { ...stream, probes: [many(probes[0])] }, ensemble),
  ]);
  assert.is(two.probes![0].accuracy, one.row[0]);
});

deviceTest("answers are those that the row counts, in the first label space, over the classes of all tasks", async (device) => {
  const union = await scored(device, { ...stream, labelSpace: "union" }, { also: ["task"] });
  const own = await scored(device, stream);
  for (const { answers, row } of [union, own]) {
    answers!.forEach((task, j) => {
      const { ids, labels, answers: given } = task!;
      assert.equal(
        labels,
        ids.map((id) => (j === 0 ? 0 : 2) + Number(id.split(" ")[1])),
      );
      assert.is(row[j], (100 * given.filter((answer, i) => answer === labels[i]).length) / ids.length);
    });
  }
  assert.equal(union.also!.task, own.row);
  const [first, second] = own.answers!.map((task) => new Set(task!.answers));
  assert.ok([...first].every((cls) => cls < 2) && [...second].every((cls) => cls >= 2));
  assert.ok(
    union.answers!.some((task, j) => task!.answers.some((cls) => (j === 0 ? cls >= 2 : cls < 2))),
    "an answer of another task",
  );
});

deviceTest("a head has no say in the classes of a probe, whichever rows it has", async (device) => {
  const plain = await scored(device, stream);
  for (const classes of [5, 50]) {
    const headed = await scored(device, stream, {}, { ...learner(clip), head: headOf(classes) });
    assert.not.equal(headed.answers, plain.answers);
    assert.equal(headed.probes, plain.probes);
  }
});

deviceTest("images and texts of probes are encoded once an evaluation", async (device) => {
  const decoded = new Map<string, number>();
  const counting = (task: ClassTask): ClassTask => ({
    ...task,
    decode: (example) => {
      decoded.set(example.id, (decoded.get(example.id) ?? 0) + 1);
      return example.image.kind === "pixels" ? TE.right(example.image.image) : TE.left({ _tag: "Interrupted" });
    },
  });
  const events: Event[] = [];
  const runtime = { ...runtimeOf(device), emit: (event: Event) => void events.push(event) };
  const counted = { ...stream, tasks: tasks.map(counting), probes: probes.map(counting) };
  await get(accuracies(learner(clip), counted, 1, { also: spaces })(runtime));
  assert.is(decoded.size, 8 + 12 + 18 + 8);
  assert.ok([...decoded.values()].every((times) => times === 1));
  assert.equal(events[0], { type: "evaluating", datasets: 4 });
  assert.equal(
    events.flatMap((event) => (event.type === "evaluation" ? [`${event.dataset} ${event.probe === true}`] : [])),
    ["first false", "second false", "probe true", "other true"],
  );
});

deviceTest("what reads no texts cannot tell a probe's classes apart, and that is said once", async (device) => {
  const vit = await get(readModel("tests/fixtures/vit-tiny"));
  const side = { side: 24 };
  const of: ClassStream = {
    labelSpace: "union",
    tasks: [patternTask("first", ["ant", "bee"], 1, side), patternTask("second", ["cat", "dog"], 2, side)],
    probes: [patternTask("probe", ["fox", "gnu"], 3, side)],
  };
  const events: Event[] = [];
  const runtime = { ...runtimeOf(device), emit: (event: Event) => void events.push(event) };
  const { result, answers } = await get(runMethod(methods["sequential-lora"]({ steps: 1, batch: 4, rank: 2, lr: 1e-3 }), learner(vit), of)(runtime));
  assert.equal(result.probes, [{ name: "probe", classes: 2, images: 0, chance: 50, zeroShot: null, after: [null, null] }]);
  assert.equal(result.images, [8, 8]);
  assert.equal(
    events.flatMap((event) => (event.type === "note" ? [event.detail] : [])),
    ["probe cannot be scored: a vit reads no texts, and its head knows the classes of tasks alone"],
  );
  assert.ok(answers.every(({ last, learned }) => last.length === 8 && learned.length === 8));
});

test("of reports the newest keeps all answers, the others those of their own tasks", () => {
  const given = (n: number) => ({ ids: [`${n}`], labels: [n], answers: [n] });
  const report = (task: string): Report => ({ task, row: [1, 2, 3], bytesKept: 0, answers: [given(0), given(1), null] });
  const [a, b, c] = ["a", "b", "c"].map(report);
  const after = reported(reported(reported([], a), b), c);
  assert.equal(
    after.map(({ answers }) => answers),
    [
      [given(0), null, null],
      [null, given(1), null],
      [given(0), given(1), null],
    ],
  );
  // A course that begins with its second task has no report of the first.
  assert.equal(reported([b], c, 1)[0].answers, [null, given(1), null]);
  const { answers: _, ...older } = a;
  assert.is(reported([older], b)[0].answers, undefined);
});

runTests();
