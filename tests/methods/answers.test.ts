/** Every method on tasks that are answered in words: a tiny Llama and a tiny LLaVA learn two of them, or are told why not before anything is computed. */
import * as TE from "fp-ts/lib/TaskEither.js";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { ImageReference } from "../../src/data/example.ts";
import type { Question } from "../../src/data/question.ts";
import type { AnswerStream, AnswerTask } from "../../src/data/task.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { networkOf, readModel, type Model } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { random } from "../../src/random.ts";
import { runMethod } from "../../src/runs/run.ts";
import { remembered } from "../../src/subspace/bases.ts";
import { keptExamples } from "../../src/training/kept.ts";
import type { Event } from "../../src/training/runtime.ts";
import { colourTask, tinyLlama } from "../fixtures/tinyLlama.ts";
import { fixture } from "../model/embeddings.ts";
import { deviceTest, failureOf, runTests } from "../tensor/check.ts";
import { keepsAdapters, runtimeOf } from "./trace.ts";

const stream: AnswerStream = { labelSpace: "task", tasks: [colourTask("day", 0), colourTask("night", 1)] };
const quick = { steps: 3, batch: 4, rank: 2, lr: 1e-2 };

/** Why a method learns tasks of classes alone. */
const refusals: Readonly<Partial<Record<MethodName, RegExp>>> = {
  duallora: /^method: duallora learns tasks of classes alone, and these are answered in words: the class tokens of images say /,
  lwf: /^method: lwf learns tasks of classes alone, and these are answered in words: what it distils is how images are told apart by texts$/,
  zscl: /^method: zscl learns tasks of classes alone, and these are answered in words: what it distils is how images are told apart by texts$/,
  color: /^method: color learns tasks of classes alone, and these are answered in words: the features of images say which of its adapters counts$/,
  "lora-ttt": /^method: lora-ttt learns tasks of classes alone, and these are answered in words: it trains on the predictions of views among classes$/,
  "keeplora+": /^method: keeplora\+ learns tasks of classes alone, and these are answered in words: its cosine head has a row for every class$/,
  "keeplora++cls": /^method: keeplora\+\+cls learns tasks of classes alone, and these are answered in words: its cosine head has a row for every class$/,
};

deviceTest("every method learns two tasks of a tiny Llama, or says why not before anything is computed", async (device) => {
  const model = tinyLlama();
  for (const name of Object.keys(methods) as readonly MethodName[]) {
    const events: Event[] = [];
    const runtime = { ...runtimeOf(device), emit: (event: Event) => void events.push(event) };
    const ran = runMethod(methods[name](name === "dac" ? { ...quick, rank: 4, active: 2 } : quick), learner(model), stream)(runtime);
    const wanted = refusals[name];
    if (wanted !== undefined) {
      assert.match(describe(failureOf(await ran())), wanted);
      assert.equal(events, [], name);
      continue;
    }
    const { result, learner: after } = await get(ran);
    const lessons = name === "zero-shot" ? 0 : name === "joint" ? 1 : 2;
    assert.is(events.filter(({ type }) => type === "lesson").length, lessons, name);
    const losses = events.flatMap((event) => (event.type === "step" ? [event.losses] : []));
    assert.is(losses.length, 3 * lessons, name);
    for (const { loss } of losses) assert.ok(loss > 0 && Number.isFinite(loss), `${name}: ${loss}`);
    for (const row of result.matrix) for (const score of row) assert.ok(score === null || (score >= 0 && score <= 100), `${name}: ${score}`);
    assert.is(result.trainableParameters > 0, lessons > 0, name);
    const changed = [...model.weights]
      .filter(([weight, { data }]) => after.model.weights.get(weight)!.data.some((w, i) => w !== data[i]))
      .map(([weight]) => weight);
    // MoRAM keeps its slots beside the weights.
    assert.is(changed.length > 0, lessons > 0 && name !== "moram", name);
    keepsAdapters(after, name === "moram" ? lessons : 0, name);
    for (const weight of changed) assert.match(weight, /\.(self_attn|mlp)\.\w+_proj\.weight$/, name);
    for (const [weight, { data }] of after.model.weights) assert.ok(data.every(Number.isFinite), `${name}: ${weight}`);
  }
});

deviceTest("what there is to say of the data is said once, however often a task is encoded", async (device) => {
  const long = { ...stream, tasks: stream.tasks.map((task): AnswerTask => ({ ...task, context: 12 })) };
  const notes: string[] = [];
  const emit = (event: Event): void => void (event.type === "note" && notes.push(event.detail));
  await get(runMethod(methods.keeplora({ ...quick, gradientShare: 0.2 }), learner(tinyLlama()), long)({ ...runtimeOf(device), emit }));
  const cut = notes.filter((note) => note.includes("longer than 12 tokens with their answers"));
  assert.equal(
    cut.map((note) => /day|night/.exec(note)?.[0]),
    ["day", "night"],
  );
});

