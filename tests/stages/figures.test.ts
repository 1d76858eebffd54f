/** No figure where there is none: what is not finite is a failure, what nobody measured is null, and an answer with the right name is right. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { describe, get, type Failure } from "../../src/failure.ts";
import { damagedExample } from "../../src/data/example.ts";
import type { ClassStream, ClassTask } from "../../src/data/task.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { networkOf, type Clip } from "../../src/model/model.ts";
import { htmlReport } from "../../src/page/html.ts";
import { decodeLog, logLine, type LogRecord } from "../../src/report/log.ts";
import { progress } from "../../src/report/progress.ts";
import type { RunResult } from "../../src/report/result.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { markdownTable } from "../../src/report/markup.ts";
import { textTable } from "../../src/report/table.ts";
import { runMethod, type Run } from "../../src/runs/run.ts";
import { watch } from "../../src/runs/watch.ts";
import { accuracies } from "../../src/stages/evaluate.ts";
import { best } from "../../src/stages/scores.ts";
import { taskStage } from "../../src/stages/stage.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { left, right } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const clip = await tinyClip();
const stream: ClassStream = { labelSpace: "task", tasks: [patternTask("first", ["ant", "bee"], 1), patternTask("second", ["cat", "dog"], 2)] };
const quick = { steps: 2, batch: 4, rank: 2, lr: 1e-3 } as const;

/** The model with all numbers of some weights replaced. */
const withWeights = (wanted: RegExp, value: number): Clip => ({
  ...clip,
  weights: new Map([...clip.weights].map(([name, w]) => [name, wanted.test(name) ? { ...w, data: w.data.map(() => value) } : w])),
});

interface Outcome {
  readonly ran: E.Either<Failure, Run>;
  readonly events: readonly Event[];
  readonly log: readonly LogRecord[];
}

const outcomeOf = async (
  device: Device,
  name: MethodName,
  { from = learner(clip), of = stream, options = {}, more = {} }: { from?: Learner; of?: ClassStream; options?: object; more?: Partial<Runtime> } = {},
): Promise<Outcome> => {
  const [events, log]: [Event[], LogRecord[]] = [[], []];
  const runtime: Runtime = { ...runtimeOf(device), emit: (event) => void events.push(event), ...more };
  const method = methods[name](name === "zero-shot" ? {} : { ...quick, ...options });
  const ran = await runMethod(method, from, of, { log: (record) => log.push(record) })(runtime)();
  return { ran, events, log };
};

deviceTest("a model whose finite weights overflow gives no figure, of images, of texts, or of their product", async (device) => {
  const tooLarge = "the model's weights are too large to compute with: they are damaged, or were trained at too high a rate";
  const orHead = "the model's weights or its head are too large to compute with: they are damaged, or were trained at too high a rate";
  const head = { kind: "linear", scale: 1, rows: new Float32Array(4 * networkOf(clip).width).fill(3e38), bias: new Float32Array(4).fill(3e38) } as const;
  for (const [from, said] of [
    [learner(withWeights(/^visual_projection/, 3e38)), `A feature of an image of first is not finite; ${tooLarge}.`],
    [learner(withWeights(/^text_projection/, 3e38)), `A feature of the text "ant" is not finite; ${tooLarge}.`],
    [learner(withWeights(/^logit_scale/, 200)), `The scale of the logits is not finite; ${orHead}.`],
    [{ ...learner(clip), head: { ...head, rows: head.rows.map(() => NaN) } }, `A score of an image of first is not finite; ${orHead}.`],
  ] as const) {
    const { ran, events } = await outcomeOf(device, "zero-shot", { from });
    assert.is(describe(left(ran)), said);
    assert.not.ok(events.some(({ type }) => type === "evaluation"));
  }
  await get(accuracies({ ...learner(clip), head }, stream, 0)(runtimeOf(device)));
});

