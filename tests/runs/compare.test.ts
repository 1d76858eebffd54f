/** Runs that are read back from their folders and stand side by side. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { describe, get } from "../../src/failure.ts";
import { logLine } from "../../src/report/log.ts";
import type { RunResult } from "../../src/report/result.ts";
import type { DatasetAnswers } from "../../src/report/runReport.ts";
import { comparedData, compareRuns, comparedTable, tableFormats, type Compared } from "../../src/runs/compare.ts";
import { comparedPage } from "../../src/runs/comparedPage.ts";
import type { Job } from "../../src/runs/job.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { ran } from "../report/fixture.ts";

const { dir, remove } = temporaryFolder("compare");
test.after(remove);

/** Writes the folder of a run with some of its files. */
const write = (name: string, files: Readonly<Record<string, unknown>>): string => {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
  return folder;
};

/** A result over two datasets that ends with `last` on the first. */
const two = (method: string, seed: number, last: number): RunResult => ({
  ...ran(
    method,
    [
      [80, 20],
      [last, 60],
    ],
    { seed, options: { shots: null, evalLimit: null, data: ["pets", "cars"] } },
  ),
  datasets: ["pets", "cars"],
});

const first = (result: RunResult): RunResult => ({
  ...ran(result.method, [[80]], { seed: result.seed, options: result.options }),
  datasets: ["pets"],
});

const compared = async (...folders: readonly string[]): Promise<Compared> => await get(compareRuns(folders));

test("seeds of one method are one row with mean and deviation, a folder of runs is all of them in order", async () => {
  for (const [seed, last] of [
    [10, 70],
    [2, 60],
  ])
    write(`sweep/codyra-${seed}`, { "result.json": { ...two("codyra", seed, last), interrupted: false, tasks: 2 } });
  write("sweep/lora-2", { "result.json": two("sequential-lora", 2, 50) });
  write("sweep/notes", { "read.me": "no run" });
  const some = await compared(join(dir, "sweep"));
  assert.equal(
    some.runs.map(({ result: { method, seed } }) => [method, seed]),
    [
      ["codyra", 2],
      ["codyra", 10],
      ["sequential-lora", 2],
    ],
  );
  assert.equal(some.notes, []);
  const text = comparedTable(some);
  assert.match(text, /^codyra .* 62\.5 ± 3\.5 /m);
  assert.match(text, /^sequential-lora .* 55\.0 /m);
});

test("runs that are named twice are one, and a seed that comes again is left out and said to be", async () => {
  const again = write("again", { "result.json": two("codyra", 2, 99) });
  const some = await compared(join(dir, "sweep"), join(dir, "sweep", "codyra-2"), again);
  assert.is(some.runs.length, 4);
  assert.equal(some.notes, [`The same method, options and seed as another run, and left out: ${again}.`]);
});

test("a run that goes on yet has the tasks that are finished, says so, and stands in a table of its own", async () => {
  const half = write("half", { "result.json": { ...first(two("dac", 1, 0)), interrupted: true, tasks: 2 }, "job.json": {} });
  const old = write("old", { "result.json": { ...first(two("sora", 1, 0)), interrupted: true } });
  const some = await compared(join(dir, "sweep"), half, old);
  const text = comparedTable(some, "text", 200);
  assert.not.match(text, "do not compare");
  assert.match(text, /^pets → cars:\n/);
  assert.match(text, /\npets:\n/);
  assert.match(text, /^dac \(1 of 2 tasks\) /m);
  assert.match(text, /^sora \(1 task so far\) /m);
  assert.match(text, `Not finished, and shown in tables of their own with the tasks that are: ${half}, ${old}.`);
});

test("runs without a finished task are left out beside others, and refused by themselves", async () => {
  const begun = write("begun/one", { "job.json": {} });
  assert.match(describe(left(await compareRuns([begun])())), `Cannot read ${begun}: this run has finished no task yet; cambium resume ${begun} goes on`);
  assert.match(describe(left(await compareRuns([join(dir, "begun")])())), `${begun}: this run has finished no task yet`);
  const other = write("begun/other", { "job.json": {} });
  assert.match(describe(left(await compareRuns([begun, other])())), `${begun}: none of these runs has finished a task yet`);
  write("begun/two", { "result.json": two("codyra", 1, 50) });
  const notes = [`Without a finished task, and left out: ${begun}, ${other}.`];
  assert.equal((await compared(join(dir, "begun"))).notes, notes);
  assert.equal((await compared(join(dir, "begun", "two"), other, begun, other)).notes, [`Without a finished task, and left out: ${other}, ${begun}.`]);
});

