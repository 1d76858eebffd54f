/** Runs over tasks that are answered in words: what they leave, in figures and in words; and that a stop changes no bit. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { imageCache } from "../../src/data/imageCache.ts";
import type { ClassTask } from "../../src/data/task.ts";
import type { OpenDevice } from "../../src/device/device.ts";
import { openDevice } from "../../src/device/open.ts";
import { describe, get } from "../../src/failure.ts";
import { generate } from "../../src/afterwards/generate.ts";
import { evaluateModel } from "../../src/afterwards/evaluateModel.ts";
import { evaluationTable } from "../../src/report/evaluation.ts";
import { decodeReplies, parseReplies, type ReplyRecord } from "../../src/report/replies.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { methods } from "../../src/methods/table.ts";
import { learner } from "../../src/model/learner.ts";
import type { Job } from "../../src/runs/job.ts";
import { openLearner } from "../../src/runs/openLearner.ts";
import { runMethod } from "../../src/runs/run.ts";
import { resume, runJob } from "../../src/runs/runJob.ts";
import { left, right } from "../either.ts";
import { temporaryFolder, writeColours } from "../fixtures/datasets.ts";
import { colourTask, tinyLlama, writeTask, writeTinyLlama } from "../fixtures/tinyLlama.ts";

const { dir, remove } = temporaryFolder("answered");
const at = (...path: readonly string[]): string => join(dir, ...path);

const job = (out: string, more: Partial<Job> = {}): Job => ({
  version: 1,
  model: at("model"),
  source: { folders: [at("a"), at("b")] },
  method: { name: "sequential-lora", options: { steps: 6, batch: 4, rank: 2, lr: 0.02 } },
  probes: [at("c")],
  seed: 0,
  evaluate: { templates: "single" },
  onCorrupt: "fail",
  out: at(out),
  predictions: true,
  ...more,
});

let device: OpenDevice;
const textOf = (...path: readonly string[]): string => readFileSync(at(...path), "utf8");
const linesOf = (out: string): readonly ReplyRecord[] => right(decodeReplies("predictions.jsonl")(textOf(out, "predictions.jsonl")));

test.before(async () => {
  device = await get(openDevice());
  await writeTinyLlama(at("model"));
  for (const [i, name] of ["a", "b", "c"].entries()) await writeTask(at(name), colourTask(name, i, { train: 8, test: 4 }), { score: "choice", maxTokens: 3 });
});
test.after(() => {
  device.close();
  remove();
});

/** What a run has left but for times. */
const bitsOf = (out: string): unknown => {
  const { seconds, ...result } = JSON.parse(textOf(out, "result.json")) as Record<string, unknown>;
  const model = readdirSync(at(out, "model"))
    .filter((name) => /safetensors|learner|tokenizer/.test(name))
    .map((name) => [name, readFileSync(at(out, "model", name)).toString("base64")]);
  return { result, model, replies: textOf(out, "replies.json"), predictions: textOf(out, "predictions.jsonl"), timed: typeof seconds };
};

