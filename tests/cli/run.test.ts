/** `cambium run` as its users meet it: a process with flags, two outputs and an exit code. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { methods } from "../../src/methods/table.ts";
import { network } from "../../src/model/architecture.ts";
import { clip } from "../../src/model/clip.ts";
import { readModel, readModelAs } from "../../src/model/model.ts";
import { decodeLog } from "../../src/report/log.ts";
import type { ClassIncremental } from "../../src/report/classIncremental.ts";
import { meanOf } from "../../src/report/metrics.ts";
import type { RunResult } from "../../src/report/result.ts";
import { decodeRunResult } from "../../src/report/resultCodec.ts";
import { readLearner } from "../../src/runs/checkpoint.ts";
import { bytesKept } from "../../src/model/memory.ts";
import { processorConfig, withPixels } from "../../src/data/pixels.ts";
import { protocols } from "../../src/data/protocols.ts";
import { png, right, temporaryFolder, write, writeColours } from "../fixtures/datasets.ts";
import { tinyConfig, writeTinyClip } from "../fixtures/tinyClip.ts";
import { cambium, type Ended } from "./command.ts";

const stream = (args: readonly string[], watch?: Parameters<typeof cambium>[1]): Promise<Ended> => cambium(["run", ...args], watch);

const { dir, remove } = temporaryFolder("stream");
const at = (...path: readonly string[]): string => join(dir, ...path);
const model = at("model");
const data = (...names: readonly string[]): string => names.map((name) => at("data", name)).join(",");

const flags = (out: string, more: Readonly<Record<string, string>> = {}): readonly string[] =>
  Object.entries({ model, data: data("red", "dark"), method: "codyra", out: at(out), steps: "3", batch: "4", rank: "4", ...more }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);

const resultOf = (out: string): RunResult => right(decodeRunResult("result.json")(JSON.parse(readFileSync(at(out, "result.json"), "utf8"))));

const hidden = (): readonly string[] => readdirSync(dir).filter((name) => name.startsWith("."));

test.before(async () => {
  await writeTinyClip(model);
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10], broken: [90, 200] });
  writeFileSync(at("data", "broken", "train", "bee", "0.png"), "no image");
  mkdirSync(at("data", "empty"), { recursive: true });
});

test.after(remove);

test("before training it says pictures and classes by task, and what was left out; --split draws the splits of a flat folder", async () => {
  const image = await png(200, 10);
  for (const name of ["ant", "bee"]) write(at("flat"), Object.fromEntries(Array.from({ length: 5 }, (_, i) => [join(name, `${i}.png`), image])));
  write(at("flat"), { "ant/notes.txt": "no picture", "bee/a.svg": "<svg></svg>" });
  const refused = await stream(flags("flat-out", { data: at("flat") }));
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /neither train nor test; --split 0\.8/);
  const ended = await stream(flags("flat-out", { data: at("flat"), split: "0.8" }));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /Task +Classes +Training pictures +of classes +Test pictures +of classes\n\u2500+\nflat +2 +8 +2 +2 +[12]\n/);
  assert.match(ended.stderr, /flat: training: left out 1 file that is no picture \(flat\/ant\/notes\.txt\), 1 SVG picture \(flat\/bee\/a\.svg\)\n/);
  assert.match(ended.stderr, /80 % of its 10 pictures are drawn for training/);
  assert.is(resultOf("flat-out").options.split, 0.8);
});

test("a run writes result, log, report and model, and the model loads again", async () => {
  const ended = await stream(
    flags("codyra", {
      seed: "5",
      shots: "2",
      "eval-limit": "3",
      "label-space": "union",
      lr: "1e-3",
      templates: "ensemble",
    }),
  );
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^adapter: .+\n/);
  assert.match(ended.stdout, /Method +Learned +(Gain kept +)?Transfer +Average +Last +Forgetting/);
  assert.match(ended.stderr, /learn red: 3 in .*\n(.*\n)*learn dark: 3 in /);
  const result = resultOf("codyra");
  assert.is(result.method, "codyra");
  assert.is(result.seed, 5);
  assert.equal(result.datasets, ["red", "dark"]);
  assert.is(result.options.steps, 3);
  assert.is(result.options.lr, 1e-3);
  assert.is(result.options.labelSpace, "union");
  assert.ok(ended.stdout.includes(result.adapter));
  assert.is(result.zeroShot.length, 2);
  assert.is(result.matrix.length, 2);
  for (const key of ["transfer", "average", "last", "forgetting", "bwt"] as const) assert.type(result[key], "number", key);
  const all = network(clip, tinyConfig).layers;
  assert.is(
    result.trainableParameters,
    all.reduce((n, m) => n + 4 * (m.in + m.out + 1), 0),
  );
  assert.is(result.effectiveRank.length, 2);
  assert.ok(result.effectiveRank.every((r) => r !== null && r >= 0 && r <= 4));
  assert.equal(
    Object.keys(result.ranks[0]),
    all.map((m) => m.name),
  );
  assert.ok(result.seconds > 0);

  const log = right(decodeLog("log.jsonl")(readFileSync(at("codyra", "log.jsonl"), "utf8")));
  assert.equal(
    log.map((r) => `${r.type} ${r.task} ${r.dataset}`),
    [
      "eval 0 red",
      "eval 0 dark",
      "step 1 red",
      "step 1 red",
      "step 1 red",
      "eval 1 red",
      "eval 1 dark",
      "task 1 red",
      "step 2 dark",
      "step 2 dark",
      "step 2 dark",
      "eval 2 red",
      "eval 2 dark",
      "task 2 dark",
    ],
  );
  assert.equal(
    log.flatMap((r) => (r.type === "eval" && r.task === 2 ? [r.accuracy] : [])),
    result.matrix[1],
  );

  assert.match(readFileSync(at("codyra", "report.html"), "utf8"), /<table/);
  const [before, after] = [await get(readModelAs(clip, model)), await get(readModelAs(clip, at("codyra", "model")))];
  assert.equal(after.config, before.config);
  const weight = "vision_model.encoder.layers.0.mlp.fc1.weight";
  assert.not.equal(after.weights.get(weight), before.weights.get(weight));
  assert.equal(after.weights.get("logit_scale"), before.weights.get("logit_scale"));
  assert.equal(hidden(), []);
});

test("probes are listed, scored after every task among their own classes, and logged as what they are; all pictures of class folders alone are test pictures", async () => {
  cpSync(at("data", "dark", "train"), at("data", "flat"), { recursive: true });
  cpSync(at("data", "dark"), at("probes", "red"), { recursive: true });
  const probe = [at("data", "flat"), at("probes", "red")].join(",");
  const ended = await stream(flags("probed", { probe, "label-space": "union,seen", "eval-limit": "3", data: data("red", "red") }));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /^flat \(probe\) +2 +\u2013 +\u2013 +3 +\d\nred-3 \(probe\) +2 +\u2013 +\u2013 +3 +\d$/m);
  assert.match(ended.stderr, /evaluate: 4 in .*, mean [\d.]+ %, probe flat [\d.]+ %, probe red-3 [\d.]+ %$/m);
  const result = resultOf("probed");
  assert.equal(
    result.probes.map(({ name, images, chance, after }) => [name, images, chance, after.length]),
    [
      ["flat", 3, 50, 2],
      ["red-3", 3, 50, 2],
    ],
  );
  const log = right(decodeLog("log.jsonl")(readFileSync(at("probed", "log.jsonl"), "utf8")));
  assert.equal(
    log.flatMap((r) => (r.type === "eval" ? [r.dataset] : [])),
    ["red", "red-2", "red", "red-2", "red", "red-2"],
  );
  assert.equal(
    log.flatMap((r) => (r.type === "probe" && r.dataset === "flat" ? [r.accuracy] : [])),
    [result.probes[0].zeroShot, ...result.probes[0].after],
  );
});

test("other label spaces stand beside the first, and --set wins over a flag", async () => {
  const ended = await stream(flags("spaces", { "label-space": "task,union,seen", set: "rank=2,kappa=0.5,shrink=code,modules=q+fc1,steps=2" }));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^CoDyRA {2}.*\n {2}union {2}.*\n {2}seen {2}/m);
  assert.match(ended.stdout, /^Among the classes learned so far: [\d.]+ % after the last task, [\d.]+ % in the mean after each\.$/m);
  const result = resultOf("spaces");
  assert.equal(
    ["rank", "kappa", "shrink", "modules", "steps", "batch", "labelSpace", "also"].map((name) => result.options[name]),
    [2, 0.5, "code", ["q", "fc1"], 2, 4, "task", ["union", "seen"]],
  );
  assert.equal(Object.keys(result.also), ["union", "seen"]);
  assert.is(result.also.seen.matrix.length, 2);
  const { classIncremental } = JSON.parse(readFileSync(at("spaces", "result.json"), "utf8")) as { readonly classIncremental: ClassIncremental };
  // Both tasks have as many test images.
  assert.is(classIncremental.final, meanOf(result.also.seen.matrix[1]));
});

test("a ViT learns class after class with a head that grows", async () => {
  const vit = join("tests", "fixtures", "vit-tiny");
  const ended = await stream(flags("vit", { model: vit, method: "duallora", "label-space": "seen", set: "lr=1e-2" }));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^Among the classes learned so far: /m);
  const result = resultOf("vit");
  assert.equal(result.zeroShot, [null, null]);
  assert.equal(
    result.matrix.map((row) => row.map((a) => a !== null)),
    [
      [true, false],
      [true, true],
    ],
  );
  assert.ok(result.bytesKept > 0);
  assert.is((await get(readModel(at("vit", "model")))).config.text, undefined);
  const reached = await get(readLearner(at("vit", "model")));
  assert.is(reached.head!.bias.length, reached.seen.length);
  assert.is(bytesKept(reached), result.bytesKept);
});

test("zero-shot trains nothing, and says which flags mean nothing to it", async () => {
  const ended = await stream(flags("zero", { method: "zero-shot", data: data("red", "red") }));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /--steps has no meaning for zero-shot/);
  const result = resultOf("zero");
  assert.equal(result.datasets, ["red", "red-2"]);
  assert.equal(result.matrix, [result.zeroShot, result.zeroShot]);
  assert.is(result.trainableParameters, 0);
  assert.equal(result.effectiveRank, [null, null]);
  assert.is(result.forgetting, 0);
});

test("joint training has a last row alone; corrupt images can be skipped", async () => {
  const ended = await stream(flags("joint", { method: "joint", data: data("red", "broken"), "on-corrupt": "skip" }));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /skipped .*0\.png/);
  const result = resultOf("joint");
  assert.equal(result.matrix[0], [null, null]);
  assert.type(result.last, "number");
  assert.is(result.transfer, null);
  assert.equal(result.effectiveRank, [null, 4]);
  assert.is((JSON.parse(readFileSync(at("joint", "result.json"), "utf8")) as { readonly skipped: number }).skipped, 1);
});

test("a corrupt image stops a run, which keeps the tasks that were finished and goes on when it is mended", async () => {
  const given = flags("corrupt", { method: "sequential-lora", data: data("red", "broken"), batch: "6" });
  const ended = await stream(given);
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /\n1 task is kept in .*corrupt\/model \(red\); cambium resume .*corrupt goes on\.\n.*bee: sample 0\.png cannot be decoded: .*\n$/);
  assert.not.match(ended.stderr, /\n\s+at /);
  assert.equal(resultOf("corrupt").datasets, ["red"]);
  assert.equal((await get(readLearner(at("corrupt", "model")))).seen, ["ant", "bee"]);
  const broken = at("data", "broken", "train", "bee", "0.png");
  copyFileSync(at("data", "broken", "train", "bee", "1.png"), broken);
  const mended = await cambium(["resume", at("corrupt")]);
  writeFileSync(broken, "no image");
  assert.is(mended.code, 0, mended.stderr);
  assert.equal(resultOf("corrupt").datasets, ["red", "broken"]);
  assert.not.match(mended.stderr, /learn red/);
  assert.equal(hidden(), []);
});

test("a run that fails before a task was finished leaves nothing behind", async () => {
  const ended = await stream(flags("nothing", { method: "sequential-lora", data: data("broken", "red"), batch: "6" }));
  assert.is(ended.code, 1);
  assert.match(ended.stderr, /bee: sample 0\.png cannot be decoded: .*\n$/);
  assert.not.ok(existsSync(at("nothing")));
  assert.equal(hidden(), []);
});

/** The class-incremental preset needs one folder alone. */
const presetFlags = (root: string, more: readonly string[] = []): readonly string[] => [
  "--model",
  model,
  "--preset",
  "cifar100-10",
  "--data-root",
  at(root),
  "--method",
  "codyra",
  ...more,
];

