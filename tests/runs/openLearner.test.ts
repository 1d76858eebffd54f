/** A learner by any of its names: the folder of a model, of a learner, of a run. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { platform } from "../../src/platform/default.ts";
import { prettyJson } from "../../src/report/json.ts";
import { writeLearner } from "../../src/runs/checkpoint.ts";
import type { Job } from "../../src/runs/job.ts";
import { openLearner } from "../../src/runs/openLearner.ts";
import { writeAfter } from "../../src/runs/runFolder.ts";
import type { Report } from "../../src/training/lesson.ts";
import { left, temporaryFolder, write } from "../fixtures/datasets.ts";
import { tinyClip, writeTinyClip } from "../fixtures/tinyClip.ts";
import { ran } from "../report/fixture.ts";

const { dir, remove } = temporaryFolder("open");
test.after(remove);
const at = (...path: readonly string[]): string => join(dir, ...path);

const clip = await tinyClip();
const seen = (...names: readonly string[]): Learner => ({ ...learner(clip), seen: names });
const jobOf = (out: string, method: string, id: string): Job => ({
  version: 1,
  model: at("model"),
  source: { folders: [at("pets")] },
  method: { name: method, options: {} },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out,
  id,
});
const reportOf = (task: string): Report => ({ task, row: [50], bytesKept: 0 });

/** A run whose newest learner has learned so many tasks, and which remembers the results of others. */
const writeRun = async (name: string, method: string, now: Learner, lessons: number, classes: readonly number[]): Promise<void> => {
  const run = at(name);
  write(run, { "job.json": JSON.stringify(jobOf(run, method, name)) });
  const reports = Array.from({ length: lessons }, (_, i) => reportOf(`task ${i}`));
  await get(writeAfter(run, now, { zeroShot: { row: [50] }, reports, seconds: 1, run: name, logged: 0, skipped: [] }, platform.files));
  const rows = classes.map((_, i) => classes.map((_, j) => (i + j) % 100));
  writeFileSync(join(run, "result.json"), prettyJson({ ...ran(method, rows), classes }));
};

test("the folder of a model gives a learner that has learned nothing", async () => {
  await writeTinyClip(at("model"));
  const opened = await get(openLearner(at("model")));
  assert.equal([opened.learner.seen, opened.job, opened.inference, opened.folder], [[], undefined, undefined, at("model")]);
});

test("the folder of a learner gives it with what it remembers", async () => {
  await get(writeLearner(at("learner"), seen("ant", "bee")));
  assert.equal((await get(openLearner(at("learner")))).learner.seen, ["ant", "bee"]);
});

test("a run gives its newest learner, with its job, what its method evaluates through, and the classes of its tasks", async () => {
  await writeRun("run", "duallora", seen("ant", "bee", "cat"), 2, [1, 2]);
  const opened = await get(openLearner(at("run")));
  assert.equal([opened.learner.seen, opened.folder, opened.job?.method.name], [["ant", "bee", "cat"], at("run", "after-2"), "duallora"]);
  assert.equal([opened.inference?.through?.name, opened.inference?.calibration?.name], ["residual", "taskPrediction"]);
  assert.equal(opened.tasks, [1, 2]);
  const inside = await get(openLearner(at("run", "after-2")));
  assert.equal([inside.job, inside.tasks, inside.folder, inside.learner.seen], [opened.job, opened.tasks, opened.folder, opened.learner.seen]);
});

test("of a method that merges all the inference is empty", async () => {
  await writeRun("merged", "codyra", seen("ant"), 1, [1]);
  assert.equal((await get(openLearner(at("merged")))).inference, {});
});

test("a run that was killed before it wrote down its last result knows the classes of its last task", async () => {
  await writeRun("killed", "codyra", seen("ant", "bee", "cat"), 2, [1]);
  assert.equal((await get(openLearner(at("killed")))).tasks, [1, 2]);
  writeFileSync(at("killed", "result.json"), "what");
  assert.is((await get(openLearner(at("killed")))).tasks, undefined);
});

test("where the classes of tasks are not known, a method that predicts tasks does without, and a note says so", async () => {
  await writeRun("unknown", "duallora", seen("ant", "bee"), 1, [5]);
  const notes: string[] = [];
  assert.is((await get(openLearner(at("unknown"), { note: (line) => notes.push(line) }))).tasks, undefined);
  assert.match(notes.join(), /unknown: its result\.json does not say/);
});

test("a folder that holds runs, as that of a sweep does, names them", async () => {
  assert.is(describe(left(await openLearner(at("seeds"))())), `Cannot read ${at("seeds")}: no such file or directory`);
  await writeRun("seeds/seed-10", "codyra", seen("ant"), 1, [1]);
  assert.is(describe(left(await openLearner(at("seeds"))())), `Cannot read ${at("seeds")}: it holds a run: seed-10; name that`);
  await writeRun("seeds/seed-2", "codyra", seen("ant"), 1, [1]);
  assert.is(describe(left(await openLearner(at("seeds"))())), `Cannot read ${at("seeds")}: it holds 2 runs: seed-2, seed-10; name one`);
});

test("what cannot be opened says so: nothing there, a run without a task, a run of no method", async () => {
  assert.match(describe(left(await openLearner(at("nothing"))())), "nothing");
  write(at("empty"), { "job.json": JSON.stringify(jobOf(at("empty"), "codyra", "empty")) });
  assert.match(describe(left(await openLearner(at("empty"))())), /this run has finished no task yet; cambium resume/);
  await writeRun("strange", "what", seen("ant"), 1, [1]);
  assert.match(describe(left(await openLearner(at("strange"))())), /should be one of/);
});

test.run();