test("one score that is not finite is no answer, wherever it stands; a correction may rule a task out", () => {
  const tasks = [
    { position: 0, first: 0, count: 2 },
    { position: 1, first: 2, count: 2 },
  ];
  const none = (): number => 0;
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 1, 2, 3])
      assert.is(
        best(0, (_, c) => (c === at ? bad : c), tasks, none),
        undefined,
      );
  }
  assert.is(
    best(0, (_, c) => c, tasks, none),
    3,
  );
  assert.is(
    best(
      0,
      (_, c) => c,
      tasks,
      (_, position) => (position === 1 ? -Infinity : 0),
    ),
    1,
  );
  assert.is(
    best(
      0,
      (_, c) => c,
      tasks,
      () => NaN,
    ),
    undefined,
  );
});

deviceTest(
  "a loss that is not finite at the first step is the fault of the model, the data or an option, later the learning rate's; the log has the losses before it",
  async (device) => {
    const zeroShot = { row: [50, 50] };
    for (const [model, options, said, losses] of [
      [
        withWeights(/^visual_projection/, 3e38),
        {},
        "The loss is not finite at step 0; no step was made before it, so the model, the data or an option of the method is at fault.",
        0,
      ],
      [clip, { lr: 1e30, steps: 5 }, "The loss is not finite at step 1; lower the learning rate or check the data.", 1],
    ] as const) {
      const log: LogRecord[] = [];
      const method = methods["sequential-lora"]({ ...quick, ...options });
      const ran = await runMethod(method, learner(model), stream, { from: { zeroShot }, log: (record) => log.push(record) })(runtimeOf(device))();
      assert.is(describe(left(ran)), said);
      assert.is(log.length, losses);
      assert.is(right(decodeLog("log")(log.map(logLine).join("")))?.length, losses);
    }
  },
);

deviceTest("adapters that are not finite after the last step are a failure, and no model", async (device) => {
  const { ran } = await outcomeOf(device, "sequential-lora", { options: { lr: 1e38, steps: 1 } });
  assert.is(left(ran)._tag, "NotFinite");
  assert.match(describe(left(ran)), /is not finite.*; lower the learning rate or check the data\.$/);
});

/** The task with a test split of which nothing can be read. */
const unreadable = (task: ClassTask): ClassTask => ({
  ...task,
  test: TE.right([0, 1].map((i) => damagedExample(`${task.name} ${i}`, { _tag: "CorruptSample", path: task.name, member: `${i}`, detail: "bad" }))),
});

deviceTest("a test split of which nothing could be read has null wherever its figure would stand", async (device) => {
  const of: ClassStream = { labelSpace: "union", tasks: [stream.tasks[0], unreadable(stream.tasks[1])] };
  const { ran, events, log } = await outcomeOf(device, "sequential-lora", { of, more: { onCorrupt: "skip" } });
  const { result } = right(ran);
  for (const row of [result.zeroShot, ...result.matrix]) assert.equal([typeof row[0], row[1]], ["number", null]);
  assert.equal([result.transfer, result.average, result.last, result.bwt === null], [null, null, null, false]);
  assert.equal(result.perDataset.last, [result.matrix[1][0], null]);
  const measured = events.filter((e) => e.type === "evaluation" && e.dataset === "second");
  assert.equal(measured, Array(3).fill({ type: "evaluation", dataset: "second", correct: 0, total: 0, accuracy: null }));
  assert.equal(right(decodeLog("log")(log.map(logLine).join(""))), log);
  assert.equal(right(parseRunResult("result.json")(JSON.stringify(result))).matrix, result.matrix);
  // Alone it has no column of what was not measured; beside a run that has, a dash stands there.
  const measuredRun: RunResult = { ...result, method: "measured", learned: 50, transfer: 50, average: 50, last: 50 };
  assert.not.match(textTable([result]), "Last");
  for (const runs of [[result], [result, measuredRun]])
    for (const table of [textTable(runs), markdownTable(runs)]) assert.not.match(table, /NaN|undefined| 0\.0 .*\u2013.*\u2013.*\u2013/);
  assert.match(textTable([measuredRun, result]), /^sequential.* \u2013 {2,}\u2013 {2,}\u2013/m);
  const html = htmlReport([result]);
  assert.match(html, /title="not measured"/);
  assert.not.match(html, /NaN|undefined|second after task/);
  const written: string[] = [];
  const watcher = watch(progress({ sink: { write: (text: string) => written.push(text) }, now: () => 0 }));
  events.forEach(watcher.event);
  assert.ok(written.includes("evaluate: 2 in 0.0 s, mean \u2013\n"), written.join(""));
});

