/** A model on data without training: what a run has measured is measured again, whatever its method evaluates through. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { learner } from "../../src/model/learner.ts";
import { initialModel, writeModel } from "../../src/model/model.ts";
import { vit } from "../../src/model/vit.ts";
import { decodePredictions } from "../../src/report/predictions.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { evaluateModel, type EvaluateWhat } from "../../src/afterwards/evaluateModel.ts";
import type { Job } from "../../src/runs/job.ts";
import { openLearner } from "../../src/runs/openLearner.ts";
import { classify } from "../../src/afterwards/predict.ts";
import { platform } from "../../src/platform/default.ts";
import { runJob } from "../../src/runs/runJob.ts";
import { left, png, right, temporaryFolder, write, writeColours } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("evaluate");
test.after(remove);
const at = (...path: readonly string[]): string => join(dir, ...path);
const folders = (...names: readonly string[]) => names.map((name) => at("data", name));

const job = (model: string, method: string, out: string, options: Readonly<Record<string, unknown>> = {}): Job => ({
  version: 1,
  model: at(model),
  source: { folders: folders("red", "dark") },
  method: { name: method, options: { steps: 6, batch: 4, rank: 2, ...options } },
  labelSpace: "union",
  seed: 0,
  evaluate: { templates: "single", also: ["task"] },
  onCorrupt: "fail",
  out: at(out),
});

const both: EvaluateWhat = { source: { folders: folders("red", "dark") }, labelSpaces: ["union", "task"] };

test.before(async () => {
  await writeTinyClip(at("clip"));
  const vision = { width: 16, mlpWidth: 32, layers: 2, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 16, patchSize: 8, channels: 3 } as const;
  await get(writeModel(at("vit"), initialModel(vit, { vision }, 1)));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10], grey: [100, 200] });
  // Every dataset has classes of its own name.
  for (const name of ["red", "dark", "grey"]) write(at("data", name), { "classnames.txt": `${name} ant\n${name} bee\n` });
});

for (const [model, method, options] of [
  ["clip", "duallora", { threshold: 0.99, prediction: { mode: "hard", confidence: 0 } }],
  ["clip", "keeplora+", {}],
  ["vit", "duallora", { threshold: 0.99 }],
  ["clip", "color", {}],
  ["vit", "color", {}],
  ["clip", "moram", {}],
  ["vit", "sequential-lora", {}],
] as const) {
  deviceTest(`a run of ${method} on a ${model} is evaluated as it has evaluated itself`, async (device) => {
    const out = `${method}-${model}`;
    const { result } = await get(runJob(job(model, method, out, options)));
    const opened = await get(openLearner(at(out)));
    const evaluated = await get(evaluateModel(opened, both, { device }));
    const accuracies = (space: "union" | "task") => evaluated.datasets.map(({ accuracy }) => accuracy[space]);
    assert.equal(accuracies("union"), result.matrix[1]);
    assert.equal(accuracies("task"), result.also.task!.matrix[1]);
    assert.equal(
      evaluated.datasets.map(({ dataset, classes, images, chance }) => [dataset, classes, images, chance]),
      ["red", "dark"].map((name) => [name, 2, 4, { union: 25, task: 50 }]),
    );
    // In another order, and one of them alone.
    const turned = await get(evaluateModel(opened, { ...both, source: { folders: folders("dark", "red") } }, { device }));
    assert.equal(
      turned.datasets.map(({ accuracy }) => accuracy.union),
      result.matrix[1].toReversed(),
    );
    assert.equal([turned.mean.union, turned.mean.task], [evaluated.mean.union, evaluated.mean.task]);
    const alone = await get(evaluateModel(opened, { source: { folders: folders("dark") } }, { device }));
    assert.equal([alone.datasets[0].accuracy, alone.mean], [{ task: result.also.task!.matrix[1][1] }, { task: result.also.task!.matrix[1][1] }]);
    // Its answers are those of classify.
    const path = at("predictions", `${out}.jsonl`);
    await get(evaluateModel(opened, { ...both, predictions: path }, { device }));
    const lines = right(decodePredictions(path)(readFileSync(path, "utf8")));
    const pictures = lines.map(({ sample }) => sample);
    const labels = ["red ant", "red bee", "dark ant", "dark bee"];
    const answers = await get(classify(opened, pictures, labels, { device }));
    assert.equal(
      lines.map(({ top, after }) => [top.map(({ label, score }) => [label, score.toFixed(5)]), after]),
      answers.map((answer) => [answer.labels.map(({ label, score }) => [label, score.toFixed(5)]), undefined]),
    );
  });
}

deviceTest("a model as it is: the zero-shot row of a run, also of class folders without test, and of pictures that cannot all be read", async (device) => {
  const { zeroShot } = right(parseRunResult("result.json")(readFileSync(at("keeplora+-clip", "result.json"), "utf8")));
  const clip = await get(openLearner(at("clip")));
  const { datasets, adapter } = await get(evaluateModel(clip, both, { device }));
  assert.equal(
    datasets.map(({ accuracy }) => accuracy.union),
    zeroShot,
  );
  assert.is(adapter, device.adapter.line);
  write(at("flat"), { "ant/1.png": await png(1, 2), "bee/1.png": await png(200, 2), "bee/2.png": "none" });
  const flat: EvaluateWhat = { source: { folders: [at("flat")] } };
  assert.match(describe(left(await evaluateModel(clip, flat, { device })())), "2.png cannot be decoded");
  const notes: string[] = [];
  const skipped = await get(evaluateModel(clip.learner, { ...flat, onCorrupt: "skip" }, { device, note: (line) => notes.push(line) }));
  assert.equal([skipped.skipped, skipped.datasets[0].images, skipped.datasets[0].chance], [1, 2, { task: 50 }]);
  assert.match(notes.join("\n"), /flat +2 +3/);
  const limited = await get(evaluateModel(clip, { ...both, evalLimit: 3 }, { device }));
  assert.equal(
    limited.datasets.map(({ images }) => images),
    [3, 3],
  );
});

deviceTest("the picture of several questions, which are scored in two ways, is read once", async (device) => {
  const lines = ["yes", "no"].map((answer, i) => JSON.stringify({ id: `${i}`, prompt: `is it ${i}?`, image: "a.png", answer, choices: ["yes", "no"] }));
  write(at("questions"), {
    "test.jsonl": `${lines.join("\n")}\n`,
    "a.png": await png(200, 10),
    "task.json": JSON.stringify({ maxTokens: 2, chat: "{prompt}\n" }),
  });
  let reads = 0;
  const { files } = platform;
  const counting = { ...files, read: (path: string) => (path.endsWith("a.png") && reads++, files.read(path)) };
  const llava = await get(openLearner("tests/fixtures/llava-tiny"));
  const { datasets } = await get(evaluateModel(llava, { source: { folders: [at("questions")] } }, { device, files: counting }));
  assert.equal([datasets[0].images, Object.keys(datasets[0].scores!)], [2, ["choice", "exact"]]);
  assert.is(reads, 1);
});

deviceTest("what cannot be evaluated says so: classes that no head knows, branches without their run, no data", async (device) => {
  const seeing = await get(openLearner(at("sequential-lora-vit")));
  const failure = async (...given: Parameters<typeof evaluateModel>) => describe(left(await evaluateModel(...given)()));
  assert.match(await failure(seeing, { source: { folders: folders("grey") } }, { device }), /^grey: "grey ant" is no class that was learned/);
  assert.match(await failure(await get(openLearner(at("vit"))), both, { device }), "a vit reads no texts, and this one has learned no classes");
  const { learner: branched } = await get(openLearner(at("duallora-clip")));
  assert.match(await failure(branched, both, { device }), "give the folder of its run");
  assert.match(await failure(learner(branched.model), { source: { folders: [at("nothing")] } }, { device }), "nothing");
});

runTests();
