/** A whole run in one call: with folders, with values, what it writes, and what it refuses before a device is opened. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Example } from "../../src/data/example.ts";
import type { Stream } from "../../src/data/task.ts";
import { openDevice } from "../../src/device/open.ts";
import { describe, get } from "../../src/failure.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { learner } from "../../src/model/learner.ts";
import { readLearner } from "../../src/runs/checkpoint.ts";
import { compareRuns } from "../../src/runs/compare.ts";
import { runMethod } from "../../src/runs/run.ts";
import { runtime } from "../../src/runs/runtime.ts";
import { run } from "../../src/runs/wholeRun.ts";
import type { Event } from "../../src/training/runtime.ts";
import { left, png, temporaryFolder, write, writeColours } from "../fixtures/datasets.ts";
import { tinyClip, writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("whole-run");
const at = (...path: readonly string[]): string => join(dir, ...path);

const device = await get(openDevice());
const clip = await tinyClip();
test.before(async () => {
  await writeTinyClip(at("model"));
  await writeColours(dir, { pets: [240, 30], cars: [90, 200] });
});
test.after(async () => {
  await device.close();
  remove();
});

const method = codyra({ steps: 2, batch: 2, rank: 2 });

const square = (red: number, i: number): Example => ({
  id: `${red} ${i}`,
  label: Number(red < 100),
  image: { kind: "pixels", image: { width: 16, height: 16, data: new Uint8Array(768).fill(red) } },
});
const examples = TE.right([square(240, 0), square(30, 1)]);
const colours: Stream = {
  labelSpace: "task",
  tasks: [{ name: "colours", classNames: ["red", "black"], templates: ["a {c} square."], train: examples, test: examples }],
};

test("folders: tasks in their order, and what is left is a learner with its figures, which other calls read", async () => {
  const events: Event["type"][] = [];
  const data = [at("pets"), at("cars")];
  const ended = await get(run({ method, model: at("model"), data, device, out: at("out"), watch: ({ type }) => events.push(type as Event["type"]) }));
  assert.equal([ended.result.datasets, ended.result.seed, ended.interrupted], [["pets", "cars"], 0, false]);
  assert.is(events.filter((type) => type === "step").length, 4);
  assert.ok(["result.json", "answers.json", "learner.json", "model.safetensors"].every((name) => existsSync(at("out", name))));
  const kept = await get(readLearner(at("out")));
  assert.equal(kept.seen, ended.learner.seen);
  assert.equal(kept.model.weights.get("logit_scale"), ended.learner.model.weights.get("logit_scale"));
  const [row] = await get(compareRuns([at("out")])).then(({ runs }) => runs);
  assert.equal(row.result.matrix, ended.result.matrix);
  // What was learned goes on, from its folder.
  const more = await get(run({ method, model: at("out"), data: at("pets"), device }));
  assert.is(more.learner.seen.length, kept.seen.length + 2);
});

test("values: the bits of runMethod in a runtime, with a model or a learner", async () => {
  const running = await get(runtime({ device, seed: 3 }));
  const { learner: expected } = await get(runMethod(method, learner(clip), colours)(running));
  await running.close();
  for (const model of [clip, learner(clip)]) {
    const ended = await get(run({ method, model, data: colours, device, seed: 3 }));
    assert.equal(ended.learner.model.weights, expected.model.weights);
  }
  assert.is(device.failure(), undefined);
});

test("class folders without splits are split, and shots are drawn", async () => {
  const files: Record<string, Uint8Array> = {};
  for (const [c, name] of ["ant", "bee"].entries()) for (let i = 0; i < 4; i++) files[`${name}/${i}.png`] = await png(200 * c, 20 * i, 16, 16);
  write(at("flat"), files);
  const baseline = sequentialLora({ steps: 1, batch: 2, rank: 2 });
  const { result } = await get(run({ method: baseline, model: clip, data: at("flat"), split: 0.5, shots: 1, labelSpace: "union", device }));
  assert.equal([result.images, result.labelSpace], [[4], "union"]);
});

test("a run that is stopped behind a task has what it has learned; before it fails, and nothing is written", async () => {
  const signal = { aborted: false };
  const stopAt = (last: Event["type"]) => (event: { readonly type: string }) => void (signal.aborted ||= event.type === last);
  const given = { method, model: clip, data: [at("pets"), at("cars")], device, signal };
  const ended = await get(run({ ...given, out: at("stopped"), watch: stopAt("lesson") }));
  assert.equal([ended.interrupted, ended.result.datasets], [true, ["pets"]]);
  assert.equal((await get(readLearner(at("stopped")))).seen, ["ant", "bee"]);
  signal.aborted = false;
  assert.equal(left(await run({ ...given, out: at("nothing"), watch: stopAt("training") })()), { _tag: "Interrupted" });
  assert.not.ok(existsSync(at("nothing")));
});

test("what cannot be run is refused before a device is opened", async () => {
  const never = { platform: { openGpu: () => assert.unreachable(), cache: { read: () => assert.unreachable(), write: () => assert.unreachable() } } };
  const refused = async (given: Partial<Parameters<typeof run>[0]>): Promise<string> =>
    describe(left(await run({ method, model: at("model"), data: at("pets"), device: never as object, ...given })()));
  assert.match(await refused({ model: at("nowhere") }), /nowhere: no such file or directory/);
  assert.match(await refused({ data: [at("pets"), at("nowhere")] }), /nowhere: no such file or directory/);
  assert.match(await refused({ model: at("pets") }), /pets/);
  assert.match(await refused({ out: at("model") }), /model is there already and is not an empty folder/);
  assert.match(await refused({ data: at("model") }), /model/);
  assert.match(await refused({ out: "" }), /no name of a folder/);
  assert.match(await refused({ out: at("model", "config.json", "out") }), /config\.json/);
  assert.match(await refused({ data: [] }), /names no dataset/);
  assert.match(await refused({ data: { tasks: [], labelSpace: "task" } }), /names no dataset/);
  assert.match(await refused({ method: "codyra" as never }), /as in codyra\(/);
  assert.match(await refused({ model: {} as never }), /a folder, a name on the hub, a model or a learner/);
  assert.equal(
    readdirSync(dir).filter((name) => name.startsWith(".")),
    [],
  );
});

test.run();