deviceTest(
  "two tasks of the same images and names are scored alike in a union: an answer with the right name is right, and the names are said",
  async (device) => {
    const [first] = stream.tasks;
    const twin: ClassTask = { ...first, name: "twin", classNames: ["ANT", "bee"] };
    const of: ClassStream = { labelSpace: "union", tasks: [first, twin] };
    const { ran, events } = await outcomeOf(device, "sequential-lora", { of, options: { steps: 8, batch: 8, lr: 1e-2 } });
    const { matrix, zeroShot } = right(ran).result;
    // No other class can be answered, so the union is as hard as the task alone.
    const { row: alone } = await get(accuracies(learner(clip), { ...of, labelSpace: "task" }, 0)(runtimeOf(device)));
    assert.equal(zeroShot, alone);
    for (const row of [zeroShot, ...matrix]) assert.ok(row[0] === row[1] && row[0]! > 0, JSON.stringify(matrix));
    const notes = events.flatMap((e) => (e.type === "note" ? [e.detail] : []));
    assert.equal(notes, ['several tasks have classes of one name, and an answer with that name is right: "ant" (first, twin), "bee" (first, twin)']);
    assert.is(
      events.findIndex((e) => e.type === "note"),
      0,
    );
    const quiet = await outcomeOf(device, "zero-shot", { of: { ...of, labelSpace: "task" } });
    assert.not.ok(quiet.events.some((e) => e.type === "note"));
  },
);

deviceTest("an option that the device cannot hold is named, before anything is made for it", async (device) => {
  const small: Device = { ...device, limits: { ...device.limits, maxBufferSize: 2 ** 14 } as Device["limits"] };
  const zeroShot = { row: [50, 50] };
  const failed = async (of: Device, options: object): Promise<Failure> =>
    left(await runMethod(methods["sequential-lora"]({ ...quick, ...options }), learner(clip), stream, { from: { zeroShot } })(runtimeOf(of))());
  const [rank, batch] = [await failed(small, { rank: 4096 }), await failed(small, { batch: 4096 })];
  assert.match(describe(rank), /^state A needs .* \(maxBufferSize\); lower rank, or use another adapter\.$/);
  assert.match(describe(batch), /^input pixels needs .* \(maxBufferSize\); lower batch, or use another adapter\.$/);
  for (const [options, said] of [
    [{ rank: 1e9 }, "rank: should be a whole number from 1 to 4096, not 1000000000"],
    [{ rank: 1.5 }, "rank: should be a whole number from 1 to 4096, not 1.5"],
    [{ batch: 1e12 }, "batch: should be a whole number from 1 to 65536, not 1000000000000"],
    [{ batch: 0 }, "batch: should be a whole number from 1 to 65536, not 0"],
  ] as const) {
    assert.is(describe(await failed(device, options)), said);
  }
});

test("an array that no memory holds is a failure", async () => {
  const stage = taskStage<void, Float64Array>("huge", {}, () => () => async () => E.right(new Float64Array(2 ** 50)));
  const failure = left(await stage.run()({} as Runtime)());
  assert.match(describe(failure), /^There is not enough memory \(.*\); lower batch or rank, or take a smaller model\.$/);
});

runTests();
