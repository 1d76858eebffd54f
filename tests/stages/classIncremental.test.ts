/** Class-incremental learning of a ViT (METHODS.md E.4): classes in three tasks, a head that grows, rows, metrics, and what reports make of them. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import { joint, sequentialLora } from "../../src/methods/baselines.ts";
import { duallora } from "../../src/methods/duallora.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import type { GroupValues } from "../../src/model/adapters/adapter.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { readModel, writeModel } from "../../src/model/model.ts";
import { display, type MimeBundle } from "../../src/page/display.ts";
import { htmlReport } from "../../src/page/html.ts";
import { classIncremental } from "../../src/report/classIncremental.ts";
import { prettyJson } from "../../src/report/json.ts";
import { progress } from "../../src/report/progress.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { markdownTable } from "../../src/report/markup.ts";
import { textTable } from "../../src/report/table.ts";
import { adapt } from "../../src/stages/adapt.ts";
import type { Lesson } from "../../src/training/lesson.ts";
import { encode } from "../../src/stages/encode.ts";
import { accuracies } from "../../src/stages/evaluate.ts";
import type { Method } from "../../src/stages/learn.ts";
import { ifGiven, imageToText, sum, textToImage, type Objective } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { slotsOf } from "../../src/methods/dualloraSlots.ts";
import { runMethod, type Run } from "../../src/runs/run.ts";
import type { Event } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { watch } from "../../src/runs/watch.ts";
import { splitClasses } from "../../src/data/classSplit.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { fixture } from "../model/embeddings.ts";
import { runStage, runtimeOf } from "../methods/trace.ts";
import { deviceTest, orThrow, runTests, sameBits } from "../tensor/check.ts";

const names = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"];
const dataset = patternTask("animals", names, 3, { train: 8, test: 4, side: 24 });
/** Three, two and two classes. */
const stream = orThrow(splitClasses(dataset, { tasks: 3, seed: 5 }));
const images = [12, 8, 8];
const also = ["task"] as const;

const quick = { steps: 30, batch: 8, rank: 4, lr: 5e-3, evaluate: { also } } as const;
const sequential = sequentialLora(quick);
const dual = duallora(quick);

/** What a notebook's kernel asks for. */
const shownBy = (cell: object): string => (cell as Readonly<Record<symbol, () => MimeBundle>>)[Symbol.for("Jupyter.display")]()["text/html"];

interface Ended extends Run {
  readonly learners: readonly Learner[];
  readonly events: readonly Event[];
}

const vit = (): Promise<Learner> => get(readModel(fixture("vit-tiny"))).then(learner);
const run = async (device: Device, m: Method): Promise<Ended> => {
  const events: Event[] = [];
  const ended = await get(runMethod(m, await vit(), stream, { evaluate: { also } })({ ...runtimeOf(device), emit: (e) => void events.push(e) }));
  return { ...ended, events, learners: events.flatMap((e) => (e.type === "lesson" ? [e.learner] : [])) };
};
const runs = new Map<Method, Promise<Ended>>();
/** One run a method, for all tests. */
const ran = (device: Device, m: Method): Promise<Ended> => {
  const known = runs.get(m) ?? run(device, m);
  runs.set(m, known);
  return known;
};

test("classes in a seeded order, each in one task, scored among those seen so far", () => {
  assert.equal(
    stream.tasks.map(({ name, classNames }) => [name, classNames.length]),
    [
      ["animals-1", 3],
      ["animals-2", 2],
      ["animals-3", 2],
    ],
  );
  assert.equal(stream.tasks.flatMap((t) => t.classNames).sort(), names);
  assert.is.not(stream.tasks.flatMap((t) => t.classNames).join(), names.join());
  assert.is(stream.labelSpace, "seen");
});

