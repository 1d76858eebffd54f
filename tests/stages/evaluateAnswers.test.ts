/** Tasks that are answered in words are scored by choice, by what is generated, and by perplexity: against the model's logits, one row at a time, in f64. */
import * as assert from "uvu/assert";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, get, type Failure } from "../../src/failure.ts";
import type { Device } from "../../src/device/device.ts";
import { damagedExample } from "../../src/data/example.ts";
import type { Question } from "../../src/data/question.ts";
import type { AnswerStream, AnswerTask } from "../../src/data/task.ts";
import { learner } from "../../src/model/learner.ts";
import type { Model } from "../../src/model/model.ts";
import { scoreOf } from "../../src/scores/table.ts";
import { chosen, perplexity } from "../../src/stages/answered.ts";
import { askerOf } from "../../src/stages/asker.ts";
import { evaluated } from "../../src/stages/evaluate.ts";
import { programs } from "../../src/stages/programs.ts";
import { resident } from "../../src/device/resident.ts";
import type { Evaluated } from "../../src/training/lesson.ts";
import type { Event, Runtime } from "../../src/training/runtime.ts";
import { left, right } from "../either.ts";
import { colourTask, question, tinyLlama, tinyLlamaConfig, wordTokenizer } from "../fixtures/tinyLlama.ts";
import { runtimeOf } from "../methods/trace.ts";
import { outputsFor } from "../model/decoders.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const model = tinyLlama();
const task = colourTask("colours", 0, { test: 4 });
const { vocabulary } = tinyLlamaConfig;

const tokensOf = (text: string): readonly number[] => [1, ...wordTokenizer.encode(text)];

/** The logits behind the given tokens of a text, from a run of that text alone. */
const logitsBehind = async (device: Device, ids: readonly number[], at: readonly number[]): Promise<readonly Float64Array[]> => {
  const rows = {
    ids: { shape: [1, ids.length], data: Uint32Array.from(ids) },
    starts: { shape: [1], data: Uint32Array.of(0) },
    positions: at,
    next: at.map(() => 0),
  };
  const { logits } = await outputsFor(device, model, rows, ["logits"]);
  return at.map((_, i) => Float64Array.from(logits.subarray(i * vocabulary, (i + 1) * vocabulary)));
};

/** The log-likelihoods of the tokens of an answer behind its prompt, in f64. */
const reference = async (device: Device, prompt: string, answer: string): Promise<readonly number[]> => {
  const [before, ids] = [tokensOf(prompt), tokensOf(prompt + answer)];
  const at = ids.flatMap((_, i) => (i < before.length ? [] : [i - 1]));
  return (await logitsBehind(device, ids, at)).map((row, k) => {
    const highest = Math.max(...row);
    return row[ids[at[k] + 1]] - highest - Math.log(row.reduce((sum, x) => sum + Math.exp(x - highest), 0));
  });
};

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** The likeliest tokens behind a prompt, one after another, each from a run of its own. */
const greedily = async (device: Device, prompt: string, most: number): Promise<string> => {
  const ids = [...tokensOf(prompt)];
  const start = ids.length;
  while (ids.length < start + most) {
    const [row] = await logitsBehind(device, ids, [ids.length - 1]);
    const next = row.indexOf(Math.max(...row));
    if (next === 2) break;
    ids.push(next);
  }
  return wordTokenizer.decode(ids.slice(start)).trim();
};

const asked = async <A>(
  device: Device,
  of: AnswerTask,
  use: (asker: Parameters<typeof chosen>[0], opened: Parameters<typeof chosen>[1]) => TE.TaskEither<Failure, A>,
): Promise<A> => {
  const runtime = runtimeOf(device);
  const weights = right(resident(device, model.weights));
  const opened = programs(learner(model), runtime, weights, undefined);
  try {
    return await get(use(await get(askerOf(model, of, runtime, { probe: true })), opened));
  } finally {
    opened.release();
    weights.release();
  }
};

deviceTest("the mean log-likelihood of the tokens of every choice is that of a row of its own", async (device) => {
  const questions = await get(task.test);
  const found = await asked(device, task, chosen);
  for (const [i, { likelihoods, choice }] of found.entries()) {
    const { prompt, choices = [] } = questions[i];
    const expected: number[] = [];
    for (const each of choices) expected.push(mean(await reference(device, `${prompt}\n`, each)));
    likelihoods.forEach((value, c) => assert.ok(Math.abs(value - expected[c]) < 1e-5, `${value} and ${expected[c]}`));
    assert.is(choice, choices[expected.indexOf(Math.max(...expected))]);
  }
});

const streamOf = (tasks: readonly AnswerTask[], probes?: readonly AnswerTask[]): AnswerStream => ({
  tasks,
  labelSpace: "task",
  ...(probes === undefined ? {} : { probes }),
});

const scored = async (device: Device, stream: AnswerStream, more: Partial<Runtime> = {}, of: Model = model): Promise<Evaluated> =>
  await get(evaluated(learner(of), stream, 0)({ ...runtimeOf(device), ...more }));

