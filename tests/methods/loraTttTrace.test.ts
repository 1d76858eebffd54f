/** LoRA-TTT step by step against a torch reference that was written from METHODS.md H (tests/fixtures/lora_ttt_trace.py), and what it is as a method. */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { randomResizedCrop, type Augment } from "../../src/data/augment.ts";
import { clipPreprocess } from "../../src/data/preprocess.ts";
import type { Example } from "../../src/data/example.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { describe, get } from "../../src/failure.ts";
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import { duallora } from "../../src/methods/duallora.ts";
import { loraTtt } from "../../src/methods/loraTtt.ts";
import { network } from "../../src/model/architecture.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { clip } from "../../src/model/clip.ts";
import { learner } from "../../src/model/learner.ts";
import { networkOf, readModel as readAny, type Model } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { transformOf } from "../../src/model/inputs.ts";
import { runMethod, type Run, type RunOptions } from "../../src/runs/run.ts";
import { evaluate } from "../../src/stages/evaluate.ts";
import { withEncoder } from "../../src/stages/features.ts";
import { course, method } from "../../src/stages/learn.ts";
import { asked, classified } from "../../src/stages/predict.ts";
import { pipeline, stepStage, taskStage, type TaskStage } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { testTimeTraining } from "../../src/stages/testTime.ts";
import { flatten, unflatten } from "../../src/tensor/layout.ts";
import type { Evaluated, Lesson, MaybeMerged } from "../../src/training/lesson.ts";
import { maskedReconstruction, meanEntropy, sum, weighted } from "../../src/training/losses.ts";
import { adamW, sgd } from "../../src/training/optimizer.ts";
import type { Event } from "../../src/training/runtime.ts";
import { constantly } from "../../src/training/schedule.ts";
import { giving, type Trainee, type TrainingBatches } from "../../src/training/trainee.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip, tinyConfig } from "../fixtures/tinyClip.ts";
import { right } from "../either.ts";
import { fixture, goldenOf, readModel } from "../model/embeddings.ts";
import { deviceTest, failureOf, runTests, sameBits } from "../tensor/check.ts";
import { mixedTests, overflowing } from "../tensor/mixedTest.ts";
import { columnsOf, near, rowAt, runtimeOf, startingAt, traced } from "./trace.ts";

const adapter = lora({ rank: 4, modules: ["q", "k", "v", "out"], towers: ["vision"], last: 2, scale: 2 });
const optimizer = update(adamW({ lr: constantly(1e-2), weightDecay: 0.2 }));
const [views, chosen, classes, patches] = [8, 3, 5, 9];

/** The golden picture's views as images, and the model with the adapter that starts where the reference's does. */
const golden = async () => {
  const of = await goldenOf("lora-ttt-trace.safetensors");
  const model: Model = { ...(await readModel(fixture("clip-gelu"))), preprocess: clipPreprocess(24), files: new Map() };
  const layouts = adapter.layouts(networkOf(model));
  const start = { A: flatten(layouts.A, (name) => of(`${name}.A`).data), B: new Float32Array(layouts.B.length) };
  const images = Array.from({ length: views }, (_, v) => ({ width: 24, height: 24, data: Uint8Array.from(rowAt(of("views"), v).data) }));
  const transform = transformOf(model);
  const pixels = (picked: ArrayLike<number>): Float32Array => {
    const length = 3 * 24 * 24;
    const batch = new Float32Array(picked.length * length);
    Array.from(picked).forEach((v, i) => transform.normalise(images[v], batch, i * length));
    return batch;
  };
  return { of, model, layouts, start, images, pixels };
};

deviceTest("LoRA-TTT: both losses and all parameters of two steps on the chosen views are torch's", async (device) => {
  const { of, model, layouts, start, pixels } = await golden();
  const visible = (step: number): Uint32Array => {
    const seen = rowAt(of("visible"), step).data;
    const rows = Array.from({ length: chosen }, (_, i) => [0, 1 + seen[2 * i], 1 + seen[2 * i + 1]].map((token) => i * (1 + patches) + token));
    return Uint32Array.from(rows.flat());
  };
  const batches: TrainingBatches = {
    shape: { images: chosen, texts: classes, length: 0, previous: 0, visible: 2 },
    steps: 2,
    epoch: 1,
    at: (step) => TE.right({ pixels: pixels(rowAt(of("chosen"), step).data), visible: visible(step) }),
  };
  const texts = stepStage("texts", {}, (trainee: Trainee, { constant }) => giving(trainee, { textEmbeds: constant("texts", of("texts")) }));
  const { states, losses } = await traced<"A" | "B">(device, {
    ...{ model, adapter, batches, from: { step: 0, values: start, moments: {} } },
    steps: repeat(2, texts, gradient(sum(meanEntropy, maskedReconstruction(0.75))), optimizer),
  });
  const wanted = columnsOf(of("loss"));
  losses.forEach((loss, i) => near([loss.meanEntropy, loss.maskedReconstruction], [wanted[0][i], wanted[1][i]], `step ${i}: losses`));
  states.forEach(({ values }, i) => {
    for (const group of ["A", "B"] as const)
      for (const [name, { data }] of unflatten(layouts[group], values[group]))
        near(data, rowAt(of(`${name}.${group}.after`), i).data, `step ${i + 1}: ${group} of ${name}`);
  });
});

