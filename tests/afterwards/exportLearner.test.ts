/** What a run has learned, for other programs: its adapters after each task, its model as a folder, what it has added as one adapter; and adapters as models. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { mergeUpdate } from "../../src/model/adapters/update.ts";
import { initialModel, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { exportLearner } from "../../src/afterwards/exportLearner.ts";
import type { Job } from "../../src/runs/job.ts";
import { openLearner } from "../../src/runs/openLearner.ts";
import { runJob } from "../../src/runs/runJob.ts";
import { writeLearner } from "../../src/runs/checkpoint.ts";
import { learner } from "../../src/model/learner.ts";
import { vit } from "../../src/model/vit.ts";
import { left, temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("export");
test.after(remove);
const at = (...path: readonly string[]): string => join(dir, ...path);

const job = (out: string, method: string, data: readonly string[], rest: Partial<Job> = {}): Job => ({
  version: 1,
  model: at("clip"),
  source: { folders: data.map((name) => at("data", name)) },
  method: { name: method, options: method === "zero-shot" ? {} : { steps: 4, batch: 4, rank: 2, lr: 0.02 } },
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: at(out),
  saveAdapters: true,
  ...rest,
});

const vision = { width: 16, mlpWidth: 32, layers: 1, heads: 2, activation: "gelu", eps: 1e-5, imageSize: 16, patchSize: 8, channels: 3 } as const;

test.before(async () => {
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10], blue: [120, 180] });
  await get(writeModel(at("clip"), await tinyClip(), { dtype: "f16" }));
  await get(writeModel(at("vit"), initialModel(vit, { vision }, 1)));
  await get(runJob(job("run", "keeplora", ["red", "dark"])));
});

/** Every weight is near that of another model: within roundings of f32, which grow with the length of a row. */
const near = (a: Model, b: Model): void => {
  assert.equal([...a.weights.keys()].sort(), [...b.weights.keys()].sort());
  for (const [name, { data }] of a.weights) data.forEach((x, i) => assert.ok(Math.abs(x - b.weights.get(name)!.data[i]) < 2e-6, `${name} ${i}`));
};

const changed = (a: Model, b: Model): boolean =>
  [...a.weights].some(([name, { data }]) => data.some((x, i) => Math.abs(x - b.weights.get(name)!.data[i]) > 1e-4));

/** The model with the adapters of a run merged into it, one after the other. */
const withAdapters = async (model: Model, run: string): Promise<Model> => {
  let merged = model;
  for (const name of readdirSync(at(run, "adapters")).sort()) merged = mergeUpdate(merged, await get(readPeft(at(run, "adapters", name), merged)));
  return merged;
};

test("the adapters of a run, merged into its model one after the other, give its learner", async () => {
  assert.equal(readdirSync(at("run", "adapters")).sort(), ["1-red", "2-dark"]);
  const base = await get(readModel(at("clip")));
  const reached = await get(readModel(at("run", "model")));
  assert.ok(changed(base, reached));
  near(await withAdapters(base, "run"), reached);
  const config = JSON.parse(readFileSync(at("run", "adapters", "2-dark", "adapter_config.json"), "utf8"));
  assert.is(config.base_model_name_or_path, at("clip"));
  assert.match(readFileSync(at("run", "adapters", "2-dark", "README.md"), "utf8"), /what keeplora has learned of dark, task 2 of its stream, behind red\./);
});

for (const [method, data] of [
  ["sd-lora", ["red", "dark"]],
  ["duallora", ["red", "dark"]],
  ["joint", ["red", "dark"]],
] as const)
  test(`those of ${method}, too`, async () => {
    await get(runJob(job(method, method, data)));
    near(await withAdapters(await get(readModel(at("clip"))), method), await get(readModel(at(method, "model"))));
  });