test("sweeps in a folder are looked into, and files beside folders are passed over with a note", async () => {
  write("all/alone", { "result.json": two("dac", 1, 50) });
  write("all/sweep", { "sweep.json": {} });
  write("all/sweep/seed-1", { "result.json": two("codyra", 1, 50) });
  write("all/folder/seed-1", { "result.json": two("keeplora", 1, 50) });
  write("all", { "page.html": "" });
  const { runs, notes } = await compared(join(dir, "all"));
  assert.equal([runs.map(({ result }) => result.method), notes], [["dac", "codyra"], []]);
  const [page, alone] = [join(dir, "all", "page.html"), join(dir, "all", "alone")];
  const expanded = await compared(page, alone, join(dir, "all", "sweep"));
  assert.equal([expanded.runs.length, expanded.notes], [2, [`No folder, and passed over: ${page}.`]]);
  assert.match(describe(left(await compareRuns([page])())), `Cannot read ${page}`);
});

test("failures name the folder or the file", async () => {
  const empty = write("empty", { "a.txt": "" });
  for (const [folder, said] of [
    [join(dir, "nowhere"), join(dir, "nowhere")],
    [empty, `${empty}: it is not the folder of a run, and holds none`],
    [write("damaged", { "result.json": "{" }), join(dir, "damaged", "result.json")],
    [write("other", { "result.json": { method: 1 } }), `${join(dir, "other", "result.json")} is damaged: method should be string, not 1`],
  ])
    assert.match(describe(left(await compareRuns([folder])())), said);
});

test("every format has all rows, and all but CSV the notes", async () => {
  write("other-stream", { "result.json": { ...two("dac", 1, 50), datasets: ["pets", "food"] } });
  const some = await compared(join(dir, "sweep"), join(dir, "half"), join(dir, "other-stream"));
  for (const format of tableFormats) {
    const table = comparedTable(some, format);
    assert.match(table, "sequential");
    assert.match(table, "dac");
    assert.is(/do not compare/.test(table.replace(/\s+/g, " ")), format !== "csv", format);
    assert.not.match(table, /undefined|null/);
  }
  const data = comparedData(some) as { streams: { rows: { label: string; metrics: { last: unknown } }[] }[] };
  assert.equal(
    data.streams.map(({ rows }) => rows.map(({ label }) => label)),
    [
      ["zero-shot", "codyra", "sequential-lora"],
      ["zero-shot", "dac (1 of 2 tasks)"],
      ["zero-shot", "dac"],
    ],
  );
});

test("the page has losses, and galleries where the data is still there", async () => {
  await writeColours(dir, { pets: [240, 30] });
  const ids = (await get((await get(taskFromFolder(join(dir, "pets")))).test)).map(({ id }) => id);
  const answers: readonly DatasetAnswers[] = [
    { dataset: "pets", classNames: ["ant", "bee"], ids, labels: ids.map(() => 0), learned: ids.map(() => 0), last: ids.map((_, i) => i % 2) },
  ];
  const job: Job = {
    version: 1,
    model: join(dir, "model"),
    source: { folders: [join(dir, "pets")] },
    method: { name: "codyra", options: {} },
    seed: 0,
    evaluate: { templates: "single" },
    onCorrupt: "fail",
    out: join(dir, "page"),
  };
  const step = { type: "step" as const, method: "codyra", seed: 0, task: 1, dataset: "pets", steps: 2 };
  const log = logLine({ ...step, step: 1, loss: 2 }) + logLine({ ...step, step: 2, loss: 1 });
  const result = first(two("codyra", 0, 0));
  const folder = write("page", { "result.json": result, "answers.json": answers, "job.json": job, "log.jsonl": log });
  const page = await get(comparedPage(await compared(folder)));
  assert.match(page, 'aria-label="Loss of pets"');
  assert.is([...page.matchAll(/<img src="data:image\/webp;base64,/g)].length, 2);
  write("page", { "job.json": { ...job, source: { folders: [join(dir, "gone")] } } });
  const bare = await get(comparedPage(await compared(folder)));
  assert.match(bare, "Pictures that were lost");
  assert.not.match(bare, "<img");
  write("page", { "answers.json": "[{}]" });
  assert.match(describe(left(await comparedPage(await compared(folder))())), join(folder, "answers.json"));
});

test.run();