deviceTest(
  "a picture is answered after two steps as torch answers it, twice with the same bits, and the next one meets the model as it was",
  async (device) => {
    const { of, model, start, images } = await golden();
    let given = 0;
    // The golden views in the place of random ones.
    const augment: Augment = () => images[1 + (given++ % (views - 1))];
    const steps = repeat(2, gradient(meanEntropy), optimizer);
    const adaptation = testTimeTraining({ adapters: startingAt(adapter, start), steps, views, augment, confident: chosen / views });
    const example: Example = { id: "picture", label: 1, image: { kind: "pixels", image: images[0] } };
    const texts: HostTensor = of("texts");
    const events: Event[] = [];
    const runtime = { ...runtimeOf(device), emit: (event: Event) => void events.push(event) };
    const encoded = await get(
      withEncoder(
        learner(model),
        runtime,
        undefined,
        adaptation,
      )((encode) => encode.images({ name: "one" }, [example, example], { count: classes, data: texts.data })),
    );
    assert.equal([...encoded.labels], [1, 1]);
    near(encoded.data.subarray(0, 18), of("entropy.features").data, "the features of the picture");
    sameBits(encoded.data.slice(18), encoded.data.slice(0, 18), "the second time");
    const notes = events.flatMap((event) => (event.type === "note" ? [event.detail] : []));
    assert.equal(notes, ["one: 2 pictures, each of which is answered after 2 steps of training on 3 of 8 views"]);
  },
);

mixedTests("in mixed precision a picture is adapted to although its first gradients overflow, and has the same bits in any order", async (_, device) => {
  const { of, model, images } = await golden();
  const texts = { count: classes, data: of("texts").data };
  const pictures = images.slice(0, 3).map((image, i): Example => ({ id: `${i}`, label: 0, image: { kind: "pixels", image } }));
  const factor = overflowing(device);
  /** Features after one step at a rate. */
  const features = async (examples: readonly Example[], rate: number): Promise<readonly Float32Array[]> => {
    const steps = repeat(1, gradient(weighted(factor, meanEntropy)), update(sgd({ lr: constantly(rate / factor), momentum: 0 })));
    const adaptation = testTimeTraining({ adapters: adapter, steps, views: 4, augment: randomResizedCrop(0.3, 1), confident: 0.5 });
    const encoding = withEncoder(learner(model), runtimeOf(device), undefined, adaptation);
    const { data } = await get(encoding((encode) => encode.images({ name: "some" }, examples, texts)));
    return examples.map((_, i) => data.slice(18 * i, 18 * (i + 1)));
  };
  const [there, back, still] = [await features(pictures, 1), await features([...pictures].reverse(), 1), await features(pictures, 0)];
  there.forEach((one, i) => {
    sameBits(back[2 - i], one, `picture ${i}`);
    assert.not.equal([...one], [...still[i]], `picture ${i} is adapted to`);
  });
});

test("adapters attach to the last blocks of every tower where that is asked for", () => {
  const net = network(clip, tinyConfig);
  const all = layersOf(net, { modules: ["q"], towers: "all" });
  const last = layersOf(net, { modules: ["q"], towers: "all", last: 1 });
  assert.equal(
    last.map(({ name }) => name),
    ["vision", "text"].map((tower) => all.findLast((layer) => layer.tower === tower)!.name),
  );
  assert.equal(layersOf(net, { modules: ["q"], towers: "all", last: 99 }), all);
});

const stream: ClassStream = { labelSpace: "task", tasks: [patternTask("warm", ["red", "orange"], 1), patternTask("cold", ["blue", "green"], 2)] };
const quick = { views: 6, confident: 0.5, rank: 2, last: 1, rate: 1e-2 };

/** How many rows were measured. */
const rowsOf = (events: readonly Event[]): number => events.filter(({ type }) => type === "evaluating").length;