test("a run leaves its rows, the other score beside them, a probe with its perplexity, and what was answered, before and after", async () => {
  const { result } = await get(runJob(job("whole")));
  const read = right(parseRunResult("result.json")(textOf("whole", "result.json")));
  assert.equal(read.matrix, result.matrix);
  assert.equal([read.labelSpace, read.classes, read.images, read.chance], ["choice", [], [4, 4], [25, 25]]);
  assert.equal(Object.keys(read.also), ["exact"]);
  const page = textOf("whole", "report.html");
  for (const words of ["Questions and answers", "what colour is the sky", "Once learned", "Perplexity before", "Test questions"]) assert.match(page, words);
  assert.equal(
    read.probes.map(({ name, classes, images, chance, after, perplexity }) => [name, classes, images, chance, after.length, perplexity?.after.length]),
    [["c", 0, 4, 25, 2, 2]],
  );
  assert.ok(
    read.probes[0].perplexity!.after.every((x) => x! > 1 && x! < read.probes[0].perplexity!.zeroShot!),
    "what was learned of colours helps the probe",
  );
  const lines = linesOf("whole");
  assert.is(lines.length, 3 * 3 * 4);
  const replies = right(parseReplies("replies.json")(textOf("whole", "replies.json")));
  assert.equal(
    replies.map(({ dataset, questions }) => [dataset, questions.length]),
    [
      ["a", 4],
      ["b", 4],
    ],
  );
  for (const [j, { dataset, questions }] of replies.entries())
    for (const { sample, before, learned, last } of questions) {
      const told = (after: number) => {
        const { predicted, score } = lines.find((line) => line.task === dataset && line.sample === sample && line.after === after)!;
        return { predicted, score };
      };
      assert.equal([before, learned, last], [told(0), told(j + 1), told(2)]);
    }
  const shares = (after: number): number => replies[0].questions.filter((one) => [one.before, one.learned, one.last][after]!.score === 100).length / 4;
  assert.equal(
    [result.zeroShot[0], result.matrix[0][0], result.matrix[1][0]],
    [0, 1, 2].map((after) => 100 * shares(after)),
  );
});

test("a run that is stopped within a task goes on to the same bits", async () => {
  let steps = 0;
  const signal = { aborted: false };
  const watch = ({ type }: { readonly type: string }): void => {
    if (type === "step" && ++steps > 6) signal.aborted = true;
  };
  const stopped = await runJob(job("stopped", { checkpointSteps: 2 }), { signal, watch })();
  assert.is(stopped._tag, "Right");
  assert.ok(readdirSync(at("stopped")).includes("training.safetensors"));
  await get(resume(at("stopped")));
  assert.equal(bitsOf("stopped"), bitsOf("whole"));
});

test("joint training learns both at once, and what asks them differently is said", async () => {
  const { result } = await get(
    runJob(
      job("joint", {
        method: { name: "joint", options: { steps: 6, batch: 4, rank: 2 } },
        chat: "{prompt}: ",
        evaluate: { templates: "single", scores: "own" },
      }),
    ),
  );
  assert.equal([result.matrix[0], result.matrix[1].length, Object.keys(result.also)], [[null, null], 2, []]);
  await writeTask(at("other"), colourTask("other", 0, { train: 4, test: 2 }), { score: "choice", chat: "Q: {prompt}\nA:" });
  const failed = left(
    await runJob(job("mixed", { source: { folders: [at("a"), at("other")] }, method: { name: "joint", options: { steps: 1, batch: 2, rank: 2 } } }))(),
  );
  assert.match(JSON.stringify(failed), /asked by one template/);
});

test("a run remembers how it asked questions: for evaluation, for generation, and for the run behind it", async () => {
  const method = { name: "sequential-lora", options: { steps: 1, batch: 2, rank: 2 } };
  const short = { source: { folders: [at("c")] }, probes: undefined, method, evaluate: { templates: "single", scores: "own" } } as const;
  await get(runJob(job("asked", { ...short, chat: "{prompt}: " })));
  const opened = await get(openLearner(at("asked")));
  assert.is(opened.asking?.chat, "{prompt}: ");
  const what = { source: { folders: [at("a")] } };
  const scores = async (more: object) => (await get(evaluateModel(opened, { ...what, ...more }, { device }))).datasets[0].scores;
  const replies = async (chat?: string) => get(generate(opened, "what colour is the sky", { device, maxTokens: 4, chat }));
  assert.equal([await scores({}), await replies()], [await scores({ chat: "{prompt}: " }), await replies("{prompt}: ")]);
  assert.not.equal(await replies(), await replies("{prompt} and what else?"));
  for (const [out, chat] of [
    ["behind", undefined],
    ["otherwise", "{prompt}\n"],
  ] as const) {
    await get(runJob(job(out, { ...short, model: at("asked"), source: { folders: [at("a")] }, ...(chat === undefined ? {} : { chat }) })));
    assert.is((JSON.parse(textOf(out, "job.json")) as Job).chat, chat ?? "{prompt}: ");
  }
});

