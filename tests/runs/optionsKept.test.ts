/**
 * A run goes on with the options and the class names that it was begun with, or says why it does not: the defaults of its method, and what a preset or a folder
 * calls its classes, may be others by then.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { keeploraPlus } from "../../src/methods/keeplora.ts";
import { replay } from "../../src/methods/replay.ts";
import { sameClasses } from "../../src/runs/classesKept.ts";
import type { Job } from "../../src/runs/job.ts";
import { plainOptions, unchanged } from "../../src/runs/optionsKept.ts";
import { resume, runJob } from "../../src/runs/runJob.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("options-kept");
test.after(remove);

const out = join(dir, "run");
const job = (folder: string, name = "keeplora+"): Job => ({
  version: 1,
  model: join(dir, "model"),
  source: { folders: ["red", "dark"].map((one) => join(dir, "data", one)) },
  method: { name, options: { steps: 2, batch: 4, rank: 2 } },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: folder,
});

type Json = Record<string, any>;
const edited = (path: string, edit: (json: Json) => Json): void => {
  const json = JSON.parse(readFileSync(path, "utf8")) as Json;
  writeFileSync(path, JSON.stringify(edit(json)));
};

/** A run that was stopped behind its first task. */
const stopped = async (folder: string, name?: string): Promise<void> => {
  await writeTinyClip(join(dir, "model"));
  await writeColours(join(dir, "data"), { red: [240, 30], dark: [60, 10] });
  const controller = new AbortController();
  const run = await get(runJob(job(folder, name), { signal: controller.signal, watch: (event) => event.type === "lesson" && controller.abort() }));
  assert.is(run.interrupted, true);
};

test("what differs is told with both values; what stands beside the options does not count", () => {
  const method = keeploraPlus();
  const options = plainOptions(method);
  assert.equal([options.start, options.depth, "evaluate" in options], ["svd", 1, false]);
  assert.equal(unchanged(undefined)(method), E.right(method));
  assert.equal(unchanged({ ...options, model: "clip" })(method), E.right(method));
  assert.is(
    describe(left(unchanged({ ...options, start: "zero", depth: 0.2 })(method))),
    'method: keeplora+ has other options than when this run began: it was begun with start "zero", depth 0.2, ' +
      'and would go on with start "svd", depth 1; write those of then into method.options of its job.json, or begin anew',
  );
  const { padding: _, ...older } = options;
  assert.is(
    describe(left(unchanged({ ...older, start: "zero" })(method))),
    'method: keeplora+ has other options than when this run began: it was begun with no padding, start "zero", ' +
      'and would go on with padding "tokenizer", start "svd"; begin anew, or end it with the version that began it',
  );
  const { perClass: __, ...replayed } = plainOptions(replay());
  assert.match(
    describe(left(unchanged({ ...replayed, kept: 50 })(replay()))),
    /begun with no perClass, and would go on with perClass 20; begin anew, or end it/,
  );
  assert.match(describe(left(unchanged({})(method))), /^method: an older version kept this run and did not write down .* keeplora\+ learned; begin anew$/);
});

test("a run that keeplora++cls began under its old name goes on by its new one, and not as another method", async () => {
  await stopped(out, "keeplora++cls");
  const options = { start: "zero", depth: 0.2 };
  edited(join(out, "job.json"), (json) => ({ ...json, method: { ...json.method, name: "keeplora+" } }));
  assert.match(
    describe(left(await resume(out)())),
    /^method: keeplora\+ has other options .* begun with start "zero", depth 0\.2, and would go on with start "svd", depth 1;/,
  );
  // An older version wrote no options beside its learner, and its result has them.
  edited(join(out, "model", "progress.json"), ({ methodOptions: _, ...json }) => json);
  assert.match(describe(left(await resume(out)())), /begun with start "zero", depth 0\.2/);
  edited(join(out, "job.json"), (json) => ({ ...json, method: { ...json.method, options: { ...json.method.options, ...options } } }));
  const ended = await get(resume(out));
  assert.equal([ended.interrupted, ended.tasks], [false, 2]);
  // A run that has ended learns nothing more: it says so, with the options of then.
  edited(join(out, "job.json"), (json) => ({ ...json, method: { ...json.method, options: job(out).method.options } }));
  const again = await get(resume(out));
  assert.equal({ ...again.result, seconds: 0 }, { ...ended.result, seconds: 0 });
  assert.equal([again.interrupted, again.result.options.start, again.result.options.depth], [false, "zero", 0.2]);
});

test("classes that a learner has seen under other names are told; what it has seen before does not count", () => {
  const none = async () => E.right([]);
  const task = (name: string, ...classNames: readonly string[]) => ({ name, classNames, templates: ["a {c}."], train: none, test: none });
  const stream = { labelSpace: "task" as const, tasks: [task("pets", "cat", "dog"), task("trees", "oak", "elm"), task("cars", "van", "car")] };
  const reports = [{ task: "pets" }, { task: "trees" }];
  const asked = (seen: readonly string[], of = reports) => sameClasses({ seen }, stream, of);
  assert.ok(E.isRight(asked([], [])));
  assert.ok(E.isRight(asked(["cat", "dog", "oak", "elm"])));
  assert.ok(E.isRight(asked(["fly", "cat", "dog", "oak", "elm"])));
  assert.ok(E.isRight(asked(["cat", "dog", "oak", "elm", "van", "car"], [{ task: "pets + trees + cars" }])), "all tasks as one");
  assert.is(
    describe(left(asked(["cat", "Dog", "oak_tree", "elm"]))),
    "source: the classes of pets have other names than when this run learned them: then Dog, now dog; go on with the version and the data that it was begun " +
      "with, or begin anew",
  );
  assert.match(describe(left(asked(["dog", "oak", "elm"]))), /classes of pets .*: then nothing, now cat;/);
  assert.ok(E.isLeft(asked(["dog", "cat", "oak", "elm"])), "in another order");
});

test("a run whose classes have other names by now does not go on", async () => {
  const folder = join(dir, "renamed");
  await stopped(folder, "sequential-lora");
  const rename = (from: string, to: string): void => {
    for (const split of ["train", "test"]) renameSync(join(dir, "data", "red", split, from), join(dir, "data", "red", split, to));
  };
  rename("ant", "aphid");
  assert.match(describe(left(await resume(folder)())), /^source: the classes of red have other names .*: then ant, now aphid;/);
  rename("aphid", "ant");
  assert.equal((await get(resume(folder))).tasks, 2);
});

test.run();