deviceTest("CoDyRA's gates live on all linear layers of a decoder, and DAC's votes are those of the text's first token", async (device) => {
  const model = tinyLlama();
  const { result } = await get(runMethod(methods.codyra({ ...quick, steps: 6, kappa: 0.004 }), learner(model), stream)(runtimeOf(device)));
  for (const ranks of result.ranks) {
    assert.is(Object.keys(ranks).length, 2 * 7);
    const living = Object.values(ranks).reduce((a, b) => a + b, 0);
    assert.ok(living > 0 && living < 2 * 14, `${living} live`);
  }
  // Without dropout all texts begin alike, so that all of them vote for the same experts, of which the most used are merged.
  const dac = methods.dac({ ...quick, rank: 4, active: 2, merged: 1, dropout: 0 });
  const run = await get(runMethod(dac, learner(model), stream)(runtimeOf(device)));
  for (const ranks of run.result.ranks) assert.equal([...new Set(Object.values(ranks))], [1]);
});

// Questions about pictures.

const picture = (seed: number): ImageReference => {
  const draw = random(seed, "picture");
  return { kind: "pixels", image: { width: 28, height: 28, data: Uint8Array.from({ length: 3 * 28 * 28 }, () => draw.integer(256)) } };
};

/** Questions about noise, each of one picture. */
const seeingTask = (name: string, answers: readonly string[], seed: number): AnswerTask => {
  const questions = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      id: `${name} ${from + i}`,
      prompt: "which?",
      pictures: [picture(100 * seed + from + i)],
      answer: answers[i % answers.length],
      choices: answers,
    }));
  return { kind: "answer", name, score: "choice", chat: "{prompt} ", train: TE.right(questions(0, 6)), test: TE.right(questions(6, 2)) };
};

const seeing: AnswerStream = { labelSpace: "task", tasks: [seeingTask("waves", ["a wave", "grey"], 1), seeingTask("firsts", ["the first", "one"], 2)] };

const changedOf = (before: Model, after: Model): readonly string[] =>
  [...before.weights].filter(([name, { data }]) => after.weights.get(name)!.data.some((w, i) => w !== data[i])).map(([name]) => name);

deviceTest("a LoRA learns in the tower of a LLaVA that is named, and in no other", async (device) => {
  const model = await get(readModel(fixture("llava-tiny")));
  const one = { ...seeing, tasks: seeing.tasks.slice(0, 1) };
  for (const tower of ["vision", "projector", "language"]) {
    const { learner: after, result } = await get(runMethod(methods["sequential-lora"]({ ...quick, towers: [tower] }), learner(model), one)(runtimeOf(device)));
    const layers = layersOf(networkOf(model), { modules: "all", towers: [tower] }).map(({ name }) => `${name}.weight`);
    assert.equal([...changedOf(model, after.model)].sort(), [...layers].sort(), tower);
    assert.is(result.matrix.length, 1);
  }
});

deviceTest("KeepLoRA on a LLaVA: seven kinds of layers outside of what is protected, the projector in full, all else frozen; bases grow", async (device) => {
  const model = await get(readModel(fixture("llava-tiny")));
  const net = networkOf(model);
  const language = layersOf(net, { modules: "all", towers: ["language"] });
  const name = "keeplora++";
  const learners: Learner[] = [];
  const emit = (event: Event): void => void (event.type === "lesson" && learners.push(event.learner));
  const options = { ...quick, energy: { language: 0.5 }, featureEnergy: 0.8, gradientShare: 0.5 };
  const { result } = await get(runMethod(methods[name](options), learner(model), seeing)({ ...runtimeOf(device), emit }));
  const { protect, towers, modules, start, alpha } = result.options as Readonly<Record<string, unknown>>;
  assert.equal([protect, towers, modules, start, alpha], ["gradients", ["language"], "all", "zero", 4], name);
  const [first, second] = learners;
  const projector = [1, 2].flatMap((i) => ["weight", "bias"].map((what) => `multi_modal_projector.linear_${i}.${what}`));
  assert.equal([...changedOf(model, first.model)].sort(), [...projector, ...language.map((layer) => `${layer.name}.weight`)].sort(), name);
  for (const layer of language) {
    const [before, after] = [first, second].map((l) => remembered(l).get(layer.name)!.columns);
    assert.ok(before.length > 0 && after.length >= before.length && after.length < layer.in, `${name}, ${layer.name}: ${before.length}, ${after.length}`);
    before.forEach((column, i) => assert.equal(after[i], column));
    // What the second task has changed takes nothing out of the span of what was protected before it.
    const [was, is] = [first, second].map(({ model: { weights } }) => weights.get(`${layer.name}.weight`)!.data);
    const most = is.reduce((m, w, i) => Math.max(m, Math.abs(w - was[i])), 0);
    for (const column of before) {
      for (let row = 0; row < layer.out; row++) {
        const along = column.reduce((sum, c, j) => sum + c * (is[row * layer.in + j] - was[row * layer.in + j]), 0);
        assert.ok(Math.abs(along) < 1e-4 * most + 1e-7, `${name}, ${layer.name}: ${along} of ${most}`);
      }
    }
  }
});

deviceTest("replay on a LLaVA keeps references to pictures, and learns them beside those of the task", async (device) => {
  const model = await get(readModel(fixture("llava-tiny")));
  const { learner: after } = await get(runMethod(methods.replay({ ...quick, perClass: 2, share: 0.5 }), learner(model), seeing)(runtimeOf(device)));
  const all = await get(TE.sequenceArray(seeing.tasks.map(({ train }) => train)));
  for (const [i, { task, examples }] of keptExamples.of(after).entries()) {
    assert.equal([task, examples.length], [seeing.tasks[i].name, 2]);
    for (const example of examples) assert.ok(all[i].includes(example as Question));
  }
});

runTests();