deviceTest("the row has a task's own score; where there are choices, both scores are there; a probe has its perplexity", async (device) => {
  const other = colourTask("other", 1, { score: "exact", test: 2 });
  const open: AnswerTask = { ...colourTask("open", 0), score: "rouge-l", test: TE.right([question("open 0", "what is it", "it is the sea")]), maxTokens: 5 };
  const found = await scored(device, streamOf([task, other, open], [{ ...open, name: "probe" }]));
  const hits = async (of: AnswerTask): Promise<number> => {
    const questions = await get(of.test);
    const choices = (await asked(device, of, chosen)).map(({ choice }) => choice);
    return 100 * (questions.filter(({ answer }, i) => answer === choices[i]).length / questions.length);
  };
  const written = async (of: AnswerTask, most: number): Promise<readonly string[]> => {
    const texts: string[] = [];
    for (const { prompt } of await get(of.test)) texts.push(await greedily(device, `${prompt}\n`, most));
    return texts;
  };
  const exact = async (of: AnswerTask): Promise<number> =>
    scoreOf("exact").of(
      await written(of, 4),
      (await get(of.test)).map(({ answer }) => [answer as string]),
    );
  const rouge = scoreOf("rouge-l").of(await written(open, 5), [["it is the sea"]]);
  assert.equal(found.row, [await hits(task), await exact(other), rouge]);
  assert.equal(found.scores, {
    choice: [await hits(task), await hits(other), null],
    exact: [await exact(task), await exact(other), null],
    "rouge-l": [null, null, rouge],
  });
  const likelihoods = await reference(device, "what is it\n", "it is the sea");
  const [probe] = found.probes!;
  assert.equal([probe.accuracy, probe.images], [rouge, 1]);
  assert.ok(Math.abs(probe.perplexity! - Math.exp(-mean(likelihoods))) < 1e-3 * probe.perplexity!, `${probe.perplexity}`);
  assert.equal(
    found.replies!.map((list) => list!.length),
    [4, 2, 1],
  );
  const [ofTask] = found.replies!;
  assert.equal(
    ofTask!.map(({ predicted }) => predicted),
    (await asked(device, task, chosen)).map(({ choice }) => choice),
  );
  assert.equal(
    ofTask!.map(({ generated }) => generated),
    await written(task, 4),
  );
});

deviceTest("the perplexity of whole texts: a probe with an empty prompt, whose first token is what the rest follows", async (device) => {
  const texts: AnswerTask = { ...task, chat: "{prompt}", score: "exact", test: TE.right([question("text", "", "the sky is blue")]) };
  const ids = tokensOf("the sky is blue");
  const expected = await reference(device, "", "the sky is blue");
  assert.is(expected.length, ids.length - 1);
  const found = await asked(device, texts, perplexity);
  assert.ok(Math.abs(found - Math.exp(-mean(expected))) < 1e-3 * found, `${found}`);
});

deviceTest("a question that cannot be read fails by its name, or is left out and counted", async (device) => {
  const failure: Failure = { _tag: "CorruptSample", path: "test.jsonl", member: "line 7", detail: "no answer" };
  const bad: Question = { ...question("bad", "what", "red", ["red", "blue"]), pictures: [damagedExample("bad", failure).image] };
  const damaged: AnswerTask = { ...task, test: TE.right([bad, ...(await get(task.test))]) };
  assert.equal(left(await evaluated(learner(model), streamOf([damaged]), 0)(runtimeOf(device))()), failure);
  const events: Event[] = [];
  const found = await scored(device, streamOf([damaged]), { onCorrupt: "skip", emit: (event) => void events.push(event) });
  assert.equal(found.row, (await scored(device, streamOf([task]))).row);
  assert.equal(
    events.filter(({ type }) => type === "skipped"),
    [{ type: "skipped", id: "bad", detail: "no answer" }],
  );
  const none = await scored(device, streamOf([{ ...task, test: TE.right([bad]) }]), { onCorrupt: "skip" });
  assert.equal([none.row, none.replies], [[null], [null]]);
});

deviceTest("one question that is too long with its answer, or has an empty one, is left out and counted: the others are scored", async (device) => {
  const fine = question("fine", "what colour is the sky", "blue", ["red", "blue"]);
  const long = question("long", "what colour", "red", ["red", "the sky ".repeat(40).trim()]);
  const empty = question("empty", "what colour is it", "");
  const events: Event[] = [];
  const skipping: Partial<Runtime> = { onCorrupt: "skip", emit: (event) => void events.push(event) };
  const skipped = (): readonly string[] => events.splice(0).flatMap((event) => (event.type === "skipped" ? [event.id] : []));
  const tasks = { ...task, test: TE.right([long, fine]) };
  const probe: AnswerTask = { ...task, name: "probe", score: "exact", maxTokens: 4, test: TE.right([empty, { ...fine, choices: undefined }]) };
  const found = await scored(device, streamOf([tasks], [probe]), skipping);
  assert.equal(skipped(), ["long", "empty"]);
  assert.equal(found.row, (await scored(device, streamOf([{ ...task, test: TE.right([fine]) }]))).row);
  assert.equal([found.replies![0]!.map(({ sample }) => sample), found.probes![0].images], [["fine"], 1]);
  assert.match(describe(left(await evaluated(learner(model), streamOf([tasks]), 0)(runtimeOf(device))())), /long has \d+ tokens/);
  // Nobody asks how likely the empty answer is where texts are compared alone.
  const texts: AnswerTask = { ...probe, test: TE.right([question("empty", "what colour is it", ""), question("no", "is it", "no")]) };
  assert.is((await scored(device, streamOf([texts]), skipping)).replies![0]!.length, 2);
  assert.equal(skipped(), []);
});