for (const [name, m] of [
  ["sequential LoRA", sequential],
  ["DualLoRA", dual],
] as const) {
  deviceTest(`${name}: a row knows the tasks that were learned, and nothing of the others`, async (device) => {
    const { result, learners, interrupted } = await ran(device, m);
    assert.not.ok(interrupted);
    assert.equal(result.datasets, ["animals-1", "animals-2", "animals-3"]);
    assert.equal(result.zeroShot, [null, null, null]);
    assert.equal(
      result.matrix.map((row) => row.map((x) => x !== null)),
      [
        [true, false, false],
        [true, true, false],
        [true, true, true],
      ],
    );
    // The task's own classes are easier to tell apart than all that were seen.
    const { matrix: own } = result.also.task;
    own.forEach((row, i) => row.forEach((x, j) => assert.ok(j > i ? x === null : x! >= result.matrix[i][j]!, `row ${i}, column ${j}`)));
    assert.is(own[0][0], result.matrix[0][0]);
    for (const i of [0, 1, 2]) assert.ok(own[i][i]! > 60, `task ${i + 1}: ${own[i][i]} % among its own classes`);
    for (const { model } of learners) for (const [at, { data }] of model.weights) assert.ok(data.every(Number.isFinite), at);
    assert.equal(
      learners.map(({ seen }) => seen.length),
      [3, 5, 7],
    );
    assert.equal(
      learners[2].seen,
      stream.tasks.flatMap((t) => t.classNames),
    );
  });

  deviceTest(`${name}: the head grows by the classes of every task, and old rows stay`, async (device) => {
    const { learners, result } = await ran(device, m);
    const embed: number = learners[0].model.config.vision.width;
    learners.forEach(({ head }, t) => {
      const classes = [3, 5, 7][t];
      assert.equal([head!.kind, head!.rows.length, head!.bias.length], ["linear", classes * embed, classes]);
      assert.ok(head!.rows.every(Number.isFinite) && head!.bias.every((b) => b !== 0));
      if (t > 0) sameBits(head!.rows.subarray(0, learners[t - 1].head!.rows.length), learners[t - 1].head!.rows, "rows");
    });
    assert.ok(result.trainableParameters > 3 * (embed + 1));
    assert.ok(result.bytesKept >= 4 * 7 * (embed + 1));
  });

  deviceTest(`${name}: A_T, their mean, and forgetting, counted by hand`, async (device) => {
    const { result, events } = await ran(device, m);
    const { matrix, datasets } = result;
    // What was counted, a list a task.
    const counted = events.reduce<readonly (readonly [number, number])[][]>((all, e) => {
      if (e.type === "evaluating") return [...all, []];
      if (e.type === "evaluation") all.at(-1)!.push([e.correct, e.total]);
      return all;
    }, []);
    assert.equal(
      counted.map((list) => list.map(([, total]) => total)),
      [[12], [12, 8], [12, 8, 8]],
    );
    const seen = counted.map((list) => (100 * list.reduce((n, [c]) => n + c, 0)) / list.reduce((n, [, total]) => n + total, 0));
    const metrics = classIncremental(images)({ datasets, rows: matrix });
    const close = (got: number | null, want: number, what: string): void => assert.ok(Math.abs(got! - want) < 1e-9, `${what}: ${got} instead of ${want}`);
    seen.forEach((want, t) => close(metrics.seen[t], want, `A_${t + 1}`));
    close(metrics.final, seen[2], "A_T");
    close(metrics.mean, (seen[0] + seen[1] + seen[2]) / 3, "mean A");
    const [[a], [b, c], [d, e, f]] = matrix as readonly (readonly number[])[];
    close(result.forgetting, (Math.max(a, b, d) - d + Math.max(c, e) - e) / 2, "F");
    close(result.last, (d + e + f) / 3, "last");
    assert.equal([result.transfer, result.average, result.fwt], [null, null, null], "there is nothing before a task is learned");
  });

  deviceTest(`${name}: the result is written and read back, and every report shows it`, async (device) => {
    const { result } = await ran(device, m);
    const read = orThrow(parseRunResult("result.json")(prettyJson(result)));
    assert.equal(read, result);
    const shown = result.last!.toFixed(1);
    assert.ok(textTable([read]).includes(shown));
    assert.ok(markdownTable([read]).includes(shown));
    for (const html of [htmlReport([read]), shownBy(display([read]))]) {
      assert.not.match(html, /NaN|undefined|Infinity/);
      assert.match(html, /animals-<wbr>2/);
      assert.ok(html.includes(`>${result.matrix[2][0]!.toFixed(1)}<`));
    }
  });
}