test("layers that the model lacks are named with their option before a device opens", async () => {
  const opened: string[] = [];
  const said = async (choice: object): Promise<string> => {
    const method = { name: "sequential-lora", options: { steps: 1, batch: 2, rank: 2, ...choice } };
    return describe(left(await runJob(job("layers", { method }), { opened: (line) => opened.push(line) })()));
  };
  assert.is(await said({ towers: ["vision"] }), "towers: a llama has no tower vision; it has language");
  assert.is(await said({ towers: "text" }), "towers: a llama has no tower text; it has language");
  assert.match(await said({ modules: ["q", "fc1"] }), /^modules: a llama has no layer of the kind fc1; it has .*q/);
  assert.equal(opened, []);
});

test("a model that answers in words learns no classes: one sentence before a device opens, and a failure of what is run on an open one", async () => {
  await writeColours(dir, { classes: [0, 90] });
  const opened: string[] = [];
  for (const method of [
    { name: "codyra", options: { steps: 1 } },
    { name: "zero-shot", options: {} },
  ]) {
    const refused = left(
      await runJob(job("refused", { source: { folders: [at("classes")] }, probes: undefined, method }), { opened: (line) => opened.push(line) })(),
    );
    assert.is(describe(refused), "model: a llama answers in words and does not tell classes apart");
  }
  assert.equal(opened, []);
  const classes: ClassTask = {
    name: "classes",
    classNames: ["red"],
    templates: ["{c}"],
    train: TE.right([]),
    test: TE.right([]),
    decode: () => TE.right({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) }),
  };
  const runtime = { device, seed: 0, emit: () => undefined, images: imageCache(0), onCorrupt: "fail" as const };
  const ran = await runMethod(methods["zero-shot"](), learner(tinyLlama()), { tasks: [classes], labelSpace: "task" })(runtime)();
  assert.is(describe(left(ran)), "model: a llama answers in words and does not tell classes apart");
});

test("what is of classes is refused for questions, before a device opens", async () => {
  await writeColours(dir, { classes: [0, 90] });
  const opened: string[] = [];
  const refused = async (over: Parameters<typeof job>[1]): Promise<string> =>
    describe(left(await runJob(job("of-classes", over), { opened: (line) => opened.push(line) })()));
  assert.match(await refused({ probes: [at("classes")] }), /^probe: classes is classified and \w+ is answered in words; probes are of the same kind/);
  const single = { templates: "single" as const };
  assert.match(await refused({ labelSpace: "union" }), /^label-space: is union, which is of classes, and \w+ is answered in words/);
  assert.match(await refused({ evaluate: { ...single, also: ["seen"] } }), /^label-space: is seen/);
  assert.match(await refused({ evaluate: { templates: "ensemble" } }), /^templates: is ensemble, which is of classes/);
  const what = { source: { folders: [at("a")] }, labelSpaces: ["union" as const] };
  assert.match(describe(left(await evaluateModel(await get(openLearner(at("whole"))), what, { device })())), /^label-space: is union/);
  assert.equal(opened, []);
});

test("a model and a run are evaluated on questions", async () => {
  const what = { source: { folders: [at("a"), at("b")] } };
  const { datasets, ...rest } = await get(evaluateModel(await get(openLearner(at("whole"))), what, { device }));
  const { matrix } = right(parseRunResult("result.json")(textOf("whole", "result.json")));
  assert.equal(
    datasets.map(({ scores, images }) => [scores!.choice, images]),
    matrix[1].map((x) => [x, 4]),
  );
  assert.match(evaluationTable({ datasets, ...rest }), /Dataset +Choice +Exact +Questions/);
});

test.run();