deviceTest("what is asked again is not cut into tokens again", async (device) => {
  let encoded = 0;
  const counting = { ...wordTokenizer, encode: (text: string) => (encoded++, wordTokenizer.encode(text)) };
  const of: Model = { ...model, textTokenizer: counting };
  const stream = streamOf([{ ...task }], [{ ...task, name: "probe" }]);
  const first = await scored(device, stream, {}, of);
  assert.ok(encoded > 0);
  encoded = 0;
  // The next row is of a model with other weights.
  const again = await scored(device, stream, {}, { ...of, weights: new Map(of.weights) });
  assert.equal([encoded, again], [0, first]);
});

deviceTest("a row uploads the weights once, for likelihoods and for what is generated; a shape that comes again is not bound again", async (device) => {
  const labels: string[] = [];
  const counting: Device = { ...device, buffer: (label, ...rest) => (labels.push(label), device.buffer(label, ...rest)) };
  await scored(counting, streamOf([task]));
  assert.is(labels.filter((label) => label === "model.embed_tokens.weight").length, 1);
  await asked(device, task, (asker, opened) => async () => {
    const sessions = new Set<unknown>();
    const watched: typeof opened = {
      ...opened,
      session: (...of) =>
        pipe(
          opened.session(...of),
          TE.map((session) => (sessions.add(session), session)),
        ),
    };
    const twice = [await get(chosen(asker, watched)), await get(chosen(asker, watched))];
    assert.equal(twice[0], twice[1]);
    assert.is(sessions.size, 1);
    opened.release(2 ** 30);
    await get(chosen(asker, watched));
    assert.is(sessions.size, 1);
    opened.release(1);
    await get(chosen(asker, watched));
    assert.is(sessions.size, 2);
    return E.right(undefined);
  });
});

deviceTest("as many tokens are generated as the longest answer to train on has: the answers of the test split have no say", async (device) => {
  const test = [question("sky", "what colour is the sky", "the sea is blue one two three")];
  const most = async (train: AnswerTask["train"], more: Partial<AnswerTask> = {}): Promise<number> =>
    (await get(askerOf(model, { ...task, score: "exact", train, test: TE.right(test), ...more }, runtimeOf(device)))).maxTokens;
  assert.is(await most(TE.right([question("a", "is it", "yes"), question("b", "is it", "dark blue")])), 4);
  assert.is(await most(TE.right([question("b", "is it", "dark blue")]), { maxTokens: 2 }), 2);
  // The tiny model takes 64 tokens in all, of which 256 would leave none for a question.
  const unreadable: Failure = { _tag: "FileUnreadable", path: "train.jsonl", detail: "there is none" };
  assert.equal([await most(TE.right([])), await most(TE.left(unreadable)), await most(TE.right([]), { context: 20 })], [32, 32, 10]);
});

deviceTest("a score of a whole corpus says nothing of a single answer; right is what is one of the references", async (device) => {
  const [prompt, probe] = ["what is it", "what is the sea"];
  const said = await greedily(device, `${prompt}\n`, 1);
  for (const score of ["cider", "captions", "bleu-4"] as const) {
    const events: Event[] = [];
    const test = [question("right", prompt, ` ${said.toUpperCase()}`), question("wrong", probe, "q w x")];
    const { replies, row } = await scored(device, streamOf([{ ...task, score, maxTokens: 1, test: TE.right(test) }]), {
      emit: (event) => void events.push(event),
    });
    assert.equal(
      replies![0]!.map(({ score: own }) => own),
      [null, null],
    );
    assert.type(row[0], "number");
    assert.equal(
      events.flatMap((event) => (event.type === "evaluation" ? [[event.correct, event.total]] : [])),
      [[1, 2]],
    );
  }
});

deviceTest("what cannot be scored is said: choices that are not there, weights that give no numbers, a model that tells classes apart", async (device) => {
  const bare: AnswerTask = { ...task, test: TE.right([question("bare", "what", "red")]) };
  assert.match(describe(left(await evaluated(learner(model), streamOf([bare]), 0)(runtimeOf(device))())), /colours.*by choice, and bare has no choices/);
  const weights = new Map(
    [...model.weights].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => (name === "model.norm.weight" ? x * 3e38 : x)) }]),
  );
  const failed = left(await evaluated(learner({ ...model, weights }), streamOf([task]), 0)(runtimeOf(device))());
  assert.is(failed._tag, "NotFinite");
});

runTests();