test("a run that merges nothing has none; one that was not asked has none", async () => {
  await get(runJob(job("zero", "zero-shot", ["red"])));
  await get(runJob(job("unasked", "keeplora", ["red"], { saveAdapters: undefined })));
  assert.equal([existsSync(at("zero", "adapters")), existsSync(at("unasked", "adapters"))], [false, false]);
});

test("what is never merged is in no folder: the export says so, and what stands in the weights is the model that the run began with", async () => {
  for (const method of ["color", "moram"]) {
    await get(runJob(job(method, method, ["red", "dark"])));
    assert.not.ok(existsSync(at(method, "adapters")), method);
    const { leftOut } = await get(exportLearner(at(method), { model: at(`${method}-plain`) }));
    assert.match(leftOut.join("; "), /the branches that the method runs the model through/, method);
    assert.is(leftOut.includes("the correction of the logits by task"), method === "color");
    near(await get(readModel(at(`${method}-plain`))), await get(readModel(at("clip"))));
    assert.is(
      describe(left(await exportLearner(at(method), { peft: at(`${method}-peft`) })())),
      "peft: would be an adapter of nothing: what was learned is in branches beside the weights, which are those of the base",
    );
    assert.not.ok(existsSync(at(`${method}-peft`)), method);
  }
});

test("the adapters of a run behind another belong to the model that this left, and count on", async () => {
  await get(runJob(job("more", "keeplora", ["blue"], { model: at("run") })));
  assert.equal(readdirSync(at("more", "adapters")), ["3-blue"]);
  const [between, reached] = [await get(readModel(at("run", "model"))), await get(readModel(at("more", "model")))];
  near(await withAdapters(between, "more"), reached);
  const exported = await get(exportLearner(at("more"), { peft: at("more-peft") }));
  assert.is(exported.peft!.base, at("run", "model"));
  near(mergeUpdate(between, await get(readPeft(at("more-peft"), between))), reached);
  const whole = await get(exportLearner(at("more"), { peft: at("whole-peft"), base: at("clip") }));
  assert.is(whole.peft!.base, at("clip"));
  const base = await get(readModel(at("clip")));
  near(mergeUpdate(base, await get(readPeft(at("whole-peft"), base))), reached);
});

test("a run as a model in the element type of its own, and in others, and as an adapter of low rank", async () => {
  const exported = await get(exportLearner(at("run"), { model: at("plain"), peft: at("peft") }));
  assert.equal([exported.model, exported.leftOut], [{ folder: at("plain"), dtype: "f16" }, []]);
  assert.ok(
    [...exported.peft!.ranks.values()].every((rank) => rank >= 1 && rank <= 6),
    "two tasks of rank 2, and at most a direction of rounding",
  );
  assert.ok([...(await get(readSafetensors(at("plain", "model.safetensors")))).values()].every(({ dtype }) => dtype === "F16"));
  assert.not.ok(existsSync(at("plain", "learner.json")));
  assert.ok(existsSync(at("plain", "tokenizer.json")));
  const reached = await get(readModel(at("run", "model")));
  const base = await get(readModel(at("clip")));
  near(mergeUpdate(base, await get(readPeft(at("peft"), base))), reached);
  assert.equal((await get(exportLearner(at("run"), { model: at("wide"), dtype: "f32" }))).model, { folder: at("wide"), dtype: "f32" });
  near(await get(readModel(at("wide"))), reached);
});

test("an adapter is a model by its base: opened, learned behind, and merged into another", async () => {
  const opened = await get(openLearner(at("run", "adapters", "1-red")));
  const base = await get(readModel(at("clip")));
  near(opened.learner.model, mergeUpdate(base, await get(readPeft(at("run", "adapters", "1-red"), base))));
  const merged = await get(exportLearner(at("run", "adapters", "1-red"), { model: at("both"), adapter: at("run", "adapters", "2-dark"), dtype: "f32" }));
  assert.equal(merged.leftOut, []);
  near(await get(readModel(at("both"))), await get(readModel(at("run", "model"))));
  await get(runJob(job("behind", "codyra", ["blue"], { model: at("run", "adapters", "1-red") })));
  near(await withAdapters(opened.learner.model, "behind"), await get(readModel(at("behind", "model"))));
});