/** CIFAR-100 as an ImageFolder: an image of every class in each split. */
const writeCifar = async (root: string, classes: number): Promise<void> => {
  const image = await png(10, 200, 16, 16);
  const files = Array.from({ length: classes }, (_, c) => ["train", "test"].map((split) => [`${split}/class ${c}/0.png`, image])).flat();
  write(at(root, "cifar100"), Object.fromEntries(files) as Record<string, Uint8Array>);
};

test("a preset brings datasets, templates, label space and hyper-parameters; flags and --set win", async () => {
  await writeCifar("hundred", 100);
  const ended = await stream(presetFlags("hundred", ["--out", at("preset"), "--steps", "1", "--batch", "2", "--rank", "2", "--set", "kappa=0.01"]));
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /cifar100: cifar100 has 100 training images, the protocol 50000/);
  const result = resultOf("preset");
  assert.equal(
    result.datasets,
    Array.from({ length: 10 }, (_, i) => `cifar100-${i + 1}`),
  );
  assert.is(result.seed, 0);
  assert.equal(
    ["steps", "batch", "rank", "lr", "kappa", "labelSpace", "templates", "preset", "hyperParameters", "shots"].map((name) => result.options[name]),
    [1, 2, 2, 5e-4, 0.01, "seen", "single", "cifar100-10", "our choice", null],
  );
});