deviceTest("LoRA-TTT learns nothing, and its learner answers pictures as its run did, in whatever order they are asked about", async (device) => {
  const model = await tinyClip();
  const testTime = loraTtt(quick);
  const events: Event[] = [];
  const runtime = { ...runtimeOf(device), top: 2, emit: (event: Event) => void events.push(event) };
  const run = await get(runMethod(testTime, learner(model), stream)(runtime));
  for (const [name, { data }] of run.learner.model.weights) sameBits(data, model.weights.get(name)!.data, name);
  assert.equal(run.result.matrix[0], run.result.matrix[1]);
  const [{ classNames: labels, templates, test: examples, name }] = stream.tasks;
  const scored = events.flatMap((event) => (event.type === "predictions" && event.dataset === name ? [event.predictions] : []));
  const [zeroShot, , last] = scored;
  assert.is(scored.length, 3);
  assert.is(rowsOf(events), 2, "a row before the first task, and one that stands for all tasks");
  assert.not.equal(last, zeroShot, "the training changes what pictures are taken for");
  const reversed = [...(await get(examples))].reverse();
  const asking = right(asked({ learner: run.learner, inference: testTime.inference }, { labels, template: templates[0] }));
  const answers = await get(classified(asking, { examples: reversed })(runtime));
  assert.equal(
    answers.map((answer) => ({ sample: answer.picture, top: answer.labels })).reverse(),
    last.map(({ sample, top }) => ({ sample, top })),
  );
});

deviceTest("its row is measured once, also behind a stop, and told of after every task; among classes seen so far each task has one", async (device) => {
  const start = learner(await tinyClip());
  const three: ClassStream = {
    ...stream,
    tasks: [...stream.tasks, patternTask("grey", ["black", "white"], 3)],
    probes: [patternTask("probe", ["x", "y"], 4)],
  };
  const run = async (options: RunOptions, of = loraTtt(quick)) => {
    const events: Event[] = [];
    const runs: Run[] = [];
    const keep = { lesson: (reached: Run) => TE.fromIO(() => void runs.push(reached)) };
    const ended = await get(runMethod(of, start, three, { ...options, keep })({ ...runtimeOf(device), emit: (event) => void events.push(event) }));
    return { ...ended, runs, rows: rowsOf(events), cells: events.filter(({ type }) => type === "evaluation").length };
  };
  const whole = await run({});
  assert.equal([whole.rows, whole.cells], [2, 16]);
  for (const { row, probes, answers } of whole.progress.reports) {
    assert.equal([row, probes], [whole.progress.reports[0].row, whole.progress.reports[0].probes]);
    assert.ok(answers!.some((given) => given !== null));
  }
  const [, two] = whole.runs;
  const events: Event[] = [];
  const runtime = { ...runtimeOf(device), emit: (event: Event) => void events.push(event) };
  const resumed = await get(runMethod(loraTtt(quick), two.learner, three, { from: { ...two.progress }, untrained: start })(runtime));
  assert.is(rowsOf(events), 1);
  assert.equal({ ...resumed.result, seconds: whole.result.seconds }, whole.result);
  assert.equal(resumed.answers, whole.answers);
  const seen = { also: ["seen" as const] };
  const grown = await run({ evaluate: seen }, loraTtt({ ...quick, evaluate: seen }));
  assert.is(grown.rows, 4);
  assert.equal(grown.result.matrix, whole.result.matrix);
});

deviceTest("a lesson that changes what the learner remembers is scored again, and so is one through a branch or in other ways", async (device) => {
  const remember = taskStage("remember", {}, (lesson: Lesson) =>
    RTE.of({ ...lesson, learner: { ...lesson.learner, memory: { ...lesson.learner.memory, last: lesson.position } } }),
  );
  const rows = async (lesson: TaskStage<Lesson, MaybeMerged & Evaluated>): Promise<number> => {
    const events: Event[] = [];
    await get(method("mine", {}, lesson).run(course(learner(await tinyClip()), stream))({ ...runtimeOf(device), emit: (event) => void events.push(event) }));
    return rowsOf(events);
  };
  assert.is(await rows(evaluate()), 1);
  assert.is(await rows(pipeline(remember, evaluate())), 2);
  assert.is(await rows(pipeline(evaluate(), evaluate({ templates: "ensemble" }))), 4);
  assert.is(await rows(evaluate({ labelSpace: "seen" })), 2);
  assert.is(await rows(evaluate({}, { calibration: { name: "none", options: {}, of: () => () => 0 } })), 2);
});

deviceTest("it stands on top of another learner, through the branches of that one's method", async (device) => {
  const taught = duallora({ steps: 2, batch: 4, rank: 2 });
  const { learner: after } = await get(runMethod(taught, learner(await tinyClip()), stream)(runtimeOf(device)));
  const { adaptation } = loraTtt(quick).inference!;
  const seen: unknown[] = [];
  for (const inference of [taught.inference, { ...taught.inference, adaptation }]) {
    const asking = right(asked({ learner: after, inference, tasks: [2, 2] }, {}));
    seen.push(await get(classified(asking, { examples: await get(stream.tasks[0].test) })(runtimeOf(device))));
  }
  assert.not.equal(seen[0], seen[1]);
});

deviceTest("a model that reads no texts is refused in a sentence", async (device) => {
  const vit = await get(readAny(fixture("vit-tiny")));
  const failure = failureOf(await runMethod(loraTtt(quick), learner(vit), stream)(runtimeOf(device))());
  assert.match(describe(failure), /test-time training compares views of a picture with the texts of classes, and a vit reads none/);
});

runTests();