deviceTest("DualLoRA forgets less than sequential LoRA", async (device) => {
  const [kept, lost] = [(await ran(device, dual)).result.forgetting!, (await ran(device, sequential)).result.forgetting!];
  assert.ok(kept + 20 < lost, `${kept} and ${lost} points`);
});

deviceTest("DualLoRA remembers a slot a task; its ViT is written, read back, and scores as it did", async (device) => {
  const { learner: reached, learners, result } = await ran(device, dual);
  assert.equal(
    learners.map((learner) => slotsOf(learner).length),
    [1, 2, 3],
  );
  assert.is(result.ranks.length, 3);
  const { dir, remove } = temporaryFolder("vit");
  try {
    const folder = join(dir, "model");
    await get(writeModel(folder, reached.model, { dtype: "f32" }));
    const model = await get(readModel(folder));
    for (const [name, { data }] of reached.model.weights) sameBits(model.weights.get(name)!.data, data, name);
    const score = (l: Learner) => get(accuracies(l, stream, 3)(runtimeOf(device)));
    assert.equal(await score({ ...reached, model }), await score(reached));
  } finally {
    remove();
  }
});

deviceTest("all tasks at once: one head, and the last row alone", async (device) => {
  const { result, learner: reached } = await run(device, joint(quick));
  assert.equal(
    result.matrix.map((row) => row.map((x) => x !== null)),
    [
      [false, false, false],
      [false, false, false],
      [true, true, true],
    ],
  );
  assert.is(reached.head!.bias.length, 7);
  assert.not.match(htmlReport([result]), /NaN|undefined/);
});

/** Three steps of a LoRA on the first task by an objective. */
const threeSteps = (objective: Objective<any>) =>
  pipeline(
    encode({ batch: 8, steps: 3 }),
    adapt({ adapters: lora({ rank: 2 }), steps: repeat(3, gradient(objective), update(adamW({ lr: constantly(5e-3) }))) }),
  );
const firstLesson = async (): Promise<Lesson> => ({ learner: await vit(), task: stream.tasks[0], position: 0, stream, learned: 1 });

deviceTest("a ViT has no loss over texts: beside the loss over classes it adds nothing", async (device) => {
  const start = await firstLesson();
  const trained = async (objective: Objective) => (await runStage(device, threeSteps(objective), start)).adapters.values as GroupValues<string>;
  const [one, two] = [await trained(imageToText), await trained(sum(imageToText, ifGiven(textToImage)))];
  assert.equal(Object.keys(one), ["A", "B", "head"]);
  for (const [group, values] of Object.entries(one)) sameBits(two[group], values, group);
});

deviceTest("where a loss over texts is asked of a ViT, the failure says what a ViT gives", async (device) => {
  const failed = await threeSteps(sum(imageToText, textToImage)).run(await firstLesson())(runtimeOf(device))();
  const detail = "it needs logitsPerText, which a vit does not give; a vit gives imageFeatures";
  assert.equal(failed, { _tag: "Left", left: { _tag: "ShapeMismatch", op: "textToImage", detail } });
});

deviceTest("what cannot be measured is no event, and has no bar", async (device) => {
  const { events } = await ran(device, sequential);
  const written: string[] = [];
  const { event } = watch(progress({ sink: { write: (text: string) => written.push(text) }, now: () => 0 }));
  events.forEach(event);
  const lines = stream.tasks.flatMap(({ name }, t) => [`learn ${name}: 30 in 0.0 s`, `evaluate: ${t + 1} in 0.0 s`]);
  const [memory, ...others] = written.map((line) => line.replace(/,.*/s, ""));
  // Once, though every task has as many classes more.
  assert.match(memory, /^a step needs \d+\.\d KiB on the device$/);
  assert.equal(others, lines);
});

runTests();