test("InfLoRA's preset learns classes in their own order from pixels between 0 and 1, and its learner keeps these; flags win", async () => {
  const own = (out: string, more: readonly string[] = []): readonly string[] =>
    presetFlags("hundred", ["--out", at(out), "--steps", "1", "--batch", "2", "--rank", "2", ...more]).map((word) => (word === "codyra" ? "inflora" : word));
  const ended = await stream(own("natural"));
  assert.is(ended.code, 0, ended.stderr);
  const { options } = resultOf("natural");
  const unit = { mean: [0, 0, 0], std: [1, 1, 1], crop: 1, resampling: "bilinear" };
  assert.equal([options.classOrder, options.pixels, options.hyperParameters, options.seed], ["natural", unit, "our choice", undefined]);
  const { model: kept, seen } = right(await readLearner(at("natural", "model"))());
  assert.equal([kept.preprocess!.mean, kept.preprocess!.std, kept.preprocess!.resize], [unit.mean, unit.std, { shortest: tinyConfig.vision.imageSize }]);
  // A folder's classes are in the order of their names.
  assert.equal(seen, [...seen].sort());
  const other = await stream(own("seeded", ["--class-order", "seeded", "--pixels", "model"]));
  assert.is(other.code, 0, other.stderr);
  assert.equal([resultOf("seeded").options.classOrder, resultOf("seeded").options.pixels], ["seeded", undefined]);
  const again = right(await readLearner(at("seeded", "model"))());
  assert.not.equal(again.seen, [...again.seen].sort());
  assert.not.equal(again.model.preprocess!.mean, unit.mean);
});