test("what a learner answers with beside its weights is named", async () => {
  assert.match(
    (await get(exportLearner(at("duallora"), { model: at("dual-plain") }))).leftOut.join("; "),
    /the branches that the method runs the model through/,
  );
  const headed = {
    ...learner(await get(readModel(at("vit")))),
    seen: ["a", "b"],
    head: { kind: "linear", scale: 1, rows: new Float32Array(32), bias: new Float32Array(2) },
  } as const;
  await get(writeLearner(at("headed"), headed));
  assert.match((await get(exportLearner(at("headed"), { model: at("headed-plain") }))).leftOut.join("; "), /the head of 2 classes/);
});

test("what cannot be exported is said, and nothing is written", async () => {
  const refused = async (source: string, options: Parameters<typeof exportLearner>[1]): Promise<string> =>
    describe(left(await exportLearner(source, options)()));
  assert.match(await refused(at("run"), {}), /^model: is missing, and peft too/);
  assert.match(await refused(at("run"), { model: at("same"), peft: at("same") }), /^peft: names the folder of the model/);
  mkdirSync(at("held"));
  writeFileSync(at("held", "mine.txt"), "");
  for (const option of ["model", "peft"] as const)
    assert.match(await refused(at("run"), { [option]: at("held") }), new RegExp(`^${option}: .*held is there already`));
  assert.match(await refused(at("clip"), { peft: at("none") }), /^base: is missing: the model does not belong to a run/);
  assert.match(await refused(at("clip"), { peft: at("none"), base: at("vit") }), /^base: .*vit is a vit, and .* is a clip: their architectures differ$/);
  for (const [source, options, sentence] of [
    [at("run"), { model: at("run", "none") }, /^model: .* lies in .*run, which is read; name a folder outside of it$/],
    [at("run", "model"), { peft: at("run", "none") }, /^peft: .* lies in .*run, which is read/],
    [at("clip"), { model: at("clip", "none") }, /^model: .* lies in .*clip, which is read/],
    [at("run"), { peft: at("clip", "none"), base: at("clip") }, /^peft: .* lies in .*clip, which is read/],
    [at("run"), { model: at("none"), peft: at("none", "a") }, /^peft: .*a lies in the folder of the model; name one beside it$/],
    [at("run"), { model: at("none", "a"), peft: at("none") }, /^model: .*a lies in the folder of the adapter; name one beside it$/],
    [at("run"), { model: at("none"), base: at("clip") }, /^base: has a meaning with peft alone: the model is written whole$/],
  ] as const)
    assert.match(await refused(source, options), sentence);
  assert.not.ok(existsSync(at("run", "none")) || existsSync(at("clip", "none")));
  const base = await get(readModel(at("clip")));
  const whole = { ...base, weights: new Map([...base.weights].map(([name, t]) => [name, { ...t, data: t.data.map((x) => x * 1.5) }])) };
  await get(writeModel(at("tuned"), whole));
  assert.match(
    await refused(at("tuned"), { peft: at("none"), base: at("clip") }),
    /has changed, and a LoRA adapter changes the weights of linear layers alone/,
  );
  const huge = { ...base, weights: new Map([...base.weights].map(([name, t]) => [name, name === "logit_scale" ? { ...t, data: Float32Array.of(1e6) } : t])) };
  await get(writeModel(at("huge"), huge, { dtype: "f32" }));
  assert.match(await refused(at("huge"), { model: at("none"), dtype: "f16" }), /logit_scale holds 1000000, which does not fit f16; write f32 or bf16/);
  assert.match(await refused(at("nothing"), { model: at("none") }), /no such file or directory/);
  assert.not.ok(existsSync(at("none")));
});

test.run();
