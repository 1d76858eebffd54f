/** What the files of a run say: tasks weigh by the images that were scored, and what nobody measured has no figure. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import type { AnswerTask, ClassStream } from "../../src/data/task.ts";
import { learner } from "../../src/model/learner.ts";
import { platform } from "../../src/platform/default.ts";
import type { ClassIncremental } from "../../src/report/classIncremental.ts";
import type { AccuracyRow } from "../../src/report/metrics.ts";
import { runResult } from "../../src/report/result.ts";
import { summary, writePage, writeResult, type Outcome } from "../../src/runs/outcome.ts";
import type { Run } from "../../src/runs/run.ts";
import { logLine } from "../../src/report/log.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { ran } from "../report/fixture.ts";

const { dir, remove } = temporaryFolder("outcome");
test.after(remove);

const tasks = [patternTask("first", ["ant"], 1, { test: 4 }), patternTask("second", ["bee"], 2, { test: 4 })];
const stream: ClassStream = { labelSpace: "seen", tasks };
const first = learner(await tinyClip());

/** What result.json says of a run with these rows in which some samples could not be read. */
const written = async (rows: readonly AccuracyRow[], skipped: readonly string[]) => {
  const datasets = tasks.map(({ name }) => name);
  const facts = { method: "m", options: {}, seed: 0, adapter: "", trainableParameters: 1, bytesKept: 0, ranks: [], seconds: 1 };
  const result = runResult({ ...facts, zeroShot: [null, null], matrix: { datasets, rows } });
  const progress = { zeroShot: { row: [null, null] }, reports: [], seconds: 1 };
  const run: Run = { result, answers: [], learner: first, progress, interrupted: false };
  await get(writeResult(dir, run, stream, skipped, {}, platform.files));
  return JSON.parse(readFileSync(join(dir, "result.json"), "utf8")) as { readonly classIncremental: ClassIncremental; readonly skipped: number };
};

const ids = async (position: number): Promise<readonly string[]> => (await get(tasks[position].test)).map(({ id }) => id);

test("an image that could not be read weighs nothing", async () => {
  const rows = [
    [100, null],
    [50, 100],
  ];
  assert.is((await written(rows, [])).classIncremental.final, 75);
  const { classIncremental, skipped } = await written(rows, (await ids(1)).slice(1));
  assert.is(skipped, 3);
  assert.is(classIncremental.final, (4 * 50 + 1 * 100) / 5);
});

test("tasks that are answered in words: the metrics under the names that papers give them", async () => {
  const none = async () => ({ _tag: "Right" as const, right: [] });
  const asked = ["iconqa", "flickr"].map((name): AnswerTask => ({ kind: "answer", name, score: "exact", train: none, test: none }));
  const facts = { method: "m", options: {}, seed: 0, adapter: "", trainableParameters: 1, bytesKept: 0, ranks: [], seconds: 1 };
  const rows = [
    [90, 40],
    [80, 70],
  ];
  const result = runResult({ ...facts, zeroShot: [10, 20], matrix: { datasets: asked.map(({ name }) => name), rows } });
  const progress = { zeroShot: { row: [10, 20] }, reports: [], seconds: 1 };
  const run: Run = { result, answers: [], replies: [], learner: first, progress, interrupted: false };
  await get(writeResult(dir, run, { labelSpace: "task", tasks: asked }, [], {}, platform.files));
  assert.is((JSON.parse(readFileSync(join(dir, "result.json"), "utf8")) as { readonly maa: number }).maa, 82.5);
  const outcome: Outcome = { ...run, sessions: undefined, skipped: 0, tasks: 2, predictions: false, folder: dir, model: join(dir, "model") };
  assert.match(summary(outcome, "runs/a"), /\nMFT 80\.0, MFN 75\.0, MAA 82\.5, BWT −10\.0\n\nwritten to runs\/a: result\.json, replies\.json/);
  assert.not.match(summary({ ...outcome, replies: undefined }, "runs/a"), /MFT/);
  assert.not.match(summary({ ...outcome, result: { ...result, learned: null } }, "runs/a"), /MFT/);
});

test("classes of which no image could be read leave no figure behind them", async () => {
  const { classIncremental } = await written(
    [
      [100, null],
      [50, null],
    ],
    await ids(1),
  );
  assert.equal(classIncremental, { seen: [100, null], final: null, mean: null });
  assert.not.match(readFileSync(join(dir, "report.html"), "utf8"), /NaN|undefined/);
});

test("the page of a run that has ended has losses, pictures and how far it got; without a log that can be read it has no losses", async () => {
  const result = { ...ran("m", [[75]]), datasets: ["first"] };
  const [classNames, scored] = [["ant", "bee"], await ids(0)];
  const answers = [{ dataset: "first", classNames, ids: scored, labels: [0, 0, 0, 0], learned: [0, 0, 0, 0], last: [0, 1, 0, 1] }];
  const run: Run = { result, answers, learner: first, progress: { zeroShot: { row: [null] }, reports: [], seconds: 1 }, interrupted: true };
  const page = async (): Promise<string> => {
    await get(writePage(dir, run, stream, { Model: "models/some" }, platform.files));
    return readFileSync(join(dir, "report.html"), "utf8");
  };
  const before = await page();
  assert.not.match(before, "How the loss fell");
  assert.is([...before.matchAll(/<img src="data:image\/webp;base64,/g)].length, 2);
  assert.match(before, /<dt>Finished<\/dt> <dd>1 of 2 tasks<\/dd>/);
  const step = (n: number) => logLine({ type: "step", method: "m", seed: 0, task: 1, dataset: "first", step: n, steps: 2, loss: 3 - n });
  writeFileSync(join(dir, "log.jsonl"), step(1) + step(2));
  assert.match(await page(), 'aria-label="Loss of first"');
  writeFileSync(join(dir, "log.jsonl"), `what\n${step(2)}`);
  assert.not.match(await page(), "How the loss fell");
});

test.run();
