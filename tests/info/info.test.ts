/** What lies in a folder, as data and in words. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, get } from "../../src/failure.ts";
import { trainableParameters } from "../../src/model/adapters/adapter.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { network } from "../../src/model/architecture.ts";
import { decodeConfig } from "../../src/model/config.ts";
import { learner } from "../../src/model/learner.ts";
import { llava } from "../../src/model/llava.ts";
import { readModel } from "../../src/model/model.ts";
import type { Hub } from "../../src/platform/hub.ts";
import { writeLearner } from "../../src/runs/checkpoint.ts";
import { decoderMemory } from "../../src/info/decoderMemory.ts";
import { info, type Info } from "../../src/info/info.ts";
import { trainingMemory } from "../../src/info/trainingMemory.ts";
import { infoText } from "../../src/info/infoText.ts";
import { inShort } from "../../src/info/peftInfo.ts";
import { isLowRank } from "../../src/info/runInfo.ts";
import { clip } from "../../src/model/clip.ts";
import type { Job } from "../../src/runs/job.ts";
import { runJob } from "../../src/runs/runJob.ts";
import { jobsOf } from "../../src/sweep/jobs.ts";
import type { Sweep } from "../../src/sweep/sweep.ts";
import { left, png, right, temporaryFolder, write, writeColours, writeWebDataset } from "../fixtures/datasets.ts";
import { works } from "../../bench/steps.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("info");
const at = (...path: readonly string[]): string => join(dir, ...path);
const vit = join("tests", "fixtures", "vit-tiny");

test.before(async () => {
  await writeTinyClip(at("clip"));
  await writeColours(at("data"), { red: [240, 30], dark: [60, 10] });
});

test.after(remove);

const told = async (folder: string): Promise<Info> => {
  const found = await get(info(folder));
  // What --json prints is all of it.
  assert.equal(JSON.parse(JSON.stringify(found)), found);
  for (const columns of [40, 80, 120]) {
    const lines = infoText({ ...found, folder: "X" }, columns).split("\n");
    for (const line of lines.filter((one) => /^ |^X/.test(one))) assert.ok(line.length <= columns, line);
  }
  return found;
};

const words = (found: Info): string => infoText({ ...found, folder: "X" });

test("a model has towers, sizes, and what adapters would train", async () => {
  const clip = await told(at("clip"));
  assert.ok(clip.kind === "model" && clip.architecture === "clip" && clip.texts !== null);
  const weights = [...(await get(readModel(at("clip")))).weights.values()].reduce((n, { data }) => n + data.length, 0);
  assert.is(clip.parameters, weights);
  assert.equal(
    clip.towers.map(({ name, blocks, layers }) => [name, blocks, layers]),
    [
      ["vision", 1, 6],
      ["text", 1, 6],
    ],
  );
  const trained = Object.fromEntries(clip.adapters.map(({ name, trainableParameters }) => [name, trainableParameters]));
  assert.is(trained["all parameters"], weights);
  // A gate for each of 16 ranks of each of 12 layers.
  assert.is(trained["gated LoRA"] - trained.LoRA, 16 * 12);
  assert.match(words(clip), /^X is a model of the architecture clip\.\n\n {2}Tower vision {2}1 block, 6 layers for adapters: q, k, v, out, fc1, fc2\n/);
  const sees = await told(vit);
  assert.ok(sees.kind === "model" && sees.texts === null && sees.towers.length === 1);
  assert.match(words(sees), /^ {2}Texts +none: it has no text tower$/m);
});

test("a decoder says that it continues texts, and how many tokens a picture becomes", async () => {
  const llama = await told("tests/fixtures/llama-grouped");
  assert.ok(llama.kind === "model" && llama.texts?.continued);
  assert.match(words(llama), /^ {2}Pictures +none\n {2}Texts +continued: at most 32 tokens of a vocabulary of 53$/m);
  assert.match(words(await told("tests/fixtures/llava-tiny")), /^ {2}Pictures +28 x 28 pixels, \d+ tokens each\n {2}Texts +continued: /m);
});

test("a decoder says what it needs of memory, without a weight being read", async () => {
  const found = await told("tests/fixtures/llava-tiny");
  assert.ok(found.kind === "model" && found.memory !== null && found.dtype === "f16");
  const { stored, weights, token } = found.memory;
  assert.equal([found.parameters, stored, weights.f32], [31_444, 2 * 31_444, 4 * 31_444]);
  // Two blocks, keys and values of two heads of six numbers.
  assert.is(token, 2 * 2 * 2 * 6 * 4);
  assert.match(words(found), /^ {2}Weights +61\.4 KiB in its files; on a device 122\.8 KiB as f32, /m);
  const dir = at("headers");
  cpSync("tests/fixtures/llava-tiny", dir, { recursive: true });
  const path = join(dir, "model.safetensors");
  writeFileSync(path, readFileSync(path).subarray(0, -2));
  assert.match(describe(left(await info(dir)())), "model.safetensors is damaged");
});

test("a model says what a step of a training needs, with the options that lower it", async () => {
  for (const folder of [at("clip"), vit]) {
    const found = await told(folder);
    assert.ok(found.kind === "model" && found.training !== null && found.memory === null);
    const { batch, plain, recomputed, mixed } = found.training;
    assert.equal([batch.images, batch.texts], [64, 10]);
    assert.is(plain.weights % 4, 0);
    assert.ok(plain.weights <= 4 * found.parameters + 256 * 200 && recomputed.weights === plain.weights && mixed.weights < plain.weights);
    assert.ok(recomputed.rest <= plain.rest);
    assert.match(words(found), /^ {2}Training +a step of 64 pictures, 10 classes, LoRA of rank 16 on all layers, needs on a GPU$/m);
    assert.match(
      words(found),
      /^ {16}[\d.]+ [KM]iB beside [\d.]+ [KM]iB of weights\n {16}[\d.]+ [KM]iB beside .* with --recompute blocks\n.* with --precision mixed$/m,
    );
  }
});

test("what a step of ViT-B/16 needs is what is planned for it", () => {
  const { model } = works.b16.of(64);
  const { plain, recomputed, mixed } = trainingMemory(model)!;
  assert.ok(recomputed.rest < 0.3 * plain.rest && mixed.rest < 0.7 * plain.rest && mixed.weights < 0.51 * plain.weights);
});

test("what LLaVA-1.5-7B needs", () => {
  const text_config = { max_position_embeddings: 4096, model_type: "llama", rms_norm_eps: 1e-5, vocab_size: 32064 };
  const config = right(decodeConfig(llava, "config.json", { model_type: "llava", image_token_index: 32000, text_config }));
  const { weights, token } = decoderMemory({ architecture: llava, config, weights: new Map() }, []);
  assert.is(weights.f32, 4 * 7_063_427_072);
  // Norms, biases and the class token stay f32: of the vision tower, the projector and the language model.
  const vectors = 24 * (4 * 1024 + 5 * 1024 + 4096) + 5 * 1024 + 2 * 4096 + (2 * 32 + 1) * 4096;
  assert.is(weights.f16, 2 * (7_063_427_072 + vectors));
  assert.is(token, 2 * 32 * 4096 * 4);
  const { batch, plain, recomputed, mixed } = trainingMemory({ architecture: llava, config, weights: new Map() })!;
  assert.equal(batch, { images: 1, texts: 1, tokens: 576 + 128 });
  // Adapters with their gradients and both moments need so much; activations come on top.
  const trained = trainableParameters(lora({ rank: 16 }), network(llava, config));
  assert.ok(recomputed.rest > 4 * 4 * trained && plain.rest < 40e9, `${plain.rest}`);
  assert.ok(recomputed.rest < mixed.rest && mixed.rest < plain.rest, `${[recomputed.rest, mixed.rest, plain.rest]}`);
  assert.ok(mixed.weights < 0.51 * plain.weights && recomputed.weights === plain.weights);
});

test("a learner says what it has learned and what it remembers", async () => {
  const model = await get(readModel(vit));
  const { embed = model.config.vision.width as number } = model.config as { readonly embed?: number };
  const head = { kind: "linear", scale: 1, rows: new Float32Array(2 * embed), bias: new Float32Array(2) } as const;
  await get(writeLearner(at("learner"), { ...learner(model), seen: ["ant", "bee"], head, memory: { bases: [new Float32Array(3)] } }));
  const found = await told(at("learner"));
  assert.ok(found.kind === "learner");
  assert.equal([found.seen, found.head, found.remembers, found.bytesKept], [["ant", "bee"], { kind: "linear", rows: 2 }, ["bases"], 4 * (3 + 2 * embed + 2)]);
  assert.match(words(found), /^ {2}Learned +2 classes: ant, bee$/m);
  await get(writeLearner(at("narrow"), learner({ ...model, dtype: "f16" })));
  const narrow = await told(at("narrow"));
  assert.ok(narrow.kind === "learner" && narrow.dtype === "f32" && narrow.exported === "f16");
  assert.match(words(narrow), /^ {2}Parameters +[\d,]+, f32; cambium export writes f16$/m);
});

test("a dataset says its classes, its pictures by split, and what is left out", async () => {
  write(at("data", "red"), { "train/ant/notes.txt": "no picture" });
  const red = await told(at("data", "red"));
  assert.ok(red.kind === "dataset" && "classNames" in red);
  assert.equal([red.classNames, red.train, red.test], [["ant", "bee"], { pictures: 6, classes: 2 }, { pictures: 4, classes: 2 }]);
  assert.match(words(red), /^X is a dataset of 2 classes\.\n(?:.*\n)*^ {2}Notes +training: left out 1 file that is no picture \(.*notes\.txt\)$/m);
  await writeWebDataset(at("shards"));
  const shards = await told(at("shards"));
  assert.ok(shards.kind === "dataset" && "classNames" in shards && shards.train?.pictures === 12 && shards.test.pictures === 4);
  assert.equal(shards.templates, ["a photo of a {c}.", "a {c}."]);
  write(at("sums"), { "train.jsonl": '{"prompt": "1 + 1?", "answer": "2"}', "test.jsonl": '{"prompt": "?", "answer": "a", "choices": ["a", "b"]}' });
  const sums = await told(at("sums"));
  assert.ok(sums.kind === "dataset" && "score" in sums && sums.chance === 50 && sums.train?.questions === 1);
  assert.match(words(sums), /^X is a dataset of questions that are answered in words\.\n\n {2}Score +choice; a guess among the choices is right in 50\.0 %\n/m);
  const clip = JSON.stringify({ video: "clip", prompt: "What\nhappens?", answer: ["it", "that"] });
  const settings = JSON.stringify({ frames: 2, chat: "vicuna", score: "rouge-l" });
  const frame = await png(9, 9);
  write(at("clips"), {
    "task.json": settings,
    "clip/1.png": frame,
    "clip/2.png": frame,
    "train.jsonl": `${clip}\n${clip}`,
    "test.jsonl": `{"prompt": "?", "answer": ""}\n${clip}`,
  });
  const clips = words(await told(at("clips")));
  assert.match(clips, /^ {2}Score +rouge-l\n {2}Chat +vicuna\n {2}Training +2 questions, 2 videos of 2 frames\n {2}Test +1 question, 1 video of 2 frames\n/m);
  assert.match(clips, /^ {2}Sample +What happens\? \u2192 it\n {2}Notes +test: 1 cannot be read: .*test\.jsonl:1 \(its\s+answer\s+is\s+empty\)$/m);
  write(at("flat"), { "ant/0.png": await png(9, 9), "bee/0.png": await png(99, 9) });
  const flat = await told(at("flat"));
  assert.ok(flat.kind === "dataset" && flat.train === undefined && flat.test.pictures === 2 && flat.notes.length === 0);
  assert.match(words(flat), /^ {2}Pictures +2, without train and test: --split 0\.8 draws /m);
});

test("an adapter of PEFT says its base, rank, alpha and layers; one that is not read is refused by name", async () => {
  const found = await told(join("tests", "fixtures", "peft", "clip-patterns"));
  assert.ok(found.kind === "adapter" && found.base === "tests/fixtures/clip-gelu");
  assert.equal([found.rank, found.alpha, found.own, found.layers, found.parameters], [3, 6, { ranks: 3, alphas: 2 }, 8, 1092]);
  write(at("dora"), { "adapter_config.json": JSON.stringify({ peft_type: "LORA", use_dora: true, target_modules: ["q_proj"] }) });
  assert.match(describe(left(await info(at("dora"))())), /DoRA/);
});

const job = (out: string): Job => ({
  version: 1,
  model: at("clip"),
  source: { folders: [at("data", "red"), at("data", "dark")] },
  method: { name: "sequential-lora", options: { steps: 4, batch: 4, rank: 2 } },
  seed: 3,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  checkpointSteps: 1,
  out: at(out),
});

test("layers of an adapter are said in short where they are all of some kinds", () => {
  const layers = (tower: string, blocks: number, kinds: readonly string[]) =>
    Array.from({ length: blocks }, (_, i) => kinds.map((kind) => `${tower}_model.encoder.layers.${i}.${kind}`)).flat();
  const kinds = ["self_attn.q_proj", "self_attn.out_proj", "mlp.fc1"];
  const both = [...layers("vision", 12, kinds), ...layers("text", 3, kinds)];
  assert.is(inShort(both), "q, out, fc1 of both towers");
  assert.is(inShort(layers("text", 2, ["mlp.fc1"])), "fc1 of the text tower");
  assert.is(inShort(["vit.encoder.layer.0.attention.output.dense"]), "dense of all blocks");
  for (const partly of [both.slice(1), [], ["q_proj"], [...layers("vision", 2, kinds), ...layers("text", 2, ["mlp.fc1"])]])
    assert.is(inShort(partly), undefined);
});

test("a run says what it learns, how far it is, what it has reached, and how to go on", async () => {
  const stop = new AbortController();
  let trained = 0;
  const stopped = await runJob(job("run"), {
    signal: stop.signal,
    watch: (event) => {
      if (event.type === "training") trained += 1;
      if (trained < 2 || event.type !== "step" || event.step !== 2) return;
      // What a run that is killed here leaves.
      cpSync(at("run"), at("killed"), { recursive: true });
      stop.abort();
    },
  })();
  assert.ok(right(stopped).interrupted);
  const found = await told(at("run"));
  assert.ok(found.kind === "run");
  assert.equal([found.tasks, found.finished, found.model, found.job.seed], [2, ["red"], at("run", "model"), 3]);
  // It was stopped behind the second step at the earliest.
  assert.ok(found.steps !== null && found.steps >= 2);
  const text = words(found);
  assert.match(text, /^X is a run of sequential LoRA; 1 of 2 tasks is finished, and [234] steps of the next are kept; cambium resume X goes on\.\n/);
  assert.match(text, /^ {2}Method +sequential-lora steps=4 batch=4 rank=2$/m);
  assert.match(text, /^sequential LoRA /m);
  assert.is((await told(at("run", "model"))).kind, "learner");
  // The job's chat stands with its method, and a run that no adapter can say is exported as a model.
  const ended = { ...found, tasks: 1, job: { ...found.job, chat: "vicuna" } };
  assert.match(words(ended), /^ {2}Method +sequential-lora steps=4 batch=4 rank=2 chat=vicuna$/m);
  assert.match(words(ended), "cambium export X --peft DIR");
  assert.match(words({ ...ended, lowRank: false }), /cambium export X --out DIR/);
  assert.is(found.branched, false);
  assert.not.match(words({ ...ended, branched: true }), "cambium export");
  const questions = (name: string, options = {}): boolean => isLowRank({ method: { name, options } }, llava);
  assert.equal(
    [questions("keeplora++"), questions("keeplora"), questions("keeplora", { protect: "features" }), questions("codyra")],
    [false, false, true, true],
  );
  assert.ok(isLowRank({ method: { name: "keeplora++", options: {} } }, clip));
  const killed = await told(at("killed"));
  assert.ok(killed.kind === "run" && killed.steps !== null && killed.steps >= 1);
  assert.is(killed.model, at("killed", "after-1"));
  assert.match(words(killed), /; 1 of 2 tasks is finished, and [123] steps? of the next (is|are) kept; cambium resume X goes on\.\n/);
  write(at("begun"), { "job.json": JSON.stringify({ ...job("begun"), model: "gone" }) });
  const begun = await told(at("begun"));
  assert.ok(begun.kind === "run" && begun.result === null && begun.model === null && begun.finished.length === 0);
  assert.match(words(begun), /^X is a run of sequential LoRA; 0 of 2 tasks are finished; cambium resume X goes on\.\n/);
});

test("a sweep says its jobs, how far they are, and what those have reached that have ended", async () => {
  const { model, source, evaluate } = job("");
  const methods = [{ name: "sequential-lora", options: { steps: 2, batch: 4, rank: 2 } }, { name: "zero-shot" }];
  const sweep: Sweep = { version: 1, base: { model, source, evaluate }, methods, seeds: [0, 1], out: at("sweep") };
  write(at("sweep"), { "sweep.json": JSON.stringify(sweep) });
  const found = await told(at("sweep"));
  assert.ok(found.kind === "sweep" && found.jobs.length === 4 && found.jobs.every(({ extent, result }) => extent === "new" && result === null));
  assert.match(words(found), /^X is a sweep; 0 of 4 jobs have ended, and cambium resume X goes on\.\n/);
  const [first, second] = right(jobsOf(sweep));
  right(await runJob(first.job)());
  write(second.job.out, { "job.json": JSON.stringify(second.job) });
  const begun = await told(at("sweep"));
  assert.ok(begun.kind === "sweep");
  assert.equal(
    begun.jobs.map(({ extent }) => extent),
    ["ended", "begun", "new", "new"],
  );
  const text = words(begun);
  assert.match(text, /^Next:\n {2}cambium resume X {15}runs the jobs that have not ended\n {2}cambium compare X --html FILE {2}writes /m);
  assert.match(text, /^X is a sweep; 1 of 4 jobs has ended, and cambium resume X goes on\.\n/);
  assert.match(text, /^ {2}Methods +sequential-lora steps=2 batch=4 rank=2, zero-shot$/m);
  assert.match(text, /^sequential LoRA /m);
});

test("a name of the hub is a model there, or a dataset", async () => {
  const hub: Hub = {
    snapshot: ({ kind, name }) => {
      if (name === "org/clip" && kind === "model") return TE.right({ folder: at("clip"), commit: "c" });
      if (name === "clip-benchmark/wds_red" && kind === "dataset") return TE.right({ folder: at("data", "dark"), commit: "c" });
      return TE.left({ _tag: "FileUnreadable", path: name, detail: `the hub has no ${kind} of that name` });
    },
  };
  const kindOf = async (name: string): Promise<string> => (await get(info(name, { hub }))).kind;
  assert.equal([await kindOf("org/clip"), await kindOf("wds_red"), await kindOf("clip-benchmark/wds_red")], ["model", "dataset", "dataset"]);
  assert.match(describe(left(await info("org/none", { hub })())), /org\/none.*the hub has no model of that name$/);
  assert.match(describe(left(await info("wds_none", { hub })())), /wds_none.*the hub has no dataset of that name$/);
});

test("what is nothing of all that, or damaged, is said", async () => {
  assert.match(describe(left(await info(at("nothing"))())), /nothing: no such file or directory$/);
  write(at("notes"), { "a.txt": "text" });
  assert.match(
    describe(left(await info(at("notes"))())),
    /notes: it has no job\.json, sweep\.json, adapter_config\.json, config\.json, so it is no run, sweep, adapter or model, and it is no dataset: wanted /,
  );
  const bytes = readFileSync(at("clip", "model.safetensors"));
  await writeTinyClip(at("cut"));
  writeFileSync(at("cut", "model.safetensors"), bytes.subarray(0, bytes.length - 9));
  assert.match(describe(left(await info(at("cut"))())), /model\.safetensors is damaged/);
});

test.run();