test("pixels of a run are those of a folder that says the same, to the bit", async () => {
  const folder = at("unit");
  cpSync(model, folder, { recursive: true });
  const { preprocess } = right(await readModel(model)());
  writeFileSync(join(folder, "preprocessor_config.json"), JSON.stringify(processorConfig(withPixels(preprocess!, 16, { mean: [0, 0, 0], std: [1, 1, 1] }))));
  for (const args of [flags("by-flag", { pixels: "unit" }), flags("by-folder", { model: folder })]) assert.is((await stream(args)).code, 0);
  const [flag, said] = ["by-flag", "by-folder"].map((out) => readFileSync(at(out, "model", "model.safetensors")));
  assert.ok(flag.equals(said));
  assert.equal(resultOf("by-flag").matrix, resultOf("by-folder").matrix);
});

test("a method distils on the pictures of a reference, all of them where it has no splits, and its classes are not learned", async () => {
  write(at("reference"), { "light/0.png": await png(230, 5), "grey/0.png": await png(128, 5) });
  const ended = await stream(flags("distilled", { method: "zscl", set: "tuned=lora", reference: at("reference") }));
  assert.is(ended.code, 0, ended.stderr);
  const { options, datasets, probes } = resultOf("distilled");
  assert.equal([options.reference, datasets, probes], [at("reference"), ["red", "dark"], []]);
  const own = await stream(flags("undistilled", { method: "zscl", set: "tuned=lora" }));
  assert.is(own.code, 0, own.stderr);
  assert.is(resultOf("undistilled").options.reference, undefined);
  assert.match(own.stderr, /zscl distils on reference pictures and was given none: the task's own pictures take their place/);
  assert.not.match(ended.stderr, /own pictures/);
  const unused = await stream(flags("unused", { reference: at("reference") }));
  assert.is(unused.code, 0, unused.stderr);
  assert.match(unused.stderr, /distils on no reference pictures: those of reference have no meaning for it/);
  assert.is(resultOf("unused").options.reference, undefined);
  for (const [run, said] of [
    ["distilled", /Reference +\S*reference\n/],
    ["undistilled", /Reference +the task's own pictures\n/],
    ["unused", /Reference +\S*reference, which .* has no use for\n/],
  ] as const)
    assert.match((await cambium(["info", at(run)])).stdout, said);
  const weights = (run: string): Buffer => readFileSync(at(run, "model", "model.safetensors"));
  assert.not.ok(weights("distilled").equals(weights("undistilled")));
});

test("a preset can have probes", async () => {
  const ended = await stream(
    presetFlags("hundred", ["--out", at("preset-probed"), "--steps", "1", "--batch", "2", "--rank", "2", "--probe", at("data", "flat")]),
  );
  assert.is(ended.code, 0, ended.stderr);
  const { probes, datasets } = resultOf("preset-probed");
  assert.equal([probes[0].name, probes[0].after.length, datasets.length], ["flat", 10, 10]);
});

/** Exit code 1, one line on stderr, nothing written. */
const refuses = (what: string, args: () => readonly string[], line: RegExp): void => {
  test(`refuses ${what}`, async () => {
    const ended = await stream(args());
    assert.is(ended.code, 1, ended.stdout + ended.stderr);
    assert.is(ended.stdout, "");
    assert.match(ended.stderr, /^[^\n]+\n$/);
    assert.match(ended.stderr, line);
    assert.not.ok(existsSync(at("out")));
    assert.equal(hidden(), []);
  });
};

/** A copy of the model that `damage` changes. */
const damaged = (name: string, damage: (folder: string) => void): string => {
  const folder = at(name);
  cpSync(model, folder, { recursive: true });
  damage(folder);
  return folder;
};

refuses("an unknown flag", () => [...flags("out"), "--stepz", "3"], /^--stepz: there is no such flag/);
refuses("what is no flag", () => [...flags("out"), "codyra"], /^codyra: is no flag/);
refuses("a flag given twice", () => [...flags("out"), "--steps", "3"], /^--steps: is given twice/);
refuses("a flag without its value", () => [...flags("out"), "--seed"], /^--seed: needs a value/);
/** The arguments without a flag and its value. */
const without = (name: string, args: readonly string[]): readonly string[] => args.filter((word, i) => word !== name && args[i - 1] !== name);

/** The arguments of another preset. */
const ofPreset = (name: string, args: readonly string[]): readonly string[] => args.map((word) => (word === "cifar100-10" ? name : word));

refuses("a stream from nowhere", () => without("--data", flags("out")), /^--data: is missing, and --preset/);
refuses("data beside a preset", () => [...flags("out"), "--preset", "mtil-1", "--data-root", at("data")], /^--preset: names its datasets itself/);
refuses(
  "a preset without its root, of which nobody has published the data",
  () => without("--data-root", ofPreset("domainnet-5", presetFlags("x"))),
  /^--data-root: is missing: domainnet of domainnet-5 is not published, so say where its folder is/,
);
refuses(
  "a preset of questions without its root",
  () => without("--data-root", ofPreset("ucit", presetFlags("x"))),
  /^--data-root: is missing: imagenet-r of ucit is not downloaded, so say where its folder is/,
);
refuses(
  "a preset of questions whose folders are not there, and names them",
  () => ofPreset("standard-cl-2", presetFlags("hundred")),
  /it is not all that standard-cl-2 needs: \(1\) dbpedia: there is no folder dbpedia; \(2\) amazon: there is no folder amazon; \(3\) agnews: there is no folder agnews/,
);
refuses("a root without a preset", () => [...flags("out"), "--data-root", at("data")], /^--data-root: has a meaning with --preset alone/);
const probed = (probe: string): readonly string[] => flags("out", { probe });
refuses(
  "a reference that is learned",
  () => flags("out", { reference: data("red") }),
  /^--reference: .*red is learned as a task; a reference is a dataset that is never learned\n$/,
);
refuses(
  "adapters of a method that trains the whole model",
  () => [...flags("out", { method: "zscl" }), "--save-adapters"],
  /^--save-adapters: zscl changes weights that no LoRA adapter can say; with --set tuned=lora/,
);
refuses("a probe that is learned", () => probed(data("red")), /^--probe: .*red is learned as a task; a probe is a dataset that is never learned\n$/);
refuses("a probe that is a dataset of the preset", () => [...presetFlags("hundred"), "--probe", at("hundred", "cifar100")], /^--probe: .*cifar100 is learned/);
refuses("a probe twice", () => probed(`${at("data", "flat")},${join(at("data", "flat"), ".")}/`), /^--probe: .*flat is named twice\n$/);
const learnedAs = (how: string): RegExp => new RegExp(`^--probe: .*${how} .*red, which is learned as a task; a probe is a dataset that is never learned\\n$`);
const linkTo = (to: string, from: string): string => {
  mkdirSync(at("links"), { recursive: true });
  symlinkSync(to, at("links", from), "junction");
  return at("links", from);
};
refuses("a probe that is learned under another name", () => probed(linkTo(data("red"), "red")), learnedAs("links.red is the same folder as"));
refuses("a probe that is a part of what is learned", () => probed(join(data("red"), "train")), learnedAs("train lies inside of"));
refuses("a probe that is such a part under another name", () => probed(linkTo(join(data("red"), "train"), "part")), learnedAs("part lies inside of"));
refuses("a probe that holds what is learned", () => probed(at("data")), learnedAs("data holds"));
refuses(
  "a probe twice under two names",
  () => probed([at("data", "flat"), linkTo(at("data", "flat"), "flat")].join(",")),
  /^--probe: .*links.flat is the same folder as .*data.flat; name it once\n$/,
);
refuses(
  "a probe without test pictures",
  () => {
    cpSync(at("data", "red", "train"), at("data", "untested", "train"), { recursive: true });
    return probed(data("untested"));
  },
  /^Cannot read .*untested: a probe is scored on its test pictures, and it has none \(.*\)\n$/,
);
refuses("a probe that is not there", () => probed(at("nowhere")), /^Cannot read .*nowhere: no such file/);
refuses("a probe that is no dataset", () => probed(data("empty")), /empty: it is no dataset/);

refuses("an unknown preset", () => ofPreset("cifar", presetFlags("x")), /^--preset: should be one of mtil-1, .*, not "cifar"/);
refuses(
  "a preset whose data is not there, with a list",
  () => ofPreset("mtil-2", presetFlags("data", ["--out", at("out")])),
  /^Cannot read .*data: it is not all that mtil-2 needs: \(1\) cars: there is no folder cars or .*; \(11\) cifar100: there is no folder/,
);
refuses("a missing flag", () => flags("out").slice(2), /^--model: is missing/);
refuses("a number that is none", () => flags("out", { steps: "many" }), /^--steps: should be a whole number from 1 to 2147483647, not "many"/);
refuses("a number out of range", () => flags("out", { lr: "-1" }), /^--lr: should be a number above 0/);
refuses(
  "an option that the method does not have",
  () => flags("out", { set: "lambda=0.1" }),
  /^--set: codyra has no option lambda; it has steps, batch, .*kappa/,
);
refuses("an option that is wrong", () => flags("out", { set: "kappa=0.1,shrink=none" }), /^--set: shrink should be one of paper, code, not "none"/);
refuses("a label space twice", () => flags("out", { "label-space": "task,task" }), /^--label-space: should be a list with commas/);
refuses("an unknown method", () => flags("out", { method: "magic" }), /^--method: should be one of zero-shot, sequential-lora, .*, not "magic"/);
refuses("a missing model folder", () => flags("out", { model: at("nowhere") }), /^Cannot read .*nowhere: no such file/);
refuses("a missing dataset folder", () => flags("out", { data: `${data("red")},${at("nowhere")}` }), /^Cannot read .*nowhere: no such file/);
refuses("a folder that is no dataset", () => flags("out", { data: data("empty") }), /empty: it is no dataset/);
refuses("an output folder that holds something", () => flags("data"), /^--out: .* is there already and is not an empty folder/);
refuses(
  "a truncated safetensors",
  () =>
    flags("out", {
      model: damaged("truncated", (folder) => {
        const path = join(folder, "model.safetensors");
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.subarray(0, bytes.length - 100));
      }),
    }),
  /^.*model\.safetensors is damaged/,
);
refuses(
  "a config that does not match its weights",
  () =>
    flags("out", {
      model: damaged("mismatch", (folder) => {
        const path = join(folder, "config.json");
        writeFileSync(path, readFileSync(path, "utf8").replace(/"intermediate_size": 32/g, '"intermediate_size": 48'));
      }),
    }),
  /model\.safetensors: tensor .* where config\.json asks for \[48/,
);
refuses(
  "a config that is no JSON",
  () =>
    flags("out", {
      model: damaged("text", (folder) => copyFileSync(join(folder, "merges.txt"), join(folder, "config.json"))),
    }),
  /^.*config\.json is damaged: it is not JSON/,
);

test("--help says everything and asks for nothing", async () => {
  const ended = await stream(["--help"]);
  assert.is(ended.code, 0);
  assert.is(ended.stderr, "");
  const names = [
    "model",
    "data",
    "preset",
    "data-root",
    "probe",
    "method",
    "out",
    "steps",
    "batch",
    "shots",
    "rank",
    "lr",
    "seed",
    "label-space",
    "eval-limit",
    "set",
  ];
  for (const name of names) {
    assert.match(ended.stdout, new RegExp(`--${name} `));
  }
  for (const name of [...Object.keys(methods), ...Object.keys(protocols)]) assert.ok(ended.stdout.includes(name), name);
});

// Windows has no signals to send.
const signals = process.platform === "win32" ? test.skip : test;

signals("Ctrl-C keeps the tasks that were finished", async () => {
  let sent = false;
  const ended = await stream(flags("stopped", { method: "sequential-lora", data: data("red", "dark", "red"), steps: "400" }), (printed, send) => {
    if (sent || (printed.match(/evaluate: 3 in/g) ?? []).length < 2) return;
    sent = true;
    send("SIGINT");
  });
  assert.is(ended.signal, null);
  assert.is(ended.code, 130, ended.stderr);
  assert.match(ended.stderr, /Stopping after this step/);
  assert.not.match(ended.stderr, /\n\s+at /);
  const result = resultOf("stopped");
  assert.equal(result.datasets, ["red"]);
  assert.is(result.matrix.length, 1);
  assert.is((JSON.parse(readFileSync(at("stopped", "result.json"), "utf8")) as { readonly interrupted: boolean }).interrupted, true);
  await get(readModelAs(clip, at("stopped", "model")));
  assert.equal(hidden(), []);
});

signals("Ctrl-C before a step was made leaves nothing behind", async () => {
  let sent = false;
  const ended = await stream(flags("early", { steps: "100000" }), (printed, send) => {
    if (sent || !printed.includes("adapter: ")) return;
    sent = true;
    send("SIGINT");
  });
  assert.is(ended.signal, null);
  assert.is(ended.code, 130, ended.stderr);
  assert.match(ended.stderr, /No step was made yet, so nothing is kept\.\nStopped on request, in the middle of a task\.\n$/);
  assert.not.ok(existsSync(at("early")));
  assert.equal(hidden(), []);
});

signals("Ctrl-C within the first task keeps its steps", async () => {
  let sent = false;
  const ended = await stream(flags("within", { steps: "100000" }), (printed, send) => {
    if (sent || !/learn \S+: +\d+ ?%/.test(printed)) return;
    sent = true;
    send("SIGINT");
  });
  assert.is(ended.signal, null);
  assert.is(ended.code, 130, ended.stderr);
  assert.match(ended.stderr, /The steps of the first task are kept; cambium resume .* goes on\.\nStopped on request, in the middle of a task\.\n$/);
  assert.equal(readdirSync(at("within")).sort(), ["job.json", "log.jsonl", "training.safetensors"]);
  assert.equal(hidden(), []);
});

test.run();
